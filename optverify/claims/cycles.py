"""Schedules that go up and down: one cycle, and cyclical rates."""

from __future__ import annotations

from typing import Any

import sympy as sp

from optverify.claims._claim import Decision, about_schedule, claim, holds
from optverify.claims._first import refute_first
from optverify.claims._schedule import k, n, off, pieces, ranges, settled, show_takes, within_period
from optverify.language import ScheduleFamily, Source, hyper_symbol, lr
from optverify.language.clock import count_symbol, lr_min, total
from optverify.language.clock import t as updates
from optverify.proof import NotProved, show_equal

smith_topin = Source(
    "Smith and Topin",
    2018,
    "Super-convergence: very fast training of neural networks using large learning rates",
    "the 1cycle policy",
    arxiv="1708.07120",
)
smith = Source(
    "Smith",
    2017,
    "Cyclical learning rates for training neural networks",
    "the triangular policy",
    "WACV",
    arxiv="1506.01186",
)

up, down = count_symbol("step_size_up"), count_symbol("step_size_down")


# ---- one cycle -------------------------------------------------------------------------------------------

p, D, E = (hyper_symbol(name, positive=True) for name in ("pct_start", "div_factor", "final_div_factor"))
CYCLE = {"lr": 6, "total": 7, "pct_start": sp.Rational(3, 7), "div_factor": 3, "final_div_factor": 2}
HEIGHTS = {i: sp.Rational(e, 2) for i, e in {0: 4, 1: 8, 2: 12, 4: 7, 6: 2, 9: 2}.items()}


def one_cycle_pieces(family: ScheduleFamily) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """Rise, fall and what comes after, over real times; the way up takes 1 + s updates, s >= 0."""
    rise, fall, end = pieces(family, 3)
    longer = (2 + sp.Symbol("s", nonnegative=True)) / total
    return rise.subs(p, longer), fall.subs(p, longer), end.subs(p, longer)


@claim(
    "one_cycle.ends",
    "One cycle begins at lr/D, is at lr after a fraction p of the updates, and ends at lr/(D D_final).",
    statement=r"\eta_0 = \frac{\eta_{\max}}{D}, \quad \eta_{pT-1} = \eta_{\max}, \quad \eta_{T-1} ="
    r" \frac{\eta_{\max}}{D \, D_{\mathrm{final}}}, \qquad \text{continuous}",
    scope="every lr, T, D, D_final and p with p T >= 2; two phases, half cosines, the last rate at T - 1"
    " (PyTorch)",
    sources=[smith_topin],
    schedule=about_schedule("one_cycle"),
)
def one_cycle_ends(schedule: ScheduleFamily) -> Decision:
    """Neighbouring cases where one takes over from the other."""
    show_takes(schedule, "lr total pct_start pct_final div_factor final_div_factor")
    refute_first(off(schedule, CYCLE, HEIGHTS.__getitem__, HEIGHTS))
    rise, fall, end = one_cycle_pieces(schedule)
    top = 1 + sp.Symbol("s", nonnegative=True)
    for piece, time, height in (
        (rise, sp.Integer(0), lr / D),
        (rise, top, lr),
        (fall, top, lr),
        (fall, total - 1, lr / D / E),
        (end, updates, lr / D / E),
    ):
        show_equal(piece.subs(updates, time), height, f"eta at t = {time}", ranges(schedule))
    return holds("the way up ends where the way down begins, at lr, and that where the last rate is held")


@claim(
    "one_cycle.smooth",
    "With half cosines one cycle is smooth at its top and at its end.",
    statement=r"\frac{d \eta}{dt} = 0 \text{ at } t = pT - 1 \text{ from both sides, at } t = 0 \text{ and"
    r" at } t = T - 1",
    scope="every lr, T, D, D_final and p with p T >= 2; two phases, t in the reals",
    sources=[smith_topin],
    schedule=about_schedule("one_cycle"),
)
def one_cycle_smooth(schedule: ScheduleFamily) -> Decision:
    """The derivatives of the cases there."""
    show_takes(schedule, "lr total pct_start pct_final div_factor final_div_factor")
    refute_first(off(schedule, CYCLE, HEIGHTS.__getitem__, HEIGHTS))
    rise, fall, end = one_cycle_pieces(schedule)
    time, top = sp.Symbol("x", real=True), 1 + sp.Symbol("s", nonnegative=True)
    for piece, point in ((rise, sp.Integer(0)), (rise, top), (fall, top), (fall, total - 1), (end, top)):
        slope = sp.diff(piece.subs(updates, time), time).subs(time, point)
        show_equal(slope, 0, f"the slope at t = {point}", ranges(schedule))
    return holds("the derivative of a half cosine is 0 at both of its ends")


# ---- cycles ----------------------------------------------------------------------------------------------


def in_cycle(family: ScheduleFamily) -> sp.Expr:
    """eta at t = n (U + D) + k, for 0 <= k < U + D."""
    cycle = up + down
    lines = dict(family.lines())
    known: dict[Any, Any] = {updates: n * cycle + k}
    for symbol, e in lines.items():
        floors = {f: within_period(f, cycle, k) for f in e.atoms(sp.floor)}
        known[symbol] = e.xreplace(floors).subs(known, simultaneous=True)
    return sp.expand(known[next(reversed(lines))])


TRIANGLE = {"lr": 8, "lr_min": 2, "step_size_up": 2, "step_size_down": 3}


def triangle(i: int) -> sp.Integer:
    """2 + 6 min(r/2, (5 - r)/3), r = i mod 5."""
    return sp.Integer((2, 5, 8, 6, 4)[i % 5])


@claim(
    "cyclic.period",
    "A cyclical learning rate repeats every U + D updates, between lr_min and lr.",
    statement=r"\eta_{t+U+D} = \eta_t, \quad \eta_0 = \eta_{\min}, \quad \eta_U = \eta_{\max}, \quad"
    r" \eta_{\min} \le \eta_t \le \eta_{\max}",
    scope="every lr >= lr_min, U, D and t; the triangular policy",
    sources=[smith],
    schedule=about_schedule("cyclic"),
)
def cyclic_period(schedule: ScheduleFamily) -> Decision:
    """The rate k updates into cycle n; on the way up k = U/(1 + x), on the way down k = U + D/(1 + x)."""
    show_takes(schedule, "lr lr_min step_size_up step_size_down gamma")
    refute_first(off(schedule, TRIANGLE, triangle, range(12)))
    eta = in_cycle(schedule)
    if eta.has(n):
        raise NotProved(f"the rate depends on the cycle: {eta}")
    rising = lr_min + (lr - lr_min) * k / up
    falling = lr_min + (lr - lr_min) * (up + down - k) / down
    _show_triangle(eta, rising, falling)
    for line, time, height in ((rising, 0, lr_min), (rising, up, lr), (falling, up, lr)):
        show_equal(line.subs(k, time), height, f"the rate {time} updates into a cycle")
    return holds("k updates into any cycle the rate is on the line up for k <= U, then on the line down")


def _show_triangle(eta: sp.Expr, rising: sp.Expr, falling: sp.Expr) -> None:
    """Show that eta is the lower one of two lines that cross at k = U."""
    gap = sp.Symbol("x", nonnegative=True)
    for time, line in ((up / (1 + gap), rising), (up + down * gap / (1 + gap), falling)):
        put = {k: time}
        show_equal(settled(eta, put), line.subs(put), "a side of the triangle")


@claim(
    "cyclic.mean",
    "Over a cycle a triangular learning rate averages to the mean of its lowest and highest value.",
    statement=r"\frac{1}{U + D} \sum_{t=0}^{U+D-1} \eta_t = \frac{\eta_{\min} + \eta_{\max}}{2}",
    scope="every lr, lr_min, U and D",
    sources=[smith],
    schedule=about_schedule("cyclic"),
)
def cyclic_mean(schedule: ScheduleFamily) -> Decision:
    """The sum over the way up, k = 0, ..., U, and over the rest of the way down."""
    show_takes(schedule, "lr lr_min step_size_up step_size_down gamma")
    refute_first(off(schedule, TRIANGLE, triangle, range(12)))
    eta = in_cycle(schedule)
    rising = lr_min + (lr - lr_min) * k / up
    falling = lr_min + (lr - lr_min) * (up + down - k) / down
    _show_triangle(eta, rising, falling)
    whole = sp.summation(rising, (k, 0, up)) + sp.summation(falling, (k, up + 1, up + down - 1))
    show_equal(sp.expand(whole), sp.expand((up + down) * (lr + lr_min) / 2), "the sum over a cycle")
    return holds("(U + 1)/2 of the way up and (D - 1)/2 of the way down make (U + D)/2")
