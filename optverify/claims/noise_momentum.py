r"""Noise and memory: what momentum, decaying means and slow weights do to it.

The gradient of f(theta) = lambda theta^2/2 has noise xi_t added, of mean 0 and variance sigma^2, independent
from step to step.
"""

from __future__ import annotations

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, holds_under_conditions, refuted
from optverify.claims._noise import (
    ROUND,
    curvature,
    gd_variance,
    mandt,
    ranges,
    rational,
    show_settles,
    sigma,
)
from optverify.language import Rule, Source, grad, lr, momentum
from optverify.language.wrappers import ema_decay
from optverify.proof import (
    NotProved,
    expectation,
    is_schur,
    show_equal,
    show_positive,
)
from optverify.proof.moments import noisy_step, show_with_powers
from optverify.proof.stability import z
from optverify.views.closed import closed_form

polyak_book = Source(
    "Polyak", 1987, "Introduction to optimization", "chapter 4, on the influence of noise",
    "Optimization Software",
)  # fmt: skip
polyak_juditsky = Source(
    "Polyak and Juditsky",
    1992,
    "Acceleration of stochastic approximation by averaging",
    "averaging of the iterates, here with a decaying weight",
    "SIAM Journal on Control and Optimization 30",
    url="https://doi.org/10.1137/0330046",
)
daskalakis = Source(
    "Daskalakis, Ilyas, Syrgkanis and Zeng",
    2018,
    "Training GANs with optimism",
    "the optimistic update, here on a quadratic",
    "ICLR",
    arxiv="1711.00141",
)
liu_momentum = Source(
    "Liu, Gao and Yin",
    2020,
    "An improved analysis of stochastic gradient descent with momentum",
    "the variance of the momentum vector",
    "NeurIPS",
    arxiv="2007.07989",
)

heavy_edge = 2 * (1 + momentum) / curvature
inside = sp.Symbol("s", positive=True)


def heavy_ball_variance(rate: sp.Expr = lr) -> sp.Expr:
    """Where the heavy ball settles."""
    below = curvature * (1 - momentum) * (2 * (1 + momentum) - rate * curvature)
    return rate * sigma**2 * (1 + momentum) / below


@claim(
    "momentum.noise.variance",
    "Momentum with a constant step hovers round the minimum too, in a cloud about 1/(1 - momentum) times as"
    " large as that of SGD.",
    statement=r"0 < \varepsilon \lambda < 2 (1 + \mu) \quad \Longrightarrow \quad E[\theta_t] \to 0, \qquad"
    r" E[\theta_t^2] \to \frac{\varepsilon \sigma^2 (1 + \mu)}{\lambda (1 - \mu) (2 (1 + \mu) - \varepsilon"
    r" \lambda)} \qquad \text{from every start, and for no other step size}",
    scope=f"{ROUND}; constant lr and momentum in [0, 1); the ratio to SGD at the same lr tends to 1/(1 -"
    " momentum) for small lr",
    sources=[polyak_book, mandt],
    rule=about("momentum"),
)
def momentum_settles(rule: Rule) -> Decision:
    """The Lyapunov equation of (theta, v)."""
    show_settles(rule, heavy_edge, heavy_ball_variance())
    ratio = sp.cancel(heavy_ball_variance() / gd_variance()).subs(lr, 0)
    show_equal(ratio, 1 / (1 - momentum), "the ratio to SGD for small lr", ranges(rule))
    return holds(
        "the Lyapunov equation P = A P A' + lr^2 sigma^2 b b' of (theta, v), solved for symbolic lr, momentum"
        " and lambda; over the variance of SGD it tends to 1/(1 - momentum) for small lr"
    )


@claim(
    "momentum.noise.variance_ema",
    "Momentum as a decaying mean of gradients leaves hardly less noise than SGD at the same learning rate.",
    statement=r"E[\theta_t^2] \to \frac{\varepsilon \sigma^2 (1 + \mu)}{\lambda (2 (1 + \mu) - (1 - \mu)"
    r" \varepsilon \lambda)} \quad \text{if and only if} \quad 0 < (1 - \mu) \varepsilon \lambda < 2 (1 +"
    r" \mu)",
    scope=f"{ROUND}; constant lr and momentum in [0, 1), the velocity a decaying mean, weight 1 - momentum",
    sources=[polyak_book, mandt],
    rule=about("momentum", form="ema"),
)
def ema_settles(rule: Rule) -> Decision:
    """The heavy ball at lr (1 - momentum), from the Lyapunov equation of this form itself."""
    variance = heavy_ball_variance(lr * (1 - momentum))
    show_settles(rule, heavy_edge / (1 - momentum), variance)
    ratio = sp.cancel(variance / gd_variance())
    show_equal(ratio.subs(lr, 0), 1, "the ratio to SGD for small lr")
    return holds("the variance of the heavy ball at lr (1 - momentum); to first order in lr that of SGD")


@claim(
    "nesterov.noise.variance",
    "Nesterov momentum leaves less noise than heavy-ball momentum at the same constants.",
    statement=r"E[\theta_t^2] \to \frac{\varepsilon \sigma^2 (1 + \mu - \mu \varepsilon \lambda)}{\lambda (1"
    r" - \mu + \mu \varepsilon \lambda) (2 (1 + \mu) - (1 + 2 \mu) \varepsilon \lambda)} \quad \text{if and"
    r" only if} \quad 0 < \varepsilon \lambda < \frac{2 (1 + \mu)}{1 + 2 \mu}",
    scope=f"{ROUND}, at the look-ahead point; constant lr and momentum in [0, 1); less than the heavy ball"
    " for lr lambda < 1 and momentum > 0, not for every stable lr",
    sources=[polyak_book, mandt],
    expected="holds under conditions",
    rule=about("nesterov"),
    heavy=about("momentum"),
)
def nesterov_settles(rule: Rule, heavy: Rule) -> Decision:
    """The Lyapunov equation, and the difference to the heavy ball, factored."""
    scaled = lr * curvature
    below = (1 - momentum + momentum * scaled) * (2 * (1 + momentum) - (1 + 2 * momentum) * scaled)
    variance = lr * sigma**2 * (1 + momentum - momentum * scaled) / (curvature * below)
    show_settles(rule, heavy_edge / (1 + 2 * momentum), variance)
    show_settles(heavy, heavy_edge, heavy_ball_variance())
    units = {curvature: 1, sigma: 1}  # both are sigma^2/lambda^2 times a function of lr lambda
    saved = sp.cancel((heavy_ball_variance() - variance).subs(units))
    part = sp.cancel(saved.subs(lr, 1 / (1 + inside)) / momentum)
    show_positive(part, "what is saved for lr lambda < 1, over momentum", ranges(rule))
    at = saved.subs({lr: sp.Rational(27, 20), momentum: sp.Rational(9, 10)})
    if not at < 0:
        raise NotProved(f"near the edge of stability Nesterov momentum saves {at}")
    return holds_under_conditions(
        "the Lyapunov equations of both; for lr lambda < 1 and momentum > 0 the heavy ball has the larger"
        f" variance; the difference is {at} sigma^2/lambda^2 near the edge of stability, lr lambda = 27/20"
        " at momentum 9/10"
    )


@claim(
    "optimistic_gd.noise.variance",
    "The optimistic gradient step pays for its foresight with noise.",
    statement=r"0 < \eta \lambda < \frac{2}{3} \quad \Longrightarrow \quad E[\theta_t^2] \to \frac{\eta"
    r" \sigma^2 (1 + 3 \eta \lambda)}{\lambda (1 + \eta \lambda)(2 - 3 \eta \lambda)} > \frac{\eta"
    r" \sigma^2}{\lambda (2 - \eta \lambda)}",
    scope=f"{ROUND}; constant lr",
    sources=[daskalakis],
    rule=about("optimistic_gd"),
)
def optimistic_settles(rule: Rule) -> Decision:
    """The Lyapunov equation, and the difference to gradient descent."""
    scaled, edge = lr * curvature, sp.Rational(2, 3) / curvature
    variance = lr * sigma**2 * (1 + 3 * scaled) / (curvature * (1 + scaled) * (2 - 3 * scaled))
    show_settles(rule, edge, variance)
    more = sp.cancel(variance - gd_variance())
    show_positive(sp.cancel(more.subs(lr, edge / (1 + inside))), "what it has more than SGD")
    return holds("the difference is positive all over the range of stability; it is of second order in lr")


@claim(
    "momentum.noise.averages",
    "Momentum averages gradients, so its iterates are less noisy than those of SGD.",
    statement=r"\lim E[\theta_t^2]_{\mathrm{momentum}} < \lim E[\theta_t^2]_{\mathrm{SGD}} \quad \text{at the"
    r" same lr}",
    scope=f"{ROUND}; constant lr and momentum; the counterexample: lambda = sigma = 1, lr = 1/2, momentum ="
    " 9/10",
    sources=[mandt],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="momentum.noise.effective_rate",
    rule=about("momentum"),
    plain=about("gd"),
)
def momentum_averages(rule: Rule, plain: Rule) -> Decision:
    """Two Lyapunov equations in rationals, with both steps stable."""
    put = {curvature: 1, sigma: 1, lr: sp.Rational(1, 2), momentum: sp.Rational(9, 10)}
    found = []
    for one in (rule, plain):
        step = noisy_step(one, curvature)
        matrix = step.matrix.subs(put).applyfunc(rational)
        if not is_schur(matrix.charpoly(z)):
            raise NotProved(f"the step of {one.name} is not stable where it was tried")
        found.append(rational(step.covariance(sigma**2)[0, 0].subs(put)))
    heavy, light = found
    if not heavy > light:
        raise NotProved(f"the variances are {heavy} and {light} where it was tried")
    return refuted(
        f"lambda = sigma = 1, lr = 1/2, momentum = 9/10: the stationary variance is {heavy},"
        f" that of SGD {light}"
    )


@claim(
    "momentum.noise.effective_rate",
    "At the same effective learning rate momentum leaves a little less noise than SGD, and the same to first"
    " order.",
    statement=r"\frac{V_{\mathrm{momentum}}(\mathrm{lr} \, (1 - \mu))}{V_{\mathrm{SGD}}(\mathrm{lr})} = 1 -"
    r" \frac{2 \mu \, \mathrm{lr} \, \lambda}{2 (1 + \mu) - (1 - \mu) \, \mathrm{lr} \, \lambda} \le 1,"
    r" \qquad 0 < \mathrm{lr} \, \lambda < 2",
    scope=f"{ROUND}; constant lr and momentum in [0, 1); the step of momentum is lr (1 - momentum), so that"
    " both move as far under a constant gradient; V is the stationary variance",
    sources=[mandt, liu_momentum],
    rule=about("momentum"),
    plain=about("gd"),
)
def effective_rate(rule: Rule, plain: Rule) -> Decision:
    """Both stationary variances from their own steps."""
    show_settles(rule, heavy_edge, heavy_ball_variance())
    show_settles(plain, 2 / curvature, gd_variance())
    ratio = heavy_ball_variance(lr * (1 - momentum)) / gd_variance()
    lost = 2 * momentum * lr * curvature / (2 * (1 + momentum) - (1 - momentum) * lr * curvature)
    show_equal(ratio, 1 - lost, "the ratio of the variances", ranges(rule))
    free = sp.cancel(lost.subs(lr, 2 / curvature / (1 + inside)) / momentum)
    show_positive(free, "what is saved, over momentum", ranges(rule))
    return holds("the ratio is 1 for momentum = 0 and in the limit of small lr, and less than 1 else")


@claim(
    "momentum.noise.estimate",
    "A decaying mean of gradients has the noise of a plain mean of (1 + momentum)/(1 - momentum) of them: 19"
    " for momentum = 0.9.",
    statement=r"\mathrm{Var}[v_t] = \frac{1 - \mu}{1 + \mu} \, (1 - \mu^{2t}) \, \sigma^2, \qquad E[v_t] = (1"
    r" - \mu^t) \, E[g]",
    scope="gradients independent from step to step, with one mean and variance sigma^2 (as at parameters that"
    " do not move), v_0 = 0, momentum in [0, 1), every t, each coordinate",
    sources=[liu_momentum],
    rule=about("momentum", form="ema", lr_placement="outside"),
)
def estimate(rule: Rule) -> Decision:
    """Mean and mean square of v by induction."""
    if [state.name for state in rule.states] != ["v"]:
        raise NotProved(f"rule {rule.name!r} has another memory than v")
    (v,), form, within = rule.states, closed_form(rule)["v"], ranges(rule)
    mean = sp.Symbol("m", real=True)
    drawn = {1: mean, 2: mean**2 + sigma**2}

    def first(power: sp.Expr) -> sp.Expr:
        return (1 - power) * mean

    def second(power: sp.Expr) -> sp.Expr:
        return first(power) ** 2 + (1 - momentum) / (1 + momentum) * (1 - power**2) * sigma**2

    # E[v_{t-1}] and E[v_{t-1}^2] go together, as a polynomial in a mark
    mark, average, square = sp.Symbol("k"), expectation(form, grad, drawn), expectation(form**2, grad, drawn)

    def step(y: sp.Expr, _: sp.Expr) -> sp.Expr:
        known = {1: y.expand().coeff(mark, 0), 2: y.expand().coeff(mark, 1)}
        return expectation(average, v.before, known) + mark * expectation(square, v.before, known)

    start = sp.sympify(v.initial)
    show_with_powers(
        step,
        start + mark * start**2,
        lambda power, _: first(power) + mark * second(power),
        momentum,
        "E[v] + k E[v^2]",
        domains=within,
    )
    return holds(
        "v_t = momentum v_{t-1} + (1 - momentum) g_t: the variance tends to (1 - momentum)/(1 + momentum)"
    )


@claim(
    "momentum.noise.mean_path",
    "On a quadratic noise does not bend the mean path of momentum: on average it is the run without noise.",
    statement=r"E[\theta_t] = (1 + \mu - \varepsilon \lambda) \, E[\theta_{t-1}] - \mu \, E[\theta_{t-2}]",
    scope=f"{ROUND}, whatever its variance; any lr and momentum, every t >= 2, the same recursion as without"
    " noise",
    sources=[polyak_book],
    rule=about("momentum"),
)
def mean_path(rule: Rule) -> Decision:
    """The step is linear in the noise, and its matrix satisfies its own characteristic equation."""
    step, within = noisy_step(rule, curvature), ranges(rule)
    for name, left in zip(step.names, step.offset, strict=True):
        show_equal(left, 0, f"the mean step of {name} from 0", within)
    stated = z**2 - (1 + momentum - lr * curvature) * z + momentum
    show_equal(step.matrix.charpoly(z).as_expr(), stated, "the characteristic polynomial", within)
    return holds(
        "the noise enters by a constant weight and has mean 0; theta_t - (1 + momentum - lr lambda)"
        " theta_{t-1} + momentum theta_{t-2} has mean 0 by Cayley and Hamilton"
    )


# ---- means of parameters -----------------------------------------------------------------------------------


@claim(
    "averaged.noise.variance",
    "A decaying mean of the parameters is less noisy than SGD, and the longer its memory the less.",
    statement=r"E[\bar{\theta}_t^2] \to \frac{(1 - \beta_\theta)(1 + \beta_\theta q)}{(1 + \beta_\theta)(1 -"
    r" \beta_\theta q)} \, V < V, \qquad q = 1 - \eta \lambda, \quad V = \frac{\eta \sigma^2}{\lambda (2 -"
    r" \eta \lambda)}",
    scope=f"{ROUND}; constant lr < 2/lambda, 0 < ema_decay < 1; for ema_decay to 1 it goes to 0",
    sources=[polyak_juditsky],
    rule=about("averaged(gd)"),
)
def averaged_settles(rule: Rule) -> Decision:
    """The Lyapunov equation of (theta, theta_bar)."""
    q = 1 - lr * curvature
    share = (1 - ema_decay) * (1 + ema_decay * q) / ((1 + ema_decay) * (1 - ema_decay * q))
    show_settles(rule, 2 / curvature, share * gd_variance(), "theta_bar")
    rest = sp.cancel((1 - share).subs(lr, 2 / curvature / (1 + inside)) / ema_decay)
    show_positive(rest, "what is taken out, over ema_decay", ranges(rule))
    falls = sp.cancel(-sp.diff(share, ema_decay).subs(lr, 2 / curvature / (1 + inside)))
    show_positive(falls, "how fast the share falls with ema_decay", ranges(rule))
    show_equal(share.subs(ema_decay, 1), 0, "the share for ema_decay = 1")
    return holds("1 minus the share is 2 ema_decay lr lambda/((1 + ema_decay)(1 - ema_decay q)) > 0")
