"""Constants at round numbers: what was passed, defaults, few digits, few bits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from optverify.conformance.fit import Fit, made, residuals, stacked
from optverify.conformance.model import Record


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


def snapped(found: Fit, records: Sequence[Record], hints: Mapping[str, Sequence[float]]) -> Fit:
    """The same fit with every constant that can be at a round number, as long as it fits no worse."""
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
