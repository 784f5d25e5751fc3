r"""The words schedules are written in: their time t, counts of updates, what happens after the end.

The t of a schedule is the number of updates already made: t = 0, 1, 2, ..., 0 for the first update. It is
not the t of a rule, which is 1 for the first update: update t of a rule uses the schedule at t - 1. Both are
written t, as in the literature; SymPy keeps them apart (this one is nonnegative, that one positive).
"""

from __future__ import annotations

from bisect import bisect_right
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


lr_min = hyper_symbol("lr_min")
gamma = hyper_symbol("gamma", positive=True)
total, warmup, step_size = count_symbol("total"), count_symbol("warmup"), count_symbol("step_size")
T_0, T_mult = count_symbol("T_0"), count_symbol("T_mult")
milestones = sp.Symbol("milestones")

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


class CountFunction(sp.Function):  # type: ignore[misc]
    """A function of counts whose value is a count, computed in integers.

    A subclass gives `number`, for a Python int or an int64 array in the first place, and `_latex`.
    """

    is_integer = True
    is_nonnegative = True
    is_commutative = True

    @classmethod
    def eval(cls, *args: sp.Basic) -> sp.Expr | None:
        """Return the exact value once every argument is a number."""
        plain = [_plain(a) for a in args]
        return None if None in plain else sp.Integer(cls.number(*plain))

    @staticmethod
    def number(*args: Any) -> Any:
        """Return the value for an int, the values for an array."""
        raise NotImplementedError


def _plain(e: sp.Basic) -> Any:
    if isinstance(e, sp.Tuple):
        return tuple(map(int, e))
    return int(e) if e.is_Integer else None


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
