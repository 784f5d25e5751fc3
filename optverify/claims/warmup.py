"""Schedules that begin with warm-up, and what comes after it."""

from __future__ import annotations

import sympy as sp

from optverify.claims._claim import Decision, about_schedule, claim, holds, refuted
from optverify.claims._first import refute_first
from optverify.claims._schedule import at, formula, k, n, off, pieces, ranges, settled, show_takes
from optverify.language import ScheduleFamily, Source, lr
from optverify.language.clock import count_symbol, decay_steps, lr_min, total, warmup
from optverify.language.clock import t as updates
from optverify.proof import (
    NotProved,
    Refuted,
    show_by_smt,
    show_equal,
)

goyal = Source(
    "Goyal et al.",
    2017,
    "Accurate, large minibatch SGD: training ImageNet in 1 hour",
    "section 2.2 (gradual warmup)",
    arxiv="1706.02677",
)
ma = Source(
    "Ma and Yarats",
    2021,
    "On the adequacy of untuned warmup for adaptive optimization",
    "the exponential warmup rule of thumb",
    "AAAI",
    arxiv="1910.04209",
)
vaswani = Source(
    "Vaswani et al.", 2017, "Attention is all you need", "equation (3)", "NeurIPS", arxiv="1706.03762"
)
raffel = Source(
    "Raffel et al.",
    2020,
    "Exploring the limits of transfer learning with a unified text-to-text transformer",
    "section 3.1.2 (1/sqrt(max(n, k)))",
    "JMLR 21",
    arxiv="1910.10683",
)
hu = Source(
    "Hu et al.",
    2024,
    "MiniCPM: unveiling the potential of small language models with scalable training strategies",
    "the WSD learning rate scheduler",
    arxiv="2404.06395",
)
xing = Source(
    "Xing, Arpit, Tsirigotis and Bengio",
    2018,
    "A walk with SGD",
    "the trapezoid schedule",
    arxiv="1802.08770",
)
sgdr = Source(
    "Loshchilov and Hutter",
    2017,
    "SGDR: stochastic gradient descent with warm restarts",
    "equation (5), without restarts",
    "ICLR",
    arxiv="1608.03983",
)

d_model = count_symbol("d_model")
third = sp.Rational(1, 3)


# ---- linear and exponential warm-up ----------------------------------------------------------------------


def show_ramp(family: ScheduleFamily) -> None:
    """Show that the rate is lr t/W for t <= W, and lr from then on."""
    for now, length in ((k, k + n + 1), (k + n + 1, n + 1)):
        expected = lr * (now / length if now == k else 1)
        found = at(family, now, warmup=length)
        show_equal(found, expected, f"eta for t = {now}, W = {length}", ranges(family))


@claim(
    "linear_warmup.ramp",
    "Linear warm-up rises from 0 in equal steps, reaches the learning rate and stays there.",
    statement=r"\eta_t = \eta_{\max} \, \frac{t}{W} \; (t \le W), \quad \eta_t = \eta_{\max} \; (t \ge W),"
    r" \qquad \text{continuous at } t = W",
    scope="every lr and W; the form t/W, whose first update has the rate 0",
    sources=[goyal],
    schedule=about_schedule("linear_warmup"),
)
def linear_warmup_ramp(schedule: ScheduleFamily) -> Decision:
    """Both sides of W, and at W."""
    show_takes(schedule, "lr warmup")
    show_ramp(schedule)
    show_equal(at(schedule, warmup), lr, "eta_W", ranges(schedule))
    return holds("lr t/W before W, lr from W on, and both are lr at W")


@claim(
    "linear_warmup.smooth",
    "Warm-up joins the rest of the schedule smoothly.",
    statement=r"\eta_W - \eta_{W-1} = \eta_{W+1} - \eta_W",
    scope="linear warm-up to a constant rate, every lr and W",
    sources=[goyal],
    expected="refuted",
    evidence="proved",
    corrected_by="linear_warmup.ramp",
    schedule=about_schedule("linear_warmup"),
)
def linear_warmup_smooth(schedule: ScheduleFamily) -> Decision:
    """The last step up and the next one."""
    show_takes(schedule, "lr warmup")
    length = k + 1
    before, here, after = (at(schedule, length + i, warmup=length) for i in (-1, 0, 1))
    bend = sp.cancel((here - before) - (after - here))
    if bend == 0:
        return holds("the steps before and after W are the same")
    show_equal(bend, lr / length, "the change of slope", ranges(schedule))
    return refuted("the rate rises by lr/W in each update up to W, and by 0 after it: a kink", "proved")


@claim(
    "exponential_warmup.distance",
    "In exponential warm-up the distance to the learning rate shrinks by the same factor in every update.",
    statement=r"\eta_{\max} - \eta_t = e^{-(t+1)/W} \, \eta_{\max}, \qquad \frac{\eta_{\max} -"
    r" \eta_{t+1}}{\eta_{\max} - \eta_t} = e^{-1/W}",
    scope="every lr, W and t",
    sources=[ma],
    schedule=about_schedule("exponential_warmup"),
)
def exponential_warmup_distance(schedule: ScheduleFamily) -> Decision:
    """The distance now, and after one more update."""
    show_takes(schedule, "lr warmup")
    values = {"lr": 2, "warmup": 2}
    refute_first(off(schedule, values, lambda i: 2 - 2 * sp.exp(-sp.Rational(i + 1, 2)), range(3)))
    distance = lr - formula(schedule)
    show_equal(distance, lr * sp.exp(-(updates + 1) / warmup), "lr - eta_t", ranges(schedule))
    then = distance.subs(updates, updates + 1)
    show_equal(then, sp.exp(-1 / warmup) * distance, "the next distance", ranges(schedule))
    return holds("lr - eta_t = lr e^(-(t+1)/W), so every update multiplies it by e^(-1/W)")


@claim(
    "exponential_warmup.complete",
    "After its W updates exponential warm-up is over.",
    statement=r"\eta_{W-1} = \eta_{\max}",
    scope="every lr and W; the last of W updates is that with t = W - 1",
    sources=[ma],
    expected="refuted",
    evidence="proved",
    corrected_by="exponential_warmup.distance",
    schedule=about_schedule("exponential_warmup"),
)
def exponential_warmup_complete(schedule: ScheduleFamily) -> Decision:
    """The rate of the last update of warm-up."""
    show_takes(schedule, "lr warmup")
    missing = sp.simplify(lr - at(schedule, warmup - 1))
    if missing == 0:
        return holds("eta_(W - 1) = lr")
    show_equal(missing, lr * sp.exp(-1), "what is missing", ranges(schedule))
    return refuted("lr/e is still missing after W updates, whatever W is: the rate is 0.632... lr", "proved")


# ---- Noam ------------------------------------------------------------------------------------------------


@claim(
    "noam.peak",
    "The schedule of the Transformer is highest at the end of warm-up.",
    statement=r"\eta_t \le \eta_{W-1} = \frac{\eta_0}{\sqrt{d_{\mathrm{model}} W}} \text{ for all } t",
    scope="every lr, width d_model, W and t; t = W - 1 is step W of the paper",
    sources=[vaswani],
    evidence="decided by SMT",
    schedule=about_schedule("noam"),
)
def noam_peak(schedule: ScheduleFamily) -> Decision:
    """The value there, and that no t >= 0 has a larger one."""
    show_takes(schedule, "lr d_model warmup")
    peak = lr / sp.sqrt(d_model * warmup)
    values = {"lr": 5, "d_model": 4, "warmup": 4}
    heights = {i: sp.Rational(5 * (i + 1), 16) for i in range(4)} | {8: sp.Rational(5, 6)}
    refute_first(off(schedule, values, heights.__getitem__, heights))
    show_equal(at(schedule, warmup - 1), peak, "eta_(W - 1)", ranges(schedule))
    shape = formula(schedule).subs({lr: 1, d_model: 1})
    show_equal(formula(schedule), lr / sp.sqrt(d_model) * shape, "eta", ranges(schedule))
    show_by_smt(shape <= 1 / sp.sqrt(warmup), [], "eta is at most its value at t = W - 1")
    return holds("min(1/sqrt(n), n W^(-3/2)) <= 1/sqrt(W) for n = t + 1 >= 1, = at n = W", "decided by SMT")


@claim(
    "noam.product",
    "The schedule of the Transformer is linear warm-up times inverse square root decay.",
    statement=r"\eta_t = \frac{\eta_0}{\sqrt{d_{\mathrm{model}} W}} \, \min \left( \frac{n}{W}, 1 \right)"
    r" \sqrt{\frac{W}{\max(n, W)}}, \qquad n = t + 1",
    scope="every lr, width d_model, W and t; both read the step number n = t + 1",
    sources=[vaswani, raffel],
    evidence="decided by SMT",
    noam=about_schedule("noam"),
    ramp=about_schedule("linear_warmup"),
    root=about_schedule("inverse_sqrt"),
)
def noam_product(noam: ScheduleFamily, ramp: ScheduleFamily, root: ScheduleFamily) -> Decision:
    """Equality of both sides over the reals, over lr/sqrt(d_model)."""
    show_takes(noam, "lr d_model warmup")
    show_takes(ramp, "lr warmup")
    show_takes(root, "lr warmup")
    for family, values, heights in (
        (noam, {"d_model": 4}, {0: sp.Rational(3, 16), 3: sp.Rational(3, 4), 8: sp.Rational(1, 2)}),
        (ramp, {}, {0: sp.Integer(0), 1: sp.Rational(3, 4), 4: sp.Integer(3), 9: sp.Integer(3)}),
        (root, {}, {0: sp.Integer(3), 4: sp.Integer(3), 16: sp.Rational(3, 2)}),
    ):
        refute_first(off(family, {**values, "lr": 3, "warmup": 4}, heights.__getitem__, heights))
    factor = lr / sp.sqrt(d_model)
    shape = at(noam, updates, lr=1, d_model=1)
    show_equal(formula(noam), factor * shape, "eta of the Transformer", ranges(noam))
    both = at(ramp, updates + 1, lr=1) * at(root, updates + 1, lr=1 / sp.sqrt(warmup))
    show_by_smt(sp.Eq(shape, both), [], "the product is the schedule")
    return holds("the product with lr/sqrt(d_model W) is the schedule at every t >= 0", "decided by SMT")


# ---- trapezoids ------------------------------------------------------------------------------------------


@claim(
    "wsd.continuous",
    "Warm-up, stable, decay is continuous: it does not jump from one phase to the next.",
    statement=r"\eta_{W-} = \eta_{W+} = \eta_{\max}, \quad \eta_{(T-D)-} = \eta_{(T-D)+} = \eta_{\max}, \quad"
    r" \eta_{T-} = \eta_{T+} = \eta_{\min}",
    scope="every lr, lr_min, T, W and D with W + D <= T; linear decay, the form t/W, t in the reals",
    sources=[hu],
    schedule=about_schedule("wsd"),
)
def wsd_continuous(schedule: ScheduleFamily) -> Decision:
    """Neighbouring cases at the time where one takes over from the other."""
    show_takes(schedule, "lr lr_min total warmup decay_steps")
    values = {"lr": 5, "lr_min": 2, "total": 7, "warmup": 2, "decay_steps": 2}
    heights = [sp.Rational(e, 2) for e in (0, 5, 10, 10, 10, 10, 7, 4, 4)]
    refute_first(off(schedule, values, heights.__getitem__, range(9)))
    rise, level, fall, end = pieces(schedule, 4)
    for one, other, time, height in (
        (rise, level, warmup, lr),
        (level, fall, total - decay_steps, lr),
        (fall, end, total, lr_min),
    ):
        for side in (one, other):
            show_equal(side.subs(updates, time), height, f"eta at t = {time}", ranges(schedule))
    show_equal(rise.subs(updates, 0), 0, "eta_0", ranges(schedule))
    return holds("the cases agree at t = W and T - D, where both are lr, and at T, where both are lr_min")


@claim(
    "trapezoidal.wsd",
    "The trapezoidal schedule is warm-up, stable, decay down to 0.",
    statement=r"\eta_{\max} \min \left( 1, \frac{t}{W}, \frac{\max(0, T - t)}{D} \right) = \eta_t \text{ of"
    r" WSD with } \eta_{\min} = 0",
    scope="every lr, T, W and D with W + D <= T, every t >= 0; linear decay, the form t/W",
    sources=[xing, hu],
    schedule=about_schedule("trapezoidal"),
    wsd=about_schedule("wsd"),
)
def trapezoidal_wsd(schedule: ScheduleFamily, wsd: ScheduleFamily) -> Decision:
    """Both in each of four stretches of time, over the reals."""
    show_takes(schedule, "lr total warmup decay_steps")
    show_takes(wsd, "lr lr_min total warmup decay_steps")
    heights = [sp.Rational(e, 2) for e in (0, 3, 6, 6, 6, 6, 3, 0, 0)]
    for family, more in ((schedule, {}), (wsd, {"lr_min": 0})):
        values = {"lr": 3, "total": 7, "warmup": 2, "decay_steps": 2, **more}
        refute_first(off(family, values, heights.__getitem__, range(9)))
    x, gap = sp.Symbol("x", nonnegative=True), sp.Symbol("y", positive=True)
    for time, level in (
        (warmup / (1 + gap), x),  # 0 < t < W, and T - W - D = x
        (warmup + gap * x / (1 + x), gap),
        (warmup + x + decay_steps / (1 + gap), x),
        (warmup + x + decay_steps + gap, x),
        *((end, x) for end in (sp.Integer(0), warmup + x, warmup + x + decay_steps)),
    ):
        put = {updates: time, total: warmup + level + decay_steps, lr_min: sp.Integer(0)}
        mine, theirs = (settled(formula(family), put) for family in (schedule, wsd))
        show_equal(mine, theirs, f"eta at t = {time}, T = {put[total]}")
    return holds("the minimum and the cases are equal in all four stretches of time, and where they meet")


# ---- warm-up, then annealing -----------------------------------------------------------------------------


@claim(
    "join.own_clock",
    "Linear warm-up, then cosine annealing on its own clock, is continuous.",
    statement=r"\lim_{t \to W} \eta^{\mathrm{warm}}_t = \eta_{\max} = \eta^{\cos}_0",
    scope="every lr, lr_min, W and T; each piece reads the updates since it took over",
    sources=[goyal, sgdr],
    ramp=about_schedule("linear_warmup"),
    cosine=about_schedule("cosine"),
)
def join_own_clock(ramp: ScheduleFamily, cosine: ScheduleFamily) -> Decision:
    """Where the first ends and the second begins, and in an exact example."""
    show_takes(ramp, "lr warmup")
    show_takes(cosine, "lr lr_min total")
    show_ramp(ramp)
    show_equal(at(ramp, warmup), lr, "the end of warm-up", ranges(ramp))
    show_equal(at(cosine, 0), lr, "the first rate of the annealing", ranges(cosine))
    joined = ramp(lr=1.0, warmup=2).then(cosine(lr=1.0, total=4), at=2)
    found = [joined.substituted.subs(updates, i) for i in range(5)]
    if found[:4] != [0, sp.Rational(1, 2), 1, sp.Rational(1, 2) + sp.sqrt(2) / 4]:
        raise Refuted(f"W = 2, T = 4, lr = 1: the joined rates are {found}")
    return holds("both are lr at the join; W = 2, T = 4 and lr = 1 give 0, 1/2, 1, (2 + sqrt(2))/4")


@claim(
    "join.common_clock",
    "It makes no difference which clock the annealing after a warm-up reads.",
    statement=r"\eta^{\cos}_W = \eta^{\cos}_0",
    scope="linear warm-up of 2 updates, cosine annealing with T = 4, lr = 1, lr_min = 0",
    sources=[goyal, sgdr],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="join.own_clock",
    ramp=about_schedule("linear_warmup"),
    cosine=about_schedule("cosine"),
)
def join_common_clock(ramp: ScheduleFamily, cosine: ScheduleFamily) -> Decision:
    """Both joins at t = W."""
    show_takes(ramp, "lr warmup")
    show_takes(cosine, "lr lr_min total")
    pair = ramp(lr=1.0, warmup=2), cosine(lr=1.0, total=4)
    own, common = (pair[0].then(pair[1], at=2, clock=c).substituted for c in ("own", "common"))
    rates = [[e.subs(updates, i) for i in range(4)] for e in (own, common)]
    if rates[0] == rates[1]:
        return holds(f"both joins have the rates {rates[0]}", "exact certificate")
    if rates[0][:3] != [0, sp.Rational(1, 2), 1]:
        raise NotProved(f"the rates are {rates[0]} on an own clock")
    return refuted(f"t = 0, ..., 3: {rates[0]} on an own clock, {rates[1]} on a common one, below lr")
