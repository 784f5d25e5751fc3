"""Whether what is printed, run and proved with is one recurrence, and how float32 follows it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from importlib import import_module
from math import isnan
from types import ModuleType
from typing import Any

import numpy as np
import sympy as sp

from optverify.claims._claim import Decision, holds
from optverify.claims._trials import (
    EXACT,
    MIXED,
    OTHER,
    UPDATES,
    Course,
    base_of,
    courses,
    follow,
    given,
    trial,
)
from optverify.language import Rule, grad, t, theta
from optverify.proof import NotProved, Refuted
from optverify.proof.enclosure import differ, enclosed
from optverify.proof.enclosure import text as in_digits
from optverify.proof.evaluation import UNDEFINED, Compiler, Runner, Value, entries
from optverify.proof.reading import Unreadable, read
from optverify.proof.rounding import UNIT, Rounded, Rounding
from optverify.views.closed import closed_form

CLOSE, FEW = 1e-12, 2
ROUNDING = Rounding()


# ---- the generated step ----------------------------------------------------------------------------------


def generated(rule: Rule) -> ModuleType:
    """The committed step of the rule of that name; NotProved if there is none for this dialect."""
    try:
        module = import_module(f"optverify.steps.{rule.name}")
    except ImportError:
        raise NotProved("new: no step is generated yet (python -m optverify.backends.generate)") from None
    if dict(rule.options) != module.OPTIONS:
        raise NotProved(f"the committed step of {rule.name!r} is of the default dialect")
    return module


def _float(value: Any) -> float:
    return float(value.numerator / value.denominator)


def _keywords(function: Any, numbers: Mapping[str, Any]) -> dict[str, Any]:
    return {name: numbers[name] for name in inspect.signature(function).parameters if name in numbers}


def stepped(rule: Rule, course: Course, kind: type[np.floating[Any]]) -> list[dict[str, Any]]:
    """The states of the generated step along a course, in this float type."""
    module, matrix = generated(rule), base_of(rule).needs_matrix
    at = given(rule, trial(rule, course.other), len(course.starts))

    def array(values: Any) -> Any:
        made = np.array([_float(Fraction(v)) for v in values], kind)
        return made.reshape(course.shape) if matrix else made

    def numbers(step: int) -> dict[str, Any]:
        values = at(step)
        found = {h.name: _float(values[h.symbol]) for h in rule.every_hyperparameter}
        return found | {i.name: array(entries(values[i.now])) for i in rule.every_input}

    point = array(course.starts)
    state = module.init(point, **_keywords(module.init, numbers(1)))
    history = [{"theta": point, **_states(state)}]
    for step, gradients in enumerate(zip(*course.gradients, strict=True), 1):
        values, gradient = numbers(step), array(gradients)
        if course.slope:
            asked = module.gradient_point(point, state, **_keywords(module.gradient_point, values))
            gradient = (gradient + kind(course.slope) * asked).astype(kind)
        point, state = module.step(point, gradient, state, **_keywords(module.step, values))
        history.append({"theta": point, **_states(state)})
    return history


def _states(state: Any) -> dict[str, Any]:
    return {name.rstrip("_"): value for name, value in state._asdict().items() if name != "t"}


def _numbers(value: Any) -> list[float]:
    return [float(x) for x in np.ravel(value)]


def _exact_float(x: Any) -> float:
    """The float nearest to an exact number; nan for one that has no value."""
    if x is UNDEFINED:
        return float("nan")
    return float(in_digits(enclosed(x), 25))


def _far(history: list[dict[str, Value]], floats: list[dict[str, Any]]) -> str | None:
    """The first number of the floats that is not near the exact one, in words."""
    for step, (exact, near) in enumerate(zip(history, floats, strict=True)):
        for name, value in exact.items():
            stated, found = [_exact_float(x) for x in entries(value)], _numbers(near[name])
            if len(stated) != len(found):
                return f"{name} has {len(found)} numbers in the step, and {len(stated)} in the recurrence"
            scale = max((abs(x) for x in stated if not isnan(x)), default=0.0)
            for x, y in zip(stated, found, strict=True):
                if isnan(x) != isnan(y) or abs(x - y) > CLOSE * scale:
                    return f"after {step} updates {name} is {y!r} in the step, and {x!r} in the recurrence"
    return None


# ---- the closed form and the page --------------------------------------------------------------------------


def _closed_difference(rule: Rule, course: Course, history: list[dict[str, Value]]) -> str | None:
    """A state whose closed form gives another value than the assignments do, in words."""
    at = given(rule, trial(rule, course.other), len(course.starts))
    compiled = Compiler(EXACT, remembers=True)
    try:
        forms = {name: compiled(e) for name, e in closed_form(rule).items()}
    except (ValueError, TypeError) as failed:  # SymPy has no maximum of 1/0
        raise NotProved(f"no closed form: {failed}") from None
    states = (theta, *rule.states)
    step = len(history) - 1
    known = {**at(step), **{s.before: history[-2][s.name] for s in states}, t: EXACT.number(sp.Integer(step))}
    gradients = [Fraction(row[step - 1]) for row in course.gradients]
    shape = course.shape if base_of(rule).needs_matrix else (len(gradients),)
    known[grad] = EXACT.array(gradients).reshape(shape)
    for name, form in forms.items():
        for x, y in zip(entries(form(known)), entries(history[-1][name]), strict=True):
            if differ(x, y):
                closed, stated = in_digits(x), in_digits(y)
                return f"after {step} updates {name} is {closed} by the closed form, {stated} line by line"
    return None


def _printed(rule: Rule) -> Iterator[tuple[sp.Symbol, sp.Expr, str]]:
    """Each assignment with the right side of its line on the page."""
    lines = rule.latex().splitlines()[1:-1]
    if len(lines) != len(rule.assignments):
        raise Refuted(f"{len(lines)} lines are printed for {len(rule.assignments)} assignments")
    for (lhs, rhs), line in zip(rule.assignments, lines, strict=True):
        left, separator, right = line.removesuffix(r" \\").partition(" &= ")
        if not separator or left != rule.tex(lhs):
            raise Refuted(f"no line of the page assigns {lhs}: {line}")
        yield lhs, rhs, right


def _misprint(rule: Rule) -> str | None:
    """A line of the page that does not give the value of its assignment, in words."""
    step = 4
    known: dict[sp.Symbol, Value] = {**given(rule, trial(rule), 1)(step), t: EXACT.number(sp.Integer(step))}
    states = {s.before for s in (theta, *rule.states)}
    read_symbols = sorted({s for _, rhs in rule.assignments for s in rhs.free_symbols}, key=str)
    for k, symbol in enumerate(s for s in read_symbols if s in states or s == grad):
        known[symbol] = Fraction(2 * k + 3, 7) * (1 if symbol.is_nonnegative or k % 2 else -1)
    known |= {i.now: entries(known[i.now])[0] for i in rule.inputs}
    runner = Runner(rule, EXACT, one_dimensional=True)
    for (lhs, rhs, right), (_, line) in zip(_printed(rule), runner.lines, strict=True):
        symbols = {rule.tex(s): known[s] for s in rhs.free_symbols}
        if len(symbols) < len(rhs.free_symbols):
            return f"two symbols of the line of {lhs} are printed alike: {right}"
        symbols |= {} if rule.tex(t) in symbols else {"t": known[t]}
        if any(type(f).__name__ in ("rows", "columns") for f in rule.operators):
            symbols |= {"m": Fraction(1), "n": Fraction(1)} if not {"m", "n"} & set(symbols) else {}
        known[lhs] = line(known)
        try:
            found = read(right, symbols, EXACT)
        except Unreadable as failed:
            return f"the line of {lhs} cannot be read: {failed}"
        if differ(found, known[lhs]):
            return f"{right} is {in_digits(found)}, and {lhs} is {in_digits(known[lhs])}"
    return None


def decide_agreement(rule: Rule) -> Decision:
    """Page, step and closed form against the exact run of the assignments."""
    generated(rule)
    if found := _misprint(rule):
        raise Refuted(found)
    runs = [MIXED, courses(rule, "mixed_response")[1]]
    for course in runs:
        history, open_end = follow(rule, course)
        if open_end:
            raise open_end
        with np.errstate(all="ignore"):  # 0/0, where there is no value
            floats = stepped(rule, course, np.float64)
        if found := _far(history, floats):
            raise Refuted(found)
    if found := _closed_difference(rule, OTHER, history):
        raise Refuted(found)
    return holds(
        f"{len(rule.assignments)} lines are read back; {2 * UPDATES - 1} updates of the step are within"
        f" {CLOSE:g} of the exact ones, and the closed form gives their numbers", "numerical",
    )  # fmt: skip


# ---- float32 ---------------------------------------------------------------------------------------------


def rounded_run(rule: Rule, course: Course) -> list[dict[str, Value]]:
    """The recurrence along a course with a bound on what rounding to float32 does."""
    exact = given(rule, trial(rule, course.other), len(course.starts))
    matrix = base_of(rule).needs_matrix

    def number(x: Any) -> Rounded:
        value = float(np.float32(_float(Fraction(x))))
        return Rounded(value, 0.0)

    def array(values: Any) -> Value:
        made = ROUNDING.array([number(v) for v in values])
        return made.reshape(course.shape) if matrix else made

    def at(step: int) -> dict[sp.Symbol, Value]:
        values = {}
        for symbol, x in exact(step).items():
            if isinstance(x, np.ndarray):
                values[symbol] = array(entries(x))
            else:
                value = _float(x)
                values[symbol] = Rounded(value, 0.0 if value == int(value) else UNIT / 2 * abs(value))
        return values

    gradients = [array(row) for row in zip(*course.gradients, strict=True)]
    return list(Runner(rule, ROUNDING).run(gradients, array(course.starts), at))


def decide_float_types(rule: Rule) -> Decision:
    """The float32 step within the running error bound of the recurrence."""
    course = courses(rule, "step_response")[0]
    updates = FEW if base_of(rule).operators else UPDATES
    course = replace(course, gradients=tuple(row[:updates] for row in course.gradients))
    with np.errstate(all="ignore"):
        floats, limits = stepped(rule, course, np.float32), rounded_run(rule, course)
    worst, most = 0.0, 0.0
    for step, (bounds, found) in enumerate(zip(limits, floats, strict=False)):
        scale = max(abs(x) for x in _numbers(found["theta"])) or 1.0
        for name, value in bounds.items():
            if len(entries(value)) != len(_numbers(found[name])):
                raise Refuted(
                    f"{name} has {len(entries(value))} numbers in the recurrence, and not in the step"
                )
            for bound, x in zip(entries(value), _numbers(found[name]), strict=True):
                if bound is UNDEFINED or not abs(x - bound.value) <= bound.error:
                    raise Refuted(f"after {step} updates {name} is {x!r} in float32, not {bound!r}")
                if name == "theta" and bound.error:
                    worst = max(worst, abs(x - bound.value) / bound.error)
                    most = max(most, bound.error / scale)
    return holds(
        f"over {updates} updates theta is within {most:.1e} of its size of the recurrence's, by the bound;"
        f" it strays {worst:.0%} of that at most", "numerical",
    )  # fmt: skip
