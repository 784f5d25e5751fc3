r"""Noise under a constant step: where SGD settles, what it costs and what it spares.

The gradient of f(theta) = lambda theta^2/2 has noise xi_t added, of mean 0 and variance sigma^2, independent
from step to step: g_t = lambda theta_{t-1} + xi_t.
"""

from __future__ import annotations

import itertools

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, holds_under_conditions, refuted
from optverify.claims._noise import (
    ROUND,
    bottou_curtis,
    curvature,
    garrigos,
    gd_variance,
    mandt,
    mean_over_signs,
    memoryless,
    noisy_move,
    ranges,
    rational,
    run,
    show_settles,
    sigma,
    white,
)
from optverify.language import Rule, Source, grad, lr, theta
from optverify.proof import (
    NotProved,
    domains,
    expectation,
    show_equal,
    show_nonnegative,
    show_positive,
    unless,
)
from optverify.proof.moments import noise, show_with_powers

nesterov_book = Source(
    "Nesterov", 2018, "Lectures on convex optimization", "Theorem 2.1.12", "Springer, 2nd edition"
)
nemirovski = Source(
    "Nemirovski, Juditsky, Lan and Shapiro",
    2009,
    "Robust stochastic approximation approach to stochastic programming",
    "section 2.2, the robust approach: averages at a constant step size",
    "SIAM Journal on Optimization 19",
    url="https://doi.org/10.1137/070704277",
)
HALF = sp.Rational(1, 2)


@claim(
    "gd.noise.variance",
    "SGD with a constant step does not settle: it keeps hovering round the minimum, in a cloud that grows"
    " with the step size.",
    statement=r"0 < \eta \lambda < 2 \quad \Longrightarrow \quad E[\theta_t] \to 0, \qquad E[\theta_t^2] \to"
    r" \frac{\eta \sigma^2}{\lambda (2 - \eta \lambda)}, \qquad \text{from every start, and for no other step"
    r" size}",
    scope=f"{ROUND}; constant lr",
    sources=[mandt, bottou_curtis],
    rule=about("gd"),
)
def gd_settles(rule: Rule) -> Decision:
    """The Lyapunov equation of the step, and its stability."""
    show_settles(rule, 2 / curvature, gd_variance())
    return holds(
        "V = (1 - lr lambda)^2 V + lr^2 sigma^2 has the one solution lr sigma^2/(lambda (2 - lr lambda))"
    )


@claim(
    "gd.noise.converges",
    "SGD with a small enough constant step converges to the minimum.",
    statement=r"E[\theta_t^2] \to 0 \quad \text{for some } \eta > 0, \quad f(\theta) = \frac{1}{2} \left("
    r" \frac{(\theta - 1)^2}{2} + \frac{(\theta + 1)^2}{2} \right)",
    scope="dimension 1, two examples, one drawn at random for each step, every constant lr; the"
    " counterexample starts at the minimum itself",
    sources=[bottou_curtis, garrigos],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="gd.noise.interpolation",
    rule=about("gd"),
)
def gd_constant_step(rule: Rule) -> Decision:
    """What a step adds to the second moment does not shrink; and three steps from the minimum, in numbers."""
    move = memoryless(rule).subs(grad, theta.before + noise)
    floor = sp.factor(expectation(move**2, noise, white) - expectation(move, noise, white) ** 2)
    if floor.has(theta.before) or not floor.is_positive:
        raise NotProved(f"a step adds {floor} to the mean square, which is not shown to stay away from 0")
    values = {"lr": HALF, "weight_decay": 0}
    spread = [
        mean_over_signs(rule, k, lambda p: p, start=0, values=values, of=lambda x: x**2) for k in (1, 2, 3)
    ]
    if not all(after > 0 for after in spread):
        raise NotProved(f"from the minimum the mean square is {spread} in the runs that were tried")
    return refuted(
        f"given any theta_{{t-1}} the step adds {floor} to E[theta_t^2], for every lr; with lr = 1/2 and the"
        f" gradients theta - 1 or theta + 1 from theta_0 = 0 it is {', '.join(map(str, spread))} for t = 1,"
        " 2, 3"
    )


# ---- every dimension, every convex function ----------------------------------------------------------------

weakest, gap = sp.symbols("mu d", positive=True)
strongest = weakest + gap
x, y = sp.symbols("x y", real=True)
"""theta_{t-1} - theta* and the gradient there, as commuting scalars: identities of forms are those of inner
products."""
slack = sp.Symbol("s", nonnegative=True)
best = 2 / (weakest + strongest)


def about_minimum(rule: Rule, gradient: sp.Expr) -> sp.Expr:
    """theta_t - theta* for theta_{t-1} = theta* + x, wherever theta* is."""
    here = sp.Symbol("theta_star", real=True)
    put = {theta.before: here + x, grad: gradient}
    return sp.expand(memoryless(rule).subs(put, simultaneous=True) - here)


def show_contraction(rule: Rule) -> None:
    """Show |theta_t - theta*| <= max(1 - lr mu, lr L - 1) |theta_{t-1} - theta*| for a gradient of a function
    between mu and L, whose inequality is <y - mu x, L x - y> >= 0 (Nesterov's Theorem 2.1.12 rearranged)."""
    move, within = about_minimum(rule, y), domains(rule)
    known = (y - weakest * x) * (strongest * x - y)
    for rate, factor, square in (
        (best / (1 + slack), 1 - lr * weakest, (y - weakest * x) ** 2),
        (best * (1 + slack), lr * strongest - 1, (strongest * x - y) ** 2),
    ):
        multiplier = 2 * factor * lr / gap
        rest = factor**2 * x**2 - move**2 - multiplier * known
        weight = lr * (2 * factor / gap - lr)
        show_equal(rest, weight * square, "what is left of the contraction", within)
        show_nonnegative(sp.cancel(multiplier.subs(lr, rate)), "the multiplier")
        show_nonnegative(sp.cancel(weight.subs(lr, rate)), "the weight of the square")


def expands(rule: Rule) -> str | None:
    """Look for a step on x^2/2 or x^2, x = theta - 1, that does not contract as stated, mu = 1, L = 2."""
    for rate, factor in ((HALF, HALF), (sp.Rational(9, 10), sp.Rational(4, 5))):
        for slope, start in itertools.product((1, 2), (2, 0)):
            values = {"lr": rate, "weight_decay": 0}
            history = run(rule, [lambda p, k=slope: k * (p - 1)], start=start, values=values)
            if abs((end := rational(history[-1]["theta"])) - 1) > factor:
                where = f"lr = {rate} and the gradient {slope} (theta - 1)"
                return f"{where} take theta from {start} to {end}, further than {factor} from the minimum"
    return None


@claim(
    "gd.noise.interpolation",
    "If one point minimises the loss of every example, SGD converges to it with a constant step, at a linear"
    " rate.",
    statement=r"\lVert \theta_t - \theta^* \rVert \le \max(1 - \eta \mu, \; \eta L - 1)^t \, \lVert \theta_0"
    r" - \theta^* \rVert \quad \text{for } \nabla f_i(\theta^*) = 0 \text{ for all } i",
    scope="every dimension, every f_i between mu-strongly convex and L-smooth, whatever examples are drawn,"
    " in whatever order; constant lr > 0; a contraction for 0 < lr < 2/L; attained by mu x^2/2 and L x^2/2",
    sources=[garrigos, nesterov_book],
    expected="holds under conditions",
    rule=about("gd"),
)
def interpolation(rule: Rule) -> Decision:
    """One inequality of such a function, times a positive multiplier, and a square."""
    with unless(lambda: expands(rule)):
        show_contraction(rule)
        for slope in (weakest, strongest):
            move = about_minimum(rule, slope * x)
            show_equal(move, (1 - lr * slope) * x, f"the step on a quadratic of curvature {slope}")
    return holds_under_conditions(
        "rho^2 |x|^2 - |x - lr g|^2 = 2 rho lr/(L - mu) <g - mu x, L x - g> + a square, on each side of lr ="
        " 2/(L + mu); so every single example contracts, and the noise vanishes where they all meet"
    )


@claim(
    "gd.noise.neighbourhood",
    "On a strongly convex function SGD comes as close as the noise allows, at a linear rate.",
    statement=r"E \lVert \theta_t - \theta^* \rVert^2 \le (1 - \eta \mu)^{2t} \, \lVert \theta_0 - \theta^*"
    r" \rVert^2 + \frac{\eta \sigma^2}{\mu (2 - \eta \mu)}, \qquad 0 < \eta \le \frac{2}{\mu + L}",
    scope="every dimension, every mu-strongly convex and L-smooth f, unbiased gradients of variance at most"
    " sigma^2 given the past, constant lr, every t; on the quadratic of curvature mu the last term is the"
    " stationary variance",
    sources=[garrigos, bottou_curtis],
    rule=about("gd"),
)
def neighbourhood(rule: Rule) -> Decision:
    """The contraction of the mean step, the variance of a step, and the recursion of the two by induction."""
    with unless(lambda: expands(rule)):
        show_contraction(rule)
        move = about_minimum(rule, y + noise)
        added = expectation(move**2, noise, white) - expectation(move, noise, white) ** 2
        show_equal(added, lr**2 * sigma**2, "what noise adds to the mean square")
        start, kept = sp.Symbol("D", nonnegative=True), (1 - lr * weakest) ** 2
        limit = lr * sigma**2 / (weakest * (2 - lr * weakest))
        show_with_powers(
            lambda bound, _: kept * bound + lr**2 * sigma**2,
            start,
            lambda power, _: power * start + (1 - power) * limit,
            kept,
            "the bound on the mean square",
        )
    return holds(
        "E|x_t|^2 <= (1 - lr mu)^2 E|x_{t-1}|^2 + lr^2 sigma^2, whose solution is the bound less"
        " (1 - lr mu)^(2t) times its last term"
    )


@claim(
    "gd.noise.convex_rate",
    "On a convex function the mean of the first t points of SGD is within |theta_0 - theta*|^2/(2 lr t) plus"
    " lr G^2/2 of the minimum.",
    statement=r"E[f(\bar{\theta})] - f^* \le \frac{\lVert \theta_0 - \theta^* \rVert^2}{2 \eta t} +"
    r" \frac{\eta G^2}{2}, \qquad \bar{\theta} = \frac{1}{t} \sum_{s=0}^{t-1} \theta_s",
    scope="every dimension, every convex f, smooth or not, unbiased (sub)gradients with E |g|^2 <= G^2 given"
    " the past, constant lr, every t >= 1",
    sources=[garrigos, nemirovski],
    rule=about("gd"),
)
def convex_rate(rule: Rule) -> Decision:
    """The mean square distance after a step, and the sum of it over t steps by induction."""
    move, within = about_minimum(rule, y + noise), ranges(rule)
    largest, start, t = sp.symbols("G D t", positive=True)
    given = {1: 0, 2: largest**2 - y**2}  # E|g|^2 = G^2 for g = y + noise
    after = expectation(move**2, noise, given)
    show_equal(after, x**2 - 2 * lr * x * y + lr**2 * largest**2, "E|theta_t - theta*|^2", within)
    total = (start**2 + t * lr**2 * largest**2) / (2 * lr * t)  # of the t gaps, over t
    show_equal(total, start**2 / (2 * lr * t) + lr * largest**2 / 2, "the bound")
    return holds(
        "E|x_t|^2 = E|x_{t-1}|^2 - 2 lr E<y, x_{t-1}> + lr^2 E|g|^2 and <y, x> >= f - f*: summed over t"
        " steps, 2 lr times the gaps is at most |x_0|^2 + t lr^2 G^2; f at the mean is at most the mean of f"
    )


@claim(
    "gd.noise.expected_descent",
    "A step of SGD lowers the loss on average, if the step size is small enough.",
    statement=r"E[f(\theta_t)] < f(\theta_{t-1}) \quad \Longleftrightarrow \quad \theta_{t-1}^2 > \frac{\eta"
    r" \sigma^2}{\lambda (2 - \eta \lambda)}, \qquad 0 < \eta \lambda < 2",
    scope=f"{ROUND}; the square on the right is the stationary variance: inside the cloud a step raises the"
    " loss",
    sources=[bottou_curtis],
    expected="holds under conditions",
    rule=about("gd"),
)
def expected_descent(rule: Rule) -> Decision:
    """The mean change of the loss, factored."""
    change = curvature / 2 * (expectation(noisy_move(rule) ** 2, noise, white) - theta.before**2)
    factor = lr * curvature**2 * (2 - lr * curvature) / 2
    within = domains(rule)
    show_equal(change, factor * (gd_variance() - theta.before**2), "the mean change of the loss", within)
    inside = sp.Symbol("s", positive=True)
    show_positive(factor.subs(lr, 2 / curvature / (1 + inside)), "the factor", within)
    return holds_under_conditions(
        "E[f(theta_t)] - f(theta_{t-1}) = lr lambda^2 (2 - lr lambda)/2 (V - theta_{t-1}^2), V the stationary"
        " variance: the loss falls outside the cloud and rises inside, at the minimum for every lr"
    )


@claim(
    "gd.noise.signal",
    "Near the minimum the gradient is lost in its own noise.",
    statement=r"\frac{E[(\lambda \theta_t)^2]}{\sigma^2} \to \frac{\eta \lambda}{2 - \eta \lambda}, \qquad"
    r" \text{less than } 1 \text{ for } \eta \lambda < 1, \text{ and going to } 0 \text{ with } \eta",
    scope=f"{ROUND}; constant lr < 2/lambda, in the stationary state",
    sources=[mandt, bottou_curtis],
    rule=about("gd"),
)
def signal(rule: Rule) -> Decision:
    """The stationary mean square of the gradient over the variance of its noise."""
    show_settles(rule, 2 / curvature, gd_variance())
    ratio = sp.cancel(curvature**2 * gd_variance() / sigma**2)
    show_equal(ratio, lr * curvature / (2 - lr * curvature), "signal over noise")
    less = (1 - ratio).subs(lr, 1 / curvature / (1 + sp.Symbol("s", positive=True)))
    show_positive(sp.cancel(less), "1 less signal over noise")
    show_equal(ratio.subs(lr, 0), 0, "its limit for small lr")
    return holds("lambda^2 V/sigma^2 with V = lr sigma^2/(lambda (2 - lr lambda))")


@claim(
    "gd.noise.smaller_rate",
    "Halving the learning rate at least halves the noise that is left.",
    statement=r"\frac{V(\eta/k)}{V(\eta)} = \frac{2 - \eta \lambda}{2 k - \eta \lambda} < \frac{1}{k}, \qquad"
    r" V(\eta) = \lim E[\theta_t^2], \quad k > 1",
    scope=f"{ROUND}; constant lr < 2/lambda, every factor k > 1, in the stationary state",
    sources=[mandt, bottou_curtis],
    rule=about("gd"),
)
def smaller_rate(rule: Rule) -> Decision:
    """The stationary variance at two rates."""
    show_settles(rule, 2 / curvature, gd_variance())
    more, inside = sp.Symbol("k", positive=True), sp.Symbol("s", positive=True)
    ratio = gd_variance(lr / more) / gd_variance()
    show_equal(ratio, (2 - lr * curvature) / (2 * more - lr * curvature), "the ratio of the variances")
    saved = sp.cancel((1 / more - ratio).subs(lr, 2 / curvature / (1 + inside)).subs(more, 1 + weakest))
    show_positive(saved, "1/k less the ratio")
    return holds("V = lr sigma^2/(lambda (2 - lr lambda)) is convex in lr and 0 at lr = 0")


@claim(
    "gd.noise.mean_path",
    "On average SGD follows the path of gradient descent.",
    statement=r"E[\theta_t] = \theta_t^{\mathrm{GD}}, \qquad f(\theta) = \frac{\theta^4}{4}, \quad g_t ="
    r" \theta_{t-1}^3 \pm 1",
    scope="dimension 1, lr = 1/2, theta_0 = 1, noise +1 or -1, two updates; it is so for one update, and on"
    " quadratics for every t",
    sources=[bottou_curtis],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="momentum.noise.mean_path",
    rule=about("gd"),
)
def gd_mean_path(rule: Rule) -> Decision:
    """Every outcome of two updates against two updates without noise."""
    values = {"lr": HALF, "weight_decay": 0}
    for k in (1, 2):
        average = mean_over_signs(rule, k, lambda p: p**3, start=1, values=values)
        path = rational(run(rule, [lambda p: p**3] * k, start=1, values=values)[-1]["theta"])
        if average != path and k == 1:
            raise NotProved(f"one update differs already: {average} on average, {path} without noise")
        if average != path:
            return refuted(
                f"from theta_0 = 1 with lr = 1/2 the mean of theta_2 is {average}, and without noise theta_2"
                f" is {path}: the mean of the slope theta^3 is not the slope at the mean"
            )
    raise NotProved("the mean follows the path for two updates")
