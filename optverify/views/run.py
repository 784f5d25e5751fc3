"""Exact runs: a rule driven with exact numbers or symbols."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
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
    values: hyperparameter or input -> exact number, expression, or a function of t = 1, 2, ...; those not
    given stay symbols, an input another one at each step (x_1, x_2, ...). Floats are refused: an exact run is
    exact.
    """
    values = values or {}
    given = {h.symbol: values.get(h.name, h.symbol) for h in rule.hyperparameters}
    given |= {i.now: values.get(i.name, partial(_at, i.name)) for i in rule.inputs}
    form = closed_form(rule)
    states = (theta, *rule.states)
    first = {theta.before: sp.sympify(start)}
    initial = {s: theta.before if s is theta else sp.sympify(s.initial) for s in states}
    now = {s.before: _put(e.xreplace(first), given, 1) for s, e in initial.items()}
    history = [{s.name: now[s.before] for s in states}]
    for step, gradient in enumerate(gradients, 1):
        point = _put(rule.gradient_point, given, step).xreplace(now)
        value = gradient(point) if _is_function(gradient) else gradient
        old = {**now, grad: sp.sympify(value), t: sp.Integer(step)}
        now = {s.before: _put(form[s.name], given, step).xreplace(old) for s in states}
        history.append({s.name: now[s.before] for s in states})
    return history


def _at(name: str, step: int) -> sp.Symbol:
    return sp.Symbol(f"{name}_{step}", real=True)


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, sp.Basic)


def _put(e: sp.Expr, given: Mapping[sp.Symbol, Any], step: int) -> sp.Expr:
    """e with the hyperparameters' values at this step."""
    numbers = {}
    for symbol, value in given.items():
        number = value(step) if _is_function(value) else value
        if isinstance(number, float):
            raise TypeError(f"{symbol} = {number!r} is a float: give an exact run a sympy.Rational")
        numbers[symbol] = sp.sympify(number)
    return e.xreplace(numbers)
