"""Schedules as formulas, and exact numbers to tell a changed one by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy as sp

from optverify.language import Domain, Hyperparameter, ScheduleFamily
from optverify.language.clock import t as updates
from optverify.proof import NotProved

k, j, n = sp.symbols("k j n", integer=True, nonnegative=True)


def formula(family: ScheduleFamily, **options: Any) -> sp.Expr:
    """eta_t over t and the parameters alone."""
    *before, (_, value) = family.lines(**options)
    for symbol, e in reversed(before):
        value = value.subs(symbol, e)
    return value


def at(family: ScheduleFamily, time: Any, **values: Any) -> sp.Expr:
    """eta at a time, with some parameters put in by name."""
    put = {h.symbol: values[h.name] for h in family.hyperparameters if h.name in values}
    return formula(family).subs({**put, updates: time}, simultaneous=True)


def ranges(*families: ScheduleFamily) -> dict[sp.Symbol, Domain]:
    """Symbol -> domain, of parameters that are no counts."""
    return {h.symbol: h.domain for f in families for h in f.hyperparameters if isinstance(h, Hyperparameter)}


def within_period(index: sp.Expr, period: Any, rest: Any) -> sp.Expr:
    """floor(t/period) at t = n period + rest, 0 <= rest < period, which is n; NotProved for anything else."""
    if not isinstance(index, sp.floor):
        raise NotProved(f"{index} is no number of periods")
    found = sp.cancel(index.args[0].subs(updates, n * period + rest) - n - rest / period)
    if found != 0:
        raise NotProved(f"{index} at t = n ({period}) + {rest} is not n")
    return n


def off(
    family: ScheduleFamily, values: Mapping[str, Any], expected: Callable[[int], Any], times: Iterable[int]
) -> str | None:
    """Words on a time at which the rate is not the expected one, for exact values; None if there is none."""
    given = ", ".join(f"{name} = {value}" for name, value in values.items())
    for time in times:
        found = at(family, sp.Integer(time), **values)
        gap = found - expected(time)
        if gap.has(sp.nan, sp.zoo) or not gap.is_number or abs(sp.N(gap, 30)) > sp.Rational(1, 10**25):
            return f"{given}: eta_{time} is {found}, not {expected(time)}"
    return None
