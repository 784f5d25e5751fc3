"""What a problem is: a function with gradient, minimum and constants; a finite sum; an online sequence."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import integer
from .functions import Functions, numeric, symbolic
from .points import Tree, checked, size, tree_map

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Minimum:
    """The infimum of a problem, and the points at which it is attained.

    `value` is inf f: -inf when f is unbounded below, nan when it is not known. `all` holds every minimizer;
    it is empty when the infimum is not attained or its minimizers are not known.
    """

    value: float
    all: tuple[Array, ...] = ()

    @property
    def theta(self) -> Array | None:
        """The minimizer (a fresh copy), or None when there is none or more than one."""
        return self.all[0].copy() if len(self.all) == 1 else None


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """A function f to be minimized.

    `latex` is its formula, `symbols` says what each symbol in it stands for (LaTeX -> words, with the number
    where it is one), and `source` where it comes from. `smoothness` is an L with
    |grad f(x) - grad f(y)| <= L |x - y| everywhere (None: there is none, or none is known), the least one;
    `strong_convexity` is the largest mu > 0 with f - mu/2 |x|^2 convex (None: there is none). `tags` tell
    "convex" from "nonconvex" and "smooth" (continuously differentiable) from "nonsmooth"; further tags:
    "constrained", "finite_sum", "network", "online", "quadratic", "separable" (data that a hyperplane
    separates), "sparse", "stochastic".
    """

    name: str
    title: str
    latex: str
    symbols: Mapping[str, str] = field(default_factory=dict)
    source: str
    initial: Tree
    function: Callable[[Tree, Functions], Any]
    tags: frozenset[str]
    minimum: Minimum = Minimum(math.nan)
    smoothness: float | None = None
    strong_convexity: float | None = None

    @property
    def dim(self) -> int:
        """The number of scalars in theta."""
        return size(self.initial)

    @property
    def start(self) -> Tree:
        """The usual start point, a fresh copy each time."""
        return tree_map(np.copy, self.initial)

    @overload
    def value(self, theta: NDArray[np.complexfloating[Any, Any]]) -> complex: ...
    @overload
    def value(self, theta: Tree) -> float: ...
    def value(self, theta: Tree) -> float | complex:
        """f(theta), shaped and nested like `start`.

        A complex theta gives the complex value of the analytic continuation, so that f(x + ihe_i).imag / h
        is a derivative without cancellation (the complex step). A value out of floating-point range is inf
        or nan. Raises TypeError or ValueError for a theta of wrong structure, shape or dtype, or one that is
        not finite.
        """
        return self._value(lambda point: self.function(point, numeric()), theta)

    def gradient(self, theta: Tree) -> Tree:
        """The gradient of f at a real theta, exact by autograd, in theta's structure and dtype.

        At a kink it is the subgradient that the problem's builder documents. Raises as `value` does.
        """
        return self.value_and_gradient(theta)[1]

    def value_and_gradient(self, theta: Tree) -> tuple[float, Tree]:
        """f(theta) and its gradient, from one pass forward and one back."""
        return self._differentiate(lambda point: self.function(point, numeric()), theta)

    def expression(self) -> tuple[Any, tuple[Any, ...]]:
        """The SymPy expression of f and its symbols x1, ..., xn, with rational constants.

        Raises ValueError for a problem whose theta is a nested structure.
        """
        if not isinstance(self.initial, np.ndarray):
            raise ValueError(
                f"problem {self.name!r} has no SymPy expression: its theta is a nested structure; "
                "check its gradient by a complex step"
            )
        import sympy as sp

        symbols = sp.symbols(f"x1:{self.dim + 1}", real=True)
        expression = self.function(np.array(symbols, dtype=object), symbolic())
        return sp.nsimplify(expression, rational=True), symbols

    def _value(self, function: Callable[[Tree], Any], theta: Tree) -> float | complex:
        point = checked(theta, self.initial, self.name, kinds="fc")
        with np.errstate(over="ignore", invalid="ignore"):
            value = function(point)
        return complex(value) if np.iscomplexobj(value) else float(value)

    def _differentiate(self, function: Callable[[Tree], Any], theta: Tree) -> tuple[float, Tree]:
        from autograd import value_and_grad

        point = checked(theta, self.initial, self.name)
        with np.errstate(over="ignore", invalid="ignore"):
            value, gradient = value_and_grad(function)(point)
        # Data of a wider dtype would widen the gradient.
        return float(value), tree_map(lambda leaf, part: np.asarray(part, leaf.dtype), point, gradient)


@dataclass(frozen=True, eq=False, kw_only=True)
class FiniteSum(Problem):
    """A mean over examples, f(theta) = (1/n) sum_i f_i(theta).

    `batch(theta, xp, indices)` is the mean over the examples of these indices; f is the mean over all.
    """

    n: int
    batch: Callable[[Tree, Functions, Any], Any]
    function: Callable[[Tree, Functions], Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "function", lambda theta, xp: self.batch(theta, xp, slice(None)))

    @overload
    def batch_value(self, theta: NDArray[np.complexfloating[Any, Any]], indices: ArrayLike) -> complex: ...
    @overload
    def batch_value(self, theta: Tree, indices: ArrayLike) -> float: ...
    def batch_value(self, theta: Tree, indices: ArrayLike) -> float | complex:
        """The mean of f_i(theta) over the indices (an integer, or a list of them, each in 0 ... n-1).

        Raises as `value` does; TypeError for indices that are not integers, ValueError for an empty batch,
        IndexError for an index out of range.
        """
        batch = self._indices(indices)
        return self._value(lambda point: self.batch(point, numeric(), batch), theta)

    def batch_gradient(self, theta: Tree, indices: ArrayLike) -> Tree:
        """The gradient of `batch_value`; an index that stands twice counts twice."""
        return self.batch_value_and_gradient(theta, indices)[1]

    def batch_value_and_gradient(self, theta: Tree, indices: ArrayLike) -> tuple[float, Tree]:
        """Both of them, from one pass."""
        batch = self._indices(indices)
        return self._differentiate(lambda point: self.batch(point, numeric(), batch), theta)

    def _indices(self, indices: ArrayLike) -> NDArray[np.intp]:
        array = np.atleast_1d(np.asarray(indices))
        if array.size == 0 or array.ndim != 1:
            raise ValueError(
                f"a batch of problem {self.name!r} must be a non-empty list of indices, "
                f"got shape {array.shape}"
            )
        if array.dtype.kind not in "iu":
            raise TypeError(
                f"batch indices of problem {self.name!r} must be integers, got dtype {array.dtype}"
            )
        outside = array[(array < 0) | (array >= self.n)]
        if outside.size:
            raise IndexError(
                f"batch index {outside[0]} of problem {self.name!r} is out of range: it has examples "
                f"0 to {self.n - 1}"
            )
        return array.astype(np.intp, copy=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class OnlineProblem(Problem):
    """A sequence of losses f_t, t = 1, 2, ..., on the box low <= theta <= high; f is their long-run mean.

    `loss(theta, xp, t)` is f_t(theta). The minimum is taken over the box.
    """

    loss: Callable[[Any, Functions, int], Any]
    low: float
    high: float

    @overload
    def online_value(self, theta: NDArray[np.complexfloating[Any, Any]], t: int) -> complex: ...
    @overload
    def online_value(self, theta: Tree, t: int) -> float: ...
    def online_value(self, theta: Tree, t: int) -> float | complex:
        """f_t(theta). Raises as `value` does, and for a t that is not an integer of at least 1."""
        t = self._time(t)
        return self._value(lambda point: self.loss(point, numeric(), t), theta)

    def online_gradient(self, theta: Tree, t: int) -> Tree:
        """The gradient of f_t at theta."""
        t = self._time(t)
        return self._differentiate(lambda point: self.loss(point, numeric(), t), theta)[1]

    def project(self, theta: Tree) -> Tree:
        """The point of the box nearest to theta, in theta's dtype."""
        return np.clip(checked(theta, self.initial, self.name), self.low, self.high)

    @property
    def comparator(self) -> Array:
        """The fixed point of the box that regret compares with: the minimizer of f."""
        return self.minimum.all[0].copy()

    def regret(self, thetas: Sequence[Tree]) -> float:
        """R_T = sum_t f_t(theta_t) - f_t(comparator), t = 1, ..., T, for the points theta_1, ..., theta_T."""
        return math.fsum(
            self.online_value(theta, t) - self.online_value(self.comparator, t)
            for t, theta in enumerate(thetas, start=1)
        )

    def _time(self, t: int) -> int:
        return integer(f"problem {self.name!r}", "t", t, least=1)
