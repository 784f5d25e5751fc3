"""Which rule, in which dialect, every installed library computes: run here, with date and version.

Every optimizer of a library that we have a name for is driven through the probes. It matches the paper, if
it does so with whatever the paper does not have turned off; or a dialect, which is named; or it departs, and
the first place is told. What is not installed is not run, and said to be not installed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata, util
from typing import Any
from unittest import mock

import numpy as np

from optverify.conformance.adapters import adapters
from optverify.conformance.adapters._making import signature
from optverify.conformance.peers import PEERS
from optverify.conformance.probes import LR, Probe, awkward, bank
from optverify.conformance.protocol import Make
from optverify.conformance.reference import (
    MATRICES,
    NEAR,
    Departure,
    Run,
    compare,
    largest_relative,
    largest_ulps,
    run_box,
    run_rule,
)
from optverify.conformance.spelling import arguments, defaults, maker, target
from optverify.language import Rule
from optverify.language.library import Entry, Library
from optverify.libraries import library
from optverify.libraries import names as translated
from optverify.rules import rule as rule_named

FORMAT, VERSION = "optverify matrix", 1
LONG = {
    "torch": 1000,
    "sklearn": 1000,
    "autograd": 1000,
    "river": 1000,
    "pytorch_optimizer": 300,
    "optax": 300,
}
"""Updates of the long probe; others, which are slow one by one, have SHORT."""
SHORT = 60
SLOW = {"tinygrad": 3}
"""Probes at most, for a library that takes seconds for an update."""
IN_FLOAT32 = ("tinygrad",)
"""Libraries whose states are float32, whatever the parameters are."""
EXTREME = {"huge": "gradients of about 1e60"}
"""Probes that overflow where some numbers are float32: told, but no verdict."""
FEW = 6
"""Probes for a path or a switch of an optimizer whose own path has been through all."""
REFUSED = "not run, for the CPU is refused"
ONE_VECTOR = "sums go over all parameters, which are one vector"
AMPLIFIED = 1e-4
"""What cancellation makes of such numbers at most."""
ALLOWED = {"clip_threshold": 1.05}
"""Values that libraries refuse otherwise."""
NEUTRAL = ("weight_decay", "lr_decay", "dampening", "momentum", "shrinkage")
"""Hyperparameters that do nothing at 0."""
MODULES = {"sklearn": "sklearn", "autograd": "autograd", "jax": "jax", "mlx": "mlx.optimizers"}
PATHS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "torch": (
        {"foreach": False}, {"foreach": True}, {"fused": True},
        {"differentiable": True}, {"capturable": True},
    ),
    "pytorch_optimizer": ({"foreach": False}, {"foreach": True}),
    "river": ({"adapter": "river_vector"},),
}  # fmt: skip
LOW_PRECISION = {("torch", "muon"): "its Newton-Schulz steps are made in bfloat16, whatever theta is"}
"""Where a library computes in bfloat16 inside; the dialect is that of the same code without it."""


@dataclass(frozen=True)
class Outcome:
    """How an optimizer did against one dialect. error, ulps: the largest; skipped: probes it cannot take.

    clock: a counter of each parameter's "own", or "shared"; close: a smaller first error is that of float32,
    which cancellation may have made as large as `amplified`.
    together: what was seen of several parameters that parameters one by one do not explain.
    """

    departure: Departure | None = None
    probe: str = ""
    error: float = 0.0
    ulps: float = 0.0
    run: int = 0
    skipped: tuple[str, ...] = ()
    failure: str = ""
    clock: str = "own"
    close: float = NEAR
    amplified: float = AMPLIFIED
    together: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Every probe that it can take agrees."""
        return self.departure is None and not self.failure and self.run > 0

    @property
    def near(self) -> bool:
        """It agrees but for some numbers in float32."""
        if self.departure is None or self.failure:
            return self.passed
        return self.departure.relative_error < self.close and self.error < self.amplified

    @property
    def words(self) -> str:
        """Where it departs, in a sentence."""
        if self.failure:
            return f"{self.probe}: {self.failure}"
        if self.departure is None:
            return ""
        d = self.departure
        where = f"update {d.step}, coordinate {list(d.coordinate)}" if d.coordinate else f"update {d.step}"
        numbers = f"{d.got:.6g} instead of {d.expected:.6g} (relative {d.relative_error:.1e})"
        return f"{self.probe}: {where}: {numbers}"


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


# ---- libraries ---------------------------------------------------------------------------------------------


def known_libraries() -> dict[str, Library]:
    """Name -> what its optimizers are called."""
    return {name: library(name) for name in translated()} | PEERS


def distribution(name: str) -> str:
    """The distribution whose version counts."""
    return adapters()[name].library


def installed(name: str) -> str | None:
    """The version of a library, or None."""
    module = MODULES.get(name, name)
    try:
        if util.find_spec(module) is None:
            return None
        return metadata.version(distribution(name))
    except (ModuleNotFoundError, ValueError):
        return None


def subjects(name: str, rules: Iterable[str] | None = None) -> Iterator[Entry]:
    """What is run of a library."""
    wanted = None if rules is None else set(rules)
    for entry in known_libraries()[name].entries:
        if wanted is None or entry.rule in wanted:
            yield entry


# ---- one optimizer -----------------------------------------------------------------------------------------


class Subject:
    """An optimizer of a library, and the runs of it that were made."""

    def __init__(self, name: str, entry: Entry) -> None:
        self.library, self.entry = name, entry
        self.family = rule_named(entry.rule)
        self.values, self.lr = {**awkward(self.family), **ALLOWED}, LR

    def in_few_bits(self) -> Subject:
        """The same with hyperparameters that are float32 numbers, for what rounding them is amplified to."""
        other = Subject(self.library, self.entry)
        other.values = {n: float(np.float32(x)) for n, x in self.values.items()}
        other.lr = 3 / 64
        return other

    def taken(self, dialect: Rule) -> dict[str, float]:
        """The hyperparameters of a dialect: awkward ones where the library takes them, else its own."""
        found = {}
        for h in dialect.hyperparameters:
            own = self.lr if h.name == "base_lr" else self.entry.defaults.get(h.name, h.default)
            chosen = self.values.get(h.name, own)
            value = chosen if h.name in self.entry.names else own
            if value is not None:
                found[h.name] = float(value)
        return {**found, **({"lr": self.lr} if "lr" in self.entry.names else {})}

    def make(
        self, dialect: Rule, switches: Iterable[str] = (), more: Mapping[str, Any] | None = None
    ) -> Make:
        """The optimizer with these hyperparameters; what the dialect does not have is turned off."""
        values = {n: x for n, x in self.taken(dialect).items() if n in self.entry.names}
        known = signature(target(arguments(self.entry, {}, switches)[0]))
        absent = [n for n in NEUTRAL if n in self.entry.names and n not in values]
        neutral = {n: 0.0 for n in absent if self.entry.argument(n).partition("[")[0] in known}
        name, given = arguments(self.entry, {**neutral, **values}, switches)
        return maker(self.library, name, {**given, **(more or {})})

    def probes(self, dialect: Rule, dtype: str | None = None) -> list[Probe]:
        """The bank for these hyperparameters."""
        dtype = dtype or ("float32" if self.library in IN_FLOAT32 else "float64")
        long = 0 if self.library in SLOW else LONG.get(self.library, SHORT)
        found = bank(dialect, self.taken(dialect), dtype, long=long)
        return found[: SLOW.get(self.library)]

    def against(
        self, dialect: Rule, make: Make, probes: Sequence[Probe], adapter: str | None = None
    ) -> Outcome:
        """Run the optimizer and compare it with a dialect, as far as it agrees."""
        close = max(NEAR, 10 * self.entry.tolerance)
        most = AMPLIFIED * close / NEAR * (MATRICES if dialect.needs_matrix else 1)
        values, found = self.taken(dialect), Outcome(close=close, amplified=most)
        for whole in probes:
            probe = whole.first(SHORT // 2) if found.departure else whole  # later, all of it is rounding
            run = boxed(make, probe, adapter or self.library)
            if run.unsupported:
                found = replace(found, skipped=(*found.skipped, f"{probe.name} ({run.unsupported})"))
                continue
            if run.error:
                return replace(
                    found, probe=probe.name, run=found.run + 1, failure=f"update {run.failed}: {run.error}"
                )
            before, found = found, self._compared(dialect, values, probe, run, found)
            if found.departure and not found.near:
                if len(probe.params) == 1 and probe.name not in EXTREME:
                    return found
                said = self._as_one_vector(dialect, values, probe, run) or _apart(probe, found)
                found = replace(before, run=before.run + 1, together=(*before.together, said))
        return found

    @staticmethod
    def _as_one_vector(dialect: Rule, values: Mapping[str, float], probe: Probe, run: Run) -> str:
        """What to say if all parameters together are the rule's theta, for sums over its coordinates."""
        if (
            len(probe.params) == 1
            or probe.partial
            or probe.groups
            or dialect.needs_matrix
            or not dialect.operators
        ):
            return ""
        expected = run_rule(dialect, values, joined(probe), states=False)
        rows = [[np.concatenate([np.ravel(p) for p in params])] for params in run.params]
        agrees = (
            compare(replace(run, params=rows, points=rows), expected, max(NEAR, expected.tolerance)) is None
        )
        return ONE_VECTOR if agrees else ""

    def _compared(
        self, dialect: Rule, values: Mapping[str, float], probe: Probe, run: Run, so_far: Outcome
    ) -> Outcome:
        """With the counter of each parameter, or one for all, whatever agrees."""
        tried = []
        for clock in dict.fromkeys((so_far.clock, "shared", "own")) if probe.partial else (so_far.clock,):
            expected = run_rule(dialect, values, probe, clock="shared" if clock == "shared" else "own")
            if expected.nonfinite is not None and run.nonfinite is None:
                said = f"{probe.name}: the rule divides by zero, the library does not"
                return replace(so_far, run=so_far.run + 1, together=(*so_far.together, said))
            tolerance = max(expected.tolerance, self.entry.tolerance)
            departure = compare(run, expected, tolerance)
            error = largest_relative(run, expected)
            found = replace(
                so_far,
                departure=departure or so_far.departure,
                probe=probe.name if departure else so_far.probe,
                error=max(so_far.error, error),
                ulps=max(so_far.ulps, largest_ulps(run, expected)),
                run=so_far.run + 1,
                clock=clock,
            )
            tried.append(found)
            if departure is None:
                break
        return min(tried, key=lambda outcome: outcome.error)

    # ---- the dialect -------------------------------------------------------------------------------------

    def dialect(self, options: Mapping[str, Any]) -> Rule:
        """Of the rule."""
        return self.family.dialect(**options)

    def found(self) -> tuple[Rule, Outcome]:
        """The dialect that it agrees with: the one written down, else whichever; or the first, departing."""
        declared = self.dialect(self.entry.options)
        make = self.make(declared)
        outcome = self.against(declared, make, self.probes(declared))
        if outcome.near or outcome.failure:
            return declared, outcome
        if outcome.departure and outcome.departure.relative_error < outcome.close:
            bits = self.in_few_bits()
            again = bits.against(declared, bits.make(declared), bits.probes(declared))
            if again.near:
                return declared, replace(
                    again, departure=outcome.departure, error=outcome.departure.relative_error
                )
        best = (declared, outcome)
        for other in self._candidates(declared):
            tried = self.against(other, self.make(other), self.probes(other))
            if tried.near:
                return other, tried
            if tried.run > best[1].run:
                best = (other, tried)
        return best

    def _candidates(self, declared: Rule) -> Iterator[Rule]:
        """The dialects that agree on the first probes, the nearest to the declared one first."""
        runs: dict[tuple[str, ...], list[tuple[Probe, Run]]] = {}
        others = [d for d in self.family.dialects() if d.options != declared.options]
        others.sort(
            key=lambda d: (self._unused(d), sum(d.options[n] != declared.options[n] for n in d.options))
        )
        for other in others:
            values = self.taken(other)
            names = tuple(sorted(n for n in values if n in self.entry.names))
            if names not in runs:
                probes = self.probes(other)[:2]
                runs[names] = [(p, boxed(self.make(other), p, self.library)) for p in probes]
            if all(_agrees(other, values, probe, run, self.entry.tolerance) for probe, run in runs[names]):
                yield other

    def _unused(self, dialect: Rule) -> int:
        """How many arguments of the library the dialect has no use for."""
        return len(self.entry.names.keys() - {h.name for h in dialect.hyperparameters})

    def steady(self, dialect: Rule) -> bool:
        """Does it agree on the probes that leave lr alone?"""
        probes = [p for p in self.probes(dialect) if not p.changes_lr]
        return self.against(dialect, self.make(dialect), probes).near

    def paper(self) -> bool:
        """Does it agree with the rule of the paper, with what the paper does not have turned off?"""
        plain = self.family
        if any(n not in self.entry.names and n not in self.entry.defaults for n in self._starting(plain)):
            return False
        return self.against(plain, self.make(plain), self.probes(plain)).near

    def _starting(self, plain: Rule) -> list[str]:
        """Hyperparameters of the paper without a default: they must be known of the library."""
        return [h.name for h in plain.hyperparameters if h.default is None and h.name != "lr"]


def _apart(probe: Probe, found: Outcome) -> str:
    if probe.name in EXTREME:
        return f"{EXTREME[probe.name]}: {found.words.partition(': ')[2]}"
    return f"several parameters, {found.words}"


def joined(probe: Probe) -> Probe:
    """The same with its parameters in one vector."""

    def vector(arrays: Iterable[Any]) -> np.ndarray[Any, Any]:
        return np.concatenate([np.ravel(a) for a in arrays])

    steps = [
        replace(
            s,
            grads=(vector(g for g in s.grads if g is not None),),
            inputs={n: x if isinstance(x, float) else (vector(x),) for n, x in s.inputs.items()},
        )
        for s in probe.steps
    ]
    return replace(probe, params=(vector(probe.params),), steps=tuple(steps))


def _agrees(dialect: Rule, values: Mapping[str, float], probe: Probe, run: Run, tolerance: float) -> bool:
    if run.unsupported or run.error:
        return bool(run.unsupported)
    expected = run_rule(dialect, values, probe, states=False)
    return compare(run, expected, max(NEAR, tolerance)) is None


def boxed(make: Make, probe: Probe, adapter: str | None) -> Run:
    """A run without states, the library's warnings kept to itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return run_box(make, probe, adapter, states=False)
        except Exception as error:  # of making it
            start = [np.array(p, probe.dtype) for p in probe.params]
            return Run([start], [start], [], [], probe.dtype, error=f"{type(error).__name__}: {error}")


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
    torch = target("torch.Tensor")
    with mock.patch.object(torch, "bfloat16", lambda x: x.clone()):
        filled = _filled(subject, made)
    dialect = subject.dialect(subject.entry.options)
    probe = subject.probes(dialect)[0]
    run = boxed(subject.make(dialect), probe, subject.library)
    error = largest_relative(run, run_rule(dialect, subject.taken(dialect), probe))
    said = f"{LOW_PRECISION[subject.library, subject.entry.rule]}: {error:.0e} of an update"
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
    """The other ways in which the library computes the same."""
    name = arguments(subject.entry, {})[0]
    known = signature(target(name))
    for path in PATHS.get(subject.library, ()):
        adapter = path.get("adapter")
        if adapter is None and not path.keys() <= known.keys():
            continue
        label = "on arrays" if adapter else next(iter(path)) + ("" if next(iter(path.values())) else "=False")
        more = {} if adapter else path
        outcome = subject.against(
            dialect, subject.make(dialect, more=more), subject.probes(dialect)[:FEW], adapter
        )
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
    if outcome.failure:
        return (
            REFUSED if "capturable" in outcome.failure else f"not run: {outcome.failure.partition(': ')[2]}"
        )
    if outcome.passed:
        return "agrees"
    if outcome.near:
        return f"agrees, with some numbers in float32 ({outcome.error:.0e})"
    return f"departs, {outcome.words}" if outcome.run else "not run: it takes no probe"


# ---- the matrix --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Matrix:
    """What was run. cells: today's, and those kept of libraries that are not installed here.

    missing: libraries that are not installed here, and of which no earlier run is kept.
    """

    date: str
    cells: Sequence[Cell]
    missing: Sequence[str] = ()

    @property
    def ran(self) -> Mapping[str, tuple[str, str]]:
        """Library -> version and date."""
        return {c.library: (c.version, c.date) for c in self.cells}

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "date": self.date,
            "libraries": {n: {"version": v, "date": d} for n, (v, d) in sorted(self.ran.items())},
            "not_installed": list(self.missing),
            "cells": [c.to_dict() for c in self.cells],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Matrix:
        """What to_dict gave; ValueError for another format or version."""
        if (data.get("format"), data.get("version")) != (FORMAT, VERSION):
            raise ValueError(f"this is not a file of {FORMAT}, version {VERSION}")
        return cls(data["date"], [Cell(**c) for c in data["cells"]], data["not_installed"])


def matrix(
    wanted: Iterable[str] | None = None,
    rules: Iterable[str] | None = None,
    before: Matrix | None = None,
    on_cell: Callable[[Cell], None] = lambda c: None,
) -> Matrix:
    """Run every installed library, or these. before: an earlier matrix, whose cells stay where none is run.

    Raises ValueError for a library that is not known.
    """
    date = datetime.now(UTC).date().isoformat()
    known = known_libraries()
    for name in wanted or ():
        if name not in known:
            from optverify.language.messages import unknown

            raise ValueError(unknown("library", name, known))
    cells: list[Cell] = []
    for name in wanted or known:
        version = installed(name)
        if version is None:
            continue
        for entry in subjects(name, rules):
            cells.append(cell(name, entry, version, date))
            on_cell(cells[-1])
    done = {(c.library, c.rule, c.spelled) for c in cells}
    ran = {c.library for c in cells} if rules is None else set()
    kept = [
        c
        for c in (before.cells if before else ())
        if c.library not in ran and (c.library, c.rule, c.spelled) not in done
    ]
    order = {n: k for k, n in enumerate(known)}
    both = sorted((*cells, *kept), key=lambda c: (order.get(c.library, len(order)), c.rule, c.spelled))
    missing = [n for n in known if n not in {c.library for c in both} and installed(n) is None]
    return Matrix(date, both, missing)
