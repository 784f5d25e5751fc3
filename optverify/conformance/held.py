"""A box on every probe of the bank, beside the rule that was found."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from optverify.conformance.fit import Fit
from optverify.conformance.looking import Seen, run_whole
from optverify.conformance.model import Values
from optverify.conformance.probes import Probe, bank
from optverify.conformance.protocol import Make
from optverify.conformance.reference import (
    Departure,
    Run,
    compare,
    largest_relative,
    matches,
    run_rule,
)
from optverify.language import Rule

LONG = 300
LOOSE = 1e-8
"""What an update may be off where a constant could not be found to the last digit."""


class Driven:
    """A box that is driven through each probe once, whichever rules it is then held against."""

    def __init__(self, make: Make, adapter: str | None, seen: Seen) -> None:
        self.make, self.adapter, self.seen = make, adapter, seen
        self.kept: dict[tuple[str, float, bytes], Run] = {}

    def run(self, probe: Probe) -> Run:
        """What it does."""
        last = next((g for g in probe.steps[-1].grads if g is not None), np.zeros(0))
        key = (probe.name, probe.lr, last.tobytes())
        if key not in self.kept:
            self.kept[key] = run_whole(self.make, probe, self.adapter)
        return self.kept[key]


class Checks:
    """The box on every probe of the bank, beside the rule that was found."""

    def __init__(self, box: Driven, rule: Rule, values: Values) -> None:
        self.box, self.rule, self.values = box, rule, values
        seen = box.seen
        shape = {2: None, 1: (6,), 0: ()}.get(len(seen.shape))
        self.probes = bank(rule, values, seen.dtype, shape=shape, long=LONG)
        self.runs: list[tuple[Probe, Run]] = []
        self.departure: Departure | None = None
        self.failed, self.note = "", ""
        self.notes: list[str] = []
        self.updates, self.worst, self.skipped = 0, 0.0, 0
        for probe in self.probes:
            self.check(probe)

    @property
    def holds(self) -> bool:
        """True if nothing departs by more than numbers in float32 do."""
        return self.departure is None or self.departure.near

    def given(self, rule: Rule) -> dict[str, float]:
        """The constants that a rule reads, but lr."""
        read = {h.name for h in rule.hyperparameters}
        return {n: v for n, v in self.values.items() if n in read and n != "lr"}

    def check(self, probe: Probe) -> None:
        """Compare on one probe; the first departure is kept."""
        if not self.box.seen.shape and len(probe.params) > 1:
            return
        run = self.box.run(probe)
        if not run.count or (run.unsupported and not run.count):
            self.skipped += 1
            return
        try:
            expected = run_rule(self.rule, self.given(self.rule), probe, states=False)
        except (ValueError, np.linalg.LinAlgError):
            self.skipped += 1
            return
        tolerance = max(expected.tolerance, LOOSE if self.loose() else 0.0)
        departure = compare(run, expected, tolerance)
        if departure is not None and probe.partial:
            shared = run_rule(self.rule, self.given(self.rule), probe, clock="shared", states=False)
            if compare(run, shared, tolerance) is None:
                self.notes.append("t goes on for a parameter without a gradient")
                departure, expected = None, shared
        if departure is not None and _overflowed(expected, departure):
            departure = None
        if departure is None:
            self.runs.append((probe, run))
            self.updates += run.count
            self.worst = max(self.worst, largest_relative(run, expected))
        elif self.departure is None or (self.departure.near and not departure.near):
            self.departure, self.failed, self.note = departure, probe.name, probe.note

    def loose(self) -> bool:
        """Is a constant not at a round number? Its last digits are then those of a fit."""
        known = set(self.box.seen.shown.values())
        return any(
            float(f"{v:.7g}") != v and v not in known and 1 - float(f"{1 - v:.7g}") != v
            for v in self.values.values()
        )

    def sure(self, best: Fit) -> str:
        """How sure: what agrees, and how well constants are known."""
        total = len(self.probes) - self.skipped
        text = (
            f"{len(self.runs)} of {total} probes agree ({self.updates} updates), largest relative error "
            f"{self.worst:.1e}"
        )
        vague = [
            f"{n} to {best.spread[n]:.0e}" for n, v in self.values.items()
            if 1e-6 * abs(v) < best.spread.get(n, 0.0) < math.inf and float(f"{v:.4g}") != v
        ]  # fmt: skip
        return text + (f"; known only roughly: {', '.join(vague)}" if vague else "")

    def alike(self) -> Iterator[tuple[Rule, str]]:
        """Dialects one or two axes away that agree with the box on every probe, and why."""
        order = sorted(self.runs, key=lambda pair: len(pair[0].steps))
        for other in self.rule.dialects():
            away = [a for a in other.options if other.options[a] != self.rule.options[a]]
            if not 0 < len(away) <= 1 or self.needs_more(other):
                continue
            if all(self.agrees(other, probe, run) for probe, run in order):
                yield other, self.why(away[0], other)

    def needs_more(self, other: Rule) -> bool:
        """Does it read a constant that is not known?"""
        own = {h.name for h in self.rule.hyperparameters}
        return any(h.name not in own for h in other.hyperparameters)

    def agrees(self, other: Rule, probe: Probe, run: Run) -> bool:
        """Does another dialect give the same on a probe?"""
        try:
            expected = run_rule(other, self.given(other), probe, states=False)
            return matches(run, expected, max(expected.tolerance, LOOSE if self.loose() else 0.0))
        except (ValueError, KeyError, TypeError, np.linalg.LinAlgError):
            return False

    def why(self, axis: str, other: Rule) -> str:
        """Why no probe tells a dialect from the one that was found."""
        zero = [n for n, v in self.values.items() if v == 0]
        if axis in ("lr_placement", "buffer") and not self.box.seen.settable:
            return "they differ once lr changes, and this optimizer's cannot be changed in mid-run"
        if zero:
            return f"the same while {' and '.join(f'{n} = 0' for n in zero)}"
        return "with these constants no probe that it takes shows a difference"


def _overflowed(expected: Run, departure: Departure) -> bool:
    """The rule itself is no number any more."""
    return not math.isfinite(departure.expected) and departure.of == "update"
