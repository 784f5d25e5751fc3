"""What a rule does when the loss is scaled, or the parameters are mirrored, moved, scaled, permuted, rotated.

A symmetry is a change of the start and the gradients, and what must then become of the path. It is shown by
induction over the expressions of the recurrence (`proof.symmetry`), or refuted by two runs that part, in
rationals and intervals of 60 digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache, partial
from math import isinf
from typing import Any

import numpy as np
import sympy as sp

from optverify.claims._claim import (
    Claim,
    Decision,
    Evidence,
    Verdict,
    about,
    holds,
    holds_under_conditions,
    refuted,
)
from optverify.language import Hyperparameter, Rule, Source, grad, lr, t, theta
from optverify.proof.degrees import degrees
from optverify.proof.enclosure import Exact, differ, text
from optverify.proof.evaluation import UNDEFINED, Runner
from optverify.proof.outcome import NotProved
from optverify.rules import rule as registered

Numbers = dict[sp.Symbol, Fraction]
Array = Any

LOSSES = frozenset({"loss", "f_min"})
"""Hyperparameters that are values of the objective: they are scaled as it is."""
SMALL = frozenset({"eps", "weight_decay", "initial_accumulator"})
"""Hyperparameters that may be set to 0 in a condition."""
CONSTANTS = SMALL | {
    "eps1", "eps2", "eps_root", "b0", "beta", "lambda1", "lambda2", "d0", "min_step", "max_step", "final_lr",
}  # fmt: skip
"""Hyperparameters that are added to, or compared with, gradients, parameters or steps, and so have units.

The others multiply a step, as lr does, or are pure numbers.
"""


@dataclass(frozen=True)
class Symmetry:
    """One column of the table.

    name, title, statement, scope, sources: as of its claims, `{rule}` standing for the rule. factor: what the
    gradients are multiplied with in a counterexample; others: lr, inputs that are losses, the start.
    show: shows it for a rule with all its hyperparameters as they are. conditions: yields rules for which it
    holds, with the condition in words, cheapest first.
    """

    name: str
    title: str
    statement: str
    scope: str
    sources: tuple[Source, ...]
    show: Callable[[Rule], None]
    conditions: Callable[[Rule], Iterator[str]]
    gradient: Callable[[Array], Array]
    parameters: Callable[[Array], Array]
    rate: Fraction = Fraction(1)
    loss: Fraction = Fraction(1)
    matrices: bool = False


# ---- proofs by degrees -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Units:
    """By which powers of c gradients, parameters, losses and the learning rate are scaled.

    separate: by another c in each coordinate.
    """

    gradient: int
    parameters: int
    loss: int
    rate: int
    separate: bool = False

    def given(self, rule: Rule) -> dict[sp.Symbol, int]:
        """The degrees that this fixes."""
        values = {theta.before: self.parameters, grad: self.gradient, lr: self.rate}
        values |= {h.symbol: self.loss for h in rule.hyperparameters if h.name in LOSSES}
        return values | {i.now: self.gradient for i in rule.inputs if not i.scalar}


def show_scaled(units: Units, rule: Rule) -> None:
    """Show it with all hyperparameters, losses aside, as they are."""
    degrees(rule, units.given(rule), separate=units.separate)


def scaled_along(units: Units, rule: Rule) -> Iterator[str]:
    """Show it with constants that are scaled by powers of c, or else are 0; at last, away from 0."""
    for variant, said in ((rule, ""), (unguarded(rule), "norms other than 0")):
        given = units.given(variant)
        free = {h.symbol for h in variant.hyperparameters if h.name in CONSTANTS and h.symbol not in given}
        try:
            found = degrees(variant, given, free, units.separate)
        except NotProved:
            continue
        scaled = {s: d for s, d in found.items() if d}
        along = [f"{s} -> {_times(d)}{s}" for s, d in sorted(scaled.items(), key=str)]
        if not units.separate:
            yield ", ".join(along + [said] * bool(said))
        elif all(0 in rule.hyperparameter(s.name).domain for s in scaled):  # one number for all coordinates
            yield from _at_zero(rule, tuple(scaled))
    for zeros in _zeroed(rule):
        with suppress(NotProved):
            show_scaled(units, with_zeros(rule, zeros))
            yield from _at_zero(rule, zeros)


def unguarded(rule: Rule) -> Rule:
    """The rule without the cases for what is 0: every condition `x > 0` on something nonnegative is met."""
    met = {
        relation: sp.true
        for _, rhs in rule.assignments for case in rhs.atoms(sp.Piecewise) for _, condition in case.args
        for relation in condition.atoms(sp.Gt) if relation.rhs == 0 and relation.lhs.is_nonnegative
    }  # fmt: skip
    lines = tuple((lhs, rhs.xreplace(met)) for lhs, rhs in rule.assignments) if met else rule.assignments
    return replace(rule, assignments=lines)


def _times(degree: Fraction) -> str:
    return "c " if degree == 1 else f"c^{degree} " if degree.denominator == 1 else f"c^({degree}) "


def _zeroed(rule: Rule) -> Iterator[tuple[sp.Symbol, ...]]:
    """The hyperparameters that may be 0: each alone, then all together."""
    found = tuple(h.symbol for h in rule.hyperparameters if h.name in SMALL and 0 in h.domain)
    yield from ((s,) for s in found)
    if len(found) > 1:
        yield found


def _at_zero(rule: Rule, zeros: Any) -> Iterator[str]:
    """The condition that these are 0, if the rule still moves then."""
    numbers = _trial(rule) | {s: Fraction(0) for s in zeros}
    try:
        path = _path(rule, numbers, *_course(rule, 3))
    except NotProved:
        return
    if any(_parted(path[0][0], now) for now, _ in path[1:]):
        yield ", ".join(f"{s} = 0" for s in sorted(zeros, key=str))


def with_zeros(rule: Rule, zeros: tuple[sp.Symbol, ...]) -> Rule:
    """The rule with these hyperparameters 0."""
    values = dict.fromkeys(zeros, sp.Integer(0))
    try:
        lines = tuple((lhs, rhs.xreplace(values)) for lhs, rhs in rule.assignments)
    except (TypeError, ValueError) as failed:  # a comparison with 1/0
        raise NotProved(str(failed)) from None
    return replace(
        rule,
        assignments=lines,
        every_state=tuple(
            replace(s, initial=sp.sympify(s.initial).xreplace(values)) for s in rule.every_state
        ),
        gradient_point=rule.gradient_point.xreplace(values),
    )


def without_small(show: Callable[[Rule], None], rule: Rule) -> Iterator[str]:
    """Show it with weight_decay, epsilon and the like 0."""
    for zeros in _zeroed(rule):
        with suppress(NotProved):
            show(with_zeros(rule, zeros))
            yield ", ".join(f"{s} = 0" for s in sorted(zeros, key=str))


# ---- runs --------------------------------------------------------------------------------------------------

EXACT = Exact()
LONG = 7
"""Updates of the second attempt; with rates near 1, so that RAdam rectifies, and large constants."""


def _trial(rule: Rule, high: bool = False) -> Numbers:
    return {h.symbol: _inside(h, k, high) for k, h in enumerate(rule.hyperparameters, 2)}


def _inside(h: Hyperparameter, k: int, high: bool) -> Fraction:
    if h.domain.high == 1 and high:
        return 1 - Fraction(1, 20 + k)
    low = Fraction(0) if isinf(h.domain.low) else Fraction(h.domain.low)
    if high and low == 0 and isinf(h.domain.high):
        return Fraction(k)
    if low >= 1 and not h.domain.low_open:
        return low + 1
    return low + Fraction(1, k)


def _array(rows: Any) -> Array:
    return np.array([[Fraction(x) for x in row] for row in rows], dtype=object)


VECTORS = [_array(rows) for rows in ([[1], [3]], [[-2], [1]], [[1], [-3]])]
MATRICES = [_array(rows) for rows in ([[1, 3], [2, -1]], [[-2, 1], [1, 1]], [[1, 1], [-3, 2]])]
START = {False: _array([[1], [-2]]), True: _array([[1, -2], [3, 1]])}


def _course(rule: Rule, updates: int, matrices: bool = False) -> tuple[Array, list[Array]]:
    """A start and gradients: vectors of two numbers, or matrices of two rows and columns."""
    wide = matrices or rule.needs_matrix
    some = MATRICES if wide else VECTORS
    return START[wide], [some[k % 3] for k in range(updates)]


def _path(rule: Rule, numbers: Numbers, start: Array, gradients: list[Array]) -> list[tuple[Array, Array]]:
    """(theta, gradient point) before the first update and after each one. NotProved if one has no value."""
    runner = _runner(rule)
    out = []
    shifted = gradients[1:] + gradients[:1]

    def given(step: int) -> dict[sp.Symbol, Any]:
        inputs = {i.now: shifted[(step - 1) % len(shifted)] * (k + 1) for k, i in enumerate(rule.inputs)}
        return {**numbers, **inputs}

    for step, states in enumerate(runner.run(gradients, start, given), 1):
        if any(v is UNDEFINED for value in states.values() for v in _flat(value)):
            raise NotProved("an update has no value")
        known = {**numbers, **{rule.state(n).before: v for n, v in states.items()}}
        known[t] = Fraction(step)
        out.append(tuple(_shaped(v, start) for v in (states["theta"], runner.point(known))))
    return out


def _shaped(value: Array, like: Array) -> Array:
    """An array for one number that stands for all: what a slip can make of theta."""
    return value if isinstance(value, np.ndarray) else np.full(like.shape, value, dtype=object)


@lru_cache(maxsize=4)
def _runner(rule: Rule) -> Runner:
    return Runner(rule, EXACT)


@lru_cache(maxsize=16)
def _base(rule: Rule, high: bool, updates: int, matrices: bool) -> tuple[tuple[Array, Array], ...]:
    return tuple(_path(rule, _trial(rule, high), *_course(rule, updates, matrices)))


def _flat(value: Any) -> list[Any]:
    return list(value.ravel()) if isinstance(value, np.ndarray) else [value]


def _parted(a: Array, b: Array) -> tuple[Any, Any] | None:
    """The first two entries that differ, or None."""
    return next(((x, y) for x, y in zip(_flat(a), _flat(b), strict=True) if differ(x, y)), None)


def counterexample(symmetry: Symmetry, rule: Rule) -> tuple[str, Evidence] | None:
    """Look for two runs that the symmetry does not take to each other; in words, and on what that rests."""
    for high, updates in ((False, 3), (True, LONG)):
        numbers = _trial(rule, high)
        changed = dict(numbers)
        if lr in changed:
            changed[lr] *= symmetry.rate
        for h in rule.hyperparameters:
            if h.name in LOSSES:
                changed[h.symbol] *= symmetry.loss
        start, gradients = _course(rule, updates, symmetry.matrices)
        moved = [symmetry.gradient(g) for g in gradients]
        try:
            base = _base(rule, high, updates, symmetry.matrices)
            path = _path(rule, changed, symmetry.parameters(start), moved)
        except NotProved:
            continue
        for k, (before, after) in enumerate(zip(base, path, strict=True)):
            for what, one, two in zip((f"theta_{k}", f"the gradient point after update {k}"), before, after,
                                      strict=True):  # fmt: skip
                if found := _parted(symmetry.parameters(one), two):
                    rational = all(isinstance(x, Fraction) for x in found)
                    said = _in_words(rule, numbers, start, gradients[: max(k, 1)])
                    ends = f"should become {text(found[0], 12)}, and becomes {text(found[1], 12)}"
                    evidence: Evidence = "exact certificate" if rational else "interval arithmetic"
                    return f"{said} an entry of {what} {ends}", evidence
    return None


def _in_words(rule: Rule, numbers: Numbers, start: Array, gradients: list[Array]) -> str:
    names = {h.symbol: h.name for h in rule.hyperparameters}
    values = ", ".join(f"{names[s]} = {v}" for s, v in numbers.items())
    used = " and ".join(_row(g) for g in gradients)
    return f"from {_row(start)} with gradients {used} and {values}"


def _row(array: Array) -> str:
    rows = [f"({', '.join(map(str, row))})" for row in (array.T if array.shape[1] == 1 else array)]
    return " / ".join(rows)


# ---- the decision ------------------------------------------------------------------------------------------


def decide(symmetry: Symmetry, rule: Rule) -> Decision:
    """Derive the cell of a rule in the column of a symmetry."""
    try:
        symmetry.show(rule)
    except NotProved as failed:
        found = counterexample(symmetry, rule)
        if found is None:
            try:
                symmetry.show(unguarded(rule))
            except NotProved:
                raise NotProved(f"no proof, {failed}, and no counterexample") from None
            return holds("every assignment that theta depends on keeps to it, cases for 0/0 aside")
    else:
        return holds(f"every assignment that theta depends on keeps to it: {symmetry.name}")
    try:
        condition = next(symmetry.conditions(rule), None)
    except NotProved:
        condition = None
    if condition is None:
        return refuted(*found)
    return holds_under_conditions(f"with {condition}; otherwise not: {found[0]}")


def claim_of(symmetry: Symmetry, name: str, expected: Verdict, evidence: Evidence, note: str = "") -> Claim:
    """The cell of a rule as a claim of the ledger."""
    scope = f"{symmetry.scope}; {note}" if note else symmetry.scope
    family, title = f"invariance.{symmetry.name}", symmetry.title.format(rule=registered(name).title)
    return Claim(
        f"{family}.{name}", title, symmetry.statement, scope,
        symmetry.sources, "invariances", (("rule", about(name)),), expected, evidence,
        partial(decide, symmetry), family=family,
    )  # fmt: skip
