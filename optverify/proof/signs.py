"""Signs of expressions, by substitutions that turn every range into "s >= 0" or "s > 0".

A beta in [0, 1) becomes s/(1 + s) with s >= 0; after factoring, SymPy's assumptions decide. SymPy's own
monotonicity helpers are not used: they have given wrong answers.
"""

from __future__ import annotations

from math import isinf

import sympy as sp

from optverify.language import Domain, Rule
from optverify.proof.outcome import NotProved, Refuted
from optverify.proof.points import Domains, in_words, points, value_at


def domains(rule: Rule) -> dict[sp.Symbol, Domain]:
    """Symbol -> domain, for the hyperparameters of a rule."""
    return {h.symbol: h.domain for h in rule.hyperparameters}


def over_domains(e: sp.Expr, domains: Domains) -> sp.Expr:
    """Replace every symbol by an expression in a nonnegative one that runs through exactly its domain."""
    return e.subs({s: _parametrised(s.name, d) for s, d in domains.items() if e.has(s)})


def _parametrised(name: str, d: Domain) -> sp.Expr:
    if isinf(d.low):  # SymPy takes a float inf for 0
        if not isinf(d.high):
            raise NotProved(f"no substitution for {name} below {d.high}")
        return sp.Dummy(name, real=True)
    low = sp.Rational(d.low)
    open_end = d.low_open if isinf(d.high) or d.high_open else False
    s = sp.Dummy(name, positive=True) if open_end else sp.Dummy(name, nonnegative=True)
    if isinf(d.high):
        return low + s
    if d.low_open and not d.high_open:
        return low + (sp.Rational(d.high) - low) / (1 + s)
    if d.high_open:
        return low + (sp.Rational(d.high) - low) * s / (1 + s)
    raise NotProved(f"no substitution for the closed interval of {name}")


def show_nonnegative(e: sp.Expr, what: str, domains: Domains | None = None) -> None:
    """Show e >= 0 for all values of its symbols. Raises Refuted with a point where e < 0, or NotProved."""
    _show(e, what, domains or {}, strict=False)


def show_positive(e: sp.Expr, what: str, domains: Domains | None = None) -> None:
    """Show e > 0 for all values of its symbols. Raises Refuted with a point where e <= 0, or NotProved."""
    _show(e, what, domains or {}, strict=True)


def has_sign(e: sp.Expr, domains: Domains, strict: bool) -> bool:
    """True when e > 0 (strict) or e >= 0 is shown; False says nothing."""
    e = over_domains(sp.sympify(e), domains)
    above, below = sp.fraction(sp.together(e))
    for form in (sp.factor(e), sp.expand(above) * sp.factor(below)):
        if form.is_positive or (not strict and form.is_nonnegative):
            return True
    return False


def _show(e: sp.Expr, what: str, domains: Domains, strict: bool) -> None:
    e = sp.sympify(e)
    if has_sign(e, domains, strict):
        return
    sign = ">" if strict else ">="
    for point in points(e.free_symbols, domains):
        value = value_at(e, point)
        if value.is_finite and (value.is_negative or (strict and value.is_zero)):
            raise Refuted(f"{what}, {e} {sign} 0, is false: it is {value} at {in_words(point)}")
    raise NotProved(f"not shown that {what}: {e} {sign} 0")
