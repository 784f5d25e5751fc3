"""The playground: the lines of the cards run in the page, on problems of the plane.

The page runs the lines of code that it shows, each read once by `engine.js`: nothing is written a second
time, and a policy without `eval` stays. What the lines do not say is here: where a rule's states start, at
which point the gradient is taken, the ranges of numbers, the formulas of problems and schedules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import sympy as sp
from sympy.printing.pycode import PythonCodePrinter

from optverify.backends.python import recurrence
from optverify.language import Parameter, Rule, ScheduleFamily
from optverify.language.hyperparameter import Hyperparameter
from optverify.problems import Problem, problem
from optverify.problems import names as problem_names
from optverify.report.figures import example
from optverify.report.web.cards import option_name
from optverify.report.web.dialects import every_dialect, key, without
from optverify.report.web.section import Section, html
from optverify.rules import registry as rules
from optverify.schedules import registry as schedules

ID = "play"
LOSS = "loss"
"""A number that the page computes itself where a rule asks for it."""
SCRIPTS = ("engine.js", "runs.js", "plots.js", "play.js")


def playground() -> Section:
    """Every rule that can move a point of the plane, every schedule, every problem of two variables."""
    data = {
        "rules": {name: rule_data(rules.get(name)) for name in rules.names()},
        "schedules": {name: schedule_data(schedules.get(name)) for name in schedules.names()},
        "problems": {p.name: problem_data(p) for p in planar()},
    }
    left_out = [
        (rules.get(name).title, told["without"]) for name, told in data["rules"].items() if told["without"]
    ]
    body = html("play.html.j2", left_out=left_out)
    return Section(ID, "Playground", body, SCRIPTS, ("play.css", "evidence.css"), data)


def planar() -> Iterator[Problem]:
    """Problems with a formula in two variables."""
    for name in problem_names():
        shown = problem(name)
        if shown.dim == 2:
            yield shown


class Code(PythonCodePrinter):  # type: ignore[misc]
    """SymPy's Python, with sums and functions of ours by name: `engine.js` knows them."""

    def _print_Function(self, e: sp.Function) -> str:
        if e.func.__name__ in self.known_functions:
            return str(super()._print_Function(e))
        return f"{e.func.__name__}({', '.join(map(self._print, e.args))})"

    def _print_Sum(self, e: sp.Sum) -> str:
        (index, low, high) = e.limits[0]
        return f"sum_over({index}, {self._print(low)}, {self._print(high)}, {self._print(e.function)})"


def rule_data(rule: Rule) -> dict[str, Any]:
    """Ranges and defaults of numbers; axes with their options; where states start and the gradient is taken.

    starts: key of a dialect -> the point, then the code of each state's start; a dialect that has those of
    the paper's is left out.
    """
    starts = {key(d): _start(d) for d in every_dialect(rule)} if not without(rule) else {}
    usual = starts.get(key(rule))
    return {
        "title": rule.title,
        "without": without(rule),
        "numbers": [_number(h) for h in rule.every_hyperparameter if h.name != LOSS],
        "scalars": [s.name for s in rule.every_state if s.scalar],
        "axes": {a.name: [option_name(o) for o in a.options] for a in rule.axes},
        "start": usual,
        "starts": {name: start for name, start in starts.items() if start != usual},
    }


def _start(dialect: Rule) -> dict[str, Any]:
    source = recurrence(dialect, ieee=True)
    return {
        "at": source.gradient_point,
        "states": dict(zip((s.name for s in dialect.states), source.initial, strict=True)),
    }


def _number(h: Parameter, value: Any = None) -> dict[str, Any]:
    default = h.default if value is None else value
    told: dict[str, Any] = {"name": h.name, "meaning": h.meaning, "default": default}
    if isinstance(h, Hyperparameter):
        d = h.domain
        low, high = (x if np.isfinite(x) else None for x in (d.low, d.high))
        return {**told, "low": low, "high": high, "open": [d.low_open, d.high_open]}
    return {**told, "whole": True, "list": isinstance(default, tuple)}


def schedule_data(family: ScheduleFamily) -> dict[str, Any]:
    """Lines of each choice of options, and the numbers of an example of 100 updates."""
    shown = example(family).parameters
    return {
        "title": family.title,
        "numbers": [_number(h, shown[h.name]) for h in family.hyperparameters],
        "axes": {a.name: [option_name(o) for o in a.options] for a in family.axes},
        "lines": dict(_schedule_lines(family)),
    }


def _schedule_lines(family: ScheduleFamily) -> Iterator[tuple[str, list[list[str]]]]:
    """Options, separated by spaces -> name and code of each line."""
    choices: list[Mapping[str, Any]] = [{}]
    for axis in family.axes:
        choices = [{**chosen, axis.name: option} for chosen in choices for option in axis.options]
    for chosen in choices:
        lines = family.lines(**chosen)
        yield (
            " ".join(map(option_name, chosen.values())),
            [[str(symbol), Code().doprint(e)] for symbol, e in lines],
        )


def problem_data(shown: Problem) -> dict[str, Any]:
    """The formula and its derivatives, where to start, the minima, and what part of the plane to draw."""
    f, symbols = shown.expression()
    points = [np.asarray(p, float) for p in shown.minimum.all]
    places = np.array([np.asarray(shown.initial, float), *points, *_known(shown)])
    low, high = places.min(axis=0), places.max(axis=0)
    half, middle = max(1.2, 0.62 * float((high - low).max())), (low + high) / 2
    least = shown.minimum.value
    return {
        "title": shown.title,
        "f": Code().doprint(f),
        "gradient": [Code().doprint(sp.diff(f, s)) for s in symbols],
        "start": [float(x) for x in shown.initial],
        "minima": [[float(x) for x in p] for p in points],
        "least": float(least) if np.isfinite(least) else None,
        "view": [float(x) for x in (middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half)],
    }


def _known(shown: Problem) -> list[Any]:
    """Without a minimum, the origin is in the picture."""
    return [] if shown.minimum.all else [np.zeros(2)]
