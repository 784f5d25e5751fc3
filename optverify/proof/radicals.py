"""Expressions with roots: zero or not, by treating every root as a variable of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import lcm

import sympy as sp

LARGEST = 2000
"""Operations in an expression past which nothing is tried: it could take hours to expand."""


def vanishes_with_radicals(e: sp.Expr, factors: Mapping[sp.Symbol, sp.Expr] | None = None) -> bool:
    """True when e is shown to be 0 for all values of its symbols; False says nothing.

    factors: decay rate b -> 1 - c with a positive symbol c. A power b^n with a symbolic n is taken for 1 - C
    with another positive C, so that roots of 1 - b and 1 - b^n are split off from what they are multiplied
    with. Where b^n and b^(n + 1) both occur, one is b times the other.
    """
    factors = factors or {}
    if e.has(sp.nan, sp.zoo, sp.oo, -sp.oo) or e.count_ops() > LARGEST:
        return False
    e = _without_symbolic_powers(e, factors).xreplace(dict(factors))
    e = _split_roots(e)
    if e == 0:
        return True
    roots = _roots(e)
    plain = e.xreplace({power: symbol**n for power, (symbol, n) in roots.powers.items()})
    above = sp.expand(sp.fraction(sp.together(plain))[0])
    try:
        for symbol, (base, degree) in roots.bases.items():
            above = sp.expand(_reduced(above, symbol, base, degree))
        return bool(above == 0 or sp.cancel(sp.together(above)) == 0)
    except sp.PolynomialError:  # a root stands inside of a function
        return False


def _without_symbolic_powers(e: sp.Expr, factors: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """b^n for symbolic n in terms of one positive symbol for each b."""
    found: dict[sp.Symbol, Counter[sp.Expr]] = {}
    for power in (p for p in sp.preorder_traversal(e) if p.is_Pow):
        if power.base in factors and power.exp.free_symbols:
            found.setdefault(power.base, Counter())[power.exp] += 1
    changes: dict[sp.Expr, sp.Expr] = {}
    for base, exponents in found.items():
        common = max(exponents, key=lambda n: (exponents[n], str(n)))
        kept = 1 - sp.Dummy(f"1-{base}^n", positive=True)
        changes |= {base**n: kept * base ** sp.expand(n - common) for n in exponents}
    return e.xreplace(changes)


def _split_roots(e: sp.Expr) -> sp.Expr:
    """Factor what stands under each root, from the inside out: positive factors leave it by themselves."""
    if not e.args:
        return e
    args = [_split_roots(a) if isinstance(a, sp.Expr) else a for a in e.args]
    if e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer:
        return sp.factor(args[0]) ** args[1]
    return e.func(*args) if tuple(args) != e.args else e


class _Roots:
    """powers: base^(p/q) -> (symbol of base^(1/q'), n); bases: symbol -> (base, q')."""

    def __init__(self) -> None:
        self.powers: dict[sp.Expr, tuple[sp.Symbol, int]] = {}
        self.bases: dict[sp.Symbol, tuple[sp.Expr, int]] = {}


def _roots(e: sp.Expr) -> _Roots:
    """The outermost roots of e."""
    out = _Roots()
    degrees: dict[sp.Expr, int] = {}
    powers = [p for p in e.atoms(sp.Pow) if p.exp.is_Rational and not p.exp.is_Integer]
    for power in powers:
        degrees[power.base] = lcm(degrees.get(power.base, 1), int(power.exp.q))
    symbols = {base: sp.Dummy("root", positive=True) for base in degrees}
    for power in sorted(powers, key=sp.default_sort_key):
        symbol, degree = symbols[power.base], degrees[power.base]
        out.powers[power] = (symbol, int(power.exp * degree))
        out.bases[symbol] = (power.base, degree)
    return out


def _reduced(e: sp.Expr, root: sp.Symbol, base: sp.Expr, degree: int) -> sp.Expr:
    """root^degree replaced by base."""
    polynomial = sp.Poly(e, root)
    return sp.Add(*(c * base ** (n // degree) * root ** (n % degree) for (n,), c in polynomial.terms()))
