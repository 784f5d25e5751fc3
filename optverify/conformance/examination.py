"""The checks of one optimizer against one rule."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from optverify.conformance import names
from optverify.conformance.alternatives import PATIENCE, alternatives
from optverify.conformance.nearness import explained, is_near, milder
from optverify.conformance.paths import disagreements
from optverify.conformance.probes import Probe, bank
from optverify.conformance.protocol import Make
from optverify.conformance.reference import Departure, Run, compare, largest_ulps, run_box, run_rule
from optverify.conformance.sandbox import is_ours, raised
from optverify.conformance.verdict import Alternative, Outcome, Status, Verdict
from optverify.language import Rule
from optverify.language.library import Entry
from optverify.language.messages import unknown
from optverify.libraries import library
from optverify.optimizers.dialects import check_read
from optverify.rules import rule as rule_named

FLOAT32 = {"float32": "random", "float32_mixed": "mixed sizes"}
"""Checks in float32 -> the probe."""
START, LONG = "start", "long"
UNTOUCHED, REPRODUCIBLE = "gradients_untouched", "reproducible"
LONGEST = 0.6
"""Seconds that the probe of thousands of updates may take: a slow box gets fewer, but FEWEST at least."""
FEWEST = 100
SHORT = 50
"""Updates of a probe of which the states are kept."""


# ---- what is asked -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """A rule in the dialect that was asked for. chosen: the options given; given: hyperparameters given."""

    rule: Rule
    like: str | None
    chosen: Mapping[str, Any]
    given: Mapping[str, float]

    @classmethod
    def asked(cls, rule: str | Rule, like: str | None, keywords: Mapping[str, Any]) -> Wanted:
        """From what the user wrote; ValueError with the nearest name for what is not known."""
        family = rule if isinstance(rule, Rule) else rule_named(rule, like=like)
        axes = {axis.name for axis in family.axes}
        chosen = {n: v for n, v in keywords.items() if n in axes}
        found = family.dialect(**{**family.options, **chosen}) if chosen else family
        given = {}
        for name, value in keywords.items():
            if name in chosen:
                continue
            if name not in [h.name for h in family.every_hyperparameter]:
                known = [*axes, *(h.name for h in family.every_hyperparameter)]
                raise ValueError(f"rule {family.name!r}: {unknown('option or hyperparameter', name, known)}")
            check_read(family, found, name)
            given[name] = found.hyperparameter(name).check(value)
        return cls(found, like, chosen, given)

    @property
    def entry(self) -> Entry:
        """What we know of the rule in that library."""
        assert self.like is not None
        return library(self.like).entry(self.rule.name)

    @property
    def shown_options(self) -> dict[str, Any]:
        """The options to be named beside the library, or all that differ from the default."""
        return dict(self.chosen) if self.like else dict(self.rule.changed_options)


# ---- the examination ---------------------------------------------------------------------------------------


class Examination:
    """The checks of one optimizer against one rule; runs are kept for the search after a departure."""

    def __init__(
        self,
        make: Make,
        wanted: Wanted,
        adapter: str | None = None,
        subject: str = "the optimizer",
        on_check: Callable[[str], None] = lambda name: None,
    ) -> None:
        self.make, self.wanted, self.adapter, self.subject = make, wanted, adapter, subject
        self.on_check = on_check
        self._runs: dict[str, Run] = {}
        self._seconds: dict[str, float] = {}

    def verdict(self, only: Collection[str] | None = None) -> Verdict:
        """Run all checks, or these. ValueError for one that is not known, or for a value that is missing."""
        began = time.monotonic()
        self.on_check(START)
        try:
            chosen = self.chosen(only)
            if self.values.get("lr") == 0:
                return self._failed_at_once("it moves", "fails", "it never moves: lr is 0")
            outcomes = [self.outcome(name) for name in chosen]
        except Exception as error:  # of the user's code, unless it is ours
            if is_ours(error):
                raise
            return self._failed_at_once("it can be made, and makes an update", "raises", raised(error))
        verdict = Verdict(
            subject=self.subject,
            rule=self.wanted.rule.name,
            options=self.wanted.shown_options,
            values={n: self.values[n] for n in _read(self.wanted.rule, self.values)},
            origin=self.origin,
            outcomes=tuple(outcomes),
            like=self.wanted.like,
            notes=(*self._notes(), *(self._paths() if only is None else ())),
        )
        if any(o.status == "departs" for o in outcomes):
            others, cut = self._alternatives
            verdict = replace(verdict, alternatives=others, notes=(*verdict.notes, *self._said(cut)))
        return replace(verdict, seconds=time.monotonic() - began)

    def _failed_at_once(self, shows: str, status: Status, detail: str) -> Verdict:
        """The verdict on an optimizer that cannot be made, or does nothing."""
        outcome = Outcome(START, shows, status, detail=detail)
        wanted = self.wanted
        return Verdict(self.subject, wanted.rule.name, wanted.shown_options, {}, {}, (outcome,), wanted.like)

    @cached_property
    def _first(self) -> tuple[Mapping[str, float], str, str]:
        """The hyperparameters the box shows, the type in which it computes (float64 if it can), a remark."""
        remark = ""
        for dtype in ("float64", "float32"):
            first = bank(self.wanted.rule, {}, dtype, long=0)[0].first(1)
            run = run_box(self.make, first, self.adapter)
            if not run.unsupported:
                return run.hyperparameters, dtype, remark
            remark = run.unsupported if run.narrowed else ""
        return {}, "float64", ""

    @property
    def dtype(self) -> str:
        """The type in which it computes."""
        return self._first[1]

    @cached_property
    def own(self) -> dict[str, float]:
        """The hyperparameters that it shows, by our names."""
        return names.ours(self.wanted.rule, self._first[0], self.wanted.like or self.adapter)

    @cached_property
    def values(self) -> dict[str, float]:
        """Every hyperparameter: given, its own, or a default."""
        rule = self.wanted.rule
        defaults = {h.name: h.default for h in rule.every_hyperparameter if h.default is not None}
        values: dict[str, float] = {**defaults, **self.own, **self.wanted.given}
        missing = [h.name for h in rule.hyperparameters if h.name not in values]
        if missing:
            raise ValueError(
                f"rule {rule.name!r} has no default for {', '.join(missing)}, and the optimizer does not "
                f"show it: give {missing[0]}=..."
            )
        return values

    @property
    def origin(self) -> dict[str, str]:
        """Where each value comes from."""
        said = dict.fromkeys(self.own, "its own") | dict.fromkeys(self.wanted.given, "given")
        return {n: said.get(n, "default") for n in self.values}

    @cached_property
    def probes(self) -> dict[str, Probe]:
        """The bank, by the names of the checks."""
        return {slug(p.name): p for p in bank(self.wanted.rule, self.values, self.dtype)}

    def chosen(self, only: Collection[str] | None) -> list[str]:
        """The names of the checks to run; ValueError for one that is not known."""
        if only is None:
            return [*self.probes, *FLOAT32, REPRODUCIBLE]
        known = [*self.probes, *FLOAT32, REPRODUCIBLE, UNTOUCHED]
        for name in only:
            if name not in known:
                raise ValueError(unknown("check", name, known))
        return [name for name in known if name in only]

    def outcome(self, name: str) -> Outcome:
        """Run a check."""
        self.on_check(name)
        if name == UNTOUCHED:
            return self._untouched()
        if name == REPRODUCIBLE:
            return self._reproducible()
        probe = self.probe(name)
        if name in FLOAT32 and self.dtype == "float32":
            return Outcome(name, probe.note, "not applicable", detail="all checks are run in float32")
        return self._compared(name)

    def probe(self, name: str) -> Probe:
        """The probe of a check."""
        if name in FLOAT32:
            single = bank(self.wanted.rule, self.values, "float32", long=0)
            return next(p for p in single if p.name == FLOAT32[name])
        probe = self.probes[name]
        return probe.first(self._bearable) if name == LONG else probe

    @cached_property
    def _bearable(self) -> int:
        """The updates of the long probe that take no longer than LONGEST; the first run may have compiled."""
        paces = []
        for name in ("random", "sign_flips"):
            self.box(name)
            paces.append(self._seconds[name] / len(self.probe(name).steps))
        return min(len(self.probes[LONG].steps), int(LONGEST / max(min(paces), 1e-6)))

    def box(self, name: str) -> Run:
        """The optimizer on a probe."""
        if name not in self._runs:
            probe = self.probe(name)
            began = time.monotonic()
            self._runs[name] = run_box(self.make, probe, self.adapter, states=len(probe.steps) <= SHORT)
            self._seconds[name] = time.monotonic() - began
        return self._runs[name]

    # ---- checks ------------------------------------------------------------------------------------------

    def _compared(self, name: str) -> Outcome:
        blank = Outcome(name, self.probe(name).note, "not applicable")
        if not self.is_run(name):
            pace = 1e3 * LONGEST / max(self._bearable, 1)
            return replace(blank, detail=f"an update takes {pace:.0f} ms: too slow for thousands")
        box = self.box(name)
        if not box.count:
            detail = box.unsupported or _stopped(box)
            return replace(blank, status="not applicable" if box.unsupported else "raises", detail=detail)
        try:
            expected, clock, departure = self._expected(name, box)
        except (ValueError, np.linalg.LinAlgError) as error:
            return replace(blank, detail=f"the rule does not take it: {error}")
        found = replace(blank, tolerance=expected.tolerance, ulps=largest_ulps(box, expected))
        if departure is None:
            late = f"from update {box.failed} on: {box.unsupported}" if box.unsupported else ""
            return replace(found, status="not applicable" if late else "matches", detail=late or clock)
        return self._departed(replace(found, departure=departure), box, expected)

    def _departed(self, found: Outcome, box: Run, expected: Run) -> Outcome:
        """What kind of departure it is."""
        assert found.departure is not None
        if found.departure.of == "error":
            return replace(found, status="raises", detail=_stopped(box))
        if (why := self._excuse(found.check, box, expected, found.departure)) is not None:
            return replace(found, status="near miss", detail=why)
        return replace(found, status="departs")

    def _expected(self, name: str, box: Run) -> tuple[Run, str, Departure | None]:
        """The rule on the probe: each parameter with its own counter, unless a shared one fits better."""
        rule, values, probe = self.wanted.rule, self.given(self.wanted.rule), self.probe(name)
        keep = len(probe.steps) <= SHORT
        own = run_rule(rule, values, probe, states=keep)
        first = compare(box, own, rule=rule)
        if not probe.partial or first is None or is_near(box, own, first, self._tolerance):
            return own, "", first
        shared = run_rule(rule, values, probe, clock="shared", states=keep)
        second = compare(box, shared, rule=rule)
        if second is None or is_near(box, shared, second, self._tolerance):
            return shared, "t goes on for a parameter without a gradient", second
        return own, "", first

    def _excuse(self, name: str, box: Run, expected: Run, departure: Departure) -> str | None:
        """Why a departure is that of numbers in float32, and no other rule; None if it is not."""
        rule, probe = self.wanted.rule, self.probe(name)
        if is_near(box, expected, departure, self._tolerance):
            return ""
        if probe.dtype == "float32" and explained(rule, self.given(rule), probe, box, expected):
            return "as far from the rule as its hyperparameters in float32 are"
        if name == "huge" and self.dtype == "float64" and self._overflows(milder(probe)):
            return "its numbers in float32 overflow; with gradients of 1e10 it is near"
        return None

    @property
    def _tolerance(self) -> float:
        return self.wanted.entry.tolerance if self.wanted.like else 0.0

    def _overflows(self, probe: Probe) -> bool:
        """True if gradients that float32 can hold, and square, bring the box near the rule."""
        box = run_box(self.make, probe, self.adapter, states=False)
        expected = run_rule(self.wanted.rule, self.given(self.wanted.rule), probe, states=False)
        departure = compare(box, expected)
        return departure is not None and is_near(box, expected, departure, self._tolerance)

    # ---- other checks ------------------------------------------------------------------------------------

    def given(self, rule: Rule) -> dict[str, float]:
        """Values for run_rule, in which lr is the probe's."""
        return {n: self.values[n] for n in _read(rule, self.values) if n != "lr"}

    def _untouched(self) -> Outcome:
        spoiled = sorted({k for name in ("random", "zeros_later") for k in self.box(name).spoiled})
        shows = "the gradients that it is given stay as they are"
        if self.box("random").unsupported:
            return Outcome(UNTOUCHED, shows, "not applicable", detail=self.box("random").unsupported)
        if not spoiled:
            return Outcome(UNTOUCHED, shows, "matches")
        return Outcome(UNTOUCHED, shows, "fails", detail=_spoils(spoiled))

    def _reproducible(self) -> Outcome:
        first = self.box("random")
        shows = "a second optimizer, made alike, does the same"
        if first.unsupported:
            return Outcome(REPRODUCIBLE, shows, "not applicable", detail=first.unsupported)
        again = run_box(self.make, self.probe("random"), self.adapter)
        for k, (a, b) in enumerate(zip(first.params, again.params, strict=False)):
            if not all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a, b, strict=True)):
                text = (
                    f"made and driven again in the same way, it gives other numbers from update {k} on: it "
                    "keeps state from one run to the next (hand in its class, or a function that makes a "
                    "fresh one), or it is random"
                )
                return Outcome(REPRODUCIBLE, shows, "fails", detail=text)
        return Outcome(REPRODUCIBLE, shows, "matches")

    def _notes(self) -> Iterator[str]:
        """What was seen besides."""
        if self._first[2]:
            yield self._first[2]
        spoiled = sorted({k for run in self._runs.values() for k in run.spoiled})
        if spoiled:
            yield _spoils(spoiled)
        for name, value in self.wanted.given.items():
            if name in self.own and self.own[name] != value:
                yield f"{name}={value:g} was given, and the optimizer says {self.own[name]:g}"

    def _paths(self) -> Iterator[str]:
        """Where foreach, fused and the like do not compute the same."""
        for found in disagreements(self.make, self.adapter, self.dtype):
            yield f"its paths disagree: {found}"

    def _said(self, cut_short: bool) -> Iterator[str]:
        """What should be known of a departure: of the library asked for, and of the search."""
        if cut_short:
            yield f"the search for a dialect was given up after {PATIENCE:g} s"
        if self.wanted.like is not None and self.wanted.entry.note:
            yield f"{self.wanted.entry.spelled}: {self.wanted.entry.note}"

    # ---- what it is instead ------------------------------------------------------------------------------

    @cached_property
    def _alternatives(self) -> tuple[tuple[Alternative, ...], bool]:
        return alternatives(self)

    def is_run(self, name: str) -> bool:
        """False for the long probe where the box is too slow for it."""
        return name != LONG or len(self.probe(name).steps) >= FEWEST

    def agrees_with(self, values: Mapping[str, float]) -> bool:
        """True if every check agrees with these values instead."""
        again = replace(self.wanted, given={**self.wanted.given, **values})
        exam = Examination(self.make, again, self.adapter, self.subject)
        return all(exam.outcome(name).ok for name in exam.chosen(None))


def _stopped(box: Run) -> str:
    return f"{box.error}, in update {box.failed}"


def _spoils(updates: list[int]) -> str:
    more = "..." if len(updates) > 3 else ""
    return f"it writes into the gradients that it is given (update {', '.join(map(str, updates[:3]))}{more})"


def slug(name: str) -> str:
    """The name of a probe as that of a check: `spike, then zeros` is `spike_then_zeros`."""
    return "_".join("".join(c if c.isalnum() else " " for c in name).split())


def _read(rule: Rule, values: Mapping[str, float]) -> list[str]:
    return [h.name for h in rule.hyperparameters if h.name in values]
