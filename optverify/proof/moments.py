"""Means and variances: of polynomials in a random variable, and of linear rules driven by noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.polys.matrices import DomainMatrix
from sympy.polys.matrices.exceptions import DMNonInvertibleMatrixError

from optverify.language import Rule, grad, t, theta
from optverify.proof.algebra import show_equal
from optverify.proof.outcome import NotProved, Refuted, unless
from optverify.proof.points import Domains
from optverify.views.closed import closed_form

noise = sp.Symbol("xi", real=True)
"""What is added to a gradient: mean 0, independent from step to step."""


def expectation(e: sp.Expr, x: sp.Symbol, moments: Mapping[int, Any]) -> sp.Expr:
    """E[e] over x, everything else held fixed: x^k becomes moments[k].

    Raises NotProved if e is no polynomial in x or needs a moment that is not given.
    """
    try:
        polynomial = sp.Poly(sp.expand(e), x)
    except sp.PolynomialError:
        raise NotProved(f"{e} is no polynomial in {x}: its mean does not follow from moments") from None
    if missing := {k for (k,) in polynomial.monoms() if k and k not in moments}:
        raise NotProved(f"the mean of {e} needs moments {sorted(missing)} of {x}, which are not given")
    return sp.Add(*(c * (moments[k] if k else 1) for (k,), c in polynomial.terms()))


def show_with_powers(
    step: Callable[[sp.Expr, sp.Expr], sp.Expr],
    start: sp.Expr,
    closed: Callable[[sp.Expr, sp.Expr], sp.Expr],
    base: sp.Expr,
    what: str,
    *,
    domains: Domains | None = None,
) -> None:
    """Show y_k = closed(base^k, k) for all k >= 0, where y_0 = start and y_k = step(y_{k-1}, k).

    Like show_by_induction, but base^(k-1) is a symbol, so that a step is an identity of rational functions.
    Raises Refuted with the first k <= 3 at which they differ, or NotProved.
    """

    def by_running() -> str | None:
        y = sp.sympify(start)
        for k in map(sp.Integer, range(4)):
            y = step(y, k) if k else y
            try:
                show_equal(y, closed(base**k, k), f"{what} at {k}", domains)
            except Refuted as found:
                return str(found)
        return None

    power = sp.Symbol("P", real=True)
    with unless(by_running):
        show_equal(start, closed(sp.Integer(1), sp.Integer(0)), f"{what} at 0", domains)
        show_equal(step(closed(power, t - 1), t), closed(base * power, t), f"{what}, step of the induction,")


@dataclass(frozen=True)
class NoisyStep:
    """One step on a quadratic: state_t = matrix state_{t-1} + weights xi_t + offset.

    names: the states in the order of the rows, theta first. xi_t: the noise of the gradient.
    """

    names: tuple[str, ...]
    matrix: sp.Matrix
    weights: sp.Matrix
    offset: sp.Matrix

    def mean(self) -> sp.Matrix:
        """The stationary mean, for a matrix that is stable: noise of mean 0 leaves it where it is."""
        return _solve(sp.eye(len(self.names)) - self._constant, self.offset)

    def covariance(self, variance: Any) -> sp.Matrix:
        """The stationary covariance P = matrix P matrix^T + variance weights weights^T, matrix stable.

        Every start ends there; P is the only solution (the discrete Lyapunov equation). Raises NotProved for
        a step that changes with time or an equation without a single solution.
        """
        n, a = len(self.names), self._constant
        spread = variance * self.weights * self.weights.T
        pairs = [(i, j) for i in range(n) for j in range(i, n)]
        place = {pair: k for k, pair in enumerate(pairs)}
        system = sp.eye(len(pairs))
        for row, (i, j) in enumerate(pairs):
            for k in range(n):
                for m in range(n):
                    system[row, place[min(k, m), max(k, m)]] -= a[i, k] * a[j, m]
        found = _solve(system, sp.Matrix([spread[pair] for pair in pairs]))
        return sp.Matrix(n, n, lambda i, j: found[place[min(i, j), max(i, j)]])

    @property
    def _constant(self) -> sp.Matrix:
        if self.matrix.has(t) or self.weights.has(t) or self.offset.has(t):
            raise NotProved("the step changes with time, so its moments need not settle")
        return self.matrix


def noisy_step(rule: Rule, curvature: Any) -> NoisyStep:
    """A step on curvature theta^2/2 whose gradient has noise added. Raises NotProved if it is not linear."""
    names = ("theta", *(s.name for s in rule.states))
    before = [s.before for s in (theta, *rule.states)]
    gradient = sp.sympify(curvature) * rule.gradient_point + noise
    forms, failure = closed_form(rule).values(), f"rule {rule.name!r} is not linear on a quadratic with noise"
    if rule.inputs or not all(e.is_polynomial(grad, *before) for e in forms):
        raise NotProved(failure)
    step = sp.Matrix([e.xreplace({grad: gradient}) for e in forms]).applyfunc(sp.expand)
    matrix, weights = (step.jacobian(x).applyfunc(sp.expand) for x in (before, [noise]))
    if matrix.has(*before, noise) or weights.has(*before, noise):
        raise NotProved(failure)
    return NoisyStep(names, matrix, weights, step.subs(dict.fromkeys([*before, noise], 0)))


def _solve(system: sp.Matrix, right: sp.Matrix) -> sp.Matrix:
    left, value = DomainMatrix.from_Matrix(system).unify(DomainMatrix.from_Matrix(right))
    try:
        return left.to_field().lu_solve(value.to_field()).to_Matrix()
    except DMNonInvertibleMatrixError:
        raise NotProved(
            "the stationary moments are not determined: the step is on the edge of stability"
        ) from None
