r"""Learning rates that fall: which of them let SGD converge, and how fast.

A schedule gives update t the rate eta_{t-1}, t = 1, 2, ...
"""

from __future__ import annotations

import sympy as sp

from optverify.claims._claim import Decision, about, about_schedule, claim, holds, refuted
from optverify.claims._noise import bottou_curtis, curvature, memoryless, noisy_move, ranges, sigma, white
from optverify.language import Rule, ScheduleFamily, Source, decay_factor, grad, lr, t, theta
from optverify.language.clock import decay_steps, gamma
from optverify.language.clock import t as updates
from optverify.proof import (
    NotProved,
    Refuted,
    expectation,
    show_by_induction,
    show_equal,
    show_nonnegative,
)
from optverify.proof.moments import noise
from optverify.schedules.inverse_time import decay_rate

robbins_monro = Source(
    "Robbins and Monro",
    1951,
    "A stochastic approximation method",
    "the conditions on the step sizes: their sum infinite, that of their squares finite",
    "Annals of Mathematical Statistics 22",
    url="https://doi.org/10.1214/aoms/1177729586",
)
nemirovski = Source(
    "Nemirovski, Juditsky, Lan and Shapiro",
    2009,
    "Robust stochastic approximation approach to stochastic programming",
    "section 2.1, the example f(x) = x^2/10",
    "SIAM Journal on Optimization 19",
    url="https://doi.org/10.1137/070704277",
)


def rate(schedule: ScheduleFamily) -> sp.Expr:
    """eta_t of a schedule that is one line."""
    *before, (_, value) = schedule.lines()
    if before:
        raise NotProved(f"schedule {schedule.name!r} has more than one line")
    return value


@claim(
    "gd.exponential.reaches",
    "With a learning rate that decays exponentially SGD still reaches the minimum, wherever it begins.",
    statement=r"\theta_t \to \theta^* \text{ from every } \theta_0, \qquad \eta_t = \eta_0 \gamma^t",
    scope="dimension 1, a convex function whose slope is 1 for theta >= 1 and whose minimum is at 0, such as"
    " the Huber function; every lr and gamma in (0, 1), decay_steps = 1",
    sources=[robbins_monro, bottou_curtis],
    expected="refuted",
    evidence="proved",
    corrected_by="inverse_time.robbins_monro",
    rule=about("gd"),
    schedule=about_schedule("exponential"),
)
def exponential_reach(rule: Rule, schedule: ScheduleFamily) -> Decision:
    """The distance that is left, by induction: all steps together are shorter than lr/(1 - gamma)."""
    eta = rate(schedule).subs({decay_steps: 1, updates: t - 1})
    start = 1 + lr / (1 - gamma)
    form, within = memoryless(rule).subs({grad: 1}), {**ranges(rule), gamma: decay_factor}
    try:
        show_by_induction(
            lambda x, k: form.subs({theta.before: x, lr: eta.subs(t, k)}, simultaneous=True),
            start,
            lambda k: 1 + lr * gamma**k / (1 - gamma),
            "theta_t",
            within,
        )
    except Refuted as other:
        raise NotProved(str(other)) from None
    return refuted(
        "from theta_0 = 1 + lr/(1 - gamma) along the slope 1, theta_t = 1 + lr gamma^t/(1 - gamma) > 1 for"
        " every t; with lr = 1/2 and gamma = 1/2 it goes from 2 to 1, and the minimum is at 0",
        "proved",
    )


@claim(
    "gd.inverse_time.variance",
    "A learning rate that falls like 1/t makes SGD converge, at the rate 1/t.",
    statement=r"E[\theta_t^2] = \frac{\sigma^2}{\lambda^2 t} \quad \text{for } \eta_{t-1} = \frac{1}{\lambda"
    r" t}, \; t \ge 1, \qquad f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="f = lambda theta^2/2, in d dimensions for a Hessian lambda I; noise of mean 0 and variance sigma^2"
    " added to the gradients, independent from step to step; lr = 1/lambda, decay_rate = 1, decay_steps = 1,"
    " every start, every t >= 1",
    sources=[robbins_monro, bottou_curtis],
    rule=about("gd"),
    schedule=about_schedule("inverse_time"),
)
def inverse_time_variance(rule: Rule, schedule: ScheduleFamily) -> Decision:
    """The mean square by induction from the first update on, which forgets the start."""
    eta = rate(schedule).subs({lr: 1 / curvature, decay_rate: 1, decay_steps: 1})
    for k in range(4):
        if not eta.subs(updates, k).is_finite:
            raise Refuted(f"lr = 1/lambda, decay_rate = 1 and decay_steps = 1 give no rate at t = {k}")
    square = expectation(noisy_move(rule) ** 2, noise, white)
    first = square.subs(lr, eta.subs(updates, 0))
    show_equal(first, sigma**2 / curvature**2, "E[theta_1^2]", ranges(rule))

    def step(y: sp.Expr, k: sp.Expr) -> sp.Expr:
        now = square.subs(lr, eta.subs(updates, k))  # update k + 1
        return expectation(now, theta.before, {1: 0, 2: y})

    mean = expectation(noisy_move(rule), noise, white).subs(lr, eta.subs(updates, 0))
    show_equal(mean, 0, "E[theta_1]", ranges(rule))
    show_by_induction(
        step, first, lambda k: sigma**2 / (curvature**2 * (k + 1)), "E[theta^2] after the first update"
    )
    return holds("(1 - 1/t)^2 sigma^2/(lambda^2 (t - 1)) + sigma^2/(lambda t)^2 = sigma^2/(lambda^2 t)")


@claim(
    "gd.inverse_time.any_constant",
    "A learning rate that falls like 1/t gives SGD the rate 1/t on every strongly convex function.",
    statement=r"E[\theta_t^2] \le \frac{C}{t} \quad \text{for } \eta_{t-1} = \frac{1}{t}, \qquad f(\theta) ="
    r" \frac{\theta^2}{10}",
    scope="dimension 1, without any noise, theta_0 = 1: the rate needs lr lambda > 1/2, here it is 1/5",
    sources=[nemirovski],
    expected="refuted",
    evidence="proved",
    corrected_by="gd.inverse_time.variance",
    rule=about("gd"),
    schedule=about_schedule("inverse_time"),
)
def inverse_time_too_small(rule: Rule, schedule: ScheduleFamily) -> Decision:
    """t theta_t^5 never falls: the fifth power of the factor of a step is at least (t - 1)/t."""
    eta = rate(schedule).subs({lr: 1, decay_rate: 1, decay_steps: 1})
    step = memoryless(rule).subs(grad, theta.before / 5)
    factor = sp.cancel(step / theta.before).subs(lr, eta)
    if factor.has(theta.before):
        raise NotProved(f"the step is no multiple of theta: {step}")
    later = sp.Symbol("k", integer=True, nonnegative=True)
    kept = factor.subs(updates, later + 1)
    first = factor.subs(updates, 0)
    if first != sp.Rational(4, 5):
        raise NotProved(f"theta_1 is {first}")
    try:
        show_nonnegative(kept, "the factor of a later step")
        show_nonnegative(sp.cancel(kept**5 - (later + 1) / (later + 2)), "its fifth power less (t - 1)/t")
    except Refuted as other:
        raise NotProved(str(other)) from None
    return refuted(
        "theta_1 = 4/5, and (1 - 1/(5 t))^5 >= (t - 1)/t for t >= 2, so theta_t >= (4/5) t^(-1/5): more than"
        " 0.05 after a million updates, and t theta_t^2 grows without bound",
        "proved",
    )
