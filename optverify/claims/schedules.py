"""Cosine annealing and its restarts."""

from __future__ import annotations

import itertools

import sympy as sp

from optverify.claims._claim import Decision, about_schedule, claim, holds
from optverify.language import ScheduleFamily, Source, lr
from optverify.language.clock import T_0, T_mult, lr_min, total
from optverify.language.clock import t as updates
from optverify.proof import NotProved, Refuted, show_equal
from optverify.schedules.cosine_warm_restarts import M_mult

sgdr = Source(
    "Loshchilov and Hutter",
    2017,
    "SGDR: stochastic gradient descent with warm restarts",
    "equation (5) and section 3",
    "ICLR",
    arxiv="1608.03983",
)

k, j = sp.symbols("k j", integer=True, nonnegative=True)


def annealed(now: sp.Expr, length: sp.Expr) -> sp.Expr:
    """lr_min + (lr - lr_min) (1 + cos(pi now/length))/2: equation (5) of SGDR."""
    return lr_min + (lr - lr_min) * (1 + sp.cos(sp.pi * now / length)) / 2


def rate(family: ScheduleFamily) -> sp.Expr:
    """eta_t of a schedule that is one line."""
    *before, (_, value) = family.lines()
    if before:
        raise NotProved(f"schedule {family.name!r} has more than one line")
    return value


@claim(
    "cosine.ends",
    "Cosine annealing goes from lr to lr_min, and stays there.",
    statement=r"\eta_0 = \eta_{\max}, \quad \eta_T = \eta_{\min}, \quad \eta_t = \eta_{\min} \text{ for }"
    r" t \ge T",
    scope='every lr, lr_min and T, every t >= T; after="hold"',
    sources=[sgdr],
    schedule=about_schedule("cosine"),
)
def cosine_ends(schedule: ScheduleFamily) -> Decision:
    """The formula at both ends and past the end, for symbolic T."""
    eta = rate(schedule)
    show_equal(eta.subs(updates, 0), lr, "eta_0")
    show_equal(eta.subs(updates, total), lr_min, "eta_T")
    show_equal(eta.subs(updates, total + k), lr_min, "eta after the end")
    return holds("cos 0 = 1 and cos pi = -1; past the end the time is held at T")


@claim(
    "cosine.recursion",
    "Cosine annealing can be computed from the last learning rate alone.",
    statement=r"\eta_{t+1} = \eta_{\min} + (\eta_t - \eta_{\min}) \, \frac{1 + \cos(\pi (t + 1)/T)}{1 +"
    r" \cos(\pi t/T)}, \qquad 0 \le t < T",
    scope="every lr, lr_min and T, 0 <= t < T; at t = T the denominator is 0 and the recursion says nothing",
    sources=[sgdr],
    schedule=about_schedule("cosine"),
)
def cosine_recursion(schedule: ScheduleFamily) -> Decision:
    """Substituted for symbolic t < T; the denominator is positive there, as 0 <= pi t/T < pi."""
    eta, length = rate(schedule), k + 1 + j  # any T > k
    here, then = (eta.subs({updates: now, total: length}, simultaneous=True) for now in (k, k + 1))
    factor = (1 + sp.cos(sp.pi * (k + 1) / length)) / (1 + sp.cos(sp.pi * k / length))
    show_equal(then, lr_min + (here - lr_min) * factor, "eta at t + 1")
    return holds(
        "both sides are lr_min + (lr - lr_min)(1 + cos(pi (t+1)/T))/2, and 1 + cos(pi t/T) > 0 for t < T"
    )


@claim(
    "restarts.lengths",
    "Each cycle between warm restarts is T_mult times as long as the one before.",
    statement=r"T_i = T_0 T_{\mathrm{mult}}^i, \quad S_i = T_0 \, \frac{T_{\mathrm{mult}}^i -"
    r" 1}{T_{\mathrm{mult}} - 1} \;\; (T_0 i \text{ for } T_{\mathrm{mult}} = 1), \quad S_{i+1} - S_i ="
    r" T_i, \quad \eta_{S_i} = \eta_{\max}",
    scope="every T_0, T_mult, lr and lr_min, every cycle i, M_mult = 1; S_i is the t at which cycle i begins",
    sources=[sgdr],
    schedule=about_schedule("cosine_warm_restarts"),
)
def restart_lengths(schedule: ScheduleFamily) -> Decision:
    """The lines of the schedule with the index i symbolic, once for T_mult = 1 and once for T_mult > 1."""
    (index, _), (length, cycle), (elapsed, since), (peak, height), (_, eta) = schedule.lines()
    for growth in (sp.Integer(1), 1 + sp.Symbol("s", integer=True, positive=True)):
        put = {index: k, T_mult: growth}
        begin = (updates - since).subs(put).doit()
        stated = T_0 * k if growth == 1 else T_0 * (growth**k - 1) / (growth - 1)
        show_equal(begin, stated, f"the start of cycle k for T_mult = {growth}")
        show_equal(cycle.subs(put), T_0 * growth**k, "the length of cycle k")
        show_equal(begin.subs(k, k + 1) - begin, cycle.subs(put), "the time between restarts")
    show_equal(eta.subs({elapsed: 0}), peak, "eta at a restart")
    show_equal(eta, annealed(elapsed, length).subs(lr, peak), "eta within a cycle")
    show_equal(height.subs(M_mult, 1), lr, "the height of a cycle")
    return holds("S_(i+1) - S_i = T_0 T_mult^i by summing the geometric series; at T_cur = 0 the cosine is 1")


@claim(
    "restarts.index",
    "The cycle a step belongs to is the number of restarts up to it.",
    statement=r"i_t = \max \{ i : S_i \le t \}, \qquad S_0 = 0, \; S_{i+1} = S_i + T_0 T_{\mathrm{mult}}^i",
    scope="T_0 = 1, ..., 5, T_mult = 1, ..., 4, t = 0, ..., 200, every case; among them T_0 = 1, T_mult ="
    " 3, t = 121, an exact restart where the usual floor of a floating logarithm is one short",
    sources=[sgdr],
    evidence="exact enumeration",
    schedule=about_schedule("cosine_warm_restarts"),
)
def restart_index(schedule: ScheduleFamily) -> Decision:
    """Integers against integers: the index of the schedule and a count by addition."""
    _, index = schedule.lines()[0]
    cases = 0
    for first, growth in itertools.product(range(1, 6), range(1, 5)):
        at = index.subs({T_0: first, T_mult: growth})
        cycle, following, length = 0, first, first
        for now in range(201):
            if now == following:
                cycle, length = cycle + 1, length * growth
                following += length
            if (found := at.subs(updates, now)) != cycle:
                raise Refuted(f"T_0 = {first}, T_mult = {growth}, t = {now}: index {found}, not {cycle}")
            cases += 1
    return holds(f"{cases} cases, no difference", "exact enumeration")
