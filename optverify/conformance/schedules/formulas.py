"""Single slips in the formula of a schedule: a term, a sign, an index, an exponent, a function gone wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from optverify.conformance.schedules.numbers import Rates
from optverify.language import FormulaSchedule
from optverify.language.evaluation import compile_lines
from optverify.views.mutants import expression_mutants

Curve = Callable[[Any], Rates]


def slipped(s: FormulaSchedule) -> Iterator[tuple[str, Curve]]:
    """(the line as it would read, its rates at an array of t) for every slip in one line of the formula."""
    lines = list(s.family.lines(**s.options))
    symbols = [h.symbol for h in s.family.hyperparameters]
    for k, (symbol, e) in enumerate(lines):
        for changed in dict.fromkeys((*curve_slips(e), *expression_mutants(e, {}))):
            mutant = [*lines[:k], (symbol, changed), *lines[k + 1 :]]
            yield f"{symbol} = {changed}", partial(_rates, mutant, symbols, s.values)


def _rates(lines: Sequence[Any], symbols: Sequence[sp.Symbol], values: Sequence[Any], now: Any) -> Rates:
    """Not a number where a formula with a slip in it cannot be evaluated."""
    try:
        with np.errstate(all="ignore"):
            found = compile_lines(lines, symbols)(now, *values)
            return np.broadcast_to(np.asarray(found, float), np.shape(now))
    except (ArithmeticError, ValueError, TypeError, NameError, IndexError):
        return np.full(np.shape(now), np.nan)


def curve_slips(e: sp.Expr) -> Iterator[sp.Expr]:
    """What a curve can be mistaken for besides: another function, period, unit or power; a bound left out."""
    yield from _here(e)
    for i, part in enumerate(e.args):
        if isinstance(part, sp.Expr):
            for new in curve_slips(part):
                yield e.func(*e.args[:i], new, *e.args[i + 1 :])


def _here(e: sp.Expr) -> Iterator[sp.Expr]:
    if isinstance(e, (sp.cos, sp.sin)):
        (angle,) = e.args
        yield (sp.sin if isinstance(e, sp.cos) else sp.cos)(angle)
        yield from (e.func(angle * factor) for factor in (2, sp.Rational(1, 2)))
        yield e.func(angle.subs(sp.pi, 180))
        yield e.func(angle.subs(sp.pi, 1))
    if e.is_Pow:
        yield e.base ** (1 / e.exp)
        yield e.base ** (-e.exp)
        yield from (e.base ** (e.exp * factor) for factor in (2, sp.Rational(1, 2)))
        yield e.base * e.exp
        if e.base.is_Add and sp.S.One in e.base.args:  # (1 - x)^p
            yield 1 - (1 - e.base) ** e.exp
    if isinstance(e, (sp.ceiling, sp.floor)):
        yield (sp.floor if isinstance(e, sp.ceiling) else sp.ceiling)(*e.args)
        yield e.args[0]
    if isinstance(e, (sp.Max, sp.Min)):
        yield from e.args
