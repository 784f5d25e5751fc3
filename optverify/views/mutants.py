"""Mutants: every rule that differs from a given one by a single slip.

The slips are those people make when they port a rule: a term or factor dropped, a sign flipped, a number off
by one, one hyperparameter for another, the old state for the new, a power dropped, a max for a min, epsilon
moved under the root, a state that starts elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import sympy as sp

from optverify.language import Hyperparameter, Rule, eps, theta

Swaps = Mapping[sp.Symbol, tuple[sp.Symbol, ...]]


@dataclass(frozen=True)
class Mutant:
    """A rule with one slip in it. description: the line that was changed, as it reads now."""

    description: str
    rule: Rule


def mutants(rule: Rule) -> Iterator[Mutant]:
    """Yield every mutant of this dialect once, none equal to the rule itself."""
    swaps = _swaps(rule)
    for i, (lhs, rhs) in enumerate(rule.assignments):
        for changed in expression_mutants(rhs, swaps[i]):
            lines = (*rule.assignments[:i], (lhs, changed), *rule.assignments[i + 1 :])
            yield Mutant(f"{lhs} = {changed}", replace(rule, assignments=lines))
    if rule.gradient_point != theta.before:
        for changed in expression_mutants(rule.gradient_point, swaps[0]):
            yield Mutant(f"gradient at {changed}", replace(rule, gradient_point=changed))
    for state in rule.states:
        start = sp.sympify(state.initial) + 1
        states = tuple(replace(s, initial=start) if s == state else s for s in rule.every_state)
        yield Mutant(f"{state.name} starts at {start}", replace(rule, every_state=states))


def _swaps(rule: Rule) -> list[Swaps]:
    """For each assignment, what a symbol can be mistaken for: one with its domain, its other time."""
    likes = {h.symbol: _alike(h, rule) for h in rule.hyperparameters}
    out: list[Swaps] = []
    assigned: set[sp.Symbol] = set()
    for lhs, _ in rule.assignments:
        times = {s.now: (s.before,) for s in rule.states if s.now in assigned}
        times |= {s.before: (s.now,) for s in rule.states if s.now in assigned}
        out.append(likes | times)
        assigned.add(lhs)
    return out


def _alike(h: Hyperparameter, rule: Rule) -> tuple[sp.Symbol, ...]:
    return tuple(o.symbol for o in rule.hyperparameters if o.domain == h.domain and o.symbol != h.symbol)


def expression_mutants(e: sp.Expr, swaps: Swaps) -> Iterator[sp.Expr]:
    """Yield every expression that differs from e by one slip, once; swaps: symbol -> its mistakes."""
    seen = {e}
    for changed in (*_slips(e, swaps), -e, e + 1):
        if (
            changed not in seen
            and not changed.has(sp.nan, sp.zoo, sp.oo, -sp.oo)
            and changed.is_real is not False
        ):
            seen.add(changed)
            yield changed


def _slips(e: sp.Expr, swaps: Swaps) -> Iterator[sp.Expr]:
    if e.is_Number:
        yield e + 1
        yield -e
        return
    if e.is_Symbol:
        yield from swaps.get(e, ())
        if e.is_integer:
            yield from (e - 1, e + 1)
        return
    yield from _slips_here(e)
    for i, part in enumerate(e.args):
        if part.is_Boolean or isinstance(part, sp.Tuple):
            continue
        changed = (_piece(part, swaps) if isinstance(part, sp.functions.elementary.piecewise.ExprCondPair)
                   else _slips(part, swaps))  # fmt: skip
        for new in changed:
            yield e.func(*e.args[:i], new, *e.args[i + 1 :])


def _piece(pair: sp.Basic, swaps: Swaps) -> Iterator[sp.Basic]:
    value, condition = pair.args
    for new in _slips(value, swaps):
        yield pair.func(new, condition)


def _slips_here(e: sp.Expr) -> Iterator[sp.Expr]:
    args = e.args
    others = [args[:i] + args[i + 1 :] for i in range(len(args))]
    if e.is_Add or e.is_Mul:
        yield from (e.func(*rest) for rest in others)
    if e.is_Add:
        yield from (e.func(*rest, -arg) for arg, rest in zip(args, others, strict=True))
        roots = [a for a in args if a.is_Pow and a.exp == sp.Rational(1, 2)]
        if eps in args and len(args) == 2 and roots:
            yield sp.sqrt(roots[0].base + eps)
    if e.is_Pow:
        yield e.base
    if isinstance(e, (sp.Max, sp.Min)):
        yield (sp.Min if isinstance(e, sp.Max) else sp.Max)(*args)
    if isinstance(e, (sp.Abs, sp.sign)):
        yield args[0]
    if e.is_Piecewise:
        yield from (value for value, _ in args)
