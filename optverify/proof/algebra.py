"""Equality of expressions: proved, refuted at an exact point, or neither."""

from __future__ import annotations

from typing import Any

import sympy as sp

from optverify.proof.outcome import NotProved, Refuted
from optverify.proof.points import Domains, Point, in_words, points, value_at

CHEAP = (
    sp.expand,
    lambda e: sp.expand(sp.powsimp(sp.expand(e))),
    lambda e: sp.cancel(sp.together(e)),
    lambda e: sp.cancel(sp.together(sp.powsimp(sp.expand_power_exp(e)))),
)


def vanishes(e: sp.Expr) -> bool:
    """True when e is shown to be 0 for all values of its symbols; False says nothing."""
    if e.is_Rational:
        return bool(e == 0)
    return any(form(e) == 0 for form in CHEAP) or sp.simplify(e) == 0


def nonzero_point(e: sp.Expr, domains: Domains | None = None) -> Point | None:
    """Return a rational point at which e is defined and not 0, or None if none of those tried is one."""
    for point in points(e.free_symbols, domains or {}):
        value = value_at(e, point)
        if value.is_finite and value.is_zero is False:
            return point
    return None


def show_equal(left: Any, right: Any, what: str, domains: Domains | None = None) -> None:
    """Show left = right for all values of their symbols.

    what: names the quantity in messages. Raises Refuted with an exact point where they differ, or NotProved.
    """
    left, right = sp.sympify(left), sp.sympify(right)
    gap = left - right
    if any(form(gap) == 0 for form in CHEAP):
        return
    if (point := nonzero_point(gap, domains)) is not None:
        at = f" at {in_words(point)}" if point else ""
        raise Refuted(f"{what} is {left}, not {right}: {left.subs(point)} against {right.subs(point)}{at}")
    if sp.simplify(gap) != 0:
        raise NotProved(f"not shown that {what} is {right}: it is {left}")
