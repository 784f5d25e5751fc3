"""What a schedule computes: its family and numbers, what it does at the ends, or what went wrong with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from optverify.conformance.adapters.schedules import LR, as_schedule
from optverify.conformance.schedules.driving import FAR, Record, record
from optverify.conformance.schedules.fitting import Fit, fit, nearest
from optverify.conformance.schedules.numbers import SINGLE, Rates, alike, number, places, worst
from optverify.conformance.schedules.pieces import tail
from optverify.conformance.schedules.slips import Slip, delayed, explained, in_words, undone
from optverify.language import FormulaSchedule, Schedule
from optverify.language.composition import Floor, Join, Product, Repeated, Shifted

STEPS = 400
LONGER = 4000
PATIENCE = 1.0
"""Seconds for STEPS updates and their fit: a slower schedule is not looked at for LONGER."""


@dataclass(frozen=True)
class ScheduleDiagnosis:
    """What was found.

    schedule: the one that gives these rates, None if none is known; formula: the same in words; faults: what
    is wrong with it; remarks: what one should know; equivalent: whether it is the one that was expected, None
    if none was; error: the largest relative difference to the schedule; rates: of the first updates.
    """

    schedule: Schedule | None
    formula: str | None
    faults: tuple[Slip, ...]
    remarks: tuple[str, ...]
    equivalent: bool | None
    error: float
    rates: Rates = field(repr=False)

    @property
    def holds(self) -> bool:
        """True if nothing is wrong with it, and it is what was expected, or else one that is known."""
        known = self.formula is not None if self.equivalent is None else self.equivalent
        return known and not self.faults

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "schedule": self.schedule and self.schedule.config(),
            "formula": self.formula,
            "faults": [{"kind": f.kind, "text": f.text, "t": f.t} for f in self.faults],
            "remarks": list(self.remarks),
            "equivalent": self.equivalent,
            "error": self.error,
        }

    def __str__(self) -> str:
        head = {True: "as expected: ", False: "not as expected: ", None: ""}[self.equivalent]
        found = self.formula or "no schedule that is known here"
        lines = [head + (f"{self.schedule.title}: {found}" if self.schedule else found)]
        lines += [f"fault, {f.kind}: {f.text}" for f in self.faults]
        return "\n  ".join([*lines, *self.remarks])


def diagnose_schedule(
    schedule: Any,
    expected: Schedule | Callable[[int], float] | None = None,
    *,
    steps: int | None = None,
    scaled: Callable[[float], Any] | None = None,
    adapter: str | None = None,
    lr: float = LR,
) -> ScheduleDiagnosis:
    """Say which schedule this is, with which numbers, or what is wrong with it.

    schedule: a function of t, or a function without arguments that makes an object with step() and lr (see
    driving.py), or one of a library (adapters/schedules.py). expected: what it should be; steps: how many
    updates to look at; scaled: from a factor, the same schedule with a learning rate that many times as
    large. adapter, lr: the library, and the learning rate of the optimizer that its schedules are told.
    """
    schedule = as_schedule(schedule, adapter, lr)
    began = time.monotonic()
    found = record(schedule, steps or STEPS)
    if steps is None and _may_go_on(found.rates, began):
        longer = record(schedule, LONGER)
        found = longer if fit(longer.rates) else found
    faults, formula, fitted = _findings(found, expected)
    remarks = [*_remarks(fitted, found, formula)]
    if scaled is not None and (said := _scale(scaled, found, fitted)):
        if isinstance(said, Slip):
            faults.append(said)
        else:
            remarks.append(said)
    same = None if expected is None else _same(found.rates, expected) and not faults
    schedule_found = fitted.schedule if fitted else None
    return ScheduleDiagnosis(schedule_found, formula, tuple(faults), tuple(remarks), same,
                             fitted.error if fitted else float("nan"), found.rates)  # fmt: skip


def _may_go_on(rates: Rates, began: float) -> bool:
    """True if a schedule has not shown itself yet, and is quick enough to be looked at for longer."""
    if len(rates) < STEPS or not np.isfinite(rates).all() or time.monotonic() - began > PATIENCE:
        return False
    return tail(rates) > 0.9 * STEPS and fit(rates) is None


def _same(rates: Rates, expected: Callable[[Any], Any]) -> bool:
    return alike(rates, np.array([float(expected(t)) for t in range(len(rates))]))


def _findings(found: Record, expected: Any) -> tuple[list[Slip], str | None, Fit | None]:
    """Faults, the schedule in words, and its fit."""
    rates, faults = found.rates, list(_broken(found))
    if expected is None or not len(rates):
        return _named(found, faults)
    if _same(rates, expected):
        fitted = fit(rates)
        if isinstance(expected, Schedule):
            fitted = Fit(expected, worst(rates, np.asarray(expected(range(len(rates))))))
        return faults, repr(fitted.schedule) if fitted else "as expected", fitted
    fitted = fit(rates)
    faults.append(next(explained(rates, expected), None) or _unexplained(rates, expected, fitted))
    return faults, repr(fitted.schedule) if fitted else None, fitted


def _named(found: Record, faults: list[Slip]) -> tuple[list[Slip], str | None, Fit | None]:
    """The same where nothing is expected."""
    rates = found.rates
    if fitted := fit(rates):
        return [*faults, *_later(found, fitted)], repr(fitted.schedule), fitted
    words = in_words(rates)
    if words is None and len(rates) > 4:
        for slip, words in undone(rates):
            return [*(f for f in faults if f.kind != slip.kind), slip], f"{words}, but for that", None
    return faults, words, None


def _unexplained(rates: Rates, expected: Any, fitted: Fit | None) -> Slip:
    wanted = np.array([float(expected(t)) for t in range(len(rates))])
    t = int(places(rates, wanted)[0])
    text = f"first departs at t = {t}: {rates[t]:.10g}, expected {wanted[t]:.10g}"
    end = getattr(expected, "end", None)
    if end is not None and t > end:
        text += f"; it agrees until its end at t = {end}, and differs in what comes after"
    one, other = fitted and fitted.schedule, expected
    if isinstance(one, FormulaSchedule) and isinstance(other, FormulaSchedule) and one.name == other.name:
        changed = [f"{n} = {v}, not {other.parameters[n]}" for n, v in one.parameters.items()
                   if v != other.parameters[n]]  # fmt: skip
        text += "; " + ", ".join(changed) if changed else ""
    return Slip("departs", text, t)


def _broken(found: Record) -> Iterator[Slip]:
    """What is wrong whatever the schedule is."""
    rates = found.rates
    for said in found.remarks:
        kind = "resume" if said.startswith(("resuming", "it cannot be resumed")) else "reading"
        yield Slip(kind, said)
    bad = np.flatnonzero(~np.isfinite(rates))
    if len(bad):
        t = int(bad[0])
        yield Slip("non-finite", f"the rate at t = {t} is {rates[t]}", t)
    elif len(rates) and rates.min() < 0:
        t = int(np.argmax(rates < 0))
        yield Slip("negative", f"the rate at t = {t} is {rates[t]:.10g}, below 0: the update goes uphill", t)
    if found.far is not None:
        yield _broke_down(*found.far)
    if found.stopped is not None and (not len(rates) or "Overflow" in found.stopped[1]
                                      or "ZeroDivision" in found.stopped[1]):  # fmt: skip
        yield _broke_down(found.stopped[0], f"raises {found.stopped[1]}")


def _broke_down(t: int, what: str) -> Slip:
    kind = "overflow" if "Overflow" in what or "inf" in what else "non-finite"
    kind = "negative" if what.startswith("gives -") and "inf" not in what else kind
    more = ": a factor overflows where its inverse would go to 0" if kind == "overflow" else ""
    return Slip(kind, f"at t = {t} it {what}{more}", t)


def _later(found: Record, fitted: Fit) -> Iterator[Slip]:
    """A function of t whose far values are not those of the schedule that fits."""
    if found.ask is None or found.stopped is not None or found.far is not None or found.remarks:
        return
    for t in FAR:
        there, wanted = found.ask(t), float(fitted.schedule(t))
        # in float32 the phase of a cycle is known to t * 2^-24, and the rate to about twice as much
        lost = SINGLE + 1e-7 * t if fitted.single else 1e-9
        if abs(there - wanted) > 1e-6 * abs(wanted) + lost * found.rates.max():
            yield Slip(
                "later", f"at t = {t} it gives {there:.10g}; this schedule would give {wanted:.10g}", t
            )
            return


# ---- remarks -----------------------------------------------------------------------------------------------


def _remarks(fitted: Fit | None, found: Record, formula: str | None) -> Iterator[str]:
    rates = found.rates
    if found.stopped is not None and len(rates) and "Overflow" not in found.stopped[1]:
        yield f"it refuses t >= {found.stopped[0]}: {found.stopped[1]}"
    if found.cut:
        yield f"it is slow: only the first {len(rates)} updates were looked at"
    if len(rates) and rates[0] == 0:
        yield "the first update has learning rate 0"
    if fitted is None and formula is None and len(rates) > 4 and (near := nearest(rates)):
        yield f"nearest is {near[0]!r}, from which it first departs at t = {near[1]}"
    if fitted is None:
        return
    if fitted.single:
        whole = (rates.astype(np.float32) == rates).all()
        yield "its rates are float32 numbers" if whole else "some of its numbers are float32"
    for s in _formulas(fitted.schedule):
        yield from _of_formula(s, rates)
    if isinstance(fitted.schedule, (Join, Shifted)) and (late := delayed(rates)):
        yield f"the same as {late}, delayed by one: its first value comes twice"
    if isinstance(fitted.schedule, Join) and fitted.schedule.clock == "common":
        at = fitted.schedule.boundaries[0]
        yield f"the clock is not reset at the seam t = {at}: what follows has run since t = 0"
    if isinstance(fitted.schedule, Floor) or (
        isinstance(fitted.schedule, Join) and isinstance(fitted.schedule.pieces[-1], Floor)
    ):
        yield "the lowest rate is a floor: max(rate, lr_min), not affine"
    if isinstance(fitted.schedule, Repeated):
        yield f"after the end it restarts, every {fitted.schedule.every} updates"


def _formulas(s: Schedule) -> Iterator[FormulaSchedule]:
    if isinstance(s, FormulaSchedule):
        yield s
    elif isinstance(s, Join):
        for piece in s.pieces:
            yield from _formulas(piece)
    elif isinstance(s, Product):
        yield from _formulas(s.left)
        yield from _formulas(s.right)
    elif isinstance(s, (Floor, Repeated, Shifted)):
        yield from _formulas(s.piece)


def _of_formula(s: FormulaSchedule, rates: Rates) -> Iterator[str]:
    values, options = s.parameters, s.options
    if "after" in options:
        does = {"hold": "the last value is held", "reflect": "the rate rises again (it is reflected)",
                "cycle": "the rate starts again (in cycles)"}  # fmt: skip
        yield f"after t = {values['total']} {does[str(options['after'])]}"
    low = number(values.get("lr_min", values.get("lr_end", 0.0)))
    if s.name in ("cosine", "polynomial", "cosine_power", "linear", "rex") and 0 < low < s(0):
        yield f"the lowest rate is affine: {low} + (lr - {low})*curve"
    if s.name == "cosine_warm_restarts":
        yield (f"half-open cycles: the minimum lr_min = {low} is not attained, the smallest rate visited is"
               f" {rates.min():.10g}")  # fmt: skip
    if s.name == "noam":
        top = int(number(values["warmup"])) - 1
        yield f"the highest rate, {s(top):.10g}, is that at t = {top}: lr/sqrt(d_model*warmup)"
    if options.get("form") is not None and s.name == "linear_warmup":
        yield from _of_warmup(s, rates)


def _of_warmup(s: FormulaSchedule, rates: Rates) -> Iterator[str]:
    form, w, lr = s.options["form"], int(number(s.parameters["warmup"])), number(s.parameters["lr"])
    yield f"warm-up by {form} with W = {w}"
    if form == "t/W" and w == 1:
        yield "that is what follows, delayed by one: the first value is 0"
    if form == "(t+1)/W" and w > 1:
        yield f"which is (t+1)/(W+1) with W = {w - 1}"
    if rates.max() < lr * (1 - 1e-9):
        yield f"the peak {lr:.10g} is not attained: the highest rate is {rates.max():.10g}"


def _scale(scaled: Callable[[float], Any], found: Record, fitted: Fit | None) -> Slip | str | None:
    """What twice the learning rate does: twice the rates, but for a lowest rate that is absolute."""
    twice = record(scaled(2.0), len(found.rates)).rates
    if alike(twice, 2 * found.rates):
        return "every rate is proportional to lr: a lowest rate is relative to it"
    other = fit(twice)
    if fitted and other and _only_lr_doubled(fitted.schedule, other.schedule):
        return "the lowest rate is absolute: it does not change with lr"
    t = int(places(twice, 2 * found.rates)[0])
    return Slip("scale", f"not proportional to lr: with twice the lr, the rate at t = {t} is {twice[t]:.10g}"
                         f" where twice the rate is {2 * found.rates[t]:.10g}", t)  # fmt: skip


def _only_lr_doubled(one: Schedule, other: Schedule) -> bool:
    a, b = one.parameters, other.parameters
    return a.keys() == b.keys() and all(
        b[n] == (2 * v if n.startswith("lr") and "min" not in n and "end" not in n else v)
        for n, v in a.items()
    )
