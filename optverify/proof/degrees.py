"""Degrees of homogeneity: how every quantity of a rule scales when its parameters and gradients do.

By induction over the expressions of the recurrence: the terms of a sum must have one degree, those of a
product add up. The equations between unknown degrees are linear, and are solved in rationals.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from fractions import Fraction
from typing import Any

import sympy as sp

from optverify.language import Rule, State, theta
from optverify.language.operators import Operator, inner, matmul, power_of
from optverify.proof.outcome import NotProved
from optverify.proof.symmetry import BASES, SIZES, cases, needed, relations

Form = dict[Any, Fraction]
"""A linear form in unknown degrees; the constant stands at the key 1."""


class _Degrees:
    """Degrees of expressions as linear forms, and the equations that must hold between them."""

    def __init__(self, known: Mapping[sp.Symbol, Form], separate: bool) -> None:
        self.known = dict(known)
        self.separate = separate
        self.equations: list[Form] = []

    def equal(self, forms: list[Form | None]) -> Form | None:
        """All of them, zeros aside."""
        some = [f for f in forms if f is not None]
        for other in some[1:]:
            self.equations.append(_combined(some[0], other, Fraction(-1)))
        return some[0] if some else None

    def none(self, e: sp.Basic) -> Form:
        """Degree 0 is demanded of e."""
        form = self.of(e)
        if form:
            self.equations.append(form)
        return {}

    def of(self, e: sp.Basic) -> Form | None:  # noqa: PLR0911, PLR0912 -- a kind of expression each
        """The degree of e; None for 0, which has any."""
        if e.is_Number or e.is_NumberSymbol:
            return None if e == 0 else {}
        if e.is_Symbol:
            return dict(self.known.get(e, {}))
        if e.is_Add or isinstance(e, (sp.Max, sp.Min)):
            return self.equal([self.of(a) for a in e.args])
        if e.is_Mul:
            total: Form = {}
            for form in map(self.of, e.args):
                if form is None:
                    return None
                total = _combined(total, form)
            return total
        if e.is_Pow:
            return self._power(e)
        if isinstance(e, sp.Abs):
            return self.of(e.args[0])
        if isinstance(e, sp.sign):
            self.of(e.args[0])
            return {}
        if isinstance(e, sp.Piecewise):
            for relation in (r for _, c in cases(e) for r in relations(c)):
                self.equal([self.of(a) for a in relation.args])
            return self.equal([self.of(value) for value, _ in cases(e)])
        if isinstance(e, Operator):
            return self._operator(e)
        for a in e.args:
            self.none(a)
        return {}

    def _power(self, e: sp.Pow) -> Form | None:
        if not e.exp.is_Rational:
            self.none(e.exp)
            return self.none(e.base)
        form = self.of(e.base)
        return None if form is None else _combined({}, form, Fraction(int(e.exp.p), int(e.exp.q)))

    def _operator(self, e: Operator) -> Form | None:
        if self.separate:  # a factor for each coordinate: what mixes them must be free of it
            for a in e.args:
                self.none(a)
            return {}
        if isinstance(e, SIZES):
            return {}
        if isinstance(e, BASES):
            self.of(e.args[0])
            return {}
        if isinstance(e, power_of):
            form = self.of(e.args[0])
            return _combined({}, form or {}, Fraction(int(e.args[1].p), int(e.args[1].q)))
        if isinstance(e, (inner, matmul)):
            first, second = map(self.of, e.args)
            return None if first is None or second is None else _combined(first, second)
        return self.of(e.args[0])


def _combined(a: Form, b: Form, factor: Fraction = Fraction(1)) -> Form:
    total = dict(a)
    for key, c in b.items():
        total[key] = total.get(key, Fraction(0)) + factor * c
    return {key: c for key, c in total.items() if c}


def degrees(
    rule: Rule, given: Mapping[sp.Symbol, int], free: Set[sp.Symbol] = frozenset(), separate: bool = False
) -> dict[sp.Symbol, Fraction]:
    """Degrees of the free hyperparameters with which theta has the degree given[theta.before].

    Multiplying every quantity by c to its degree, c > 0, then turns a run of the rule into another one.
    given: the degrees of theta, the gradient, inputs and hyperparameters; 0 where nothing is said.
    separate: c is another one in each coordinate.
    """
    lines, states = needed(rule)
    unknown: dict[sp.Symbol, Form] = {s.before: {s.name: Fraction(1)} for s in states}
    unknown |= {h: {h: Fraction(1)} for h in free}
    engine = _Degrees({**unknown, **{s: _constant(d) for s, d in given.items()}}, separate)
    for state in states:
        start = engine.of(sp.sympify(state.initial))
        engine.equal([engine.known[state.before], start])
        if separate and (state.scalar or state.side):
            engine.equations.append(engine.known[state.before])
    for lhs, rhs in lines:
        form = engine.of(rhs)
        engine.known[lhs] = form if form is not None else {}
        before = _before(lhs, states)
        if before is not None:
            engine.equal([form, engine.known[before]])
            engine.known[lhs] = engine.known[before]
    engine.equal([engine.of(rule.gradient_point), engine.known[theta.before]])
    solution = _solved(engine.equations)
    return {h: solution.get(h, Fraction(0)) for h in free}


def _constant(degree: int) -> Form:
    return {1: Fraction(degree)} if degree else {}


def _before(lhs: sp.Symbol, states: list[State]) -> sp.Symbol | None:
    return next((s.before for s in (theta, *states) if s.now == lhs), None)


def _solved(equations: list[Form]) -> dict[Any, Fraction]:
    """A solution of the equations form = 0, with 0 where they leave a choice; NotProved if there is none."""
    solved: dict[Any, Form] = {}
    for equation in equations:
        form = dict(equation)
        for key, value in solved.items():
            if key in form:
                form = _combined({k: c for k, c in form.items() if k != key}, value, form[key])
        unknowns = [key for key in form if key != 1]
        if not unknowns:
            if form:
                raise NotProved("the degrees contradict each other")
            continue
        pivot = min(unknowns, key=str)
        value = _combined({}, {k: c for k, c in form.items() if k != pivot}, -1 / form[pivot])
        for key, other in solved.items():
            if pivot in other:
                rest = {k: c for k, c in other.items() if k != pivot}
                solved[key] = _combined(rest, value, other[pivot])
        solved[pivot] = value
    return {key: form.get(1, Fraction(0)) for key, form in solved.items()}
