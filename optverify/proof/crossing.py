r"""Stability of a step along a parameter, by where its eigenvalues can cross the unit circle.

The characteristic polynomial of a rule with gradient feedback is A(z) + q B(z), with q = lr or lr lambda. For
real q it has a root on the circle, away from z = 1 and z = -1, only where A(z)/B(z) is real, that is where
Im(A(z) B(1/z)) = sin(w) S(cos(w)) vanishes at z = exp(i w). If S has no zero on (-1, 1), roots leave or enter
the disk through 1 and -1 alone, whatever the number of states.
"""

from __future__ import annotations

from itertools import combinations

import sympy as sp

from optverify.language import t, unit
from optverify.proof.outcome import NotProved
from optverify.proof.points import Domains
from optverify.proof.signs import has_sign
from optverify.proof.stability import refute_region, schur_conditions, z


def show_stable_between(matrix: sp.Matrix, q: sp.Symbol, end: sp.Expr, what: str, domains: Domains) -> None:
    """Show that x_t = matrix x_{t-1} tends to 0 from every start if and only if 0 < q < end.

    q: a real symbol in matrix. domains: the ranges of the hyperparameters, taken for granted.
    Raises Refuted with an exact point where the two differ, or NotProved.
    """
    if matrix.has(t):
        raise NotProved(f"{what} has a step that changes with time: its eigenvalues decide nothing")
    p = matrix.charpoly(z)
    if not _stable_between(p, q, end, domains):
        refute_region(p, [q, end - q], matrix.free_symbols | end.free_symbols | {q}, what, domains)
        raise NotProved(f"not shown that {what} is stable exactly for 0 < {q} < {end}")


def _stable_between(p: sp.Poly, q: sp.Symbol, end: sp.Expr, domains: Domains) -> bool:
    """The argument, step by step.

    q <= 0: p(1) <= 0, a real root >= 1. q >= end: (-1)^n p(-1) <= 0, a real root <= -1. q = 0: one simple
    root at 1, the others inside. A little above 0 all are inside, since p(1) > 0 while p rises there; up to
    end no root can reach the circle.
    """
    if sp.degree(sp.expand(p.as_expr()), q) != 1:
        return False
    at_one = sp.cancel(p.eval(1) / q)
    at_minus_one = sp.cancel((-1) ** p.degree() * p.eval(-1) / (end - q))
    rest, remainder = sp.div(sp.Poly(p.as_expr().subs(q, 0), z), sp.Poly(z - 1, z))
    return (
        remainder.is_zero
        and has_sign(at_one, domains, strict=True)
        and has_sign(at_minus_one, domains, strict=True)
        and all(has_sign(c, domains, strict=True) for c in _schur_conditions_of_factors(rest))
        and _no_crossing(p, q, domains)
    )


def _schur_conditions_of_factors(p: sp.Poly) -> list[sp.Expr]:
    factors = [factor for factor, _ in sp.factor_list(p)[1] if factor.degree()]
    return [c for factor in factors for c in schur_conditions(factor if factor.LC() == 1 else -factor)]


def _no_crossing(p: sp.Poly, q: sp.Symbol, domains: Domains) -> bool:
    """True when S(c) of the module's text is shown to keep one sign for -1 < c < 1."""
    a, b = ([c.coeff(q, k) for c in map(sp.expand, reversed(p.all_coeffs()))] for k in (0, 1))
    c, x = sp.symbols("c x")
    s = sp.Add(*(
        sp.expand(a[k] * b[j] - a[j] * b[k]) * sp.chebyshevu(k - j - 1, c)
        for j, k in combinations(range(p.degree() + 1), 2)
    ))  # fmt: skip
    terms = sp.Poly(s, c).terms()
    n = terms[0][0][0]  # c = (x - 1)/(x + 1) with x > 0, times (x + 1)^n
    spread = {k: sp.Poly((x - 1) ** k * (x + 1) ** (n - k), x) for (k,), _ in terms}
    weights = [sp.Add(*(w * spread[k].coeff_monomial(x**m) for (k,), w in terms)) for m in range(n + 1)]
    return any(all(_positive(sign * w, domains) for w in weights) for sign in (1, -1))


def _positive(e: sp.Expr, domains: Domains) -> bool:
    """As has_sign, strict; quick for a polynomial in symbols b that run through [0, 1).

    With b = s/(1 + s), times (1 + s)^degree, its coefficients decide.
    """
    symbols = sorted((s for s in e.free_symbols if domains.get(s) == unit), key=str)
    if not symbols or not e.is_polynomial(*symbols):
        return has_sign(e, domains, strict=True)
    polynomial = sp.Poly(e, *symbols)
    powers = {s: sp.Poly(1 + s, *symbols) for s in symbols}
    total = sp.Poly(0, *symbols)
    for monomial, weight in polynomial.terms():
        term = sp.Poly({monomial: weight}, *symbols)
        for s, k, degree in zip(symbols, monomial, polynomial.degree_list(), strict=True):
            term *= powers[s] ** (degree - k)
        total += term
    return bool(total.TC().is_positive) and all(c.is_nonnegative for c in total.coeffs())
