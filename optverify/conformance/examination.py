"""The checks of one optimizer against one rule, and, where they part, the search for what it is instead."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from optverify.conformance import names
from optverify.conformance.probes import Probe, bank
from optverify.conformance.protocol import Make
from optverify.conformance.reference import Run, compare, largest_ulps, matches, run_box, run_rule
from optverify.conformance.sandbox import is_ours, raised
from optverify.conformance.verdict import Alternative, Outcome, Verdict
from optverify.language import Rule
from optverify.language.library import Entry
from optverify.language.messages import unknown
from optverify.libraries import library
from optverify.libraries import names as libraries
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
FITTED = ("random", "lr_change", "near_epsilon", "mixed_sizes", "zero_gradient", "steady")
"""Checks whose updates constants are fitted to."""
PATIENCE = 6.0
"""Seconds for the search of a dialect that does match."""


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
        self._pace = 0.0
        self.cut_short = False

    def verdict(self, only: Collection[str] | None = None) -> Verdict:
        """Run all checks, or these. ValueError for one that is not known, or for a value that is missing."""
        began = time.monotonic()
        self.on_check(START)
        try:
            outcomes = [self.outcome(name) for name in self.chosen(only)]
        except Exception as error:  # of the user's code, unless it is ours
            if is_ours(error):
                raise
            return self._not_made(error)
        verdict = Verdict(
            subject=self.subject,
            rule=self.wanted.rule.name,
            options=self.wanted.shown_options,
            values={n: self.values[n] for n in _read(self.wanted.rule, self.values)},
            origin=self.origin,
            outcomes=tuple(outcomes),
            like=self.wanted.like,
            notes=tuple(self._notes()),
        )
        if any(o.status == "departs" for o in outcomes):
            verdict = replace(verdict, alternatives=self.alternatives, notes=(*verdict.notes, *self._said()))
        return replace(verdict, seconds=time.monotonic() - began)

    def _not_made(self, error: Exception) -> Verdict:
        """The verdict on an optimizer that cannot even be made."""
        shows = "it can be made, and makes an update"
        outcome = Outcome(START, shows, "raises", detail=raised(error))
        wanted = self.wanted
        return Verdict(self.subject, wanted.rule.name, wanted.shown_options, {}, {}, (outcome,), wanted.like)

    @cached_property
    def _first(self) -> tuple[Mapping[str, float], str]:
        """The hyperparameters the box shows, and the type in which it computes: float64 if it can."""
        for dtype in ("float64", "float32"):
            first = bank(self.wanted.rule, {}, dtype, long=0)[0].first(1)
            run = run_box(self.make, first, self.adapter)
            if not run.unsupported:
                return run.hyperparameters, dtype
        return {}, "float64"

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
        probe = self._probe(name)
        if name in FLOAT32 and self.dtype == "float32":
            return Outcome(name, probe.note, "not applicable", detail="all checks are run in float32")
        return self._compared(name, probe)

    def _probe(self, name: str) -> Probe:
        if name in FLOAT32:
            single = bank(self.wanted.rule, self.values, "float32", long=0)
            return next(p for p in single if p.name == FLOAT32[name])
        probe = self.probes[name]
        if name == LONG and self._pace > 0:
            return probe.first(min(len(probe.steps), int(LONGEST / self._pace)))
        return probe

    def box(self, name: str) -> Run:
        """The optimizer on a probe."""
        if name not in self._runs:
            probe = self._probe(name)
            began = time.monotonic()
            self._runs[name] = run_box(self.make, probe, self.adapter, states=len(probe.steps) <= SHORT)
            if name == "random":
                self._pace = (time.monotonic() - began) / len(probe.steps)
        return self._runs[name]

    # ---- checks ------------------------------------------------------------------------------------------

    def _compared(self, name: str, probe: Probe) -> Outcome:
        blank = Outcome(name, probe.note, "not applicable")
        if name == LONG and len(probe.steps) < FEWEST:
            return replace(blank, detail=f"an update takes {1e3 * self._pace:.0f} ms: too slow for thousands")
        box = self.box(name)
        if not box.count:
            detail = box.unsupported or _stopped(box)
            return replace(blank, status="not applicable" if box.unsupported else "raises", detail=detail)
        try:
            expected, clock = self._expected(probe, box)
        except (ValueError, np.linalg.LinAlgError) as error:
            return replace(blank, detail=f"the rule does not take it: {error}")
        departure = compare(box, expected, rule=self.wanted.rule)
        found = replace(blank, tolerance=expected.tolerance, ulps=largest_ulps(box, expected))
        if departure is None:
            late = f"from update {box.failed} on: {box.unsupported}" if box.unsupported else ""
            return replace(found, status="not applicable" if late else "matches", detail=late or clock)
        if departure.of == "error":
            return replace(found, status="raises", departure=departure, detail=_stopped(box))
        return replace(found, status="near miss" if departure.near else "departs", departure=departure)

    def _expected(self, probe: Probe, box: Run) -> tuple[Run, str]:
        """The rule on the probe: with the counter of each parameter its own, unless a shared one fits."""
        rule, values = self.wanted.rule, self._given(self.wanted.rule)
        keep = len(probe.steps) <= SHORT
        own = run_rule(rule, values, probe, states=keep)
        if not probe.partial or matches(box, own):
            return own, ""
        shared = run_rule(rule, values, probe, clock="shared", states=keep)
        if matches(box, shared):
            return shared, "t goes on for a parameter without a gradient"
        return own, ""

    def _given(self, rule: Rule) -> dict[str, float]:
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
        again = run_box(self.make, self._probe("random"), self.adapter)
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
        spoiled = sorted({k for run in self._runs.values() for k in run.spoiled})
        if spoiled:
            yield _spoils(spoiled)
        for name, value in self.wanted.given.items():
            if name in self.own and self.own[name] != value:
                yield f"{name}={value:g} was given, and the optimizer says {self.own[name]:g}"

    def _said(self) -> Iterator[str]:
        """What should be known of a departure: of the library asked for, and of the search."""
        if self.cut_short:
            yield f"the search for a dialect was given up after {PATIENCE:g} s"
        if self.wanted.like is not None and self.wanted.entry.note:
            yield f"{self.wanted.entry.spelled}: {self.wanted.entry.note}"

    # ---- what it is instead ------------------------------------------------------------------------------

    @cached_property
    def alternatives(self) -> tuple[Alternative, ...]:
        """Dialects of the rule with which every check agrees: those nearest to the one asked for.

        Where there is none, the same dialect with other values of its hyperparameters.
        """
        found = self._dialects()
        if not found and (other := self._constants()) is not None:
            found = [other]
        return tuple(found)

    def _dialects(self) -> list[Alternative]:
        kept = [n for n in self.probes if n != LONG or len(self._probe(n).steps) >= FEWEST]
        runs = {n: self.box(n) for n in kept if self.box(n).count and not self.box(n).error}
        order = sorted(runs, key=lambda n: len(self._probe(n).steps))
        until = time.monotonic() + PATIENCE
        found: list[Alternative] = []
        nearest = 0
        for away, candidate in self._candidates():
            if found and away > nearest:
                break
            if time.monotonic() > until:
                self.cut_short = not found
                break
            if all(self._fits(candidate, n, runs[n]) for n in order):
                nearest = away
                found.append(self._alternative(candidate))
        return found

    def _constants(self) -> Alternative | None:
        """The dialect asked for with fitted constants, if every check then agrees."""
        from optverify.conformance.batch import batched
        from optverify.conformance.fit import Model, snapped, solve
        from optverify.conformance.search import record

        rule = self.wanted.rule
        runs = [(self._probe(n), self.box(n)) for n in FITTED if n in self.probes]
        records = [record(probe, run) for probe, run in runs if run.count and not run.error]
        started = {n: self.values[n] for n in _read(rule, self.values)}
        if not records or not started:
            return None
        if self.origin.get("lr") == "default":
            del started["lr"]
        model = Model(rule, batched(rule))
        best = solve(model, records, started)
        if not best.matches:
            return None
        values = snapped(best, records, {n: (v,) for n, v in self.values.items()}).values
        changed = {n: v for n, v in values.items() if v != self.values.get(n)}
        again = replace(self.wanted, given={**self.wanted.given, **changed})
        exam = Examination(self.make, again, self.adapter, self.subject)
        if not changed or not all(exam.outcome(n).ok for n in exam.chosen(None)):
            return None
        return Alternative(rule.name, rule.changed_options, changed)

    def _candidates(self) -> Iterator[tuple[int, Rule]]:
        """The other dialects, with how many options are changed, the fewest first; written one by one."""
        wanted = self.wanted.rule
        choices = itertools.product(*(axis.options for axis in wanted.axes))
        options = [dict(zip(wanted.options, choice, strict=True)) for choice in choices]

        def away(chosen: Mapping[str, Any]) -> tuple[int, int]:
            moved = sum(chosen[a] != o for a, o in wanted.options.items())
            return moved, sum(chosen[axis.name] != axis.default for axis in wanted.axes)

        for chosen in sorted(options, key=away):
            if chosen != wanted.options and not any(e.applies(chosen) for e in wanted.excluded):
                yield away(chosen)[0], wanted.dialect(**chosen)

    def _fits(self, candidate: Rule, name: str, box: Run) -> bool:
        probe = self._probe(name)
        try:
            expected = run_rule(candidate, self._given(candidate), probe, states=False)
            if matches(box, expected):
                return True
            return probe.partial and matches(
                box, run_rule(candidate, self._given(candidate), probe, clock="shared", states=False)
            )
        except (ValueError, KeyError, TypeError, np.linalg.LinAlgError):
            return False

    def _alternative(self, candidate: Rule) -> Alternative:
        family = rule_named(candidate.name)
        plain = {a: o for a, o in candidate.options.items() if o != family.options[a]}
        return Alternative(candidate.name, plain, libraries=_libraries(candidate))


def _libraries(candidate: Rule) -> tuple[str, ...]:
    """The titles of the libraries that have this dialect by default."""
    found = []
    for name in libraries():
        for entry in library(name).entries:
            if (
                entry.rule == candidate.name
                and rule_named(entry.rule, like=name).options == candidate.options
            ):
                found.append(library(name).title)
    return tuple(found)


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
