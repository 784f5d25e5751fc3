"""Cosine annealing and its restarts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import sympy as sp
from sympy.simplify.fu import TR8

from optverify.claims._claim import Decision, about_schedule, claim, holds, holds_under_conditions, refuted
from optverify.claims._first import refute_first
from optverify.claims._schedule import at, formula, j, k, mirrored, n, off, ranges, show_takes
from optverify.language import ScheduleFamily, Source, lr
from optverify.language.clock import T_0, RestartIndex, T_mult, lr_min, total
from optverify.language.clock import t as updates
from optverify.proof import NotProved, Refuted, show_equal, show_positive
from optverify.schedules.cosine_warm_restarts import M_mult

sgdr = Source(
    "Loshchilov and Hutter",
    2017,
    "SGDR: stochastic gradient descent with warm restarts",
    "equation (5) and section 3",
    "ICLR",
    arxiv="1608.03983",
)

torch_restarts = Source(
    "PyTorch",
    2017,
    "torch.optim.lr_scheduler.CosineAnnealingWarmRestarts",
    "step(epoch): int(math.log(epoch / T_0 * (T_mult - 1) + 1, T_mult))",
    url="https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html",
)


def annealed(now: sp.Expr, length: sp.Expr) -> sp.Expr:
    """lr_min + (lr - lr_min) (1 + cos(pi now/length))/2: equation (5) of SGDR."""
    return lr_min + (lr - lr_min) * (1 + sp.cos(sp.pi * now / length)) / 2


@claim(
    "cosine.ends",
    "Cosine annealing goes from lr to lr_min, and stays there.",
    statement=r"\eta_0 = \eta_{\max}, \quad \eta_T = \eta_{\min}, \quad \eta_t = \eta_{\min} \text{ for } t"
    r" \ge T",
    scope='every lr, lr_min and T, every t >= T; after="hold"',
    sources=[sgdr],
    schedule=about_schedule("cosine"),
)
def cosine_ends(schedule: ScheduleFamily) -> Decision:
    """The formula at both ends and past the end, for symbolic T."""
    show_takes(schedule, "lr lr_min total")
    eta = formula(schedule)
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
    show_takes(schedule, "lr lr_min total")
    eta, length = formula(schedule), k + 1 + j  # any T > k
    here, then = (eta.subs({updates: now, total: length}, simultaneous=True) for now in (k, k + 1))
    factor = (1 + sp.cos(sp.pi * (k + 1) / length)) / (1 + sp.cos(sp.pi * k / length))
    show_equal(then, lr_min + (here - lr_min) * factor, "eta at t + 1")
    return holds(
        "both sides are lr_min + (lr - lr_min)(1 + cos(pi (t+1)/T))/2, and 1 + cos(pi t/T) > 0 for t < T"
    )


@claim(
    "cosine.past_end",
    "The recursion for cosine annealing can be run on past the end.",
    statement=r"\eta_{t+1} = \eta_{\min} + (\eta_t - \eta_{\min}) \, \frac{1 + \cos(\pi (t + 1)/T)}{1 +"
    r" \cos(\pi t/T)} \quad \text{for } t = T",
    scope="every lr, lr_min and T; the step from t = T to T + 1",
    sources=[sgdr],
    expected="refuted",
    evidence="proved",
    corrected_by="cosine.recursion",
    schedule=about_schedule("cosine"),
)
def cosine_past_end(schedule: ScheduleFamily) -> Decision:
    """At t = T the recursion multiplies 0 by a quotient by 0, whatever the schedule does then."""
    show_takes(schedule, "lr lr_min total")
    eta = formula(schedule)
    rest = sp.expand(eta.subs(updates, total) - lr_min)
    below = (1 + sp.cos(sp.pi * updates / total)).subs(updates, total)
    if rest != 0 or below != 0:
        raise NotProved(f"eta_T - lr_min is {rest}, the denominator {below}")
    path = [eta.subs({updates: i, total: 2, lr: 1, lr_min: 0}) for i in range(3)]
    return refuted(
        f"T = 2, lr = 1, lr_min = 0: the rates are {', '.join(map(str, path))}, then 0 times 1/0, as"
        " 1 + cos(pi T/T) = 0",
        "proved",
    )


@claim(
    "cosine.monotone",
    "Cosine annealing never rises.",
    statement=r"\eta_t - \eta_{t+1} = (\eta_{\max} - \eta_{\min}) \, \sin \frac{(2 t + 1) \pi}{2 T} \, \sin"
    r" \frac{\pi}{2 T} \ge 0, \qquad 0 \le t < T",
    scope='every lr >= lr_min and T, every t < T, and after the end, where it stays; after="hold"',
    sources=[sgdr],
    schedule=about_schedule("cosine"),
)
def cosine_monotone(schedule: ScheduleFamily) -> Decision:
    """The fall in one update, for symbolic t < T, as a product of sines of angles between 0 and pi."""
    show_takes(schedule, "lr lr_min total")
    values = {"lr": 3, "lr_min": 1, "total": 2}
    refute_first(off(schedule, values, (3, 2, 1, 1).__getitem__, range(4)))
    length, turn = k + 1 + j, sp.Symbol("h", positive=True)  # any T > k, and h = pi/T
    here, then = (at(schedule, now, total=length) for now in (k, k + 1))
    fall = (here - then).replace(
        sp.cos, lambda angle: sp.cos(sp.expand(sp.cancel(angle * length / sp.pi) * turn))
    )
    stated = (lr - lr_min) * sp.sin((2 * k + 1) * turn / 2) * sp.sin(turn / 2)
    as_sums = TR8(sp.expand(stated)).replace(sp.cos, lambda angle: sp.cos(sp.expand(angle)))
    show_equal(sp.expand(fall), sp.expand(as_sums), "the fall in one update", ranges(schedule))
    half = sp.cancel(1 - (2 * k + 1) / (2 * length))
    show_positive(half, "1 less the first angle over pi", {})
    show_equal(at(schedule, length + n, total=length), lr_min, "eta after the end", ranges(schedule))
    return holds("cos a - cos b = 2 sin((a + b)/2) sin((b - a)/2), and both angles are between 0 and pi")


@claim(
    "cosine.mean",
    "The mean of cosine annealing is halfway between its ends.",
    statement=r"\eta_t + \eta_{T-t} = \eta_{\max} + \eta_{\min} \quad \Longrightarrow \quad \frac{1}{T + 1}"
    r" \sum_{t=0}^{T} \eta_t = \frac{\eta_{\max} + \eta_{\min}}{2}, \quad \frac{1}{T} \sum_{t=0}^{T-1} \eta_t"
    r" = \frac{\eta_{\max} + \eta_{\min}}{2} + \frac{\eta_{\max} - \eta_{\min}}{2 T}",
    scope="every lr, lr_min and T: halfway for the rates at t = 0, ..., T; the T rates that T updates use, t"
    " = 0, ..., T - 1, have a higher mean",
    sources=[sgdr],
    expected="holds under conditions",
    schedule=about_schedule("cosine"),
)
def cosine_mean(schedule: ScheduleFamily) -> Decision:
    """The rates at t and T - t together, and the last one."""
    show_takes(schedule, "lr lr_min total")
    refute_first(off(schedule, {"lr": 3, "lr_min": 1, "total": 2}, (3, 2, 1, 1).__getitem__, range(4)))
    show_equal(mirrored(schedule), lr + lr_min, "eta_t + eta_(T - t)", ranges(schedule))
    show_equal(at(schedule, j + 1, total=j + 1), lr_min, "eta_T", ranges(schedule))
    return holds_under_conditions(
        "the rates at t and T - t are together lr + lr_min, so T + 1 of them sum to (T + 1)(lr + lr_min)/2;"
        " without the last, lr_min, T of them have a mean higher by (lr - lr_min)/(2 T)"
    )


@claim(
    "cosine.power_one",
    "Cosine annealing to the power 1 is cosine annealing.",
    statement=r"p = 1 \quad \Longrightarrow \quad \eta_{\min} + (\eta_{\max} - \eta_{\min}) \left( \frac{1 +"
    r" \cos(\pi t/T)}{2} \right)^p = \eta^{\cos}_t",
    scope="every lr, lr_min, T and t, before the end and after it",
    sources=[sgdr],
    schedule=about_schedule("cosine_power"),
    cosine=about_schedule("cosine"),
)
def cosine_power_one(schedule: ScheduleFamily, cosine: ScheduleFamily) -> Decision:
    """Both formulas, before the end and after it."""
    show_takes(schedule, "lr lr_min total exponent")
    show_takes(cosine, "lr lr_min total")
    for now, length in ((k, k + 1 + j), (k + j + 1, k + 1)):
        mine, theirs = (at(f, now, total=length, exponent=sp.Integer(1)) for f in (schedule, cosine))
        show_equal(mine, theirs, f"eta for t = {now}, T = {length}", ranges(schedule, cosine))
    for family in (schedule, cosine):
        show_equal(at(family, 0), lr, f"eta_0 of {family.name}", ranges(family))
    return holds("the same expression, before T and after it")


@claim(
    "restarts.lengths",
    "Each cycle between warm restarts is T_mult times as long as the one before.",
    statement=r"T_i = T_0 T_{\mathrm{mult}}^i, \quad S_i = T_0 \, \frac{T_{\mathrm{mult}}^i -"
    r" 1}{T_{\mathrm{mult}} - 1} \;\; (T_0 i \text{ for } T_{\mathrm{mult}} = 1), \quad S_{i+1} - S_i = T_i,"
    r" \quad \eta_{S_i} = \eta_{\max}",
    scope="every T_0, T_mult, lr and lr_min, every cycle i, M_mult = 1; S_i is the t at which cycle i begins",
    sources=[sgdr],
    schedule=about_schedule("cosine_warm_restarts"),
)
def restart_lengths(schedule: ScheduleFamily) -> Decision:
    """The lines of the schedule with the index i symbolic, once for T_mult = 1 and once for T_mult > 1."""
    show_takes(schedule, "lr lr_min T_0 T_mult M_mult")
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
    scope="T_0 = 1, ..., 5, T_mult = 1, ..., 4, t = 0, ..., 200, every case; among them T_0 = 1, T_mult = 3,"
    " t = 121, an exact restart where the usual floor of a floating logarithm is one short",
    sources=[sgdr],
    evidence="exact enumeration",
    schedule=about_schedule("cosine_warm_restarts"),
)
def restart_index(schedule: ScheduleFamily) -> Decision:
    """Integers against integers: the index of the schedule and a count by addition."""
    show_takes(schedule, "lr lr_min T_0 T_mult M_mult")
    cases = 0
    for first, growth, now, found, cycle in indices(schedule):
        if found != cycle:
            raise Refuted(f"T_0 = {first}, T_mult = {growth}, t = {now}: index {found}, not {cycle}")
        cases += 1
    return holds(f"{cases} cases, no difference", "exact enumeration")


def indices(schedule: ScheduleFamily) -> Iterator[tuple[int, int, int, int, int]]:
    """T_0, T_mult, t, the index of the schedule, and the number of restarts up to t, counted by addition."""
    _, index = schedule.lines()[0]
    least = {updates: 0, T_0: 1, T_mult: 1}
    for asked in index.atoms(RestartIndex):
        now, first, growth = (a.subs(least) for a in asked.args)
        if not (now >= 0 and first >= 1 and growth >= 1) == True:  # noqa: E712
            raise Refuted(f"the index is asked for t = {now}, T_0 = {first}, T_mult = {growth}")
    known = [{"RestartIndex": RestartIndex.number}, "math"]
    number = sp.lambdify([updates, T_0, T_mult], index, known)
    for first, growth in itertools.product(range(1, 6), range(1, 5)):
        cycle, following, length = 0, first, first
        for now in range(201):
            if now == following:
                cycle, length = cycle + 1, length * growth
                following += length
            yield first, growth, now, number(now, first, growth), cycle


@claim(
    "restarts.floating_index",
    "The cycle a step belongs to is the floor of a logarithm, computed in floating point.",
    statement=r"i_t = \left\lfloor \log_{T_{\mathrm{mult}}} \Bigl( 1 + \frac{t (T_{\mathrm{mult}} - 1)}{T_0}"
    r" \Bigr) \right\rfloor \text{ as the quotient of two rounded logarithms}",
    scope="T_0 = 1, ..., 5, T_mult = 2, 3, 4, t = 0, ..., 200, in IEEE double precision, as Python computes"
    " math.log(x, T_mult); the formula is exact over the reals",
    sources=[torch_restarts],
    expected="refuted",
    evidence="numerical",
    corrected_by="restarts.index",
    schedule=about_schedule("cosine_warm_restarts"),
)
def floating_index(schedule: ScheduleFamily) -> Decision:
    """Every case: the exact index against the formula in floats."""
    show_takes(schedule, "lr lr_min T_0 T_mult M_mult")
    wrong = []
    for first, growth, now, found, cycle in indices(schedule):
        if found != cycle:
            raise NotProved(f"T_0 = {first}, T_mult = {growth}, t = {now}: index {found}, not {cycle}")
        if growth > 1 and (floated := int(math.log(now / first * (growth - 1) + 1, growth))) != cycle:
            wrong.append((first, growth, now, floated, cycle))
    if not wrong:
        return holds("the formula is right in every case that was tried", "numerical")
    first, growth, now, floated, cycle = wrong[0]
    return refuted(
        f"T_0 = {first}, T_mult = {growth}, t = {now}: an exact restart, the beginning of cycle {cycle}, but"
        f" log({growth**cycle}) / log({growth}) is a little less than {cycle} in floats and gives {floated}:"
        f" the rate is still at the bottom of the cycle before. Wrong in {len(wrong)} of the cases tried",
        "numerical",
    )
