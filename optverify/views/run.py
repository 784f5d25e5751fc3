"""Exact runs: a rule driven with exact numbers or symbols."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy as sp

from optverify.language import Rule, grad, t, theta
from optverify.views.closed import closed_form

Gradient = Callable[[sp.Expr], Any]


def run(
    rule: Rule,
    gradients: Iterable[Any],
    start: Any = 0,
    values: Mapping[str, Any] | None = None,
) -> list[dict[str, sp.Expr]]:
    """The states before the first update and after each one, theta among them, as exact expressions.

    gradients: a gradient a step: a number or symbol, or a function of the rule's gradient point.
    values: hyperparameter -> exact number, expression, or a function of t = 1, 2, ...; those not given stay
    symbols. Floats are refused: an exact run is exact.
    """
    constants = {h.symbol: (values or {}).get(h.name, h.symbol) for h in rule.hyperparameters}
    for symbol, value in constants.items():
        if isinstance(value, float):
            raise TypeError(f"{symbol} = {value!r} is a float: give an exact run a sympy.Rational")
    at = lambda e, step: e.xreplace(  # noqa: E731
        {s: sp.sympify(v(step) if callable(v) and not isinstance(v, sp.Basic) else v) for s, v in constants.items()}
    )
    form = closed_form(rule)
    states = (theta, *rule.states)
    now = {s.before: sp.sympify(start) if s is theta else at(sp.sympify(s.initial), 1) for s in states}
    history = [{s.name: now[s.before] for s in states}]
    for step, gradient in enumerate(gradients, 1):
        point = at(rule.gradient_point, step).xreplace(now)
        value = gradient(point) if callable(gradient) and not isinstance(gradient, sp.Basic) else gradient
        old = {**now, grad: sp.sympify(value), t: sp.Integer(step)}
        now = {s.before: at(form[s.name], step).xreplace(old) for s in states}
        history.append({s.name: now[s.before] for s in states})
    return history
