"""Schedules made of schedules: one after another, a product, a shift, a repetition, a floor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np
import sympy as sp

from optverify.language.axis import Axis, Option
from optverify.language.clock import lr_min as symbol
from optverify.language.counts import whole
from optverify.language.evaluation import SMALL, maximum
from optverify.language.hyperparameter import Hyperparameter, nonnegative
from optverify.language.schedule import Formula, Line, Schedule, Steps, exact

clocks = Axis(
    "clock",
    "Which time does a piece of a join read?",
    {
        "own": "the updates since it took over",
        "common": "the updates since the beginning",
    },
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


@dataclass(frozen=True)
class _Changed(Schedule):
    """One schedule with another time or value."""

    piece: Schedule

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """Those of the piece."""
        return self.piece.formulas

    @property
    def end(self) -> int | None:
        """The end of the piece."""
        return self.piece.end

    @property
    def _base(self) -> str:
        return f"({self.piece!r})" if isinstance(self.piece, Product) else repr(self.piece)


@dataclass(frozen=True)
class Shifted(_Changed):
    """eta_t = a_(t + by), and a_0 where t + by < 0."""

    by: int

    @property
    def end(self) -> int | None:
        """The end of the piece, as seen from here; never before 0."""
        return None if self.piece.end is None else max(0, self.piece.end - self.by)

    @property
    def name(self) -> str:
        """Shifted."""
        return "shifted"

    @property
    def title(self) -> str:
        """The title of the piece, and by how much."""
        when = "earlier" if self.by > 0 else "later"
        return f"{self.piece.title}, begun {abs(self.by)} updates {when}" if self.by else self.piece.title

    def evaluate(self, now: Steps) -> Any:
        """The value of the piece at the shifted time."""
        if isinstance(now, int):
            return self.piece.evaluate(max(0, now + self.by))
        if abs(self.by) < SMALL:
            return self.piece.sized(np.maximum(0, now + self.by))
        return np.array([self.evaluate(k) for k in now.tolist()])

    def compose(self, formulas: Iterator[Formula], now: sp.Expr) -> tuple[list[Line], sp.Expr]:
        """The lines of the piece, read at the shifted time."""
        return self.piece.compose(formulas, sp.Max(now + self.by, 0))

    def config(self) -> dict[str, Any]:
        """{"schedule": "shifted", "piece": ..., "by": ...}."""
        return {"schedule": "shifted", "piece": self.piece.config(), "by": self.by}

    def __repr__(self) -> str:
        return f"{self._base}.shifted({self.by})"


@dataclass(frozen=True)
class Repeated(_Changed):
    """eta_t = a_(t mod every)."""

    every: int

    @property
    def end(self) -> None:
        """It has none."""
        return None

    @property
    def name(self) -> str:
        """Repeated."""
        return "repeated"

    @property
    def title(self) -> str:
        """The title of the piece, and how often."""
        return f"{self.piece.title}, every {self.every} updates"

    def evaluate(self, now: Steps) -> Any:
        """The value of the piece at the time since the last repetition."""
        return self.piece.evaluate(now % self.every if isinstance(now, int) or self.every < SMALL else now)

    def compose(self, formulas: Iterator[Formula], now: sp.Expr) -> tuple[list[Line], sp.Expr]:
        """The lines of the piece, read at the time since the last repetition."""
        return self.piece.compose(formulas, sp.Mod(now, self.every))

    def config(self) -> dict[str, Any]:
        """{"schedule": "repeated", "piece": ..., "every": ...}."""
        return {"schedule": "repeated", "piece": self.piece.config(), "every": self.every}

    def __repr__(self) -> str:
        return f"{self._base}.repeated({self.every})"


@dataclass(frozen=True)
class Floor(_Changed):
    """eta_t = max(a_t, lr_min)."""

    lr_min: float

    @property
    def name(self) -> str:
        """At least."""
        return "at_least"

    @property
    def title(self) -> str:
        """The title of the piece, and the floor."""
        return f"{self.piece.title}, at least {self.lr_min:g}"

    def evaluate(self, now: Steps) -> Any:
        """The larger of the value of the piece and the floor."""
        return maximum(self.piece.evaluate(now), self.lr_min)

    def compose(self, formulas: Iterator[Formula], now: sp.Expr) -> tuple[list[Line], sp.Expr]:
        """The lines of the piece, and the larger of its value and the floor."""
        before, value = self.piece.compose(formulas, now)
        return before, sp.Max(value, exact(self.lr_min))

    def config(self) -> dict[str, Any]:
        """{"schedule": "at_least", "piece": ..., "lr_min": ...}."""
        return {"schedule": "at_least", "piece": self.piece.config(), "lr_min": self.lr_min}

    def __repr__(self) -> str:
        return f"{self._base}.at_least({self.lr_min})"


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


def shift(piece: Schedule, by: Any) -> Shifted:
    """The schedule begun `by` updates earlier: see Schedule.shifted."""
    rule = "it is the number of updates by which the schedule begins earlier, negative for later"
    if isinstance(by, bool) or not isinstance(by, Integral):
        raise TypeError(f"shift by {by!r} is not an integer: {rule}")
    return Shifted(piece, int(by))


def repeat(piece: Schedule, every: Any) -> Repeated:
    """The first `every` updates of the schedule, over and over: see Schedule.repeated."""
    return Repeated(
        piece, whole("every", every, "it is the number of updates from one repetition to the next")
    )


def floor(piece: Schedule, lr_min: Any) -> Floor:
    """The schedule, never below lr_min: see Schedule.at_least."""
    return Floor(piece, Hyperparameter(symbol, "", None, nonnegative, "").check(lr_min))
