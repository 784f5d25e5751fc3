"""Closed forms of recurrences, by induction over the symbolic time."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from optverify.language import t
from optverify.proof.algebra import show_equal
from optverify.proof.outcome import Refuted, unless
from optverify.proof.points import Domains

TRIED = 3
"""Steps that are run to look for a counterexample when the induction fails."""


def show_by_induction(
    step: Callable[[sp.Expr, sp.Expr], sp.Expr],
    start: sp.Expr,
    closed: Callable[[sp.Expr], sp.Expr],
    what: str,
    domains: Domains | None = None,
) -> None:
    """Show y_t = closed(t) for all t >= 0, where y_0 = start and y_t = step(y_{t-1}, t), t = 1, 2, ...

    Base: start = closed(0). Step: step(closed(t-1), t) = closed(t) for symbolic t.
    Raises Refuted with the first t <= 3 at which they differ, or NotProved.
    """

    def by_running() -> str | None:
        y = start
        for k in range(TRIED + 1):
            y = step(y, sp.Integer(k)) if k else y
            try:
                show_equal(y, closed(sp.Integer(k)), f"{what} at t = {k}", domains)
            except Refuted as found:
                return str(found)
        return None

    with unless(by_running):
        show_equal(start, closed(sp.Integer(0)), f"{what} at t = 0", domains)
        show_equal(step(closed(t - 1), t), closed(t), f"{what}, step of the induction,", domains)
