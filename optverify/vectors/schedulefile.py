"""The file of a schedule: groups of arguments and options, and its values at seams, ends and beyond them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp

from optverify.language import FormulaSchedule, Schedule, ScheduleFamily
from optverify.language.clock import NumberFunction
from optverify.schedules import registry, schedule
from optverify.vectors.formats import exact_text, hex_text
from optverify.vectors.header import FORMAT, VERSION, generator, notes, schedule_header
from optverify.vectors.kinds import KINDS
from optverify.vectors.numbers import PRECISION, Number
from optverify.vectors.rivals import alternatives
from optverify.vectors.running import SPARE_BITS

File = dict[str, Any]
Arguments = dict[str, Any]
ETA = "eta"
COMPOSED = "composed"
"""The file of schedules made of schedules."""

ARGUMENTS: Mapping[str, Any] = {
    "lr": 0.125, "lr_min": 0.0078125, "lr_end": 0.015625, "total": 12, "warmup": 5, "factor": 0.25, "T_0": 4,
    "T_mult": 3, "M_mult": 0.75, "step_size_up": 3, "step_size_down": 5, "gamma": 0.875, "decay_steps": 3,
    "decay_rate": 0.5, "milestones": (3, 7, 8), "factors": (0.5, 0.25, 0.75), "d_model": 64,
    "pct_start": 0.25, "pct_final": 0.625, "div_factor": 16.0, "final_div_factor": 1024.0, "power": 0.75,
    "exponent": 1.5, "step_size": 4,
}  # fmt: skip
"""Short dyadic numbers, and counts that are not multiples of each other."""
EXTRA: Mapping[str, Mapping[str, Arguments]] = {
    "cosine_warm_restarts": {
        "T_mult=10": {"T_0": 1, "T_mult": 10}, "T_0=1,T_mult=3": {"T_0": 1, "T_mult": 3},
        "T_mult=1": {"T_0": 7, "T_mult": 1}, "T_mult=100": {"T_0": 3, "T_mult": 100, "M_mult": 0.5},
    },
    "one_cycle": {"total=100": {"total": 100}},
    "cosine": {"total=1": {"total": 1}, "total=7": {"total": 7}},
    "linear": {"total=1": {"total": 1}},
    "polynomial": {"power=2": {"power": 2.0}},
    "wsd": {"warmup=1": {"warmup": 1, "decay_steps": 1}},
}  # fmt: skip
"""Schedule -> group -> further arguments: where seams are known to be missed."""
FAR = 2**31 + 1
"""A time that is no int32 and no float32."""
LATE = 4096
"""A time at which powers are still numbers that can be written."""
COMPOSED_SPAN = 20
"""Updates in which every composed schedule has taken all its turns."""


@dataclass(frozen=True)
class Group:
    """A schedule with its arguments. rival: True if it shares its arguments with the default options."""

    name: str
    schedule: Schedule
    comment: str
    rival: bool = True


def groups(name: str) -> Iterator[Group]:
    """Default options, each one option away, plain arguments, and where seams are known to be missed."""
    family = registry.get(name)
    arguments = {h.name: _argument(h, ARGUMENTS) for h in family.hyperparameters}
    yield Group("default", family(**arguments), "the usual options")
    for axis in family.axes:
        for option, meaning in axis.options.items():
            if option != axis.default:
                word = str(option).lower() if isinstance(option, bool) else option.replace("/", "_over_")
                yield Group(f"{axis.name}={word}", family(**arguments, **{axis.name: option}), meaning)
    needed = {h.name: arguments[h.name] for h in family.hyperparameters if h.default is None}
    if needed != arguments:
        yield Group("plain", family(**needed), "arguments that may be left out are left out", rival=False)
    for label, more in EXTRA.get(name, {}).items():
        yield Group(label, family(**(arguments | more)), "other lengths", rival=False)


def _argument(h: Any, table: Mapping[str, Any]) -> Any:
    return table.get(h.name, h.default)


def composed() -> Iterator[Group]:
    """Schedules made of schedules, on their own clock and on the common one."""
    warm = schedule("linear_warmup", lr=0.125, warmup=5)
    cosine = schedule("cosine", lr=0.125, lr_min=0.0078125, total=12)
    restarts = schedule("cosine_warm_restarts", lr=0.125, T_0=4, T_mult=3)
    steps = schedule("step", lr=0.5, step_size=4, gamma=0.5)
    held = schedule("constant", lr=0.125)
    for label, made, comment in (
        ("join=own", warm.then(cosine, at=5), "warm-up, then a cosine that begins at 0 where it takes over"),
        (
            "join=common",
            warm.then(cosine, at=5, clock="common"),
            "warm-up, then a cosine that has run since t = 0",
        ),
        ("join=restarts", warm.then(restarts, at=5), "warm-up, then warm restarts"),
        (
            "join=three",
            warm.then(held, at=5).then(schedule("linear", lr=0.125, total=4), at=9),
            "three pieces",
        ),
        (
            "product",
            schedule("constant_warmup", lr=1.0, warmup=5, factor=0.25) * steps,
            "both read the same t",
        ),
        ("shifted", cosine.shifted(3), "begun three updates earlier"),
        ("shifted_back", cosine.shifted(-3), "begun three updates later"),
        ("repeated", cosine.repeated(), "over and over"),
        ("at_least", steps.at_least(0.09375), "never below a floor"),
    ):
        yield Group(label, made, comment, rival=label.startswith("join="))


# ---- times -----------------------------------------------------------------------------------------------


def times(made: Schedule) -> dict[str, tuple[list[int], str, tuple[str, ...]]]:
    """Probe -> (times, comment, flags)."""
    end = COMPOSED_SPAN if len(made.formulas) > 1 else made.end or 16
    seams = _seams(made)
    found = {
        "curve": (list(range(end + 4)), "every update to just after the end", ("Start", "Seam", "End")),
        "beyond": ([end, end + 1, 2 * end - 1, 2 * end, 2 * end + 1, 3 * end + 1, 1000],
                   "after the end", ("End", "BeyondEnd")),
        "late": ([LATE - 1, LATE, *([] if _carried(made) else [FAR - 1, FAR])],
                 "very late", ("BeyondEnd", "LargeTime")),
    }  # fmt: skip
    if seams:
        found["restarts"] = (seams, "before, at and after exact restarts", ("Restart", "Seam", "LargeTime"))
    if len(made.formulas) > 1:
        found["curve"] = (*found["curve"][:2], ("Start", "Seam", "Joined"))
    return found


def _seams(made: Schedule) -> list[int]:
    """Around the starts of cycles that grow, up to some 10^9."""
    first, factor = (made.parameters.get(n) for n in ("T_0", "T_mult"))
    if not isinstance(made, FormulaSchedule) or not isinstance(first, int) or not isinstance(factor, int):
        return []
    starts, length = [0], first
    while starts[-1] + length < 2**31 and len(starts) < 16:
        starts.append(starts[-1] + length)
        length *= factor
    return sorted({s + d for s in starts[1:] for d in (-1, 0, 1)})


def _carried(made: Schedule) -> bool:
    """True if the rate is a power in t: exact values then take as many digits as t has units."""

    def slow(e: sp.Basic) -> bool:
        """Cycles of one length are counted like t itself, growing ones are few."""
        return isinstance(e, NumberFunction) and e.args[-1] != 1

    counted = made.substituted.replace(slow, lambda e: sp.Dummy())
    return any(p.exp.has(made.t) for p in counted.atoms(sp.Pow, sp.exp))


# ---- the files ---------------------------------------------------------------------------------------------


def schedule_file(name: str) -> File:
    """The vectors of a schedule, ready to be written."""
    family: ScheduleFamily = registry.get(name)
    return _file(f"schedule/{name}", schedule_header(family), groups(name))


def composed_file() -> File:
    """The vectors of schedules made of schedules."""
    head = {
        "format": FORMAT, "version": VERSION, "generator": generator(), "kind": "schedule",
        "schedule": COMPOSED, "title": "Composed schedules",
        "summary": "Schedules joined, multiplied, shifted, repeated and bounded.",
        "sources": [],
    }  # fmt: skip
    return _file(f"schedule/{COMPOSED}", head, composed())


def _file(ident: str, head: File, found: Iterator[Group]) -> File:
    made: list[File] = []
    rivals: dict[str, list[File]] = {}
    flags = set[str]()
    for group in found:
        tests = list(_tests(f"{ident}/{group.name}", group.schedule))
        for test in tests:
            flags.update(test["flags"])
            if group.rival:
                same = rivals.setdefault(test["id"].rpartition("/")[2], [])
                same += [test] if not same or same[0]["t"] == test["t"] else []
        made.append({"id": f"{ident}/{group.name}", "comment": group.comment,
                     "config": group.schedule.config(), "tests": tests})  # fmt: skip
    return {
        **head,
        "notes": notes(sorted(flags)),
        "groups": made,
        "alternatives": alternatives(rivals),
    }


def _tests(ident: str, made: Schedule) -> Iterator[File]:
    """The tests of one schedule.

    Tolerances: a unit of its largest value for each operation of the formula, as no part of it is larger, and
    one an update where programs may carry a rate from each update to the next.
    """
    probes = times(made)
    values = {name: [value(made, now) for now in at] for name, (at, _, _) in probes.items()}
    scale = max(x.size for row in values.values() for x in row)
    operations = sum(int(e.count_ops()) for _, e in made.lines)
    for name, (at, comment, flags) in probes.items():
        units = 1 + operations + (max(at) if _carried(made) or max(at) < 1000 else 0)
        row = values[name]
        ulps = {k: units if units < 2 ** (kind.bits - SPARE_BITS) else None for k, kind in KINDS.items()}
        if max(at) >= 2**24:
            ulps["float32"] = None
        yield {
            "id": f"{ident}/{name}",
            "comment": comment,
            "flags": list(flags),
            "t": at,
            "scale": hex_text(Fraction(scale), KINDS["float64"]),
            "expected": {ETA: _columns(row)},
            "ulps": {k: None if u is None else {ETA: u} for k, u in ulps.items()},
            **({"why": {"float32": "t, or the rounding of so many updates, is beyond its digits"}}
               if ulps["float32"] is None else {}),
        }  # fmt: skip


def _columns(row: Sequence[Number]) -> File:
    fractions = [x.fraction() for x in row]
    return {
        "exact": [exact_text(x) for x in row],
        **{name: [hex_text(x, kind) for x in fractions] for name, kind in KINDS.items()},
    }


def value(made: Schedule, now: int) -> Number:
    """The rate after so many updates, exactly or to 77 digits; numbers as they are written, 0.1 as 1/10."""
    found = made.substituted.subs(made.t, sp.Integer(now)).doit()
    if found.is_Rational:
        return Number(Fraction(int(found.p), int(found.q)))
    digits = sp.N(found, int(PRECISION * 0.30103))
    return Number(Fraction(0) if digits == 0 else digits._mpf_)
