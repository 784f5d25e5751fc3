"""Departures that are no other rule: some numbers of the box are in float32 where the others are in float64.

Several libraries keep hyperparameters, counters or norms in float32 inside a run in float64. That ends some
1e-10 to 1e-7 away, which is nearer than any other dialect, or further where it cancels or overflows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from optverify.conformance.probes import Probe
from optverify.conformance.reference import (
    MATRICES,
    NEAR,
    Departure,
    Run,
    largest_relative,
    run_rule,
    scale,
)
from optverify.language import Rule

AMPLIFIED = 1e-4
"""How far an error that begins as one of float32 may grow, relative to a coordinate."""
SLACK = 10
"""Float32 scalars in another order of operations: so many times as far as in ours."""


def is_near(box: Run, expected: Run, departure: Departure, tolerance: float = 0.0) -> bool:
    """True for errors of the size of float32 that hardly grow. tolerance: what a library is known for."""
    if departure.near:
        return True
    small = departure.of == "update" and departure.relative_error < max(NEAR, 10 * tolerance)
    grown = AMPLIFIED * (MATRICES if expected.matrices else 1)
    return bool(small and largest_relative(box, expected) < grown)


def explained(rule: Rule, values: Mapping[str, float], probe: Probe, box: Run, expected: Run) -> bool:
    """True if the rule with its hyperparameters in float32 is about as far away as the box, at all times."""
    rounded = {n: np.float32(v) for n, v in values.items()}
    rough = run_rule(rule, rounded, probe, states=False)  # type: ignore[arg-type]
    for i in range(len(probe.params)):
        ours, theirs = expected.updates(i)[: box.count], box.updates(i)[: box.count]
        size, rounding = scale(expected, i, ours)
        slack = np.maximum.accumulate(np.abs(rough.updates(i)[: box.count] - ours), axis=0)
        if not np.all(np.abs(theirs - ours) <= expected.tolerance * size + rounding + SLACK * slack):
            return False
    return True


def milder(probe: Probe, factor: float = 1e-50) -> Probe:
    """The same with smaller gradients, which float32 can hold and square."""
    steps = (replace(s, grads=tuple(None if g is None else g * factor for g in s.grads)) for s in probe.steps)
    return replace(probe, steps=tuple(steps))
