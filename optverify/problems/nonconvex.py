"""Nonconvex functions: valleys, several minima, a saddle."""

from typing import Any

import numpy as np

from .arguments import dimension
from .convex import COORDINATES, SURVEY
from .functions import Functions
from .problem import Minimum, Problem
from .registry import register

SMOOTH_NONCONVEX = frozenset({"nonconvex", "smooth"})


@register
def rosenbrock(dim: int = 2) -> Problem:
    r"""Rosenbrock's curved valley, f(x) = \sum_i (100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2), dim >= 2.

    The minimizer is (1, ..., 1); from dim = 4 on there is a further local minimum near (-1, 1, ..., 1).
    The start is the classic (-1.2, 1), repeated.
    """
    dim = dimension("rosenbrock", dim, least=2)

    def function(x: Any, xp: Functions) -> Any:
        return xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    return Problem(
        name="rosenbrock",
        title="Rosenbrock",
        latex=r"\sum_{i=1}^{n-1} \left(100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2\right)",
        symbols={"n": COORDINATES},
        source="Rosenbrock 1960, An automatic method for finding the greatest or least value of a function",
        initial=np.where(np.arange(dim) % 2 == 0, -1.2, 1.0),
        function=function,
        tags=SMOOTH_NONCONVEX,
        minimum=Minimum(0.0, (np.ones(dim),)),
    )


@register
def beale() -> Problem:
    """Beale's function: a minimum at (3, 1/2) between flat regions and steep walls."""

    def function(x: Any, xp: Functions) -> Any:
        x1, x2 = x[0], x[1]
        return (1.5 - x1 + x1 * x2) ** 2 + (2.25 - x1 + x1 * x2**2) ** 2 + (2.625 - x1 + x1 * x2**3) ** 2

    return Problem(
        name="beale",
        title="Beale",
        latex=r"(1.5 - x_1 + x_1 x_2)^2 + (2.25 - x_1 + x_1 x_2^2)^2 + (2.625 - x_1 + x_1 x_2^3)^2",
        source="Beale 1958, On an iterative method for finding a local minimum of a function",
        initial=np.array([1.0, 1.0]),
        function=function,
        tags=SMOOTH_NONCONVEX,
        minimum=Minimum(0.0, (np.array([3.0, 0.5]),)),
    )


@register
def himmelblau() -> Problem:
    """Himmelblau's function: four minima of value 0; (3, 2) is exact, the others are rounded to float64."""
    minimizers = (
        np.array([3.0, 2.0]),
        np.array([-2.8051180869527449, 3.1313125182505730]),
        np.array([-3.7793102533777469, -3.2831859912861694]),
        np.array([3.5844283403304917, -1.8481265269644036]),
    )
    return Problem(
        name="himmelblau",
        title="Himmelblau",
        latex=r"(x_1^2 + x_2 - 11)^2 + (x_1 + x_2^2 - 7)^2",
        source="Himmelblau 1972, Applied Nonlinear Programming",
        initial=np.zeros(2),
        function=lambda x, xp: (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2,
        tags=SMOOTH_NONCONVEX,
        minimum=Minimum(0.0, minimizers),
    )


@register
def three_hump_camel() -> Problem:
    """The three-hump camel: minimum at 0, two local minima near (-1.75, 0.87) and (1.75, -0.87)."""

    def function(x: Any, xp: Functions) -> Any:
        return 2 * x[0] ** 2 - 1.05 * x[0] ** 4 + x[0] ** 6 / 6 + x[0] * x[1] + x[1] ** 2

    return Problem(
        name="three_hump_camel",
        title="Three-hump camel",
        latex=r"2 x_1^2 - 1.05 x_1^4 + \tfrac{1}{6} x_1^6 + x_1 x_2 + x_2^2",
        source=SURVEY,
        initial=np.array([-2.0, 2.0]),
        function=function,
        tags=SMOOTH_NONCONVEX,
        minimum=Minimum(0.0, (np.zeros(2),)),
    )


@register
def rastrigin(dim: int = 2) -> Problem:
    r"""Rastrigin's function, f(x) = 10 n + \sum_i (x_i^2 - 10 cos(2 pi x_i)).

    Around 0 there is a local minimum near every integer point. f'' = 2 + 40 pi^2 cos(2 pi x_i) along each
    axis, so L = 2 + 40 pi^2.
    """
    dim = dimension("rastrigin", dim)

    def function(x: Any, xp: Functions) -> Any:
        return xp.sum(x**2 + 10 * (1 - xp.cos(2 * xp.pi * x)))

    return Problem(
        name="rastrigin",
        title="Rastrigin",
        latex=r"10 n + \sum_{i=1}^{n} \left(x_i^2 - 10 \cos(2 \pi x_i)\right)",
        symbols={"n": COORDINATES},
        source="Rastrigin 1974, Systems of Extremal Control; n-dimensional by Mühlenbein et al. 1991",
        initial=np.where(np.arange(dim) % 2 == 0, 3.2, -2.7),
        function=function,
        tags=SMOOTH_NONCONVEX,
        minimum=Minimum(0.0, (np.zeros(dim),)),
        smoothness=float(2 + 40 * np.pi**2),
    )


@register
def ackley(dim: int = 2) -> Problem:
    r"""Ackley's function, with the usual constants 20, 0.2 and 2 pi.

    At its minimizer 0 it has the kink of a cone; the subgradient chosen there is 0.
    """
    dim = dimension("ackley", dim)

    def function(x: Any, xp: Functions) -> Any:
        radius = xp.sqrt(xp.sum(x**2) / dim)
        ripple = xp.sum(xp.cos(2 * xp.pi * x)) / dim
        return 20 * (1 - xp.exp(-0.2 * radius)) + xp.e - xp.exp(ripple)

    return Problem(
        name="ackley",
        title="Ackley",
        latex=r"-20 \exp\left(-0.2 \sqrt{\tfrac{1}{n} \sum_{i=1}^{n} x_i^2}\right)"
        r" - \exp\left(\tfrac{1}{n} \sum_{i=1}^{n} \cos(2 \pi x_i)\right) + 20 + e",
        symbols={"n": COORDINATES},
        source="Ackley 1987, A Connectionist Machine for Genetic Hillclimbing",
        initial=np.where(np.arange(dim) % 2 == 0, 2.4, -1.6),
        function=function,
        tags=frozenset({"nonconvex", "nonsmooth"}),
        minimum=Minimum(0.0, (np.zeros(dim),)),
    )


@register
def styblinski_tang(dim: int = 2) -> Problem:
    r"""The Styblinski-Tang function, f(x) = (1/2) \sum_i (x_i^4 - 16 x_i^2 + 5 x_i).

    Each coordinate of the minimizer is the least root of 4 x^3 - 32 x + 5.
    """
    dim = dimension("styblinski_tang", dim)
    root = -2.9035340277711771

    def function(x: Any, xp: Functions) -> Any:
        return xp.sum(x**4 - 16 * x**2 + 5 * x) / 2

    return Problem(
        name="styblinski_tang",
        title="Styblinski-Tang",
        latex=r"\tfrac{1}{2} \sum_{i=1}^{n} \left(x_i^4 - 16 x_i^2 + 5 x_i\right)",
        symbols={"n": COORDINATES},
        source="Styblinski & Tang 1990, Experiments in nonconvex optimization",
        initial=np.zeros(dim),
        function=function,
        tags=SMOOTH_NONCONVEX,
        minimum=Minimum(dim * (root**4 - 16 * root**2 + 5 * root) / 2, (np.full(dim, root),)),
    )


@register
def saddle() -> Problem:
    """The saddle x_1^2 - x_2^2: stationary at 0, unbounded below; L = 2. The start is just off the ridge."""
    return Problem(
        name="saddle",
        title="Saddle",
        latex=r"x_1^2 - x_2^2",
        source="Nesterov 2004, Introductory Lectures on Convex Optimization, section 1.2",
        initial=np.array([1.0, 1e-3]),
        function=lambda x, xp: x[0] ** 2 - x[1] ** 2,
        tags=SMOOTH_NONCONVEX | {"quadratic"},
        minimum=Minimum(-np.inf),
        smoothness=2.0,
    )
