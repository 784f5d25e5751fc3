"""One optimizer of a library on the probes: which dialect of its rule it agrees with, and how far."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optverify.conformance.adapters._making import signature
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
from optverify.conformance.spelling import arguments, grouped, maker, target
from optverify.language import Rule
from optverify.language.library import Entry
from optverify.rules import rule as rule_named

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
ONE_VECTOR = "sums go over all parameters, which are one vector"
AMPLIFIED = 1e-4
"""What cancellation makes of such numbers at most."""
ALLOWED = {"clip_threshold": 1.05}
"""Values that libraries refuse otherwise."""
NEUTRAL = ("weight_decay", "lr_decay", "dampening", "momentum", "shrinkage")
"""Hyperparameters that do nothing at 0."""


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
        worse = f", later {self.error:.0e}" if self.error > 10 * d.relative_error else ""
        numbers = f"{d.got:.6g} instead of {d.expected:.6g} (relative {d.relative_error:.1e}{worse})"
        return f"{self.probe}: {where}: {numbers}"


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
        return maker(self.library, name, {**given, **(more or {})}, grouped(self.entry.spelled))

    def probes(self, dialect: Rule, dtype: str | None = None) -> list[Probe]:
        """The bank for these hyperparameters."""
        dtype = dtype or ("float32" if self.library in IN_FLOAT32 else "float64")
        long = 0 if self.library in SLOW else LONG.get(self.library, SHORT)
        found = bank(dialect, self.taken(dialect), dtype, long=long)
        return found[: SLOW.get(self.library)]

    def against(
        self,
        dialect: Rule,
        make: Make,
        probes: Sequence[Probe],
        adapter: str | None = None,
        close: float = NEAR,
    ) -> Outcome:
        """Run the optimizer and compare it with a dialect, as far as it agrees. close: as of Outcome."""
        known = max(NEAR, 10 * self.entry.tolerance)
        most = AMPLIFIED * known / NEAR * (MATRICES if dialect.needs_matrix else 1)
        close = max(close, known)
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
