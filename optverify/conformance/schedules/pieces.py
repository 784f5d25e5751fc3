"""One family at a time: the members that could give a run of rates.

Every family is linear in its rates, so these are solved for; what bends the curve (length, power, factor) is
read off a few values. A candidate need not fit: whoever asks compares all rates.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from optverify.conformance.schedules.numbers import ULPS, Rates, alike, allowed, rounded
from optverify.language import Schedule
from optverify.schedules import join, registry

LOW = {"linear": "lr_end", "polynomial": "lr_end"}
"""The name of the lowest rate where it is not lr_min."""
MOST = 8
"""So many pieces, or points, of a schedule are a schedule; more are a list of numbers."""
NO_LOW = (
    "exponential", "inverse_time", "inverse_sqrt", "step", "multi_step", "noam", "trapezoidal",
    "linear_warmup", "constant_warmup", "exponential_warmup",
)  # fmt: skip


_family = lru_cache(registry.get)


def made(name: str, **arguments: Any) -> Schedule | None:
    """The schedule, or None where its family has none with these values."""
    try:
        return _family(name)(**arguments)
    except (TypeError, ValueError, OverflowError):
        return None


def run(schedule: Schedule, steps: int, first: int = 0) -> Rates:
    """Its rates at t = first, first + 1, ..."""
    return schedule.sized(np.arange(first, first + steps))


def with_rates(rates: Rates, name: str, first: int = 0, near: float = 1e-11, **shape: Any) -> Schedule | None:
    """The member of this shape whose rates fit best, its clock at `first` for the first of them."""
    unit = made(name, lr=1.0, **shape)
    if unit is None:
        return None
    curve = run(unit, len(rates), first)
    if name in NO_LOW:
        at = int(np.argmax(np.abs(curve)))
        return made(name, lr=rounded(float(rates[at] / curve[at]), near), **shape) if curve[at] else None
    high, low = int(np.argmax(curve)), int(np.argmin(curve))
    if curve[high] == curve[low]:
        return None
    slope = (rates[high] - rates[low]) / (curve[high] - curve[low])
    floor = rates[low] - slope * curve[low]
    floor = 0.0 if abs(floor) <= max(ULPS, near) * np.abs(rates).max() else rounded(float(floor), near)
    top = rounded(float(floor + slope), near)
    return made(name, lr=top, **{LOW.get(name, "lr_min"): floor}, **shape)


def pieces(rates: Rates, first: int = 0, near: float = 1e-11) -> Iterator[Schedule | None]:
    """Candidates for rates that begin anywhere and do what one family does, simple ones before others."""
    if alike(rates, np.full(len(rates), rates[0])):
        yield made("constant", lr=rounded(float(rates[0]), near))
        return
    if len(rates) < 3 or not np.isfinite(rates).all() or rates.min() < 0:
        return
    yield from _falling(rates, first, near)
    yield from _ending(rates, first, near)
    if first == 0:
        yield from _stairs(rates, near)
        yield from _restarting(rates, near)
        yield from _floored(rates, near)


# ---- for ever ----------------------------------------------------------------------------------------------


def _falling(rates: Rates, first: int, near: float) -> Iterator[Schedule | None]:
    a, b = float(rates[0]), float(rates[1])
    if first == 0 and 0 < b < a:
        last = _last(rates)
        gamma = rounded((float(rates[last]) / a) ** (1 / last), max(near / 100, 1e-13))
        yield with_rates(rates, "exponential", near=near, gamma=gamma)
        yield with_rates(rates, "inverse_time", near=near, decay_rate=rounded(a / b - 1, max(near, 1e-11)))
    flat = int(np.argmin(np.isclose(rates, a, rtol=1e-9, atol=0)))
    yield with_rates(rates, "inverse_sqrt", first, near, warmup=max(1, first + flat - 1))
    yield with_rates(rates, "inverse_sqrt", first, near, warmup=max(1, first))


def _last(rates: Rates) -> int:
    """The last rate that is still a normal number."""
    return int(np.flatnonzero(rates > 1e-290)[-1])


def inverse_power(rates: Rates) -> tuple[float, float, float] | None:
    """lr, rate and power of lr (1 + rate t)^-power, a family by itself; None if it cannot be."""
    if len(rates) < 5 or not np.isfinite(rates).all() or not (0 < rates[-1] < rates[0]):
        return None
    n, half = len(rates) - 1, (len(rates) - 1) // 2
    wanted = math.log(rates[0] / rates[n]) / max(math.log(rates[0] / rates[half]), 1e-300)
    low, high = 1e-9, 1e6
    if not math.log1p(high * n) / math.log1p(high * half) < wanted < n / half:
        return None
    for _ in range(200):
        middle = math.sqrt(low * high)
        if math.log1p(middle * n) / math.log1p(middle * half) > wanted:
            low = middle
        else:
            high = middle
    rate = rounded(low, 1e-6)
    power = rounded(math.log(rates[0] / rates[n]) / math.log1p(rate * n), 1e-6)
    curve = rates[0] * (1 + rate * np.arange(len(rates))) ** -power
    return (rounded(float(rates[0])), rate, power) if alike(rates, curve) else None


# ---- with an end -------------------------------------------------------------------------------------------


def tail(rates: Rates) -> int:
    """The t from which the rate does not change any more; the last one if it still does."""
    still = np.isclose(rates, rates[-1], rtol=1e-12, atol=ULPS * rates.max())
    return int(len(rates) - np.argmin(still[::-1])) if not still.all() else 0


def lengths(rates: Rates, first: int = 0) -> list[int]:
    """When a curve could end, on its clock: at the tail, at the lowest rate, where it first jumps up."""
    found = [first + tail(rates), first + int(np.argmin(rates)), first + int(np.argmax(rates))]
    a, b = float(rates[0]), float(rates[1])
    if first == 0 and 0 < b < a:  # if it falls to 0
        found += [_whole(math.pi / math.acos(2 * b / a - 1)), _whole(a / (a - b))]
    found += [first + int(t) for t in jumps(rates)[:1]]
    return [t for t in dict.fromkeys(found) if t >= 1]


def jumps(rates: Rates) -> Any:
    """The t at which the rate is up by a large part of its range."""
    return np.flatnonzero(np.diff(rates) > 0.3 * (rates.max() - rates.min())) + 1


def _whole(x: float) -> int:
    return round(x) if abs(x - round(x)) < 1e-4 * max(1.0, x / 100) and x < 1e9 else 0


def _ending(rates: Rates, first: int, near: float) -> Iterator[Schedule | None]:
    for total in lengths(rates, first):
        yield with_rates(rates, "linear", first, near, total=total)
        yield with_rates(rates, "cosine", first, near, total=total)
        yield with_rates(rates, "cosine", first, near, total=total, after="reflect")
        yield with_rates(rates, "rex", first, near, total=total)
        if first == 0:
            for decay in ("linear", "1-sqrt", "cosine"):
                yield from _flat_then(rates, total, decay, near)
        yield with_rates(rates, "polynomial", first, near, total=total, power=1.0, after="cycle")
        low = float(rates[min(total - first, len(rates) - 1)])
        for power in _powers(rates, total, first, low):
            yield with_rates(rates, "polynomial", first, near, total=total, power=power)
            yield with_rates(rates, "polynomial", first, near, total=total, power=power, after="cycle")
        for exponent in _exponents(rates, total, first, low):
            for after in ("hold", "reflect"):
                yield with_rates(
                    rates, "cosine_power", first, near, total=total, exponent=exponent, after=after
                )


def _powers(rates: Rates, total: int, first: int, low: float) -> Iterator[float]:
    yield from _bend(rates, total, first, low, lambda x: 1 - x)


def _exponents(rates: Rates, total: int, first: int, low: float) -> Iterator[float]:
    yield from _bend(rates, total, first, low, lambda x: (1 + math.cos(math.pi * x)) / 2)


def _bend(rates: Rates, total: int, first: int, low: float, curve: Any) -> Iterator[float]:
    """The power to which a curve from 1 to 0 is taken, from the rates at the start and in the middle."""
    k = min((total - first) // 2, len(rates) - 1)
    if k < 1 or total < 3 or not (rates[0] > low and rates[k] > low):
        return
    below = math.log(curve((first + k) / total) / curve(first / total)) if first < total else 0.0
    if below:
        power = math.log((rates[k] - low) / (rates[0] - low)) / below
        if power > 0 and abs(power - 1) > 1e-9:
            yield rounded(float(power), 1e-9)


def _flat_then(rates: Rates, total: int, decay: str, near: float) -> Iterator[Schedule | None]:
    """lr held, then let down to lr_min at total: the end of a warm-up, stable, decay."""
    flat = int(np.argmin(np.isclose(rates, rates[0], rtol=1e-12, atol=0))) - 1
    if 1 <= flat < total - 1:
        top, low = rounded(float(rates[0]), near), rounded(float(rates[min(total, len(rates) - 1)]), near)
        unit = made("wsd", lr=top, lr_min=low, total=total + 1, warmup=1, decay_steps=total - flat,
                    decay=decay, form="t/W")  # fmt: skip
        yield unit and unit.shifted(1)


# ---- in steps and in cycles --------------------------------------------------------------------------------


def _stairs(rates: Rates, near: float) -> Iterator[Schedule | None]:
    """A rate that is kept and changes by a factor now and then."""
    marks = np.flatnonzero(~np.isclose(rates[1:], rates[:-1], rtol=1e-12, atol=0)) + 1
    if not len(marks) or len(marks) > len(rates) // 2 or not rates[marks - 1].all():
        return
    gamma = rounded(float(rates[marks[0]] / rates[0]), max(near, 1e-12))
    lr = rounded(float(rates[0]), near)
    yield made("step", lr=lr, step_size=int(marks[0]), gamma=gamma)
    yield made("multi_step", lr=lr, milestones=marks.tolist(), gamma=gamma)
    if rates[0] < rates[-1]:
        yield made("constant_warmup", lr=rounded(float(rates[-1]), near), warmup=int(marks[0]),
                   factor=rounded(float(rates[0] / rates[-1]), near))  # fmt: skip
    spaced = rates[:: int(marks[0])]
    if len(spaced) > 1 and spaced[1]:
        yield made("inverse_time", lr=lr, decay_steps=int(marks[0]), staircase=True,
                   decay_rate=rounded(float(spaced[0] / spaced[1] - 1), 1e-9))  # fmt: skip
    if len(marks) <= MOST and np.diff(marks, prepend=0).min() > 1:
        parts = [made("constant", lr=rounded(float(rates[t]), near)) for t in (0, *marks)]
        if all(parts):
            yield join([p for p in parts if p], marks.tolist())


def held(rates: Rates, near: float) -> Iterator[Schedule | None]:
    """A rate that is held for a while, and then a family on its own clock."""
    begins = int(np.argmin(np.isclose(rates, rates[0], rtol=1e-12, atol=0))) - 1
    if begins < 1 or len(rates) - begins < 5:
        return
    first, rest = made("constant", lr=rounded(float(rates[0]), near)), rates[begins:]
    for piece in (*_falling(rest, 0, near), *_ending(rest, 0, near)):
        if first and piece is not None and alike(run(piece, len(rest)), rest, allowed(near)):
            yield join([first, piece], [begins])


def _restarting(rates: Rates, near: float) -> Iterator[Schedule | None]:
    up = set(jumps(rates).tolist())
    if not up:
        return
    n, first = len(rates), min(up)
    for factor, start in itertools.product((1, 2, 3, 4), range(1, first + 1)):
        starts, length, begins = [], start, start
        while begins < n:
            starts.append(begins)
            length *= factor
            begins += length
        if up <= set(starts) and first in starts:
            shape = {"T_0": start, "T_mult": factor}
            yield with_rates(rates, "cosine_warm_restarts", near=near, **shape)
            fall = float(rates[first] / rates[0]) if rates[0] else 1.0
            if fall < 1:
                yield with_rates(
                    rates, "cosine_warm_restarts", near=near, **shape, M_mult=rounded(fall, 1e-9)
                )
    yield from _repeated(rates, first, near)


def _repeated(rates: Rates, every: int, near: float) -> Iterator[Schedule | None]:
    for piece in _ending(rates[:every], 0, near) if every >= 4 else ():
        if piece is not None and alike(run(piece, every), rates[:every], allowed(near)):
            yield piece.repeated(every)


def _floored(rates: Rates, near: float) -> Iterator[Schedule | None]:
    """A curve to 0 that is cut off at a lowest rate: max(eta_t, lr_min)."""
    begins, low = tail(rates), float(rates[-1])
    inner = rates[:begins]
    if low <= 0 or begins < 3:
        return
    for piece in itertools.chain(_falling(inner, 0, near), _ending(inner, 0, near), _stairs(inner, near)):
        if piece is not None and alike(run(piece, begins), inner, allowed(near)):
            yield piece.at_least(rounded(low, near))
