"""Schedules given by a formula: the family a schedule file defines, and its members."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import sympy as sp

from optverify.formulas import notebook
from optverify.language.axis import Axis, Option
from optverify.language.clock import eta, t
from optverify.language.counts import Parameter
from optverify.language.evaluation import SMALL, compile_lines, weights
from optverify.language.messages import unknown
from optverify.language.rule import Dialect
from optverify.language.schedule import Formula, Line, Schedule, Steps, Value, exact
from optverify.language.schedule_latex import tex_lines
from optverify.language.source import Source


@dataclass(frozen=True, eq=False)
class ScheduleFamily:
    """What a schedule file defines; called with numbers and options, it gives a Schedule.

    name, title, summary: its name here, its usual name, one sentence. sources: papers.
    hyperparameters: what it needs; axes: the choices it leaves open; conditions: relations between
    hyperparameters; end: the number of updates after which it is over, None if there is none.
    """

    name: str
    title: str
    summary: str
    sources: tuple[Source, ...]
    hyperparameters: tuple[Parameter, ...]
    axes: tuple[Axis, ...]
    conditions: tuple[sp.Rel, ...]
    end: sp.Symbol | None
    write: Callable[[Any], Iterable[Line]]

    def __call__(self, **arguments: Any) -> FormulaSchedule:
        """Return the schedule with these values and options, the others at their default.

        Raises TypeError or ValueError for an argument that is unknown, missing, or out of range.
        """
        known = [*(h.name for h in self.hyperparameters), *(a.name for a in self.axes)]
        for name in arguments:
            if name not in known:
                raise ValueError(f"schedule {self.name!r}: {unknown('argument', name, known)}")
        for h in self.hyperparameters:
            if h.default is None and h.name not in arguments:
                raise ValueError(f"schedule {self.name!r} needs {h.name} ({h.meaning}): give a value")
        values = tuple(h.check(arguments.get(h.name, h.default)) for h in self.hyperparameters)
        options = tuple(a.check(arguments.get(a.name, a.default)) for a in self.axes)
        self._check_conditions(dict(zip(self.hyperparameters, values, strict=True)))
        return FormulaSchedule(self, values, options)

    def _check_conditions(self, values: Mapping[Parameter, Value]) -> None:
        numbers = {h.symbol: exact(v) for h, v in values.items()}
        for condition in self.conditions:
            if condition.subs(numbers) != True:  # noqa: E712
                given = ", ".join(f"{h.name} = {v}" for h, v in values.items() if condition.has(h.symbol))
                text = " = ".join(map(str, condition.args)) if isinstance(condition, sp.Eq) else condition
                raise ValueError(f"schedule {self.name!r} needs {text}, not {given}")

    def lines(self, **options: Option) -> tuple[Line, ...]:
        """(symbol, expression) in reading order, the last one for eta_t, with these options."""
        chosen = {a.name: a.check(options.get(a.name, a.default)) for a in self.axes}
        return tuple((symbol, sp.sympify(e)) for symbol, e in self.write(Dialect(chosen)))

    def latex(self, **options: Option) -> str:
        """The lines as a LaTeX `aligned` block."""
        return tex_lines(self.lines(**options), self.tex_names)

    @property
    def tex_names(self) -> dict[sp.Symbol, str]:
        """How the literature writes each hyperparameter."""
        return {h.symbol: h.latex for h in self.hyperparameters}

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"

    def _repr_html_(self) -> str:
        numbers = [
            (notebook.inline(h.latex), h.name, "" if h.default is None else str(h.default), h.meaning)
            for h in self.hyperparameters
        ]
        head = ("symbol", "argument", "default", "meaning")
        return notebook.block(
            self.title, self.summary, notebook.formula(self.latex()), notebook.table(head, numbers)
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _global, (self.write.__module__, self.write.__name__)


def _global(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


@cache
def _compiled(family: ScheduleFamily, options: tuple[Option, ...]) -> Callable[..., Any]:
    names = (axis.name for axis in family.axes)
    lines = family.lines(**dict(zip(names, options, strict=True)))
    return compile_lines(lines, [h.symbol for h in family.hyperparameters])


@dataclass(frozen=True)
class FormulaSchedule(Schedule):
    """A schedule of a family. values, chosen: in the order of its hyperparameters and axes."""

    family: ScheduleFamily
    values: tuple[Value, ...]
    chosen: tuple[Option, ...]

    @property
    def name(self) -> str:
        """The name of the family."""
        return self.family.name

    @property
    def title(self) -> str:
        """The usual name."""
        return self.family.title

    @property
    def options(self) -> dict[str, Option]:
        """Axis -> option."""
        return {a.name: o for a, o in zip(self.family.axes, self.chosen, strict=True)}

    @property
    def end(self) -> int | None:
        """The value of the hyperparameter that says where it ends."""
        return None if self.family.end is None else int(self.parameters[self.family.end.name])  # type: ignore[arg-type]

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """Its formula."""
        family = self.family
        *before, (_, value) = family.lines(**self.options)
        return (
            Formula(
                tuple(before), value, family.hyperparameters, self.values, family.tex_names, family.sources
            ),
        )

    def evaluate(self, now: Steps) -> Any:
        """The compiled formula."""
        function = _compiled(self.family, self.chosen)
        if isinstance(now, int) or all(_small(v) for v in self.values):
            return function(now, *self.values)
        return np.array([function(k, *self.values) for k in now.tolist()])

    def compose(self, formulas: Iterator[Formula], now: sp.Expr) -> tuple[list[Line], sp.Expr]:
        """The next formula, read at the time now."""
        f = next(formulas)
        return [(s, e.subs(t, now)) for s, e in f.before], f.value.subs(t, now)

    def config(self) -> dict[str, Any]:
        """{"schedule": name, "arguments": {...}}, with every value and option."""
        values = {n: list(v) if isinstance(v, tuple) else v for n, v in self.parameters.items()}
        return {"schedule": self.name, "arguments": values | self.options}

    def __repr__(self) -> str:
        defaults = {p.name: p.default for p in (*self.family.hyperparameters, *self.family.axes)}
        given = {n: v for n, v in self.config()["arguments"].items() if v != defaults[n]}
        return f"schedule({', '.join([repr(self.name), *(f'{n}={v!r}' for n, v in given.items())])})"


def _small(value: Value) -> bool:
    return isinstance(value, float) or (max(value) if isinstance(value, tuple) else value) < SMALL


def schedule(
    name: str,
    *,
    title: str,
    sources: Iterable[Source],
    hyperparameters: Iterable[Parameter],
    axes: Iterable[Axis] = (),
    conditions: Iterable[sp.Rel] = (),
    end: sp.Symbol | None = None,
) -> Callable[[Callable[[Any], Iterable[Line]]], ScheduleFamily]:
    """Make a family of the function below, which yields (symbol, expression), (eta, expression) last.

    The last expression must be linear in the rates: the hyperparameters `lr`, `lr_min`, `lr_...`.
    Raises ValueError, at import, for a schedule that is not, or that reads what it does not declare.
    """

    def make(write: Callable[[Any], Iterable[Line]]) -> ScheduleFamily:
        family = ScheduleFamily(
            name, title, (write.__doc__ or "").strip(), tuple(sources), tuple(hyperparameters), tuple(axes),
            tuple(conditions), end, write,
        )  # fmt: skip
        validate(family)
        return family

    return make


def validate(family: ScheduleFamily) -> None:
    """ValueError if the lines read an undeclared symbol or do not end in a sum over rates, in any dialect."""
    if not family.summary or not family.sources:
        raise ValueError(f"schedule {family.name!r} needs a source and a docstring that sums it up")
    for chosen in itertools.product(*(axis.options for axis in family.axes)):
        lines = family.lines(**dict(zip((axis.name for axis in family.axes), chosen, strict=True)))
        if lines[-1][0] != eta:
            raise ValueError(f"schedule {family.name!r} must end by yielding eta")
        known = {t, *family.tex_names}
        for symbol, e in lines:
            if stray := e.free_symbols - known:
                names = ", ".join(sorted(map(str, stray)))
                raise ValueError(f"schedule {family.name!r}: {symbol} reads {names}, which nothing defines")
            known.add(symbol)
        weights(lines[-1][1])
