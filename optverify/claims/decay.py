"""Schedules that fall: what they sum to, and which of them are one another."""

from __future__ import annotations

from functools import partial

import sympy as sp

from optverify.claims._claim import Decision, about_schedule, claim, holds, refuted
from optverify.claims._schedule import at, formula, j, k, mirrored, n, off, ranges, show_takes, within_period
from optverify.language import ScheduleFamily, Source, hyper_symbol, lr
from optverify.language.clock import decay_steps, gamma, lr_end, lr_min, milestones, step_size, warmup
from optverify.language.clock import t as updates
from optverify.proof import (
    NotProved,
    Refuted,
    show_by_induction,
    show_equal,
    show_nonnegative,
    show_positive,
    unless,
)

li_budget = Source(
    "Li, Yumer and Ramanan",
    2020,
    "Budgeted training: rethinking deep neural network training under resource constraints",
    "the linear schedule",
    "ICLR",
    arxiv="1905.04753",
)
sgdr = Source(
    "Loshchilov and Hutter",
    2017,
    "SGDR: stochastic gradient descent with warm restarts",
    "equation (5)",
    "ICLR",
    arxiv="1608.03983",
)
deeplab = Source(
    "Chen, Papandreou, Kokkinos, Murphy and Yuille",
    2018,
    "DeepLab: semantic image segmentation with deep convolutional nets, atrous convolution, and fully"
    " connected CRFs",
    "the poly learning rate policy",
    "IEEE TPAMI 40",
    arxiv="1606.00915",
)
ge = Source(
    "Ge, Kakade, Kidambi and Netrapalli",
    2019,
    "The step decay schedule: a near optimal, geometrically decaying learning rate procedure for least"
    " squares",
    "Algorithm 1",
    "NeurIPS",
    arxiv="1904.12838",
)
li_exponential = Source(
    "Li, Zhuang and Orabona",
    2021,
    "A second look at exponential and cosine step sizes: simplicity, adaptivity, and performance",
    "the exponential step size, section 1",
    "ICML",
    arxiv="2002.05273",
)
robbins = Source(
    "Robbins and Monro",
    1951,
    "A stochastic approximation method",
    "the conditions on the step sizes",
    "Annals of Mathematical Statistics 22",
    url="https://doi.org/10.1214/aoms/1177729586",
)
rex_paper = Source(
    "Chen, Wolfe and Kyrillidis",
    2022,
    "REX: revisiting budgeted training with an improved schedule",
    "the REX schedule",
    "MLSys",
    arxiv="2107.04197",
)
he = Source(
    "He, Zhang, Ren and Sun",
    2016,
    "Deep residual learning for image recognition",
    "section 4.2 (divided by 10 at 32k and 48k updates)",
    "CVPR",
    arxiv="1512.03385",
)

decay_rate, power = hyper_symbol("decay_rate", positive=True), hyper_symbol("power", positive=True)
third = sp.Rational(1, 3)


# ---- sums ------------------------------------------------------------------------------------------------


@claim(
    "linear.mean",
    "The mean of a linear schedule is halfway between its ends.",
    statement=r"\eta_t + \eta_{T-t} = \eta_0 + \eta_T \quad \Longrightarrow \quad \frac{1}{T + 1}"
    r" \sum_{t=0}^{T} \eta_t = \frac{\eta_0 + \eta_T}{2}, \quad \sum_{t=0}^{T-1} \eta_t = T \, \frac{\eta_0 +"
    r" \eta_T}{2} + \frac{\eta_0 - \eta_T}{2}",
    scope="every lr, lr_end and T; the rates at t = 0, ..., T (of the T updates of a run, t = 0, ..., T - 1,"
    " the mean is higher by (lr - lr_end)/(2 T))",
    sources=[li_budget],
    schedule=about_schedule("linear"),
)
def linear_mean(schedule: ScheduleFamily) -> Decision:
    """The rates at t and T - t, for symbolic T and t; and the last rate."""
    show_takes(schedule, "lr lr_end total")
    values = {"lr": 1, "lr_end": third, "total": 2}
    with unless(lambda: off(schedule, values, lambda i: 1 - i * third, range(3))):
        show_equal(mirrored(schedule), lr + lr_end, "eta_t + eta_(T - t)", ranges(schedule))
        show_equal(at(schedule, j + 1, total=j + 1), lr_end, "eta_T", ranges(schedule))
    return holds(
        "the rates at t and T - t are together lr + lr_end, so T + 1 of them are (T + 1)(lr + lr_end)/2"
    )


@claim(
    "linear.cosine",
    "A cosine schedule and a linear one with the same ends spend the same learning rate in total.",
    statement=r"\sum_{t=0}^{T} \eta_t^{\cos} = \sum_{t=0}^{T} \eta_t^{\mathrm{lin}}, \qquad \eta_t +"
    r" \eta_{T-t} = \eta_{\max} + \eta_{\min} \text{ for both}",
    scope="every lr, lr_min = lr_end and T, also without the last term, which is the same",
    sources=[sgdr, li_budget],
    cosine=about_schedule("cosine"),
    linear=about_schedule("linear"),
)
def linear_cosine(cosine: ScheduleFamily, linear: ScheduleFamily) -> Decision:
    """Both are symmetric about the middle of the run."""
    show_takes(cosine, "lr lr_min total")
    show_takes(linear, "lr lr_end total")
    half = {0: sp.Integer(1), 1: sp.Rational(2, 3), 2: third, 3: third}
    for family, low in ((cosine, "lr_min"), (linear, "lr_end")):
        values = {"lr": 1, low: third, "total": 2}
        with unless(partial(off, family, values, half.__getitem__, range(4))):
            found = mirrored(family, **{low: lr_min})
            show_equal(found, lr + lr_min, f"eta_t + eta_(T - t) of {family.name}", ranges(family))
    return holds(
        "the rates at t and T - t are together lr + lr_min in both, so the sums are (T + 1)(lr + lr_min)/2"
    )


@claim(
    "exponential.total",
    "However long a run with exponential decay is, its learning rates sum to no more than a fixed number.",
    statement=r"\eta_{t+u} \, \eta_0 = \eta_t \, \eta_u, \qquad \sum_{t=0}^{m-1} \eta_t = \eta_0 \, \frac{1 -"
    r" r^m}{1 - r} < \frac{\eta_0}{1 - r}, \qquad r = \gamma^{1/s} < 1",
    scope="every lr, gamma in (0, 1) and s, every m: steps along gradients of at most G stay within G lr/(1 -"
    " r) of the start",
    sources=[li_exponential],
    schedule=about_schedule("exponential"),
)
def exponential_total(schedule: ScheduleFamily) -> Decision:
    """The ratio of successive rates, and the sum by induction."""
    show_takes(schedule, "lr gamma decay_steps")
    values = {"lr": 3, "gamma": sp.Rational(1, 4), "decay_steps": 2}
    with unless(lambda: off(schedule, values, lambda i: 3 * sp.Rational(1, 2) ** i, range(4))):
        eta = formula(schedule)
        r = gamma ** (1 / decay_steps)
        show_equal(eta.subs(updates, 0), lr, "eta_0")
        show_equal(eta.subs(updates, k + 1), r * eta.subs(updates, k), "eta at t + 1", ranges(schedule))
        show_equal(eta.subs(updates, k + j) * lr, eta.subs(updates, k) * eta.subs(updates, j), "eta at t + u")
        ratio = sp.Symbol("r", positive=True)

        def grown(y: sp.Expr, i: sp.Expr) -> sp.Expr:
            return y + lr * ratio ** (i - 1)

        show_by_induction(grown, sp.Integer(0), lambda i: lr * (1 - ratio**i) / (1 - ratio), "the sum")
    return holds("eta_(t+1) = gamma^(1/s) eta_t, so the rates are a geometric series")


@claim(
    "inverse_time.robbins_monro",
    "Inverse time decay meets the conditions of Robbins and Monro.",
    statement=r"\sum_t \eta_t = \infty, \qquad \sum_t \eta_t^2 \le \eta_0^2 \, (1 + 1/r) < \infty, \qquad r ="
    r" \lambda/s",
    scope="every lr > 0, decay_rate > 0 and decay_steps, changing with every update",
    sources=[robbins],
    schedule=about_schedule("inverse_time"),
)
def inverse_time_robbins_monro(schedule: ScheduleFamily) -> Decision:
    """The harmonic series from below, a telescoping one from above."""
    show_takes(schedule, "lr decay_rate decay_steps")
    values = {"lr": 3, "decay_rate": 2, "decay_steps": 4}
    with unless(lambda: off(schedule, values, lambda i: 3 / (1 + sp.Rational(i, 2)), range(4))):
        r = sp.Symbol("r", positive=True)
        eta = formula(schedule).subs(decay_rate, r * decay_steps)
        now, then = eta.subs(updates, k), eta.subs(updates, k + 1)
        show_nonnegative(sp.cancel(now - lr / ((1 + r) * (k + 1))), "eta_t less lr/((1 + r)(t + 1))")
        step = lr**2 / r * (1 / (1 + r * k) - 1 / (1 + r * (k + 1)))
        show_nonnegative(sp.cancel(step - then**2), "what the bound gains less eta_(t+1)^2")
        show_equal(now.subs(k, 0), lr, "eta_0")
    return holds(
        "eta_t >= lr/((1 + r)(t + 1)), and the harmonic series diverges; eta_(t+1)^2 <= lr^2/r (1/(1 + r t) -"
        " 1/(1 + r (t + 1))), which telescopes to lr^2/r"
    )


@claim(
    "inverse_sqrt.robbins_monro",
    "Rates that fall like 1/sqrt(t) meet the conditions of Robbins and Monro.",
    statement=r"\sum_t \eta_t = \infty, \qquad \sum_t \eta_t^2 < \infty",
    scope="every lr > 0 and W",
    sources=[robbins],
    expected="refuted",
    corrected_by="inverse_time.robbins_monro",
    schedule=about_schedule("inverse_sqrt"),
)
def inverse_sqrt_robbins_monro(schedule: ScheduleFamily) -> Decision:
    """The squares are lr^2 W/t: the harmonic series."""
    show_takes(schedule, "lr warmup")
    eta = at(schedule, warmup + j)
    if sp.cancel(eta**2 * (warmup + j) / lr**2).has(j):
        raise NotProved(f"eta^2 t is not constant: eta is {eta} at t = W + j")
    show_positive(eta, "eta")
    return refuted(
        f"eta_t^2 = {sp.simplify(eta**2 * (warmup + j))}/t for t >= W: a multiple of the harmonic series,"
        f" which"
        " diverges (its terms from 2^i + 1 to 2^(i+1) are together more than 1/2)",
        "proved",
    )


# ---- one schedule is another -----------------------------------------------------------------------------


@claim(
    "polynomial.linear",
    "Polynomial decay of power 1 is the linear schedule.",
    statement=r"p = 1 \quad \Longrightarrow \quad \eta_T + (\eta_0 - \eta_T) \, (1 - t/T)^p = \eta_0 +"
    r" (\eta_T - \eta_0) \, t/T",
    scope="every lr, lr_end and T, before the end and after it",
    sources=[deeplab],
    schedule=about_schedule("polynomial"),
    linear=about_schedule("linear"),
)
def polynomial_linear(schedule: ScheduleFamily, linear: ScheduleFamily) -> Decision:
    """Both formulas, for t < T and t >= T."""
    show_takes(schedule, "lr lr_end total power")
    show_takes(linear, "lr lr_end total")
    for now, length in ((k, k + 1 + j), (k + j + 1, k + 1)):
        mine, theirs = (at(f, now, total=length).subs(power, 1) for f in (schedule, linear))
        show_equal(mine, theirs, f"eta for t = {now}, T = {length}", ranges(schedule, linear))
    for family in (schedule, linear):
        show_equal(at(family, 0), lr, f"eta_0 of {family.name}", ranges(family))
    return holds("the same expression, before T and after it")


@claim(
    "step.exponential",
    "Step decay is exponential decay, looked at every s updates.",
    statement=r"\eta^{\mathrm{step}}_t = \eta_0 \, \gamma^{\lfloor t/s \rfloor} = \eta^{\exp}_{s \lfloor t/s"
    r" \rfloor}",
    scope="every lr, gamma, s and t = n s + r with 0 <= r < s; exponential decay by gamma in s updates",
    sources=[ge, li_exponential],
    schedule=about_schedule("step"),
    exponential=about_schedule("exponential"),
)
def step_exponential(schedule: ScheduleFamily, exponential: ScheduleFamily) -> Decision:
    """Step decay within a period n, exponential decay at its beginning."""
    show_takes(schedule, "lr step_size gamma")
    show_takes(exponential, "lr gamma decay_steps")
    values, numbers = {"lr": 3, "gamma": third, "step_size": 2}, {"lr": 3, "gamma": third, "decay_steps": 2}

    def counterexample() -> str | None:
        found = off(schedule, values, lambda i: 3 * third ** (i // 2), range(6))
        return found or off(exponential, numbers, lambda i: 3 * third ** sp.Rational(i, 2), range(6))

    with unless(counterexample):
        eta = formula(schedule)
        (index,) = eta.atoms(sp.floor) or (sp.Integer(0),)
        mine = eta.xreplace({index: within_period(index, step_size, k)})
        theirs = at(exponential, n * decay_steps)
        show_equal(mine, lr * gamma**n, "eta of step decay", ranges(schedule))
        show_equal(sp.powsimp(theirs), lr * gamma**n, "eta of exponential decay", ranges(exponential))
    return holds("both are lr gamma^n, in all of period n and at its beginning")


@claim(
    "multi_step.step",
    "Step decay is multi-step decay with milestones at every multiple of the step size.",
    statement=r"m_j = j s \quad \Longrightarrow \quad \lvert \{ j : m_j \le t \} \rvert = \lfloor t/s"
    r" \rfloor",
    scope="s = 1, ..., 5, four milestones, t = 0, ..., 5 s - 1, every case",
    sources=[he, ge],
    evidence="exact enumeration",
    schedule=about_schedule("multi_step"),
    step=about_schedule("step"),
)
def multi_step_step(schedule: ScheduleFamily, step: ScheduleFamily) -> Decision:
    """Both at every t."""
    show_takes(schedule, "lr milestones gamma")
    show_takes(step, "lr step_size gamma")
    cases = 0
    for size in range(1, 6):
        marks = sp.Tuple(*(i * size for i in range(1, 5)))
        theirs, numbers = at(step, updates, step_size=size), {lr: sp.Integer(3), gamma: third}
        for now in range(5 * size):
            expected = theirs.subs({updates: now, **numbers})
            try:
                found = formula(schedule).subs(milestones, marks).subs({updates: now, **numbers})
            except (TypeError, AttributeError):
                raise Refuted(f"no rate can be worked out from {formula(schedule)}") from None
            if found != expected:
                raise Refuted(f"s = {size}, t = {now}, lr = 3, gamma = 1/3: {found} and not {expected}")
            cases += 1
    return holds(f"{cases} cases, no difference", "exact enumeration")


@claim(
    "rex.above_linear",
    "REX is never below the linear schedule with the same ends.",
    statement=r"\eta^{\mathrm{REX}}_t - \eta^{\mathrm{lin}}_t = (\eta_0 - \eta_{\min}) \, \frac{z (1 - z)}{1"
    r" + z} \ge 0, \qquad z = 1 - t/T",
    scope="every lr >= lr_min = lr_end, every T and t <= T",
    sources=[rex_paper],
    schedule=about_schedule("rex"),
    linear=about_schedule("linear"),
)
def rex_above_linear(schedule: ScheduleFamily, linear: ScheduleFamily) -> Decision:
    """The difference for t = k and T = k + 1 + j, or T = k + 1 at the end."""
    show_takes(schedule, "lr lr_min total")
    show_takes(linear, "lr lr_end total")
    more = sp.Symbol("d", nonnegative=True)
    for now, length in ((k, k + 1 + j), (k + 1, k + 1)):
        mine = at(schedule, now, total=length, lr=lr_min + more)
        theirs = at(linear, now, total=length, lr=lr_min + more, lr_end=lr_min)
        z = 1 - now / length
        show_equal(mine - theirs, more * z * (1 - z) / (1 + z), "the difference")
        show_nonnegative(sp.cancel(mine - theirs), "the difference")
    for family, low in ((schedule, "lr_min"), (linear, "lr_end")):
        show_equal(at(family, 0), lr, f"eta_0 of {family.name}", ranges(family))
        end = at(family, j + 1, total=j + 1)
        show_equal(end, hyper_symbol(low), f"eta_T of {family.name}", ranges(family))
    return holds("the difference is (lr - lr_min) z (1 - z)/(1 + z), z between 0 and 1")
