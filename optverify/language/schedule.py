"""Schedules: what they answer, and how they compose.

A schedule gives eta_t, the learning rate of the next update, from t, the number of updates already made.
Composition comes in two kinds. With its own clock, a piece starts at 0 where it takes over: `a.then(b)`,
`join([a, b, c], boundaries=[...])` (PyTorch's SequentialLR, optax's join_schedules). With a common clock,
all read the same t: `a * b` (PyTorch's ChainedScheduler: a warm-up factor times anything), or
`join(..., clock="common")`, where the piece that takes over has been running since t = 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, SupportsIndex, overload

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray

from optverify.language.axis import Axis, Option
from optverify.language.clock import eta, t
from optverify.language.counts import Parameter, whole
from optverify.language.evaluation import SMALL, times
from optverify.language.schedule_latex import tex_lines
from optverify.language.source import Source

Line = tuple[sp.Symbol, sp.Expr]
Value = float | int | tuple[int, ...]
Steps = int | NDArray[np.int64]


def exact(value: Value) -> sp.Basic:
    """The number as it is written: 0.1 is 1/10; a tuple of counts as a SymPy Tuple."""
    if isinstance(value, tuple):
        return sp.Tuple(*value)
    return sp.Rational(repr(value))


clocks = Axis(
    "clock",
    "Which time does a piece of a join read?",
    {
        "own": "the updates since it took over",
        "common": "the updates since the beginning",
    },
)


class Schedule(ABC):
    """A learning rate that depends on the number of updates already made, t = 0, 1, 2, ...

    Immutable, hashable, picklable, equal by value. Composes by `then` and `*`.
    """

    @property
    @abstractmethod
    def formulas(self) -> tuple[Formula, ...]:
        """The schedules given by a formula that this one is made of, in order."""

    @property
    @abstractmethod
    def end(self) -> int | None:
        """The number of updates after which it is over, None if it has no end of its own."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name of its family, "join" or "product"."""

    @property
    @abstractmethod
    def title(self) -> str:
        """Its usual name."""

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """What optverify.schedules.schedule_from_config needs to make it again, ready for JSON."""

    @abstractmethod
    def evaluate(self, now: Steps) -> Any:
        """Its value at checked times: a nonnegative int, or a one-dimensional int64 array of small ones."""

    @abstractmethod
    def compose(self, formulas: Iterator[Formula], now: sp.Expr) -> tuple[list[Line], sp.Expr]:
        """Its lines but the last, and its value, at the time now, written with the given formulas."""

    # ---- numbers -----------------------------------------------------------------------------------------

    @overload
    def __call__(self, t: SupportsIndex) -> float: ...
    @overload
    def __call__(self, t: ArrayLike) -> NDArray[np.float64]: ...
    def __call__(self, t: Any) -> Any:
        """Return eta_t: a float for an int of any size, a float64 array of its shape for an array or list.

        Raises TypeError if t holds anything but integers, ValueError if it holds a negative one.
        """
        steps = times(t)
        if isinstance(steps, int):
            return float(self.evaluate(steps))
        values = np.empty(steps.size)
        if steps.max(initial=0) < SMALL:
            values[:] = self.evaluate(steps.ravel().astype(np.int64))
        else:
            values[:] = [self.evaluate(int(k)) for k in steps.flat]
        return values.reshape(steps.shape)

    # ---- mathematics -------------------------------------------------------------------------------------

    @property
    def lines(self) -> tuple[Line, ...]:
        """(symbol, expression) in reading order, the last one for eta_t.

        In a composition, a symbol that several pieces use gets the number of its piece: lr_1, lr_2.
        """
        before, value = self.compose(iter(self._numbered), t)
        return (*before, (eta, value))

    @property
    def expression(self) -> sp.Expr:
        """eta_t over `t` and the parameters alone (parameters as in `hyperparameters`)."""
        *before, (_, value) = self.lines
        for symbol, e in reversed(before):
            value = value.subs(symbol, e)
        return value

    @property
    def substituted(self) -> sp.Expr:
        """The expression over t alone: every number as the rational that was written, 0.1 as 1/10."""
        return self.expression.subs({h.symbol: exact(v) for h, v in self._values.items()})

    @property
    def t(self) -> sp.Symbol:
        """The time in all these expressions: a nonnegative integer. Update t of a rule reads it at t - 1."""
        return t

    @property
    def hyperparameters(self) -> tuple[Parameter, ...]:
        """What is known of each parameter: symbol, LaTeX, default, domain, meaning."""
        return tuple(self._values)

    @property
    def parameters(self) -> dict[str, Value]:
        """Name -> value."""
        return {h.name: v for h, v in self._values.items()}

    @property
    def options(self) -> dict[str, Option]:
        """Axis -> option; those of the pieces stay with the pieces."""
        return {}

    @property
    def sources(self) -> tuple[Source, ...]:
        """The papers, each once."""
        return tuple(dict.fromkeys(s for f in self.formulas for s in f.sources))

    @property
    def _numbered(self) -> tuple[Formula, ...]:
        """The formulas, with a number on each symbol that more than one of them uses."""
        used = Counter(s.name for f in self.formulas for s in f.symbols)
        clash = {name for name, uses in used.items() if uses > 1}
        return tuple(f.numbered(n, clash) for n, f in enumerate(self.formulas, 1))

    @property
    def _values(self) -> dict[Parameter, Value]:
        return {h: v for f in self._numbered for h, v in zip(f.hyperparameters, f.values, strict=True)}

    def latex(self) -> str:
        """The lines as a LaTeX `aligned` block."""
        names = {s: tex for f in self._numbered for s, tex in f.tex_names.items()}
        return tex_lines(self.lines, names)

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"

    # ---- composition -------------------------------------------------------------------------------------

    def then(self, other: Schedule, at: int | None = None, clock: str = "own") -> Join:
        """This schedule up to `at` updates (its own end if None), then the other; clock as in `join`.

        Raises ValueError if `at` is left out and this schedule has no end.
        """
        if (at := self.end if at is None else at) is None:
            raise ValueError(
                f"{self!r} has no end of its own: say where the next one begins, then(..., at=1000)"
            )
        return join([self, other], [at], clock)

    def __mul__(self, other: Schedule) -> Product:
        """eta_t = a_t b_t: both read the same t."""
        return Product(self, other) if isinstance(other, Schedule) else NotImplemented


@dataclass(frozen=True)
class Formula:
    """A formula with its values, as a composition writes it down: see Schedule.lines."""

    before: tuple[Line, ...]
    value: sp.Expr
    hyperparameters: tuple[Parameter, ...]
    values: tuple[Value, ...]
    tex_names: Mapping[sp.Symbol, str]
    sources: tuple[Source, ...]

    @property
    def symbols(self) -> list[sp.Symbol]:
        """All its symbols but t."""
        return [*(h.symbol for h in self.hyperparameters), *(s for s, _ in self.before)]

    def numbered(self, n: int, clash: set[str]) -> Formula:
        """The same with the number n on the symbols whose names are in clash."""
        new = {s: sp.Symbol(f"{s.name}_{n}", **s.assumptions0) for s in self.symbols if s.name in clash}
        names = {s: self.tex_names.get(s, sp.latex(s)) for s in self.symbols}
        return replace(
            self,
            before=tuple((new.get(s, s), e.subs(new)) for s, e in self.before),
            value=self.value.subs(new),
            hyperparameters=tuple(
                replace(h, symbol=new[h.symbol], latex=f"{h.latex}^{{({n})}}") if h.symbol in new else h
                for h in self.hyperparameters
            ),
            tex_names={new.get(s, s): f"{tex}^{{({n})}}" if s in new else tex for s, tex in names.items()},
        )


@dataclass(frozen=True)
class Join(Schedule):
    """One piece after another: piece i from t = boundaries[i-1] on, until t = boundaries[i] - 1."""

    pieces: tuple[Schedule, ...]
    boundaries: tuple[int, ...]
    clock: str = "own"

    @property
    def starts(self) -> tuple[int, ...]:
        """The t at which the clock of each piece reads 0."""
        return (0, *self.boundaries) if self.clock == "own" else (0,) * len(self.pieces)

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """The formulas of the pieces."""
        return tuple(f for piece in self.pieces for f in piece.formulas)

    @property
    def end(self) -> int | None:
        """The end of the last piece."""
        last = self.pieces[-1].end
        return None if last is None else self.starts[-1] + last

    @property
    def name(self) -> str:
        """Join."""
        return "join"

    @property
    def options(self) -> dict[str, Option]:
        """Which time the pieces read."""
        return {"clock": self.clock}

    @property
    def title(self) -> str:
        """The titles of the pieces."""
        return ", then ".join(p.title for p in self.pieces)

    def evaluate(self, now: Steps) -> Any:
        """The value of the piece whose turn it is."""
        turn = sum((now >= b for b in self.boundaries), start=now * 0)
        if isinstance(now, int):
            return self.pieces[turn].evaluate(now - self.starts[turn])
        values = np.empty(now.shape)
        for i, (piece, start) in enumerate(zip(self.pieces, self.starts, strict=True)):
            mine = np.equal(turn, i)
            if mine.any():
                values[mine] = piece.evaluate(now[mine] - start)
        return values

    def compose(self, formulas: Iterator[Formula], now: sp.Expr) -> tuple[list[Line], sp.Expr]:
        """The lines of the pieces, and their values by cases."""
        before: list[Line] = []
        cases: list[tuple[sp.Expr, Any]] = []
        untils = (*(now < b for b in self.boundaries), True)
        for piece, start, until in zip(self.pieces, self.starts, untils, strict=True):
            more, value = piece.compose(formulas, now - start)
            before += more
            cases.append((value, until))
        return before, sp.Piecewise(*cases, evaluate=False)

    def config(self) -> dict[str, Any]:
        """{"schedule": "join", "pieces": [...], "boundaries": [...], "clock": ...}."""
        pieces = [p.config() for p in self.pieces]
        return {
            "schedule": "join",
            "pieces": pieces,
            "boundaries": list(self.boundaries),
            "clock": self.clock,
        }

    def __repr__(self) -> str:
        clock = "" if self.clock == "own" else f", clock={self.clock!r}"
        return f"join({list(self.pieces)!r}, boundaries={list(self.boundaries)}{clock})"


@dataclass(frozen=True)
class Product(Schedule):
    """eta_t = left_t right_t, on a common clock."""

    left: Schedule
    right: Schedule

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """The formulas of both."""
        return (*self.left.formulas, *self.right.formulas)

    @property
    def end(self) -> int | None:
        """The later end, None if one of them has none."""
        ends = (self.left.end, self.right.end)
        return None if None in ends else max(e for e in ends if e is not None)

    @property
    def name(self) -> str:
        """Product."""
        return "product"

    @property
    def title(self) -> str:
        """Both titles."""
        return f"{self.left.title} times {self.right.title}"

    def evaluate(self, now: Steps) -> Any:
        """The product of the values."""
        return self.left.evaluate(now) * self.right.evaluate(now)

    def compose(self, formulas: Iterator[Formula], now: sp.Expr) -> tuple[list[Line], sp.Expr]:
        """The lines of both, and the product of their values."""
        before, left = self.left.compose(formulas, now)
        more, right = self.right.compose(formulas, now)
        return before + more, left * right

    def config(self) -> dict[str, Any]:
        """{"schedule": "product", "left": ..., "right": ...}."""
        return {"schedule": "product", "left": self.left.config(), "right": self.right.config()}

    def __repr__(self) -> str:
        right = f"({self.right!r})" if isinstance(self.right, Product) else repr(self.right)
        return f"{self.left!r} * {right}"


def join(pieces: Iterable[Schedule], boundaries: Iterable[int], clock: str = "own") -> Join:
    """One schedule after another: piece i from t = boundaries[i-1] on, until t = boundaries[i] - 1.

    boundaries: increasing integers >= 1, one fewer than pieces.
    clock: "own": each piece starts at 0 when it takes over (SequentialLR, join_schedules);
    "common": each piece reads t itself, as if it had been running since the beginning.

    Raises TypeError for a piece that is no schedule or a boundary that is no number, ValueError for
    boundaries that do not fit.
    """
    parts = tuple(pieces)
    for part in parts:
        if not isinstance(part, Schedule):
            raise TypeError(
                f"join cannot use {part!r}: every piece must be a schedule, as schedule(...) gives"
            )
    rule = "boundaries are the integers t >= 1 at which the next piece takes over"
    marks = tuple(whole("boundary", b, rule) for b in boundaries)
    if not parts or len(marks) != len(parts) - 1 or any(a >= b for a, b in pairwise(marks)):
        raise ValueError(
            f"boundaries = {list(marks)} do not fit {len(parts)} schedules: give one boundary fewer than "
            "schedules, each larger than the one before"
        )
    return Join(parts, marks, str(clocks.check(clock)))
