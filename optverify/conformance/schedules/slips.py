"""What went wrong with a schedule: rates that are those of a schedule after a known slip.

Without an expectation a slip is undone and the rest must be a schedule; with one, the slip is made to the
schedule that is expected and must give the rates.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optverify.conformance.schedules.fitting import fit
from optverify.conformance.schedules.formulas import slipped
from optverify.conformance.schedules.numbers import Rates, alike, number, places
from optverify.conformance.schedules.pieces import inverse_power
from optverify.language import FormulaSchedule, Schedule
from optverify.language.composition import Join, Product
from optverify.schedules import schedule


@dataclass(frozen=True)
class Slip:
    """A fault by name. kind: a word or two; text: what is seen, in a sentence; t: where it first shows."""

    kind: str
    text: str
    t: int | None = None


# ---- undone, without an expectation ------------------------------------------------------------------------


def undone(rates: Rates) -> Iterator[tuple[Slip, str]]:
    """Slips without which the rates are a schedule, and that schedule in words."""
    for slip, rest in itertools.chain(_shifted(rates), _multiplied(rates), _dips(rates), _beyond(rates)):
        if len(rest) >= 5 and not alike(rest, np.full(len(rest), rest[0])):
            found = in_words(rest, smooth=slip.kind in ("compounded", "half rate"))
            if found is not None:
                yield slip, found


SMOOTH = ("linear", "cosine", "polynomial", "exponential", "inverse_time", "inverse_sqrt", "rex", "noam")


def in_words(rates: Rates, smooth: bool = False) -> str | None:
    """The schedule that gives these rates, as it is written here; None if none is known.

    smooth: one family alone, which a slip in a recursion makes another curve of.
    """
    found = fit(rates)
    if found and not (smooth and found.schedule.name not in SMOOTH):
        return repr(found.schedule)
    if power := inverse_power(rates):
        return "{:.10g}*(1 + {:.10g}*t)**-{:.10g}".format(*power)
    return None


def _shifted(rates: Rates) -> Iterator[tuple[Slip, Rates]]:
    yield _late(rates), rates[1:]


def delayed(rates: Rates) -> str | None:
    """The single formula, in words, of which the first value comes twice; no fault after a warm-up."""
    if len(rates) < 5 or rates[0] != rates[1] or rates[1] == rates[2]:
        return None
    found = fit(rates[1:])
    if found is None or not isinstance(found.schedule, FormulaSchedule):
        return None
    return repr(found.schedule)


def _late(rates: Rates) -> Slip:
    if rates[0] == rates[1]:
        return Slip(
            "repeated", f"the value {rates[0]:.10g} is repeated at t = 0 and 1: its index is clamped", 1
        )
    first = "not a number" if math.isnan(rates[0]) else f"{rates[0]:.10g}"
    kind = "non-finite" if math.isnan(rates[0]) else "delayed"
    return Slip(kind, f"delayed by one: the first value is {first}, the schedule begins at t = 1", 0)


def _changes_late(rates: Rates, wanted: Rates) -> Slip | None:
    """Of a rate that is held and then changes, one update late: the first repeats in any case."""
    if rates[0] != rates[1] or wanted[0] != wanted[1]:
        return None
    first = int(np.argmax(wanted != wanted[0]))
    text = f"every change comes one update late, the first at t = {first + 1}, not {first}: > for >="
    return Slip("delayed", text, first)


def ratios(rates: Rates) -> Rates:
    """Each rate over the one before, as long as they are normal numbers."""
    normal = np.abs(rates) > 1e-290
    end = len(rates) if normal.all() else int(np.argmin(normal))
    stop = min(end + 1, len(rates))
    return rates[1:stop] / rates[: stop - 1]


def _multiplied(rates: Rates) -> Iterator[tuple[Slip, Rates]]:
    if not np.isfinite(rates).all() or rates[0] == 0:
        return
    steps = ratios(rates)
    slip = Slip("compounded", COMPOUNDED, 2)
    yield slip, np.concatenate([rates[:1], rates[0] * steps])
    whole = 2 * steps - 1
    yield Slip("half rate", HALF, 1), rates[0] * np.concatenate([[1.0], np.cumprod(whole)])


COMPOUNDED = "compounded: the closed form is applied to the rate before, not to the first; departs at t = 2"
HALF = "decays at half the rate: each factor is the mean of 1 and what it should be"


def _dips(rates: Rates) -> Iterator[tuple[Slip, Rates]]:
    """A single rate that lies outside its two neighbours."""
    if not np.isfinite(rates).all():
        return
    for k in range(1, len(rates) - 1):
        before, now, later = rates[k - 1 : k + 2].tolist()
        if now < 0.5 * min(before, later) or now > 2 * max(before, later):
            word = "dip" if now < before else "peak"
            for value in (later, before):
                filled = rates.copy()
                filled[k] = value
                text = f"a {word} at the seam: at t = {k} alone the rate is {now:.10g}, not {value:.10g}"
                yield Slip("seam", text, k), filled


def _beyond(rates: Rates) -> Iterator[tuple[Slip, Rates]]:
    """A schedule that goes up again after its lowest rate."""
    if not np.isfinite(rates).all():
        return
    end = int(np.argmax(rates < 0)) - 1 if rates.min() < 0 else int(np.argmin(rates))
    if 4 <= end < len(rates) - 1 and rates[end + 1] != rates[end]:
        again = " again" if rates[end + 1] > rates[end] else ""
        text = (
            f"asked past its end: at t = {end} the rate is {rates[end]:.10g}, at t = {end + 1}"
            f" {rates[end + 1]:.10g}{again}; it should be held there, or refused"
        )
        yield Slip("past the end", text, end + 1), rates[: end + 1]


# ---- made, to what is expected -----------------------------------------------------------------------------


def explained(rates: Rates, expected: Callable[[Any], Any]) -> Iterator[Slip]:
    """Slips that turn the schedule expected into these rates, the likelier before the others."""
    n = len(rates)
    wanted = np.array([float(expected(t)) for t in range(n + 3)])
    first = int(places(rates, wanted)[0])
    if n > 2 and alike(rates, np.full(n, rates[0])):
        yield Slip("no effect", f"constant: the schedule has no effect, the rate stays {rates[0]:.10g}", 1)
    if np.isnan(rates[0]) and alike(rates[1:], wanted[1:]):
        yield Slip("non-finite", "not a number at t = 0, and right from t = 1 on", 0)
    for k in (1, 2, 3):
        if alike(rates[k:], wanted):
            slip = _changes_late(rates, wanted) or _late(rates)
            yield slip if k == 1 else replace(slip, text=f"delayed by {k}: {rates[:k].tolist()} come first")
        if alike(rates, wanted[k:]):
            which = {1: "second", 2: "third", 3: "fourth"}[k]
            yield Slip("ahead", f"ahead by {k}: the first rate is the {which} of the schedule", 0)
    yield from _recursive(rates, wanted[:n])
    if isinstance(expected, Schedule):
        yield from _parts(rates, expected)
        for text, kind, variant in variants(expected):
            if alike(rates, np.asarray(variant(range(n)))):
                yield Slip(kind, text, first)
    wrong = places(rates, wanted)
    if len(wrong) <= 2:
        at = " and ".join(map(str, wrong.tolist()))
        yield Slip("seam", f"a glitch at the seam: at t = {at} alone the rate is {rates[wrong[0]]:.10g},"
                           f" not {wanted[wrong[0]]:.10g}", first)  # fmt: skip
    factor = rates[0] / wanted[0] if wanted[0] else math.nan
    if math.isfinite(factor) and alike(rates, factor * wanted[:n]):
        yield Slip("scale", f"every rate is {factor:.10g} times what it should be", 0)
    yield from _in_the_formula(rates, expected, first)


def _in_the_formula(rates: Rates, expected: Any, first: int) -> Iterator[Slip]:
    """One slip in the formula, of the one piece in which the rates are wrong."""
    n = len(rates)
    if not np.isfinite(rates).all():
        return
    if isinstance(expected, FormulaSchedule):
        for text, curve in slipped(expected):
            if alike(rates, curve(np.arange(n))):
                yield Slip("formula", f"one slip in the formula: {text}", first)
                return
    if isinstance(expected, Join) and expected.clock == "own":
        ends = (0, *expected.boundaries, n)
        wrong = places(rates, np.asarray(expected(range(n))))
        for piece, begin, end in zip(expected.pieces, ends[:-1], ends[1:], strict=True):
            if begin < n and begin <= wrong.min() and wrong.max() < end:
                yield from _in_the_formula(rates[begin:end], piece, first)


def _recursive(rates: Rates, wanted: Rates) -> Iterator[Slip]:
    if not np.isfinite(rates).all() or not wanted[0] or len(rates) < 3:
        return
    if alike(rates, rates[0] * np.cumprod(np.concatenate([[1.0], wanted[1:] / wanted[0]]))):
        yield Slip("compounded", COMPOUNDED, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        halves = (1 + np.nan_to_num(wanted[1:] / wanted[:-1])) / 2
    n = 1 + int(np.argmin(wanted[1:] > 0)) if (wanted[1:] <= 0).any() else len(wanted)
    if n > 2 and alike(rates[:n], rates[0] * np.cumprod(np.concatenate([[1.0], halves[: n - 1]]))):
        yield Slip("half rate", HALF, 1)


def _parts(rates: Rates, expected: Schedule) -> Iterator[Slip]:
    """A product of which a part is lost: only one factor acts, or one acts by its last change alone."""
    if not isinstance(expected, Product):
        return
    n, now = len(rates), range(len(rates))
    left, right = np.asarray(expected.left(now)), np.asarray(expected.right(now))
    for kept, lost, name in ((left, right, expected.right.title), (right, left, expected.left.title)):
        if n > 1 and lost[0]:
            scale = rates[0] / (kept[0] * lost[0]) if kept[0] else math.nan
            with np.errstate(divide="ignore", invalid="ignore"):
                last = np.concatenate([lost[:1], lost[1:] / lost[:-1]])
            if math.isfinite(scale) and alike(rates, scale * kept * last):
                text = (
                    f"of {name} only the last change acts: the closed form of the other overwrites the rate"
                )
                yield Slip("overwritten", text, int(places(rates, left * right)[0]))
            for factor in (1.0, float(lost[0])):
                if alike(rates, factor * kept):
                    yield Slip("overwritten", f"{name} has no effect: the other overwrites the rate",
                               int(places(rates, left * right)[0]))  # fmt: skip


# ---- variants of a schedule --------------------------------------------------------------------------------


def variants(expected: Schedule) -> Iterator[tuple[str, str, Schedule]]:
    """(text, kind, schedule): with another option, exchanged values, another clock or kind of minimum."""
    if isinstance(expected, FormulaSchedule):
        yield from _of_formula(expected)
    elif isinstance(expected, Join):
        yield from _of_join(expected)
    elif isinstance(expected, Product):
        for text, kind, left in variants(expected.left):
            yield text, kind, replace(expected, left=left)
        for text, kind, right in variants(expected.right):
            yield text, kind, replace(expected, right=right)


def _tried(s: FormulaSchedule, **changes: Any) -> Schedule | None:
    try:
        return schedule(s.name, **{**s.parameters, **s.options, **changes})
    except (TypeError, ValueError):
        return None


def _of_formula(s: FormulaSchedule) -> Iterator[tuple[str, str, Schedule]]:
    for axis in s.family.axes:
        for option in axis.options:
            if option != s.options[axis.name] and (made := _tried(s, **{axis.name: option})):
                text = f"{axis.name} = {option!r} ({axis.options[option]}), not {s.options[axis.name]!r}"
                yield text, "option", made
    values = s.parameters
    for a, b in itertools.combinations(values, 2):
        if values[a] != values[b] and (made := _tried(s, **{a: values[b], b: values[a]})):
            yield f"the arguments {a} and {b} are exchanged", "exchanged", made
        for one, other in ((a, b), (b, a)):
            if values[one] != values[other] and (made := _tried(s, **{one: values[other]})):
                yield (
                    f"{one} equals {other}: {one} = {values[other]} has the value of {other}",
                    "exchanged",
                    made,
                )
    lr, gamma = values.get("lr"), values.get("gamma")
    if isinstance(lr, float) and isinstance(gamma, float) and (made := _tried(s, gamma=lr * gamma)):
        text = (
            f"a rate for a ratio: the factor of a drop is {lr * gamma:.10g}, the rate after the first drop,"
            f" not {gamma:.10g}; it is decay_lr^n where (decay_lr/lr)^n is right"
        )
        yield text, "rate for ratio", made
    yield from _minima(s)
    if "total" in values:
        for k in (-1, 1):
            if made := _tried(s, total=int(number(values["total"])) + k):
                yield f"total is off by one: {int(number(values['total'])) + k}", "off by one", made


def _minima(s: FormulaSchedule) -> Iterator[tuple[str, str, Schedule]]:
    """The lowest rate as a floor, or as a share of lr, where it is affine."""
    low, lr = s.parameters.get("lr_min"), s.parameters.get("lr")
    if not low or not isinstance(low, float) or not isinstance(lr, float):
        return
    if made := _tried(s, lr_min=0.0):
        yield "the lowest rate is a floor, max(rate, lr_min), not affine", "minimum", made.at_least(low)
        yield "the lowest rate has no effect", "no effect", made
    if made := _tried(s, lr_min=low * lr):
        yield "the lowest rate is relative to lr", "minimum", made


def _of_join(s: Join) -> Iterator[tuple[str, str, Schedule]]:
    for k, piece in enumerate(s.pieces):
        for text, kind, changed in variants(piece):
            yield text, kind, replace(s, pieces=(*s.pieces[:k], changed, *s.pieces[k + 1 :]))
    if s.clock == "own":
        reset = "the clock is not reset at the seam: the piece that takes over has run since t = 0"
        yield reset, "clock", replace(s, clock="common")
        late = s.boundaries[-1]
        last = s.pieces[-1]
        if isinstance(last, FormulaSchedule) and "total" in last.parameters:
            longer = _tried(last, total=int(number(last.parameters["total"])) + late)
            if longer:
                pieces = (*s.pieces[:-1], longer)
                yield f"{reset}, and ends at the total", "clock", replace(s, pieces=pieces, clock="common")
                yield "the decay is as long as the whole", "length", replace(s, pieces=pieces)
                if isinstance(longer, FormulaSchedule):
                    for text, kind, changed in _minima(longer):
                        more = replace(s, pieces=(*s.pieces[:-1], changed))
                        yield f"{text}, and the decay is as long as the whole", kind, more
    else:
        yield "the clock is reset at the seam", "clock", replace(s, clock="own")
