r"""Schur stability: all roots of a polynomial inside the unit circle, for symbolic coefficients.

z = (1 + w)/(1 - w) maps the open unit disk to the left half plane, where the Routh-Hurwitz criterion decides
(Jury 1964; Gantmacher, The theory of matrices, vol. 2, ch. XV).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import sympy as sp

from optverify.language import t
from optverify.proof.outcome import NotProved, Refuted
from optverify.proof.points import Domains, in_words, points
from optverify.proof.signs import has_sign

z = sp.Symbol("z")


def schur_conditions(p: sp.Poly) -> list[sp.Expr]:
    """Expressions that are all > 0 if and only if every root of p lies in the open unit disk.

    p: a real polynomial whose leading coefficient is positive. Quotients of consecutive Hurwitz minors;
    where a minor vanishes identically it is the last entry, and p is never stable.
    """
    n, x = p.degree(), p.gen
    mapped = sp.Poly(sum(c * (1 + x) ** k * (1 - x) ** (n - k) for (k,), c in p.terms()), x)
    a = [sp.factor(mapped.coeff_monomial(x ** (n - i))) for i in range(n + 1)]
    hurwitz = sp.Matrix(n, n, lambda i, j: a[2 * j + 1 - i] if 0 <= 2 * j + 1 - i <= n else 0)
    conditions, last = [a[0]], sp.Integer(1)
    for k in range(1, n + 1):
        minor = sp.factor(hurwitz[:k, :k].det())
        if minor == 0:
            return [*conditions, minor]
        conditions.append(sp.cancel(minor / last))
        last = minor
    return [sp.factor(c) for c in conditions]


def is_schur(p: sp.Poly) -> bool:
    """True if every root of p, with rational coefficients, lies in the open unit disk."""
    left = [Fraction(int(c.p), int(c.q)) for c in p.all_coeffs()]
    while len(left) > 1:  # Schur's transform: of one degree less, and stable iff this one is
        first, last = left[0], left[-1]
        if abs(last) >= abs(first):
            return False
        left = [first * a - last * b for a, b in zip(left[:-1], left[:0:-1], strict=True)]
    return True


def show_stable_iff(matrix: sp.Matrix, region: Sequence[sp.Expr], what: str, domains: Domains) -> None:
    """Show that x_t = matrix x_{t-1} tends to 0 from every start if and only if all of region are > 0.

    domains: the ranges of the hyperparameters, taken for granted. Each Schur condition must be positive on
    them, or a positive multiple of one in region, and each one in region must occur.
    Raises Refuted with an exact point where the two differ, or NotProved.
    """
    if matrix.has(t):
        raise NotProved(f"{what} has a step that changes with time: its eigenvalues decide nothing")
    p = matrix.charpoly(z)
    if _same_region(schur_conditions(p), region, domains):
        return
    symbols = matrix.free_symbols | set().union(*(e.free_symbols for e in region))
    refute_region(p, region, symbols, what, domains)
    raise NotProved(f"not shown that {what} is stable exactly where stated: conditions {schur_conditions(p)}")


def refute_region(
    p: sp.Poly, region: Sequence[sp.Expr], symbols: Iterable[sp.Symbol], what: str, domains: Domains
) -> None:
    """Raise Refuted for an exact point at which p is stable and not all of region are > 0, or the reverse."""
    for point in points(symbols, domains, 120):
        values = [sp.sympify(e).xreplace(point) for e in (*region, *p.all_coeffs())]
        if not all(v.is_Rational for v in values):
            continue
        stated = all(v > 0 for v in values[: len(region)])
        at = sp.Poly(values[len(region) :], z)
        if is_schur(at) != stated:
            roots = ", ".join(map(str, sp.roots(at)))
            fact = "stable" if not stated else "not stable"
            raise Refuted(f"{what} is {fact} at {in_words(point)}, roots {roots}, against what is stated")


def _same_region(conditions: Sequence[sp.Expr], region: Sequence[sp.Expr], domains: Domains) -> bool:
    found = set()
    for c in conditions:
        if has_sign(c, domains, strict=True):
            continue
        matches = [e for e in region if has_sign(sp.cancel(c / e), domains, strict=True)]
        if not matches:
            return False
        found.update(matches)
    return found == set(region)
