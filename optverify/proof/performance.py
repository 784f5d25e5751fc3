r"""Worst-case performance of a rule over a class of functions: what a first-order method knows, exactly.

A rule that is linear in theta, its states and the gradient visits points that are linear in x_0 = theta_0 -
theta* and the gradients. What is known of f at these points is a list of inequalities, linear in the values
f_i and in the Gram matrix of x_0 and the gradients. For points i, j of an L-smooth mu-strongly convex f

    f_i >= f_j + <g_j, x_i - x_j> + (|g_i - g_j|^2/L + mu |x_i - x_j|^2
                                     - 2 (mu/L) <g_i - g_j, x_i - x_j>) / (2 (1 - mu/L)),

and such lists are realised by such functions (Taylor, Hendrickx and Glineur 2017, Theorem 4). For convex f
with subgradients of length at most G: f_i >= f_j + <g_j, x_i - x_j> and |g_i| <= G. Lengths are measured
so that L = 1, or |x_0| = G = 1; that nothing else depends on L, or on |x_0| and G, is shown by keeping them
symbols.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import sympy as sp

from optverify.language import Rule, grad, t, theta
from optverify.proof.outcome import Missing, NotProved
from optverify.views.closed import closed_form

STAR = -1
"""The index of the minimum."""

Measure = Literal["gap", "best gap", "distance"]
"""f(theta_N) - f*; the smallest f_i - f* at a point of a gradient or at theta_N; |theta_N - theta*|^2."""

Vector = tuple[Fraction, ...]
Matrix = list[list[Fraction]]
Values = Mapping[str, Any]
"""Hyperparameter -> rational, or a function of t = 1, 2, ...; lr in units of 1/L, or of |x_0|/G."""

_LENGTH, _SLOPE = sp.symbols("length slope", positive=True)


@dataclass(frozen=True)
class FunctionClass:
    """Convex functions, mu-strongly so, that are smooth with L = 1, or whose subgradients are at most 1."""

    smooth: bool = True
    mu: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if isinstance(self.mu, float):
            raise TypeError(f"mu = {self.mu!r} is a float: give a fraction")
        if not 0 <= self.mu < 1 or (self.mu and not self.smooth):
            raise ValueError(f"no class with mu = {self.mu}: 0 <= mu < L = 1, and 0 for functions with kinks")


@dataclass(frozen=True)
class Path:
    """Points of a rule as vectors over (x_0, g_0, ..., g_N): those of its gradients, then theta_N."""

    points: tuple[Vector, ...]

    @property
    def horizon(self) -> int:
        """How many updates were made."""
        return len(self.points) - 1

    def point(self, i: int) -> Vector:
        """The point i; that of the minimum is 0."""
        return (Fraction(0),) * (self.horizon + 2) if i == STAR else self.points[i]

    def gradient(self, i: int) -> Vector:
        """The gradient at the point i; that at the minimum is 0."""
        return tuple(Fraction(i != STAR and k == i + 1) for k in range(self.horizon + 2))

    @classmethod
    def of(cls, rule: Rule, horizon: int, values: Values, family: FunctionClass) -> Path:
        """Run the rule. Raises NotProved if a point is not linear, or depends on the units or the origin."""
        show_polynomial(rule)
        # for a smooth class the gradient is L times a length and lr is over L; with kinks, |x_0| and G
        length, slope = (sp.Integer(1), _SLOPE) if family.smooth else (_LENGTH, _SLOPE)
        size = horizon + 3  # theta* is the last vector: points must move along with it
        zero = [sp.Integer(0)] * size
        states = (theta, *rule.states)
        form = closed_form(rule)
        now = {s.before: _multiple(s.initial, zero) for s in rule.states}
        now[theta.before] = [length, *zero[2:], sp.Integer(1)]
        points = []
        for k in range(1, horizon + 1):
            at = _numbers(rule, values, k, length / slope)
            points.append(_combined(rule.gradient_point, at, now))
            direction = [slope if i == k else sp.Integer(0) for i in range(size)]
            now = {s.before: _combined(form[s.name], at, {**now, grad: direction}) for s in states}
        points.append(now[theta.before])
        if any(p.pop() != 1 for p in points):
            raise NotProved("the points do not move along with the origin: theta* = 0 is no special case")
        return cls(tuple(tuple(_rational(c / length) for c in p) for p in points))


def show_polynomial(rule: Rule) -> None:
    """Show that a rule has no norms, roots or inputs, so that running it on symbols or fractions ends."""
    powers = {p for _, e in rule.assignments for p in e.atoms(sp.Pow)}
    if rule.operators or rule.inputs or any(not p.exp.is_integer for p in powers):
        raise NotProved(f"rule {rule.name!r} has norms, roots or inputs: it is not run exactly")


def _multiple(initial: Any, zero: list[sp.Expr]) -> list[sp.Expr]:
    if sp.sympify(initial) != 0:
        raise NotProved(
            f"a state starts at {initial}: the points are not linear in theta_0 and the gradients"
        )
    return list(zero)


def _numbers(rule: Rule, values: Values, k: int, unit: sp.Expr) -> dict[sp.Symbol, sp.Expr]:
    """The hyperparameters at update k, and t."""
    at: dict[sp.Symbol, sp.Expr] = {t: sp.Integer(k)}
    for h in rule.hyperparameters:
        if h.name in values:
            given = values[h.name]
            value = given(k) if callable(given) else given
            if isinstance(value, float):
                raise TypeError(f"{h.name} = {value!r} is a float: give a rational number")
            at[h.symbol] = sp.Rational(value) * (unit if h.name == "lr" else 1)
    return at


def _combined(
    e: sp.Expr, at: Mapping[sp.Symbol, sp.Expr], known: Mapping[sp.Symbol, Sequence[sp.Expr]]
) -> list[sp.Expr]:
    """A linear expression in the known vectors, as a vector."""
    e = e.xreplace(dict(at))
    try:
        polynomial = sp.Poly(e, *known)
    except sp.PolynomialError:
        raise NotProved(f"the rule is not linear in theta, its states and the gradient: {e}") from None
    total = [sp.Integer(0)] * len(next(iter(known.values())))
    for powers, weight in polynomial.terms():
        if not weight:
            continue
        if sum(powers) != 1:
            raise NotProved(f"the rule is not linear in theta, its states and the gradient: {e}")
        vector = list(known.values())[powers.index(1)]
        total = [sp.expand(a + weight * b) if b else a for a, b in zip(total, vector, strict=True)]
    return total


def _rational(c: sp.Expr) -> Fraction:
    c = sp.expand(c)
    if not c.is_Rational:
        raise NotProved(f"a point depends on the units or on a hyperparameter without a value: {c}")
    return Fraction(int(c.p), int(c.q))


# ---- the inequalities ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Inequality:
    """constant + values . (f_0, ..., f_N) + <form, Gram matrix> >= 0, with f* = 0."""

    values: Vector
    form: Matrix
    constant: Fraction = Fraction(0)


def product(a: Vector, b: Vector) -> Matrix:
    """The matrix of the quadratic form <a, b>."""
    matrix = [[Fraction(0)] * len(a) for _ in a]
    for i, left in enumerate(a):
        for j, right in enumerate(b):
            if left and right:
                half = left * right / 2
                matrix[i][j] += half
                matrix[j][i] += half
    return matrix


def combine(terms: Iterable[tuple[Fraction, Matrix]], size: int) -> Matrix:
    """The sum of weight times matrix."""
    total = [[Fraction(0)] * size for _ in range(size)]
    for weight, matrix in terms:
        if weight:
            for row, other in zip(total, matrix, strict=True):
                for j, entry in enumerate(other):
                    if entry:
                        row[j] += weight * entry
    return total


def between(path: Path, family: FunctionClass, i: int, j: int) -> Inequality:
    """What f_i is at least, seen from the point j; STAR is the minimum."""
    far = tuple(a - b for a, b in zip(path.point(i), path.point(j), strict=True))
    turn = tuple(a - b for a, b in zip(path.gradient(i), path.gradient(j), strict=True))
    terms = [(Fraction(-1), product(path.gradient(j), far))]
    if family.smooth:
        mu, weight = family.mu, -1 / (2 * (1 - family.mu))
        terms += [
            (weight, product(turn, turn)),
            (weight * mu, product(far, far)),
            (-2 * weight * mu, product(turn, far)),
        ]
    values = tuple(Fraction((k == i) - (k == j)) for k in range(path.horizon + 1))
    return Inequality(values, combine(terms, path.horizon + 2))


def bounded(path: Path, i: int) -> Inequality:
    """The subgradient at the point i is at most 1 long."""
    g = path.gradient(i)
    form = combine([(Fraction(-1), product(g, g))], path.horizon + 2)
    return Inequality((Fraction(0),) * (path.horizon + 1), form, Fraction(1))


# ---- the worst case in float64, by PEPit ---------------------------------------------------------------


def numerical_worst_case(
    rule: Rule, horizon: int, values: Values, family: FunctionClass, measure: Measure
) -> float:
    """The largest measure over the class with |theta_0 - theta*| <= 1, found by PEPit with Clarabel.

    PEPit is given the rule's own step and poses and solves its own semidefinite program. Raises Missing
    without the extra `pep`, NotProved for a rule that is not linear or where no finite worst case is found.
    """
    try:
        from PEPit import PEP
        from PEPit.functions import ConvexLipschitzFunction, SmoothStronglyConvexFunction
    except ImportError:
        raise Missing("PEPit", "pep") from None
    if missing := [h.name for h in rule.hyperparameters if h.name not in values]:
        raise NotProved(f"no value is given for {', '.join(missing)}")
    Path.of(rule, horizon, values, family)  # linear, or PEPit's points would be multiplied
    problem = PEP()
    if family.smooth:
        f = problem.declare_function(SmoothStronglyConvexFunction, mu=float(family.mu), L=1.0)
    else:
        f = problem.declare_function(ConvexLipschitzFunction, M=1.0)
    best = f.stationary_point()
    start = problem.set_initial_point()
    problem.set_initial_condition((start - best) ** 2 <= 1)
    last, visited = _walk(rule, horizon, values, start, f.oracle)
    if measure == "distance":
        problem.set_performance_metric((last - best) ** 2)
    else:
        for value in [*(visited if measure == "best gap" else []), f(last)]:
            problem.set_performance_metric(value - f(best))
    found = problem.solve(wrapper="cvxpy", solver="CLARABEL", verbose=0)
    if found is None or not math.isfinite(found):
        raise NotProved("the solver finds no finite worst case")
    return float(found)


def _walk(
    rule: Rule, horizon: int, values: Values, start: Any, oracle: Callable[[Any], tuple[Any, Any]]
) -> tuple[Any, list[Any]]:
    """theta_N and the values at the points of the gradients, with the rule's own step on objects that add."""
    form = closed_form(rule)
    states = (theta, *rule.states)
    now = {s.before: start - start for s in rule.states} | {theta.before: start}
    visited = []
    for k in range(1, horizon + 1):
        at = _numbers(rule, values, k, sp.Integer(1))
        slope, value = oracle(_stepped(rule.gradient_point, at, now))
        visited.append(value)
        old = {**now, grad: slope}
        now = {s.before: _stepped(form[s.name], at, old) for s in states}
    return now[theta.before], visited


def _stepped(e: sp.Expr, at: Mapping[sp.Symbol, sp.Expr], known: Mapping[sp.Symbol, Any]) -> Any:
    collected = sp.collect(sp.expand(e.xreplace(dict(at))), list(known))
    return sp.lambdify(list(known), collected, "math")(*known.values())
