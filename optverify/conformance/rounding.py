"""Constants at round numbers: what was passed, defaults, few digits, few bits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from optverify.conformance.fit import Fit, made, residuals, stacked
from optverify.conformance.model import Record, Values


def rounded(value: float, spread: float, hints: Iterable[float] = ()) -> float:
    """The roundest number within the spread of a value; the value itself if there is none.

    hints: numbers to be preferred (what was passed, defaults, what those become in few bits).
    """
    room = max(8 * spread, 1e-15 * abs(value))
    for hint in hints:
        if abs(value - hint) <= room:
            return hint
    for digits in range(1, 8):
        for near in _near(value, digits):
            if abs(value - near) <= room < 0.1 * max(abs(near), abs(value)) + (near == 0) * 1e-6:
                return near
    return value


def _near(value: float, digits: int) -> Iterator[float]:
    """Numbers of so many digits near a value: the value, what it lacks to 1, its inverse."""
    if abs(value) < 1e-7:
        yield 0.0
    yield float(f"{value:.{digits - 1}e}")
    if 0.5 < value < 1:
        yield 1 - float(f"{1 - value:.{digits - 1}e}")


def in_few_bits(value: float) -> dict[str, float]:
    """What becomes of a number in float32, bfloat16 (rounded and cut) and float16."""
    single = np.float32(value)
    bits = int(single.view(np.uint32))
    up = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    cut = bits & 0xFFFF0000
    with np.errstate(all="ignore"):
        half = float(np.float16(value))
    return {
        "float32": float(single),
        "bfloat16": float(np.uint32(up).view(np.float32)),
        "bfloat16 (cut)": float(np.uint32(cut).view(np.float32)),
        "float16": half,
    }


CLOSE = (0.05, 5e-3, 1e-4, 1e-6, 1e-9, 1e-12)
"""How far off constants tried at round numbers may be, relative to themselves or to what they lack to 1."""
SURE = 1e-12
"""What residuals may be with all constants at round numbers, if those of the fit are no larger."""


def all_round(found: Fit, records: Sequence[Record], hints: Mapping[str, Sequence[float]]) -> Fit:
    """The same fit with all constants at round numbers at once, if these give the updates at least as well.

    One that hardly shows is far off in a fit that stops early, and bends the others: alone, none can move.
    """
    tried: list[Values] = []
    for room, known in itertools.product(CLOSE, (hints, {})):
        values = {n: _roundest(v, room, known.get(n, ())) for n, v in found.values.items()}
        if values != found.values and values not in tried:
            tried.append(values)
    if not tried:
        return found
    worst = np.abs(residuals(found.model, records, stacked(tried))).max(axis=1, initial=0)
    good = np.flatnonzero(worst <= max(found.worst, SURE))
    return made(found.model, records, tried[int(good[0])], found.spread) if good.size else found


def _roundest(value: float, room: float, hints: Iterable[float]) -> float:
    """The number of fewest digits that near; a hint first."""
    size = room * min(abs(value), abs(1 - value) or math.inf)
    numbers = (*hints, *(near for digits in range(1, 5) for near in _near(value, digits)))
    return next((x for x in numbers if abs(value - x) <= size), value)


def snapped(found: Fit, records: Sequence[Record], hints: Mapping[str, Sequence[float]]) -> Fit:
    """The same fit with every constant that can be at a round number, as long as it fits no worse."""
    if found.matches:
        found = all_round(found, records, hints)
    values = dict(found.values)
    limit = max(found.good, found.worst * 1.5) if found.matches else found.worst * 1.05
    likes = {h.name: h.default for h in found.model.rule.hyperparameters}
    for name in sorted(values, key=lambda n: found.spread.get(n, 0.0)):
        if name not in found.spread:
            continue
        default = likes.get(name)
        own = () if default is None else (default,)
        wanted = [*hints.get(name, ()), *own]
        if math.isinf(found.spread[name]):
            near = (wanted or [values[name]])[0]
        else:
            near = rounded(values[name], found.spread[name], wanted)
        if near == values[name]:
            continue
        tried = {**values, name: near}
        if np.abs(residuals(found.model, records, stacked([tried]))).max(initial=0) <= limit:
            values = tried
    return made(found.model, records, values, found.spread)
