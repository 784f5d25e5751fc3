"""A cell of the matrix: what one optimizer of a library is, with its other paths and switches, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any
from unittest import mock

import numpy as np

from optverify.conformance.adapters._making import signature
from optverify.conformance.matrix_subject import AMPLIFIED, Outcome, Subject, boxed
from optverify.conformance.paths import PROBES
from optverify.conformance.reference import largest_relative, run_rule
from optverify.conformance.spelling import arguments, defaults, target
from optverify.language import Rule
from optverify.language.library import Entry

FEW = 6
"""Probes for a switch of an optimizer that has been through all without it."""
REFUSED = "not run, for the CPU is refused"
PATHS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "torch": (
        {"foreach": False}, {"foreach": True}, {"fused": True},
        {"differentiable": True}, {"capturable": True},
    ),
    "pytorch_optimizer": ({"foreach": False}, {"foreach": True}),
    "river": ({"adapter": "river_vector"},),
}  # fmt: skip
BFLOAT16 = "its Newton-Schulz steps are made in bfloat16, whatever theta is"
LOW_PRECISION: Mapping[tuple[str, str], tuple[str, Callable[[Any], Any]]] = {
    ("torch", "muon"): ("torch.Tensor.bfloat16", lambda old: lambda x: x.clone()),
    ("pytorch_optimizer", "muon"): (
        "pytorch_optimizer.optimizer.muon.base.zero_power_via_newton_schulz_5",
        lambda old: partial(old, dtype=target("torch.float64")),
    ),
}
"""Where a library computes in bfloat16 inside, and what it would be without: its dialect is that of this."""


@dataclass(frozen=True)
class Cell:
    """One optimizer of a library against its rule, as it was run.

    verdict: "paper", "dialect", "departs" or "failed". options: the dialect, what differs from the paper.
    error: the largest of an update, relative, beyond rounding, and error32 of a run in float32. paths and
    switches: what they came to, in words. defaults: theirs by our names, None where the user must choose.
    """

    library: str
    version: str
    date: str
    rule: str
    spelled: str
    verdict: str
    options: Mapping[str, Any] = field(default_factory=dict)
    error: float = 0.0
    ulps: float = 0.0
    error32: float | None = None
    paths: Mapping[str, str] = field(default_factory=dict)
    switches: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, float | None] = field(default_factory=dict)
    probes: int = 0
    skipped: Sequence[str] = ()
    notes: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON: numbers that are not finite as None."""
        data = asdict(self)
        return {
            n: None if isinstance(x, float) and not np.isfinite(x) else list(x) if isinstance(x, tuple) else x
            for n, x in data.items()
        }


def cell(name: str, entry: Entry, version: str, date: str) -> Cell:
    """Run one optimizer of a library."""
    subject = Subject(name, entry)
    made = Cell(name, version, date, entry.rule, entry.spelled, "failed", notes=_said(entry))
    try:
        own = defaults(entry)
    except (ModuleNotFoundError, AttributeError) as error:
        return replace(made, notes=(f"this version does not have it: {error}",))
    made = replace(made, defaults=own)
    if (name, entry.rule) in LOW_PRECISION:
        return _in_low_precision(subject, made)
    return _filled(subject, made)


def _said(entry: Entry) -> tuple[str, ...]:
    return (entry.note,) if entry.note else ()


def _filled(subject: Subject, made: Cell) -> Cell:
    dialect, outcome = subject.found()
    declared = subject.dialect(subject.entry.options)
    lost = {h.name for h in declared.hyperparameters} - {h.name for h in dialect.hyperparameters}
    options = {axis.name: dialect.options[axis.name] for axis in dialect.axes}
    changed = {n: x for n, x in options.items() if subject.family.options[n] != x}
    notes = list(made.notes)
    if outcome.departure and outcome.near:
        notes.append(f"with some numbers in float32: {outcome.error:.0e} away in a float64 run")
    elif not outcome.passed:
        notes.append(outcome.words or "it takes no probe")
        if outcome.departure and subject.steady(dialect):
            notes.append("agrees as long as lr does not change")
    notes.extend(f"with {n} in use it is none of our dialects" for n in sorted(lost & {*subject.entry.names}))
    notes.extend(dict.fromkeys(outcome.together))
    if outcome.clock == "shared":
        notes.append("one counter for all parameters, those without a gradient too")
    verdict = "failed" if outcome.failure else "dialect" if outcome.near else "departs"
    if verdict == "dialect" and (not changed or subject.paper()):
        verdict = "paper"
    filled = replace(
        made,
        verdict=verdict,
        options=changed,
        error=outcome.error,
        ulps=outcome.ulps,
        probes=outcome.run,
        skipped=outcome.skipped,
        notes=tuple(notes),
    )
    if verdict in ("failed", "departs"):
        return filled
    return replace(
        filled,
        error32=_single(subject, dialect),
        paths=dict(_paths(subject, dialect)),
        switches=dict(_switches(subject)),
    )


def _in_low_precision(subject: Subject, made: Cell) -> Cell:
    """The dialect of the code without bfloat16, and how far bfloat16 takes it."""
    dotted, without = LOW_PRECISION[subject.library, subject.entry.rule]
    home, _, name = dotted.rpartition(".")
    with mock.patch.object(target(home), name, without(target(dotted))):
        filled = _filled(subject, made)
    dialect = subject.dialect(subject.entry.options)
    probe = subject.probes(dialect)[0]
    run = boxed(subject.make(dialect), probe, subject.library)
    error = largest_relative(run, run_rule(dialect, subject.taken(dialect), probe))
    said = f"{BFLOAT16}: {error:.0e} of an update"
    return replace(filled, notes=(said,), error=error)


def _single(subject: Subject, dialect: Rule) -> float | None:
    """The largest error in float32 on usual gradients."""
    worst = None
    for probe in subject.probes(dialect, "float32")[:3]:
        run = boxed(subject.make(dialect), probe, subject.library)
        if run.unsupported or run.error:
            continue
        expected = run_rule(dialect, subject.taken(dialect), probe)
        worst = max(worst or 0.0, largest_relative(run, expected))
    return worst


def _paths(subject: Subject, dialect: Rule) -> Iterator[tuple[str, str]]:
    """The other ways in which the library computes the same.

    Some keep the counter in float32, of which bias corrections make up to AMPLIFIED.
    """
    name = arguments(subject.entry, {})[0]
    known = signature(target(name))
    for path in PATHS.get(subject.library, ()):
        adapter = path.get("adapter")
        if adapter is None and not path.keys() <= known.keys():
            continue
        label = "on arrays" if adapter else next(iter(path)) + ("" if next(iter(path.values())) else "=False")
        more = {} if adapter else path
        probes = [p for p in subject.probes(dialect) if p.name in PROBES]
        outcome = subject.against(dialect, subject.make(dialect, more=more), probes, adapter, AMPLIFIED)
        yield label, _in_words(outcome)


def _switches(subject: Subject) -> Iterator[tuple[str, str]]:
    """What other arguments make of it."""
    for switch, options in subject.entry.switches.items():
        try:
            dialect = subject.dialect({**subject.entry.options, **options})
            make = subject.make(dialect, (switch,))
        except (ValueError, AttributeError) as error:
            yield switch, f"not run: {error}"
            continue
        outcome = subject.against(dialect, make, subject.probes(dialect)[:FEW])
        dialects = ", ".join(f"{n}={x!r}" for n, x in options.items())
        yield switch, _in_words(outcome) if dialects == switch else f"{dialects}: {_in_words(outcome)}"


def _in_words(outcome: Outcome) -> str:
    if outcome.failure and outcome.run > 1:  # others it has taken
        return f"departs, {outcome.words}"
    if outcome.failure:
        return (
            REFUSED if "capturable" in outcome.failure else f"not run: {outcome.failure.partition(': ')[2]}"
        )
    if outcome.passed:
        return "agrees"
    if outcome.near:
        return f"agrees, with some numbers in float32 ({outcome.error:.0e})"
    return f"departs, {outcome.words}" if outcome.run else "not run: it takes no probe"
