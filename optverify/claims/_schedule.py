"""Schedules as formulas, and exact numbers to tell a changed one by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy as sp

from optverify.language import Domain, Hyperparameter, ScheduleFamily
from optverify.language.clock import t as updates
from optverify.proof import NotProved
from optverify.proof.signs import has_sign

k, j, n = sp.symbols("k j n", integer=True, nonnegative=True)


def show_takes(family: ScheduleFamily, names: str) -> None:
    """NotProved for a schedule with other parameters: a statement is about one kind of schedule."""
    found = [h.name for h in family.hyperparameters]
    if set(found) != set(names.split()):
        wanted = names.replace(" ", ", ")
        raise NotProved(f"the statement is about a schedule of {wanted}; this one has {', '.join(found)}")


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
    put = {h.symbol: values[h.name] for h in family.hyperparameters if h.name in values}
    try:
        eta = formula(family).subs(put)
        for time in times:
            found, stated = eta.subs(updates, time), expected(time)
            gap = found - stated
            if gap.has(sp.nan, sp.zoo) or not gap.is_number or abs(sp.N(gap, 30)) > sp.Rational(1, 10**25):
                return f"{given}: eta_{time} is {found}, not {stated}"
    except (TypeError, ValueError) as failed:
        return f"{given}: eta has no value, {failed}"
    return None


def mirrored(family: ScheduleFamily, **values: sp.Expr) -> sp.Expr:
    """eta_k + eta_(T - k), for T = k + j."""
    first, last = (at(family, now, total=k + j, **values) for now in (k, j))

    def split(angle: sp.Expr) -> sp.Expr:
        return sp.cos(sp.apart(angle, j) if angle.is_rational_function(j) else angle)

    return (first + last).replace(sp.cos, split)


def pieces(family: ScheduleFamily, count: int) -> list[sp.Expr]:
    """The cases of a schedule that ends in a Piecewise, all but the conditions."""
    eta = formula(family)
    if not isinstance(eta, sp.Piecewise) or len(eta.args) != count:
        raise NotProved(f"eta = {eta} has no {count} cases")
    return [value for value, _ in eta.args]


def settled(e: Any, put: Mapping[sp.Symbol, Any]) -> Any:
    """An expression with symbols replaced, without Min, Max and cases; which case it is must follow.

    NotProved where that is open. No Min is ever built of what is put in, as SymPy takes long to compare that.
    """
    if isinstance(e, sp.Piecewise):
        for value, condition in e.args:
            if _holds(condition, put):
                return settled(value, put)
        raise NotProved(f"no case of {e} is known to apply")
    if not e.has(sp.Min, sp.Max, sp.Piecewise):
        return e.xreplace(dict(put))
    parts = [settled(a, put) for a in e.args]
    if not isinstance(e, (sp.Min, sp.Max)):
        return e.func(*parts)
    sign = 1 if isinstance(e, sp.Min) else -1
    for part in parts:
        gaps = [sp.cancel(sign * (o - part)) for o in parts if o != part]
        if all(has_sign(gap, {}, strict=False) for gap in gaps):
            return part
    raise NotProved(f"it is open which of {', '.join(map(str, parts))} is smaller")


def _holds(condition: Any, put: Mapping[sp.Symbol, Any]) -> bool:
    """True or False for a < b and true; NotProved where it is open."""
    if condition in (sp.true, sp.false):
        return bool(condition)
    if not isinstance(condition, (sp.StrictLessThan, sp.StrictGreaterThan)):
        raise NotProved(f"the condition {condition} is of no known kind")
    gap = sp.cancel((condition.gts - condition.lts).xreplace(dict(put)))
    if has_sign(gap, {}, strict=True):
        return True
    if has_sign(-gap, {}, strict=False):
        return False
    raise NotProved(f"it is open whether {condition} at {put}")
