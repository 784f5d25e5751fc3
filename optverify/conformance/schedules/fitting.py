"""Which schedule gives these rates: families alone, after a warm-up, and of several phases."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from optverify.conformance.schedules.numbers import (
    DOUBLE,
    SINGLE,
    Rates,
    alike,
    allowed,
    in_single,
    places,
    rounded,
    worst,
)
from optverify.conformance.schedules.pieces import MOST, held, jumps, made, pieces, run, tail, with_rates
from optverify.language import Schedule
from optverify.schedules import join


@dataclass(frozen=True)
class Fit:
    """A schedule that gives the rates. error: the largest relative difference; single: but for float32."""

    schedule: Schedule
    error: float
    single: bool = False


def fit(rates: Rates) -> Fit | None:
    """The first, simplest schedule that gives these rates; None if no family does."""
    if len(rates) < 3 or not np.isfinite(rates).all():
        return None
    changes = not alike(rates, np.full(len(rates), rates[0]))
    with np.errstate(all="ignore"):
        return _fit(rates, changes and in_single(rates))


def _fit(rates: Rates, single: bool) -> Fit | None:
    for tolerance, near in ((DOUBLE, 1e-11), (SINGLE, 2e-6))[: 2 if single else 1]:
        for found in candidates(rates, near):
            if found is not None and alike(rates, run(found, len(rates)), tolerance):
                return Fit(found, worst(rates, run(found, len(rates))), tolerance == SINGLE)
    return None


def nearest(rates: Rates) -> tuple[Schedule, int] | None:
    """The candidate that agrees longest, and the t at which it first departs; None below three rates."""
    best: tuple[Schedule, int] | None = None
    if not np.isfinite(rates).all():
        return None
    for found in candidates(rates, 1e-11):
        if found is not None:
            first = int(places(rates, run(found, len(rates)))[:1].sum())
            if first > (best[1] if best else 2):
                best = found, first
    return best


def candidates(rates: Rates, near: float) -> Iterator[Schedule | None]:
    """Everything that could give these rates, simple things first."""
    if rates.min() < 0 or alike(rates, np.full(len(rates), rates[0])):
        yield from pieces(rates, 0, near)
        return
    yield from _rising(rates, near)
    yield from pieces(rates, 0, near)
    yield from _phases(rates, near)
    yield from _cycles(rates, near)
    yield from held(rates, near)
    yield from _warmed(rates, near)
    yield from _stopped(rates, near)
    yield from _interpolated(rates, near)
    yield from _periodic(rates, near)


# ---- warm-up -----------------------------------------------------------------------------------------------


def ramps(rates: Rates, near: float = 1e-11) -> Iterator[tuple[Schedule | None, int]]:
    """The warm-ups in equal steps that the first rates could be, each with the t at which it is over."""
    a, d = float(rates[0]), float(rates[1] - rates[0])
    scale = float(rates.max())
    if a == 0 and len(rates) > 2:
        yield made("linear_warmup", lr=scale, warmup=1), 1
    if d <= 1e-12 * scale:
        return
    even = np.isclose(np.diff(rates), d, rtol=max(1e-6, 100 * near), atol=1e-12 * scale)
    q = len(rates) - 1 if even.all() else int(np.argmin(even))
    d = float(rates[q] - rates[0]) / q
    ends = [(end, rounded(a + d * end, max(near, 1e-10))) for end in (q, q + 1)]
    if abs(a) <= 1e-12 * scale:
        yield from ((made("linear_warmup", lr=peak, warmup=end), end) for end, peak in ends)
    elif abs(a - d) <= max(1e-6, 10 * near) * d:
        for end, _ in ends:
            top = rounded(d * end, max(near, 1e-10))
            yield made("linear_warmup", lr=top, warmup=end, form="(t+1)/W"), end
        for end, peak in ends:
            yield made("linear_warmup", lr=peak, warmup=end, form="(t+1)/(W+1)"), end
    for end, peak in ends:
        yield made("linear", lr=rounded(a, near), lr_end=peak, total=end), end


def _rising(rates: Rates, near: float) -> Iterator[Schedule | None]:
    """Warm-ups with nothing after them, and Noam."""
    for ramp, end in ramps(rates, near):
        yield ramp
        if ramp is not None and rates[0] > 0:
            yield with_rates(rates, "noam", near=near, d_model=1, warmup=end)
    if 0 <= rates[0] < rates[-1] and len(rates) > 8:
        b, c = float(rates[1] - rates[0]), float(rates[2] - rates[1])
        if b > c > 0:
            length = round(1 / math.log(b / c))
            for shape in ({"warmup": length}, {"warmup": length, "form": "t/W"}):
                yield with_rates(rates, "exponential_warmup", near=near, **shape)


def _warmed(rates: Rates, near: float) -> Iterator[Schedule | None]:
    """A warm-up, then a family on its own clock, or on the clock of the whole; with one peak if it can be."""
    others = []
    for ramp, end in ramps(rates, near):
        if ramp is None or len(rates) - end < 4 or not alike(run(ramp, end), rates[:end], 10 * near):
            continue
        rest = rates[end:]
        for first in (0, end):
            for piece in pieces(rest, first, near):
                if piece is not None and alike(run(piece, len(rest), first), rest, allowed(near)):
                    found = join([_at_peak(ramp, piece), piece], [end], "common" if first else "own")
                    if math.isclose(found.pieces[0](10 * end), piece(0), rel_tol=10 * near):
                        yield found
                    else:
                        others.append(found)
    yield from others


def _stopped(rates: Rates, near: float) -> Iterator[Schedule | None]:
    """Cycles, perhaps after a warm-up, of which the last goes on for ever."""
    for ramp, end in [(None, 0), *ramps(rates, near)]:
        rest, before = rates[end:], [] if ramp is None else [ramp]
        up = jumps(rest)
        if not len(up) or up[-1] < 4 or len(rest) - up[-1] < 4:
            continue
        if ramp is not None and not alike(run(ramp, end), rates[:end], 10 * near):
            continue
        begins = int(up[-1])
        cycles, last = (next(_alike(part, near), None) for part in (rest[:begins], rest[begins:]))
        if cycles is not None and last is not None:
            yield join([*before, cycles, last], [end, end + begins] if before else [begins])


def _alike(rates: Rates, near: float) -> Iterator[Schedule]:
    """The pieces that these rates are."""
    for piece in pieces(rates, 0, near):
        if piece is not None and alike(run(piece, len(rates)), rates, allowed(near)):
            yield piece


def _at_peak(ramp: Schedule, piece: Schedule) -> Schedule:
    """A warm-up of one update from 0 says nothing of its peak: it is that of what follows."""
    values = ramp.parameters
    if ramp.name == "linear_warmup" and values["warmup"] == 1 and ramp.options["form"] == "t/W":
        return made("linear_warmup", lr=piece(0), warmup=1) or ramp
    return ramp


# ---- several phases ----------------------------------------------------------------------------------------


def _phases(rates: Rates, near: float) -> Iterator[Schedule | None]:
    """One cycle; warm-up, stable, decay; the trapezium."""
    end, top = tail(rates), int(np.argmax(rates))
    if end < 4:
        return
    highest = rounded(float(rates.max()), near)
    level = int(np.flatnonzero(np.isclose(rates, rates.max(), rtol=1e-12, atol=0))[-1])
    for ramp, over in ramps(rates, near):
        if ramp is not None and ramp.name == "linear_warmup" and level >= over + 2:
            shape = {"total": end, "warmup": over, "decay_steps": max(1, end - level)}
            form, low = ramp.options["form"], rounded(float(rates[-1]), near)
            for decay in ("linear", "1-sqrt", "cosine"):
                yield made("wsd", lr=highest, lr_min=low, **shape, decay=decay, form=form)
            yield made("trapezoidal", lr=highest, **shape)
    first, last = float(rates[0]), float(rates[-1])
    if not 0 < last < first < highest:
        return
    for total, ends in ((end + 1, "T-1"), (end, "T")):
        for curve in ("cosine", "linear"):
            starts = {(t + (ends == "T-1")) / total for t in (top, _turn(rates, curve, end))}
            for start in dict.fromkeys(rounded(x, r) for x in sorted(starts) for r in (1e-6, 0.01)):
                yield from _one_cycle(rates, near, total=total, last=ends, start=start, curve=curve)


def _turn(rates: Rates, curve: str, end: int) -> float:
    """When one cycle stops rising, also between two updates."""
    first, second, third = rates[:3].tolist()
    if curve == "cosine":
        bend = (third - first) / (second - first) / 2 - 1 if second > first else 1.0
        return math.pi / math.acos(bend) if -1 < bend < 1 else 0.0
    top = int(np.argmax(rates))
    if top + 3 > end or top < 2:
        return 0.0
    rise, fall = second - first, float(rates[top + 2] - rates[top + 1])
    if rise == fall:
        return 0.0
    return float((rates[top + 1] - fall * (top + 1) - first) / (rise - fall))


def _one_cycle(
    rates: Rates, near: float, *, total: int, last: str, start: float, curve: str
) -> Iterator[Schedule | None]:
    first, low = float(rates[0]), float(rates[-1])
    for phases in ("two", "three"):
        if not 0 < start < 1 or (phases == "three" and start >= 0.5):
            continue
        a = start * total - 1 if last == "T-1" else math.floor(start * total)
        if a < 1:
            continue
        rise = (1 - math.cos(math.pi / a)) / 2 if curve == "cosine" else 1 / a
        lr = rounded(first + (float(rates[1]) - first) / rise, max(near, 1e-9))
        three = {"pct_final": min(2 * start, 1.0)} if phases == "three" or start >= 0.6 else {}
        yield made("one_cycle", lr=lr, total=total, pct_start=start, **three,
                   div_factor=rounded(lr / first, max(near, 1e-10)),
                   final_div_factor=rounded(first / low, max(near, 1e-10)),
                   phases=phases, curve=curve, last=last)  # fmt: skip


def _cycles(rates: Rates, near: float) -> Iterator[Schedule | None]:
    """Smith's triangles."""
    low = float(rates[0])
    falls = np.flatnonzero(np.diff(rates) < 0)
    if rates[1] <= low or not len(falls):
        return
    up = int(falls[0])
    after = np.flatnonzero(np.isclose(rates[up:], low, rtol=1e-9, atol=1e-12 * rates.max()))
    if not len(after):
        return
    down = int(after[0])
    bottom = rounded(low, near)
    shape = {"lr_min": bottom, "step_size_up": up, "step_size_down": down}
    top = rounded(float(rates[up]), near)
    yield made("cyclic", lr=top, **shape)
    yield made("cyclic", lr=top, **shape, mode="triangular2")
    if up >= 2:
        gamma = rounded(float((rates[2] - low) / (rates[1] - low) / 2), 1e-10)
        lr = rounded(low + float(rates[1] - low) * up / gamma, 1e-9)
        yield made("cyclic", lr=lr, **shape, mode="exp_range", gamma=gamma)


def _interpolated(rates: Rates, near: float) -> Iterator[Schedule | None]:
    """Lines between at most eight given rates."""
    bends = np.diff(rates, 2)
    marks = np.flatnonzero(np.abs(bends) > 1e-9 * rates.max()) + 1
    if 0 < len(marks) <= MOST and rates[0] > 0 and np.diff(marks, prepend=0).min() > 1:
        factors = [rounded(float(x / rates[0]), near) for x in rates[marks]]
        yield made("piecewise_interpolated", lr=rounded(float(rates[0]), near), milestones=marks.tolist(),
                   factors=factors)  # fmt: skip


def _periodic(rates: Rates, near: float) -> Iterator[Schedule | None]:
    """The same again and again, for whatever is known."""
    for every in np.flatnonzero(np.isclose(rates, rates[0], rtol=1e-9, atol=0))[1:MOST].tolist():
        if 8 <= every <= len(rates) // 2 and alike(rates[every:], rates[:-every]):
            for piece in candidates(rates[:every], near):
                if piece is not None and alike(run(piece, every), rates[:every], allowed(near)):
                    yield piece.repeated(every)
            return
