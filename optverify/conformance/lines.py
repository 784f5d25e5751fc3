"""Which equation of a rule departs first, where a box shows its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optverify.language import Rule

if TYPE_CHECKING:
    from optverify.conformance.reference import Departure, Run

CLOSE = {"float64": 1e-9, "float32": 3e-3, "float16": 5.0}
"""How near a state is to another that it may be, relative: a thousand times what an update may be off."""
USUAL: Mapping[str, tuple[str, ...]] = {
    "m": ("exp_avg", "mu", "m", "momentum", "first_moment", "moment1", "mean", "ms"),
    "v": (
        "exp_avg_sq", "nu", "v", "velocity", "second_moment", "moment2", "square_avg", "sum",
        "momentum_buffer", "accumulator", "vs", "buf", "sum_of_squares",
    ),
    "v_max": ("max_exp_avg_sq", "nu_max", "vhat", "v_max", "velocity_hat"),
    "B": ("momentum_buffer", "buf"),
    "u": ("exp_inf", "u", "norm"),
}  # fmt: skip
"""State of ours -> what libraries call it."""


def departing_line(box: Run, expected: Run, found: Departure, rule: Rule) -> str | None:
    """The first equation whose value departs in the update that departs."""
    k, i = found.step, found.param
    if len(box.states) <= k or not expected.states or not box.states[k]:
        return None
    lines = {lhs.name: f"{lhs} = {rhs}" for lhs, rhs in rule.assignments}
    order = [lhs.name for lhs, _ in rule.assignments]
    matched = False
    for symbol in sorted((s.now.name for s in rule.states), key=order.index):
        name = next(s.name for s in rule.states if s.now.name == symbol)
        theirs = _partner(box, expected, name, k, i)
        if theirs is None:
            continue
        matched = True
        if not _same(box.states[k][theirs][i], expected.states[k][name][i], expected.dtype):
            return lines[symbol]
    return lines["theta_t"] if matched else None


def _partner(box: Run, expected: Run, name: str, k: int, i: int) -> str | None:
    """The state of the box that is this one of ours: of its name, or equal until the departure."""
    shown = [n for n, arrays in box.states[k].items() if len(arrays) > i]
    ours = expected.states[k][name][i]
    fitting = [n for n in shown if np.shape(box.states[k][n][i]) == np.shape(ours)]

    def alike(theirs: str) -> bool:
        rows = [
            (box.states[j][theirs][i], expected.states[j][name][i])
            for j in range(1, k)
            if theirs in box.states[j] and len(box.states[j][theirs]) > i
        ]
        moves = any(np.any(np.asarray(ours) != 0) for _, ours in rows)
        return moves and all(_same(a, b, expected.dtype) for a, b in rows)

    for theirs in fitting:
        if alike(theirs):
            return theirs
    usual = (name, *USUAL.get(name, ()))
    return next((n for u in usual for n in fitting if n.rsplit(".", 1)[-1].lower() == u.lower()), None)


def _same(theirs: Any, ours: Any, dtype: str) -> bool:
    close = np.isclose(theirs, ours, rtol=CLOSE[dtype], atol=1e-300, equal_nan=True)
    return bool(np.all(close))
