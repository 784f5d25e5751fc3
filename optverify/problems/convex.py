"""Convex functions: quadratics, Huber, log-cosh, absolute value, Booth, Matyas."""

from typing import Any

import numpy as np

from .arguments import dimension, real
from .functions import Functions
from .problem import Minimum, Problem
from .registry import register

SMOOTH_CONVEX = frozenset({"convex", "smooth"})
SURVEY = "Jamil & Yang 2013, A literature survey of benchmark functions, arXiv:1308.4008"
COORDINATES = "number of coordinates of x"


@register
def sphere(dim: int = 2) -> Problem:
    r"""The sphere, f(x) = \sum_i x_i^2; Hessian 2 I, so L = mu = 2."""
    dim = dimension("sphere", dim)
    return Problem(
        name="sphere",
        title="Sphere",
        latex=r"\sum_{i=1}^{n} x_i^2",
        symbols={"n": COORDINATES},
        source=SURVEY,
        initial=np.linspace(1.0, 2.0, dim),
        function=lambda x, xp: xp.sum(x**2),
        tags=SMOOTH_CONVEX | {"quadratic"},
        minimum=Minimum(0.0, (np.zeros(dim),)),
        smoothness=2.0,
        strong_convexity=2.0,
    )


@register
def quadratic(dim: int = 2, condition: float = 100.0, smoothness: float = 1.0) -> Problem:
    r"""A quadratic of chosen conditioning, f(x) = x^T H x / 2.

    H = Q diag(lambda) Q with eigenvalues from L = `smoothness` down to mu = L/`condition` in geometric
    steps, and the Householder reflection Q = I - 2 v v^T / v^T v, v = (1, 2, 1, 2, ...): the eigenvectors
    are spread over the axes, so that rescaling coordinates helps little. Needs condition >= 1; with dim = 1
    it must be 1.
    """
    dim = dimension("quadratic", dim, power=2)
    condition = real("quadratic", "condition", condition)
    largest = real("quadratic", "smoothness", smoothness)
    if condition < 1 or (dim == 1 and condition != 1):
        bound = "1 when dim is 1" if dim == 1 else "at least 1"
        raise ValueError(f"quadratic: condition must be {bound}, got {condition}")
    eigenvalues = largest * np.geomspace(1.0, 1.0 / condition, dim)
    v = 1.0 + np.arange(dim) % 2
    Q = np.eye(dim) - 2.0 * np.outer(v, v) / (v @ v)
    H = (Q * eigenvalues) @ Q
    H = (H + H.T) / 2

    def function(x: Any, xp: Functions) -> Any:
        return xp.sum(x * (xp.array(H) @ x)) / 2

    return Problem(
        name="quadratic",
        title="Rotated quadratic",
        latex=r"\tfrac{1}{2} x^{\top} H x",
        symbols={
            "H": f"the Hessian, its {dim} eigenvalues in geometric steps from {largest:g} down to"
            f" {largest / condition:g} and its eigenvectors spread over the axes by a reflection"
        },
        source="Householder 1958, Unitary triangularization of a nonsymmetric matrix (the reflection Q)",
        initial=np.ones(dim),
        function=function,
        tags=SMOOTH_CONVEX | {"quadratic"},
        minimum=Minimum(0.0, (np.zeros(dim),)),
        smoothness=largest,
        strong_convexity=largest / condition,
    )


@register
def booth() -> Problem:
    """Booth's function, a quadratic whose Hessian ((10, 8), (8, 10)) has mu = 2 and L = 18."""
    return Problem(
        name="booth",
        title="Booth",
        latex=r"(x_1 + 2 x_2 - 7)^2 + (2 x_1 + x_2 - 5)^2",
        source=SURVEY,
        initial=np.array([-5.0, -5.0]),
        function=lambda x, xp: (x[0] + 2 * x[1] - 7) ** 2 + (2 * x[0] + x[1] - 5) ** 2,
        tags=SMOOTH_CONVEX | {"quadratic"},
        minimum=Minimum(0.0, (np.array([1.0, 3.0]),)),
        smoothness=18.0,
        strong_convexity=2.0,
    )


@register
def matyas() -> Problem:
    """Matyas' function, a quadratic whose Hessian ((0.52, -0.48), (-0.48, 0.52)) has mu = 0.04 and L = 1."""
    return Problem(
        name="matyas",
        title="Matyas",
        latex=r"0.26 (x_1^2 + x_2^2) - 0.48 x_1 x_2",
        source=SURVEY,
        initial=np.array([5.0, -7.0]),
        function=lambda x, xp: 0.26 * (x[0] ** 2 + x[1] ** 2) - 0.48 * x[0] * x[1],
        tags=SMOOTH_CONVEX | {"quadratic"},
        minimum=Minimum(0.0, (np.zeros(2),)),
        smoothness=1.0,
        strong_convexity=0.04,
    )


@register
def huber(dim: int = 1, delta: float = 1.0) -> Problem:
    r"""Huber's function with threshold delta, summed over the coordinates.

    h(x) = x^2/2 where |x| <= delta, delta |x| - delta^2/2 elsewhere. Continuously differentiable with
    |h'| <= delta, L = 1, not strongly convex. With dim = 1 and delta = R/(2N+1), gradient descent with
    lr = 1/L from x_0 = R attains f(x_N) - f* = L R^2/(4N+2), the worst case of all smooth convex functions
    (Drori & Teboulle 2014).
    """
    dim = dimension("huber", dim)
    delta = real("huber", "delta", delta)

    def function(x: Any, xp: Functions) -> Any:
        return xp.sum(xp.at_most(xp.abs(x), delta, x**2 / 2, delta * xp.abs(x) - delta**2 / 2))

    return Problem(
        name="huber",
        title="Huber",
        latex=r"\sum_{i=1}^{n} \begin{cases} x_i^2/2 & |x_i| \le \delta \\"
        r" \delta |x_i| - \delta^2/2 & |x_i| > \delta \end{cases}",
        symbols={"n": COORDINATES, r"\delta": f"threshold between square and line, {delta:g}"},
        source="Huber 1964, Robust estimation of a location parameter",
        initial=np.full(dim, 3.0 * delta),
        function=function,
        tags=SMOOTH_CONVEX,
        minimum=Minimum(0.0, (np.zeros(dim),)),
        smoothness=1.0,
    )


@register
def log_cosh(dim: int = 2) -> Problem:
    r"""The sum of log cosh x_i: analytic, with f'' = 1/cosh^2 in (0, 1], so L = 1 and no mu."""
    dim = dimension("log_cosh", dim)
    return Problem(
        name="log_cosh",
        title="Log-cosh",
        latex=r"\sum_{i=1}^{n} \log \cosh x_i",
        symbols={"n": COORDINATES},
        source="Green 1990, Bayesian reconstructions from emission tomography data",
        initial=np.linspace(3.0, 4.0, dim),
        function=lambda x, xp: xp.sum(xp.log_cosh(x)),
        tags=SMOOTH_CONVEX,
        minimum=Minimum(0.0, (np.zeros(dim),)),
        smoothness=1.0,
    )


@register
def absolute_value(dim: int = 1) -> Problem:
    r"""The absolute value, f(x) = \sum_i |x_i|; the subgradient chosen at x_i = 0 is 0."""
    dim = dimension("absolute_value", dim)
    return Problem(
        name="absolute_value",
        title="Absolute value",
        latex=r"\sum_{i=1}^{n} |x_i|",
        symbols={"n": COORDINATES},
        source="Nesterov 2004, Introductory Lectures on Convex Optimization, section 3.1",
        initial=np.linspace(1.0, 2.0, dim),
        function=lambda x, xp: xp.sum(xp.abs(x)),
        tags=frozenset({"convex", "nonsmooth"}),
        minimum=Minimum(0.0, (np.zeros(dim),)),
    )
