r"""The words schedules are written in: their time t, counts of updates, what happens after the end.

The t of a schedule is the number of updates already made: t = 0, 1, 2, ..., 0 for the first update. It is
not the t of a rule, which is 1 for the first update: update t of a rule uses the schedule at t - 1. Both are
written t, as in the literature; SymPy keeps them apart (this one is nonnegative, that one positive).
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from optverify.language.axis import Axis
from optverify.language.symbols import Timed, hyper_symbol

t = sp.Symbol("t", integer=True, nonnegative=True)
eta = Timed("eta_t", real=True)
"""What a schedule yields last: the learning rate after t updates."""


def count_symbol(name: str) -> sp.Symbol:
    """Return the symbol of a positive integer."""
    return sp.Symbol(name, integer=True, positive=True)


lr_min, lr_end = hyper_symbol("lr_min"), hyper_symbol("lr_end")
gamma = hyper_symbol("gamma", positive=True)
total, warmup, step_size = count_symbol("total"), count_symbol("warmup"), count_symbol("step_size")
decay_steps = count_symbol("decay_steps")
T_0, T_mult = count_symbol("T_0"), count_symbol("T_mult")
milestones, factors = sp.Symbol("milestones"), sp.Symbol("factors")


def is_rate(symbol: sp.Symbol) -> bool:
    """True for lr, lr_min, ...: the parameters on the scale of the learning rate."""
    return bool(symbol.name == "lr" or symbol.name.startswith("lr_"))


after = Axis(
    "after",
    "What happens after the last step?",
    {
        "hold": "the last value is held",
        "reflect": "the curve runs back and forth: a period of twice its length",
    },
)


def clock(d: Any, end: sp.Expr) -> sp.Expr:
    """The time a curve of length end is read at: t, stopped at end where the dialect holds."""
    return sp.Min(t, end) if d.after == "hold" else t


form = Axis(
    "form",
    "How far is warm-up at the update after t updates?",
    {
        "t/W": "t/W: at 0 for the first update, over right after W updates",
        "(t+1)/W": "(t+1)/W: at 1/W for the first update, over with the last of W updates",
        "(t+1)/(W+1)": "(t+1)/(W+1): at 1/(W+1) for the first update, over right after W updates",
    },
)


def warmup_clock(d: Any) -> tuple[sp.Expr, sp.Expr]:
    """Above and below of the fraction of warm-up that is over: t and W, t + 1 and W, or t + 1 and W + 1."""
    now = t if d.form == "t/W" else t + 1
    return now, warmup + 1 if d.form == "(t+1)/(W+1)" else warmup


staircase = Axis(
    "staircase",
    "Does the rate change with every update?",
    {
        False: "yes, a little with every update",
        True: "no, once in decay_steps updates (Keras and optax: staircase)",
    },
)


def periods(d: Any) -> sp.Expr:
    """t/decay_steps, rounded down where the dialect is a staircase."""
    return sp.floor(t / decay_steps) if d.staircase else t / decay_steps


curve = Axis(
    "curve",
    "How does the rate go from one value to the next?",
    {
        "cosine": "along half a period of a cosine: slowly, fast, slowly",
        "linear": "in equal steps",
    },
)


def between(option: Any, start: sp.Expr, end: sp.Expr, x: sp.Expr) -> sp.Expr:
    """From start at x = 0 to end at x = 1, along the option of `curve`."""
    if option == "linear":
        return start + (end - start) * x
    return end + (start - end) * (1 + sp.cos(sp.pi * x)) / 2


class NumberFunction(sp.Function):  # type: ignore[misc]
    """A function with numbers of its own.

    A subclass gives `number`, for a Python int or an int64 array in the first place, and `_latex`.
    """

    is_real = True
    is_commutative = True

    @classmethod
    def eval(cls, *args: sp.Basic) -> sp.Expr | None:
        """Return the exact value once every argument is a number."""
        plain = [_plain(a) for a in args]
        return None if None in plain else sp.sympify(cls.number(*plain))

    @staticmethod
    def number(*args: Any) -> Any:
        """Return the value for an int, the values for an array."""
        raise NotImplementedError


def _plain(e: sp.Basic) -> Any:
    """An int where it is one, a rational as it is, a tuple of these; None if there is more than numbers."""
    if isinstance(e, sp.Tuple):
        return tuple(map(_plain, e))
    return int(e) if e.is_Integer else e if e.is_Rational else None


class CountFunction(NumberFunction):
    """A function of counts whose value is a count, computed in integers."""

    is_integer = True
    is_nonnegative = True


class Passed(CountFunction):
    """Passed(t, milestones): how many of the increasing milestones are <= t."""

    nargs = 2

    @staticmethod
    def number(now: Any, marks: tuple[int, ...]) -> Any:
        """Return the count for an int, the counts for an array."""
        if isinstance(now, np.ndarray):
            return np.searchsorted(np.array(marks), now, side="right")
        return bisect_right(marks, now)

    def _latex(self, printer: Any) -> str:
        now, marks = map(printer._print, self.args)
        return rf"\lvert\{{ j : {marks}_j \le {now} \}}\rvert"


class RestartIndex(CountFunction):
    r"""RestartIndex(t, T_0, T_mult): the number i of restarts up to time t.

    Cycle i begins at S_i = T_0 (1 + T_mult + ... + T_mult^(i-1)), which is T_0 (T_mult^i - 1)/(T_mult - 1)
    for T_mult > 1 and T_0 i for T_mult = 1; i = max{ j : S_j <= t }. Integers all the way: the usual
    floor(log(...)) is wrong at exact restarts, first at T_0 = 1, T_mult = 3, t = 121.
    """

    nargs = 3

    @staticmethod
    def number(now: Any, first: int, factor: int) -> Any:
        """Return the index for an int, the indices for an array."""
        if factor == 1:
            return now // first
        last = int(np.max(now, initial=0)) if isinstance(now, np.ndarray) else now
        starts, length = [0], first
        while starts[-1] + length <= last:
            starts.append(starts[-1] + length)
            length *= factor
        if isinstance(now, np.ndarray):
            return np.searchsorted(np.array(starts), now, side="right") - 1
        return len(starts) - 1

    def _latex(self, printer: Any) -> str:
        now, first, factor = self.args
        start = f"{printer._print(first)} \\sum_{{k=0}}^{{j - 1}} {printer._print(factor ** sp.Symbol('k'))}"
        return rf"\max\left\{{ j : {start} \le {printer._print(now)} \right\}}"


class Mark(CountFunction):
    """Mark(i, milestones): the i-th milestone; 0 for i = 0, and the last one for every larger i."""

    nargs = 2

    @staticmethod
    def number(i: Any, marks: tuple[int, ...]) -> Any:
        """Return the milestone for an int, the milestones for an array."""
        return _pick((0, *marks), i)

    def _latex(self, printer: Any) -> str:
        i, marks = map(printer._print, self.args)
        return f"{marks}_{{{i}}}"


class Factor(NumberFunction):
    """Factor(i, factors): the i-th factor; 1 for i = 0, and the last one for every larger i."""

    nargs = 2

    @staticmethod
    def number(i: Any, factors: tuple[float, ...]) -> Any:
        """Return the factor for an int, the factors for an array."""
        return _pick((1, *factors), i)

    def _latex(self, printer: Any) -> str:
        i, factors = map(printer._print, self.args)
        return f"{factors}_{{{i}}}"


def _pick(values: tuple[Any, ...], i: Any) -> Any:
    last = len(values) - 1
    return np.array(values)[np.minimum(i, last)] if isinstance(i, np.ndarray) else values[min(i, last)]


class Length(CountFunction):
    """Length(list): how many elements it has."""

    nargs = 1

    @staticmethod
    def number(elements: tuple[Any, ...]) -> int:
        """Return the number of elements."""
        return len(elements)

    def _sympystr(self, printer: Any) -> str:
        return f"len({printer._print(self.args[0])})"

    def _latex(self, printer: Any) -> str:
        return rf"\lvert {printer._print(self.args[0])} \rvert"


class Share(CountFunction):
    """Share(p, n): p n rounded down, p taken as the decimal it is written as: 0.29 of 100 is 29."""

    nargs = 2

    @staticmethod
    def number(p: Any, n: int) -> int:
        """Return the whole part; in floats 0.29*100 is a little less than 29."""
        return int(Fraction(str(p)) * n)

    def _latex(self, printer: Any) -> str:
        return rf"\lfloor {printer._print(sp.Mul(*self.args))} \rfloor"
