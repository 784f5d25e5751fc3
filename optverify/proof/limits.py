"""Limits of the expressions rules are made of, by continuity: no series, no heuristics."""

from __future__ import annotations

import sympy as sp

from optverify.proof.outcome import NotProved

Parts = dict[sp.Symbol, sp.Expr]


def limit_at(e: sp.Expr, symbol: sp.Symbol, end: sp.Expr) -> sp.Expr:
    """The limit of e as a positive symbol tends to 0 from above or to infinity, everything else held fixed.

    Rational expressions by cancelling, quotients of roots as the root of a quotient, sums, products, maxima,
    minima and absolute values of those by continuity. Raises NotProved where this does not settle it.
    """
    small = sp.Dummy("small", positive=True)
    return _at_zero(e.xreplace({symbol: 1 / small if end == sp.oo else small}), small)


def _at_zero(e: sp.Expr, small: sp.Symbol) -> sp.Expr:
    if not e.has(small):
        return e
    if _is_rational_in(e, small):
        return _rational_at_zero(e, small)
    if isinstance(e, (sp.Max, sp.Min, sp.Abs)):
        return e.func(*(_at_zero(a, small) for a in e.args))
    if e.is_Mul:
        return _product_at_zero(e, small)
    if e.is_Add:
        return sp.Add(*(_finite(_at_zero(a, small)) for a in e.args))
    if e.is_Pow and e.exp.is_Rational and e.exp > 0:
        return _finite(_at_zero(e.base, small)) ** e.exp
    raise NotProved(f"no limit found for {e}")


def _product_at_zero(e: sp.Expr, small: sp.Symbol) -> sp.Expr:
    """Roots that depend on the symbol are gathered under one root."""
    rooted = [f for f in e.args if f.is_Pow and f.exp.is_Rational and f.exp.q == 2 and f.has(small)]
    rest = [f for f in e.args if f not in rooted]
    under = sp.Mul(*(f.base ** (2 * f.exp) for f in rooted))
    plain = [f for f in rest if not f.has(small) or _is_rational_in(f, small)]
    other = [f for f in rest if f not in plain]
    parts = [_at_zero(sp.Mul(*plain), small)] if plain else []
    parts += [_finite(_at_zero(under, small)) ** sp.Rational(1, 2)] if rooted else []
    parts += [_finite(_at_zero(f, small)) for f in other]
    return sp.Mul(*map(_finite, parts))


def _is_rational_in(e: sp.Expr, small: sp.Symbol) -> bool:
    if e == small or not e.has(small):
        return True
    if e.is_Add or e.is_Mul:
        return all(_is_rational_in(a, small) for a in e.args)
    return bool(e.is_Pow and e.exp.is_Integer and _is_rational_in(e.base, small))


def _rational_at_zero(e: sp.Expr, small: sp.Symbol) -> sp.Expr:
    fixed: dict[sp.Expr, sp.Symbol] = {}
    shape = _with_dummies(e, small, fixed)
    above, below = sp.fraction(sp.cancel(sp.together(shape)))
    back: Parts = {symbol: part for part, symbol in fixed.items()}
    top, bottom = (x.xreplace({small: sp.Integer(0)}) for x in (above, below))
    if sp.expand(bottom) != 0:
        return (top / bottom).xreplace(back)
    leading = _leading_sign(top, below, small, back)
    if leading is None:
        raise NotProved(f"no limit found for {e}")
    return leading * sp.oo


def _with_dummies(e: sp.Expr, small: sp.Symbol, fixed: dict[sp.Expr, sp.Symbol]) -> sp.Expr:
    """e with everything that does not depend on the symbol, numbers aside, as a symbol."""
    if not e.has(small):
        return e if e.is_Rational else fixed.setdefault(e, sp.Dummy("fixed"))
    if not e.args:
        return e
    if e.is_Pow:
        return _with_dummies(e.base, small, fixed) ** e.exp
    return e.func(*(_with_dummies(a, small, fixed) for a in e.args))


def _leading_sign(top: sp.Expr, below: sp.Expr, small: sp.Symbol, back: Parts) -> int | None:
    """The sign of top over the lowest term of below; None where assumptions do not tell it."""
    lowest = sp.Poly(below, small).terms()[-1][1]
    ratio = (top / lowest).xreplace(back)
    return 1 if ratio.is_positive else -1 if ratio.is_negative else None


def _finite(e: sp.Expr) -> sp.Expr:
    if e.has(sp.oo, -sp.oo, sp.zoo, sp.nan):
        raise NotProved("a part of the expression has no finite limit")
    return e
