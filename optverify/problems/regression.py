"""Finite sums over examples: least squares and logistic regression."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arguments import check_size, dimension, integer, real
from .functions import Functions
from .problem import Array, FiniteSum, Minimum
from .registry import register

CONVEX_SUM = frozenset({"convex", "smooth", "finite_sum"})
EXAMPLES = "number of examples"
BOYD = "Boyd & Vandenberghe 2004, Convex Optimization, section 7.1.1"


@register
def least_squares(n: int = 50, dim: int = 5, noise: float = 0.1, seed: int = 0) -> FiniteSum:
    r"""Least squares, f(x) = (1/2n) |A x - b|^2 with n >= dim normal examples and b = A x_true + noise.

    The Hessian is A^T A/n: L and mu are its extreme eigenvalues, the minimizer solves the normal equations.
    """
    dim = dimension("least_squares", dim, power=2)
    n = integer("least_squares", "n", n, least=dim)
    check_size("least_squares", n * dim, f"n = {n} with dim = {dim}")
    noise = real("least_squares", "noise", noise)
    rng = np.random.default_rng(integer("least_squares", "seed", seed, least=0))
    A = rng.standard_normal((n, dim))
    b = A @ rng.standard_normal(dim) + noise * rng.standard_normal(n)
    eigenvalues = np.linalg.eigvalsh(A.T @ A / n)
    minimizer: Array = np.linalg.lstsq(A, b)[0].astype(np.float64)

    def batch(x: Any, xp: Functions, indices: Any) -> Any:
        residual = xp.array(A[indices]) @ x - xp.array(b[indices])
        return xp.sum(residual**2) / (2 * len(residual))

    return FiniteSum(
        name="least_squares",
        title="Least squares",
        latex=r"\frac{1}{2n} \sum_{i=1}^{n} (a_i^{\top} x - b_i)^2",
        symbols={
            "n": f"{EXAMPLES}, {n}",
            "a_i": "features of an example, drawn from a normal distribution",
            "b_i": f"its target: linear in them, with noise of standard deviation {noise:g}",
        },
        source="Boyd & Vandenberghe 2004, Convex Optimization, section 1.2.1",
        initial=np.zeros(dim),
        n=n,
        batch=batch,
        tags=CONVEX_SUM | {"quadratic"},
        minimum=Minimum(float(np.sum((A @ minimizer - b) ** 2)) / (2 * n), (minimizer,)),
        smoothness=float(eigenvalues[-1]),
        strong_convexity=float(eigenvalues[0]),
    )


@register
def logistic_regression(n: int = 60, dim: int = 5, ridge: float = 0.01, seed: int = 0) -> FiniteSum:
    r"""Logistic regression with a ridge, f(x) = (1/n) \sum_i log(1 + exp(-b_i a_i^T x)) + (ridge/2) |x|^2.

    Normal examples a_i, labels b_i = +-1 drawn from the logistic model. L = lambda_max(A^T A)/(4n) + ridge
    (the Hessian at 0), mu = ridge > 0; the minimizer is computed by Newton's method to float64 accuracy.
    """
    dim = dimension("logistic_regression", dim, power=2)
    n = integer("logistic_regression", "n", n, least=1)
    check_size("logistic_regression", n * dim, f"n = {n} with dim = {dim}")
    ridge = real("logistic_regression", "ridge", ridge)
    rng = np.random.default_rng(integer("logistic_regression", "seed", seed, least=0))
    A = rng.standard_normal((n, dim))
    b = _drawn_labels(rng, A @ (2 * rng.standard_normal(dim)))
    return _logistic("logistic_regression", "Logistic regression", A, b, ridge=ridge, source=BOYD)


@register
def separable_logistic(n: int = 40, dim: int = 2, margin: float = 0.5, seed: int = 0) -> FiniteSum:
    r"""Logistic regression on separable data: b_i a_i^T w >= margin for a unit vector w.

    The infimum 0 is not attained: f falls along t w for ever. No ridge, no mu.
    """
    dim = dimension("separable_logistic", dim, power=2)
    n = integer("separable_logistic", "n", n, least=1)
    check_size("separable_logistic", n * dim, f"n = {n} with dim = {dim}")
    margin = real("separable_logistic", "margin", margin)
    rng = np.random.default_rng(integer("separable_logistic", "seed", seed, least=0))
    w = rng.standard_normal(dim)
    w /= np.linalg.norm(w)
    A = rng.standard_normal((n, dim))
    b = np.where(A @ w >= 0, 1.0, -1.0)
    A += margin * np.outer(b, w)
    source = "Soudry et al. 2018, The implicit bias of gradient descent on separable data, arXiv:1710.10345"
    return _logistic(
        "separable_logistic", "Separable logistic", A, b, ridge=0.0, source=source, tag="separable"
    )


@register
def sparse_features(
    n: int = 200, dim: int = 50, words: int = 20, ridge: float = 0.001, seed: int = 0
) -> FiniteSum:
    r"""Logistic regression on word counts: documents of `words` words, the k-th word with frequency ~ 1/k.

    a_ik is how often word k stands in document i (Zipf's law): most columns are nearly always zero while
    their weights matter as much as those of frequent words, the setting that adaptive methods were made for.
    Constants as for `logistic_regression`.
    """
    dim = dimension("sparse_features", dim, power=2)
    n = integer("sparse_features", "n", n, least=1)
    check_size("sparse_features", n * dim, f"n = {n} with dim = {dim}")
    words = integer("sparse_features", "words", words, least=1)
    ridge = real("sparse_features", "ridge", ridge)
    rng = np.random.default_rng(integer("sparse_features", "seed", seed, least=0))
    frequency = 1.0 / np.arange(1, dim + 1)
    A = rng.multinomial(words, frequency / frequency.sum(), size=n).astype(float)
    b = _drawn_labels(rng, A @ rng.standard_normal(dim))
    source = "Duchi, Hazan & Singer 2011, Adaptive subgradient methods, section 1.3 (the setting)"
    return _logistic("sparse_features", "Sparse features", A, b, ridge=ridge, source=source, tag="sparse")


def _drawn_labels(rng: np.random.Generator, scores: Array) -> Array:
    """Labels +-1, +1 with probability 1/(1 + exp(-score))."""
    return np.where(rng.logistic(size=scores.shape) < scores, 1.0, -1.0)


def _logistic(
    name: str, title: str, A: Array, b: Array, *, ridge: float, source: str, tag: str | None = None
) -> FiniteSum:
    """Mean log-loss of the labels b over the rows of A, plus (ridge/2) |x|^2."""
    margins = b[:, None] * A
    symbols = {"n": f"{EXAMPLES}, {len(b)}", "a_i": "features of an example", "b_i": "its label, 1 or -1"}
    if ridge:
        symbols[r"\rho"] = f"weight of the ridge, {ridge:g}"

    def batch(x: Any, xp: Functions, indices: Any) -> Any:
        losses = xp.softplus(xp.array(-margins[indices]) @ x)
        mean = xp.sum(losses) / len(losses)
        return mean + xp.sum(x**2) * (ridge / 2) if ridge else mean

    return FiniteSum(
        name=name,
        title=title,
        latex=r"\frac{1}{n} \sum_{i=1}^{n} \log\left(1 + \exp(-b_i a_i^{\top} x)\right)"
        + (r" + \frac{\rho}{2} \|x\|^2" if ridge else ""),
        symbols=symbols,
        source=source,
        initial=np.zeros(A.shape[1]),
        n=len(b),
        batch=batch,
        tags=CONVEX_SUM | {tag} if tag else CONVEX_SUM,
        minimum=_logistic_minimum(margins, ridge) if ridge else Minimum(0.0),
        smoothness=float(np.linalg.eigvalsh(A.T @ A / len(b))[-1]) / 4 + ridge,
        strong_convexity=ridge or None,
    )


def _logistic_minimum(margins: Array, ridge: float) -> Minimum:
    """Newton's method: damped until the decrement is small, then full steps that each square the error."""
    x = np.zeros(margins.shape[1])
    direction, decrement = _newton(margins, ridge, x)
    while decrement > 1e-10:
        step = 1.0
        value = _logistic_value(margins, ridge, x)
        while _logistic_value(margins, ridge, x - step * direction) > value - step * decrement / 4:
            step /= 2
        x = x - step * direction
        direction, decrement = _newton(margins, ridge, x)
    for _ in range(6):
        x = x - _newton(margins, ridge, x)[0]
    return Minimum(_logistic_value(margins, ridge, x), (x,))


def _logistic_value(margins: Array, ridge: float, x: Array) -> float:
    return float(np.mean(np.logaddexp(0.0, -margins @ x)) + ridge / 2 * (x @ x))


def _newton(margins: Array, ridge: float, x: Array) -> tuple[NDArray[np.float64], float]:
    """The Newton direction H^{-1} g and the decrement g^T H^{-1} g."""
    n, dim = margins.shape
    wrong = np.exp(-np.logaddexp(0.0, margins @ x))  # 1 - the probability of the right label
    gradient = -margins.T @ wrong / n + ridge * x
    hessian = (margins.T * (wrong * (1 - wrong))) @ margins / n + ridge * np.eye(dim)
    direction = np.linalg.solve(hessian, gradient)
    return direction, float(gradient @ direction)
