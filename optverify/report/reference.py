"""The reference: what the pages of rules, schedules and problems say, read off the objects themselves."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isnan
from typing import Any

import sympy as sp

from optverify.backends.numpy import numpy_source
from optverify.language import Axis, Option, Parameter, Rule, ScheduleFamily, Source, State
from optverify.language.notation import tex_number
from optverify.language.schedule_latex import ScheduleLatex
from optverify.problems import Problem
from optverify.report.markup import quoted

Rows = dict[str, str]
"""LaTeX of a left-hand side -> LaTeX of the whole line, in order."""


@dataclass(frozen=True)
class Change:
    """What one option does to the recurrence: the lines it writes anew, the quantities it does without.

    starts: lines for the states that start from another value. All are empty where the option counts only
    together with one on another axis.
    """

    option: Option
    meaning: str
    lines: tuple[str, ...]
    gone: tuple[str, ...]
    starts: tuple[str, ...] = ()

    @property
    def latex(self) -> str:
        """The new lines as an `aligned` block, empty if there is none."""
        return aligned((*self.starts, *self.lines)) if self.starts or self.lines else ""


@dataclass(frozen=True)
class Choice:
    """An axis: its question, the default, and a Change for every other option."""

    axis: Axis
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Quantity:
    """A row in a table of symbols. tex, name: as written, in code; default: LaTeX or empty; only: when."""

    tex: str
    name: str
    meaning: str
    default: str
    domain: str = ""
    only: str = ""


@dataclass(frozen=True)
class Page:
    """A rule or a schedule as the reference shows it."""

    name: str
    title: str
    summary: str
    latex: str
    symbols: tuple[Quantity, ...]
    states: tuple[Quantity, ...]
    choices: tuple[Choice, ...]
    conditions: tuple[str, ...]
    code: str
    sources: tuple[Source, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """What it has sections on, after the equations."""
        present = {"symbols": self.symbols, "states": self.states, "choices": self.choices}
        return (*(name for name, rows in present.items() if rows), "NumPy", "sources")


def aligned(lines: Sequence[str]) -> str:
    """Lines with `&` as a LaTeX block."""
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def rows(block: str) -> Rows:
    """The lines of an `aligned` block by their left-hand sides."""
    lines = [line.removesuffix(r" \\") for line in block.splitlines()[1:-1]]
    return {line.partition(" &= ")[0]: line for line in lines}


def choice(axis: Axis, blocks: Mapping[Option, str], starts: Mapping[Option, Rows] | None = None) -> Choice:
    """What each option changes, from the `aligned` block of each; starts: how the states start in each."""
    default, starts = rows(blocks[axis.default]), starts or {}
    changes = []
    for option in axis.options:
        if option != axis.default:
            chosen = rows(blocks[option])
            lines = _new(default, chosen)
            gone = tuple(lhs for lhs in default if lhs not in chosen)
            anew = _new(starts.get(axis.default, {}), starts.get(option, {}))
            changes.append(Change(option, axis.options[option], lines, gone, anew))
    return Choice(axis, tuple(changes))


def _new(default: Rows, chosen: Rows) -> tuple[str, ...]:
    """The lines of `chosen` that `default` does not have."""
    return tuple(line for lhs, line in chosen.items() if default.get(lhs) != line)


def start_rows(rule: Rule, states: Sequence[State]) -> Rows:
    """How these states start in a dialect, as lines; a state that it does not keep has none."""
    kept = {s.name: s for s in rule.states}
    lines = {}
    for s in (kept[s.name] for s in states if s.name in kept):
        lhs = rule.tex(s.now).replace("_t", "_0")
        lines[lhs] = f"{lhs} &= {rule.tex(sp.sympify(s.initial))}"
    return lines


# ---- rules -------------------------------------------------------------------------------------------


def rule_page(rule: Rule) -> Page:
    """The page of a rule in its default dialect."""
    variants = {(axis.name, o): rule.dialect(**{axis.name: o}) for axis in rule.axes for o in axis.options}
    return Page(
        name=rule.name,
        title=rule.title,
        summary=rule.summary,
        latex=rule.latex(),
        symbols=(
            *(_symbol(h, _only(rule, variants, h)) for h in rule.every_hyperparameter),
            *(Quantity(i.latex, i.name, i.meaning, "", i.domain or "an array") for i in rule.inputs),
        ),
        states=tuple(_state(rule, s, _only(rule, variants, s)) for s in rule.every_state),
        choices=tuple(
            choice(
                axis,
                {o: variants[axis.name, o].latex() for o in axis.options},
                {o: start_rows(variants[axis.name, o], rule.states) for o in axis.options},
            )
            for axis in rule.axes
        ),
        conditions=(),
        code=equations_source(rule),
        sources=rule.sources,
    )


def _only(rule: Rule, variants: Mapping[tuple[str, Option], Rule], part: Any) -> str:
    """The dialects that use a hyperparameter or state, as Python conditions; empty for the default one."""
    if part in (*rule.hyperparameters, *rule.states):
        return ""
    cases = []
    for axis in rule.axes:
        users = [
            v
            for v in (variants[axis.name, o] for o in axis.options)
            if part in (*v.hyperparameters, *v.states)
        ]
        using = [quoted(v.options[axis.name]) for v in users]
        if len(using) > 1 and len(using) == len(axis.options) - 1:
            cases.append(f"{axis.name} != {quoted(axis.default)}")
        elif using:
            cases.append(" or ".join(f"{axis.name} = {option}" for option in using))
    return " or ".join(cases)


def _state(rule: Rule, state: Any, only: str) -> Quantity:
    start = rule.tex(sp.sympify(state.initial))
    return Quantity(rule.tex(state.now), state.name, state.meaning, start, only=only)


def equations_source(rule: Rule) -> str:
    """The readable function of the rule's NumPy module: the recurrence, a line an equation."""
    source = numpy_source(rule)
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == "equations":
            return ast.get_source_segment(source, node) or ""
    raise ValueError(f"the NumPy module of rule {rule.name!r} has no function equations")


# ---- schedules ---------------------------------------------------------------------------------------


def schedule_page(family: ScheduleFamily) -> Page:
    """The page of a schedule with its default options."""
    return Page(
        name=family.name,
        title=family.title,
        summary=family.summary,
        latex=family.latex(),
        symbols=tuple(_symbol(h) for h in family.hyperparameters),
        states=(),
        choices=tuple(
            choice(axis, {o: family.latex(**{axis.name: o}) for o in axis.options}) for axis in family.axes
        ),
        conditions=tuple(ScheduleLatex(family.tex_names).doprint(c) for c in family.conditions),
        code="",
        sources=family.sources,
    )


def _symbol(h: Parameter, only: str = "") -> Quantity:
    default = "" if h.default is None else tex_number(h.default)
    return Quantity(h.latex, h.name, h.meaning, default, str(h.domain), only)


# ---- problems ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProblemPage:
    """A test problem as the reference shows it; constants in words, a dash where there is none."""

    name: str
    title: str
    latex: str
    symbols: Mapping[str, str]
    kind: str
    dimension: int
    smoothness: str
    convexity: str
    infimum: str
    source: str


def problem_page(problem: Problem) -> ProblemPage:
    """The page of a problem with its default parameters."""
    constants = [problem.smoothness, problem.strong_convexity]
    smoothness, convexity = ("–" if c is None else significant(c) for c in constants)
    formula = problem.latex if problem.latex.startswith("f") else f"f(x) = {problem.latex}"
    kind = ", ".join(sorted(problem.tags)).replace("_", " ")
    return ProblemPage(
        problem.name, problem.title, formula, problem.symbols, kind, problem.dim, smoothness, convexity,
        infimum(problem), problem.source,
    )  # fmt: skip


def infimum(problem: Problem) -> str:
    """The infimum and where it is attained, in words."""
    value, points = problem.minimum.value, problem.minimum.all
    if isnan(value):
        return "not known"
    if value == -inf:
        return "unbounded below"
    where = "not attained" if not points else f"at {len(points)} points" if len(points) > 1 else ""
    return f"{significant(value)}, {where}" if where else significant(value)


def significant(value: float, digits: int = 3) -> str:
    """A number with so many significant digits: 0.0123, 1.23e-07."""
    return f"{value:.{digits}g}"
