"""Schedules: what they answer, and how they compose.

A schedule gives eta_t, the learning rate of the next update, from t, the number of updates already made.
Composition (composition.py) comes in two kinds. With its own clock, a piece starts at 0 where it takes over:
`a.then(b)`, `join([a, b, c], boundaries=[...])` (PyTorch's SequentialLR, optax's join_schedules). With a
common clock, all read the same t: `a * b` (PyTorch's ChainedScheduler: a warm-up factor times anything), or
`join(..., clock="common")`, where the piece that takes over has been running since t = 0. `a.shifted(k)`,
`a.repeated()` and `a.at_least(lr_min)` change the time or the value of one schedule.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray

from optverify.formulas import notebook
from optverify.language.axis import Option
from optverify.language.clock import eta, t
from optverify.language.counts import Parameter
from optverify.language.evaluation import SMALL, times
from optverify.language.schedule_latex import ScheduleLatex, tex_lines
from optverify.language.source import Source

if TYPE_CHECKING:
    from optverify.language.composition import Floor, Join, Product, Repeated, Shifted

Line = tuple[sp.Symbol, sp.Expr]
Value = float | int | tuple[int, ...] | tuple[float, ...]
Steps = int | NDArray[np.int64]
FIRST = (0, 1, 10, 100, 1000)
"""Times that a notebook shows."""


def exact(value: Value) -> sp.Basic:
    """The number as it is written: 0.1 is 1/10; a tuple as a SymPy Tuple."""
    if isinstance(value, tuple):
        return sp.Tuple(*map(exact, value))
    return sp.Rational(repr(value))


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
        return self.sized(steps.ravel()).reshape(steps.shape)

    def sized(self, now: NDArray[Any]) -> NDArray[np.float64]:
        """Its values at a one-dimensional array of nonnegative integers, one by one where they are large."""
        values = np.empty(now.size)
        if now.max(initial=0) < SMALL:
            values[:] = self.evaluate(now.astype(np.int64))
        else:
            values[:] = [self.evaluate(int(k)) for k in now]
        return values

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

    def _repr_html_(self) -> str:
        rates = [(t, f"{float(self(t)):.6g}") for t in FIRST]
        return notebook.block(
            repr(self),
            notebook.formula(self.latex()),
            notebook.table(("updates made", "learning rate"), rates),
        )

    # ---- composition -------------------------------------------------------------------------------------

    def then(self, other: Schedule, at: int | None = None, clock: str = "own") -> Join:
        """This schedule up to `at` updates (its own end if None), then the other; clock as in `join`.

        Raises ValueError if `at` is left out and this schedule has no end.
        """
        from optverify.language.composition import join

        return join([self, other], [self._until(at, "then(..., at=1000)")], clock)

    def __mul__(self, other: Schedule) -> Product:
        """eta_t = a_t b_t: both read the same t."""
        from optverify.language.composition import Product

        return Product(self, other) if isinstance(other, Schedule) else NotImplemented

    def shifted(self, by: int) -> Shifted:
        """eta_t = a_(t + by), and a_0 where t + by < 0: begun `by` updates earlier, or later if negative.

        Raises TypeError or ValueError if by is no integer.
        """
        from optverify.language.composition import shift

        return shift(self, by)

    def repeated(self, every: int | None = None) -> Repeated:
        """eta_t = a_(t mod every), over and over; every is its own end if None.

        Raises ValueError if every is left out and this schedule has no end.
        """
        from optverify.language.composition import repeat

        return repeat(self, self._until(every, "repeated(every=1000)"))

    def at_least(self, lr_min: float) -> Floor:
        """eta_t = max(a_t, lr_min). Raises TypeError or ValueError unless lr_min is a number >= 0."""
        from optverify.language.composition import floor

        return floor(self, lr_min)

    def _until(self, at: int | None, example: str) -> int:
        if (at := self.end if at is None else at) is None:
            raise ValueError(f"{self!r} has no end of its own: say where the next one begins, {example}")
        return at


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
        plain = ScheduleLatex()
        names = {s: self.tex_names.get(s, plain.doprint(s)) for s in self.symbols}
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
