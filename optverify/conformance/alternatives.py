"""What an optimizer is, if it is not the dialect asked for: another one, or the same with other constants."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optverify.conformance.nearness import is_near
from optverify.conformance.reference import Clock, Run, compare, run_rule
from optverify.conformance.verdict import Alternative
from optverify.language import Rule
from optverify.libraries import library
from optverify.libraries import names as libraries
from optverify.rules import rule as rule_named

if TYPE_CHECKING:
    from optverify.conformance.examination import Examination

FITTED = ("random", "lr_change", "near_epsilon", "mixed_sizes", "zero_gradient", "steady")
"""Checks whose updates constants are fitted to."""
CLOCKS: tuple[Clock, ...] = ("own", "shared")
PATIENCE = 6.0
"""Seconds for the search of a dialect that does match."""


def alternatives(exam: Examination) -> tuple[tuple[Alternative, ...], bool]:
    """The nearest dialects with which every check agrees, else the constants; was the search cut short?"""
    found, cut = _dialects(exam)
    if not found and (other := _constants(exam)) is not None:
        found = [other]
    return tuple(found), cut and not found


def _dialects(exam: Examination) -> tuple[list[Alternative], bool]:
    runs = {n: exam.box(n) for n in exam.probes if exam.is_run(n)}
    usable = [n for n, run in runs.items() if run.count and not run.error]
    usable.sort(key=lambda n: len(exam.probe(n).steps))
    until = time.monotonic() + PATIENCE
    found: list[Alternative] = []
    nearest = 0
    for away, candidate in _candidates(exam.wanted.rule):
        if found and away > nearest:
            break
        if time.monotonic() > until:
            return found, True
        if all(_fits(exam, candidate, n, runs[n]) for n in usable):
            nearest = away
            found.append(Alternative(candidate.name, candidate.changed_options, {}, _known(candidate)))
    return found, False


def _candidates(wanted: Rule) -> Iterator[tuple[int, Rule]]:
    """The other dialects, with how many options are changed, the fewest first; written one by one."""
    choices = itertools.product(*(axis.options for axis in wanted.axes))
    options = [dict(zip(wanted.options, choice, strict=True)) for choice in choices]

    def away(chosen: Mapping[str, Any]) -> tuple[int, int]:
        moved = sum(chosen[a] != o for a, o in wanted.options.items())
        return moved, sum(chosen[axis.name] != axis.default for axis in wanted.axes)

    for chosen in sorted(options, key=away):
        if chosen != wanted.options and not any(e.applies(chosen) for e in wanted.excluded):
            yield away(chosen)[0], wanted.dialect(**chosen)


def _fits(exam: Examination, candidate: Rule, name: str, box: Run) -> bool:
    probe, values = exam.probe(name), exam.given(candidate)
    try:
        for clock in CLOCKS if probe.partial else CLOCKS[:1]:
            expected = run_rule(candidate, values, probe, clock=clock, states=False)
            departure = compare(box, expected)
            if departure is None or is_near(box, expected, departure):
                return True
    except (ValueError, KeyError, TypeError, np.linalg.LinAlgError):  # the probe is not for that dialect
        return False
    return False


def _known(candidate: Rule) -> tuple[str, ...]:
    """The titles of the libraries that have this dialect by default."""
    homes = [
        home for home in map(library, libraries()) if candidate.name in [entry.rule for entry in home.entries]
    ]
    theirs = {home.title: rule_named(candidate.name, like=home.name).options for home in homes}
    return tuple(title for title, options in theirs.items() if options == candidate.options)


def _constants(exam: Examination) -> Alternative | None:
    """The dialect asked for with fitted constants, if every check then agrees."""
    from optverify.conformance.batch import batched
    from optverify.conformance.fit import solve
    from optverify.conformance.looking import record
    from optverify.conformance.model import Model
    from optverify.conformance.rounding import snapped

    rule = exam.wanted.rule
    runs = [(exam.probe(n), exam.box(n)) for n in FITTED if n in exam.probes]
    records = [record(probe, run) for probe, run in runs if run.count and not run.error]
    started = {h.name: exam.values[h.name] for h in rule.hyperparameters if h.name in exam.values}
    if exam.origin.get("lr") == "default":
        started.pop("lr", None)
    if not records or not rule.hyperparameters:
        return None
    best = solve(Model(rule, batched(rule)), records, started)
    if not best.matches:
        return None
    values = snapped(best, records, {n: (v,) for n, v in exam.values.items()}).values
    changed = {n: v for n, v in values.items() if v != exam.values.get(n)}
    if not changed or not exam.agrees_with(changed):
        return None
    return Alternative(rule.name, rule.changed_options, changed)
