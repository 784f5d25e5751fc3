"""The largest stable step size of each linear rule on a quadratic, and of adaptive rules late in training."""

from __future__ import annotations

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, holds_under_conditions, refuted
from optverify.claims._linear import (
    any_rate_matrix,
    curvature,
    cycle_matrix,
    frozen_matrix,
    leaves_minimum,
    rate,
    z,
)
from optverify.claims.quadratics import jury, polyak_book
from optverify.language import (
    Domain,
    Rule,
    Source,
    beta1,
    beta2,
    dampening,
    eps,
    grad,
    hyper_symbol,
    lr,
    momentum,
    positive,
    t,
    theta,
    unit,
    weight_decay,
)
from optverify.proof import (
    NotProved,
    Refuted,
    domains,
    is_schur,
    show_by_induction,
    show_equal,
    show_nonnegative,
    show_stable_between,
    show_stable_iff,
    unless,
)
from optverify.views.closed import closed_form
from optverify.views.run import run

cohen = Source(
    "Cohen, Ghorbani, Krishnan, Agarwal, Medapati, Badura, Suo, Cardoze, Nado, Dahl and Gilmer",
    2022,
    "Adaptive gradient methods at the edge of stability",
    "the stability thresholds of momentum, Nesterov momentum, EMA momentum and frozen Adam",
    arxiv="2207.14484",
)
gitman = Source(
    "Gitman, Lang, Zhang and Xiao",
    2019,
    "Understanding the role of momentum in stochastic gradient methods",
    "the stability region of QHM on quadratics",
    "NeurIPS",
    arxiv="1910.13962",
)
lucas = Source(
    "Lucas, Sun, Zemel and Grosse",
    2019,
    "Aggregated momentum: stability through passive damping",
    "the update rule and its analysis on quadratics",
    "ICLR",
    arxiv="1804.00325",
)
daskalakis = Source(
    "Daskalakis, Ilyas, Syrgkanis and Zeng",
    2018,
    "Training GANs with optimism",
    "optimistic mirror descent for the Euclidean norm, section 2",
    "ICLR",
    arxiv="1711.00141",
)
decoupled = Source(
    "Loshchilov and Hutter",
    2019,
    "Decoupled weight decay regularization",
    "Algorithm 1, SGD with momentum",
    "ICLR",
    arxiv="1711.05101",
)
dozat = Source(
    "Dozat",
    2016,
    "Incorporating Nesterov momentum into Adam",
    "Algorithm 2",
    "ICLR workshop",
    url="https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
)
zhang_lookahead = Source(
    "Zhang, Lucas, Hinton and Ba",
    2019,
    "Lookahead optimizer: k steps forward, 1 step back",
    "Algorithm 1",
    "NeurIPS",
    arxiv="1907.08610",
)


def show_threshold(rule: Rule, end: sp.Expr, more: dict[sp.Symbol, Domain] | None = None) -> None:
    """Show that the step is stable on curvature/2 theta^2 if and only if 0 < lr < end."""
    if found := leaves_minimum(rule):
        raise Refuted(found)
    show_stable_between(any_rate_matrix(rule), rate, end, "the step", domains(rule) | (more or {}))


# ---- gradient descent and momentum with weight decay --------------------------------------------------------


@claim(
    "gd.decay.stability",
    "Weight decay adds to the curvature, so it lowers the largest stable step size of gradient descent.",
    statement=r"\theta_t \to 0 \text{ from every } \theta_0 \quad \Longleftrightarrow \quad 0 < \eta"
    r" (\Lambda + \lambda) < 2, \qquad f(\theta) = \frac{\Lambda}{2} \theta^2",
    scope="quadratics with curvature Lambda > 0, weight decay lambda >= 0 coupled (L2), full gradients,"
    " constant lr; in d dimensions along each eigenvector of the Hessian",
    sources=[polyak_book, decoupled],
    rule=about("gd", weight_decay_form="coupled"),
)
def decayed_descent(rule: Rule) -> Decision:
    """The multiplier of a step crosses -1 at the stated step size."""
    show_threshold(rule, 2 / (curvature + weight_decay))
    return holds("the multiplier of a step is 1 - lr (Lambda + weight_decay)")


@claim(
    "sgdw.quadratic.stability",
    "Decoupled weight decay lowers the stable step size of momentum too, but by less than decay in the"
    " gradient.",
    statement=r"(\theta_t, v_t) \to 0 \text{ from every start} \quad \Longleftrightarrow \quad \varepsilon"
    r" > 0, \; \varepsilon \Lambda < (1 + \mu) (2 - \varepsilon \lambda), \qquad f(\theta) ="
    r" \frac{\Lambda}{2} \theta^2, \quad 0 \le \mu < 1",
    scope="quadratics with curvature Lambda > 0, weight decay lambda >= 0 decoupled and multiplied by lr, full"
    " gradients, constant lr and momentum; decay in the gradient allows lr (Lambda + lambda) < 2 (1 +"
    " momentum), a larger step; in d dimensions along each eigenvector of the Hessian",
    sources=[decoupled, jury],
    rule=about("sgdw"),
)
def sgdw_stability(rule: Rule) -> Decision:
    """The root that leaves the disk is -1, at the stated step size; compared with coupled decay."""
    end = 2 * (1 + momentum) / (curvature + (1 + momentum) * weight_decay)
    show_threshold(rule, end)
    return holds(
        "z^2 - (1 + mu - lr (Lambda + lambda)) z + mu (1 - lr lambda) is 0 at z = -1 for lr ="
        f" {end}, and has no other root on the circle for a smaller lr > 0"
    )


# ---- Nesterov momentum, and momentum in its other forms ---------------------------------------------------


@claim(
    "nesterov.quadratic.stability",
    "Nesterov momentum has a smaller range of stable step sizes than heavy-ball momentum: 1.357/L for"
    " momentum = 0.9, where gradient descent has 2/L.",
    statement=r"(\theta_t, v_t) \to 0 \text{ from every start} \quad \Longleftrightarrow \quad 0 <"
    r" \varepsilon \lambda < \frac{2 (1 + \mu)}{1 + 2 \mu}, \qquad f(\theta) = \frac{\lambda}{2} \theta^2,"
    r" \quad 0 \le \mu < 1",
    scope="quadratics with curvature lambda > 0, full gradients, constant lr and momentum in [0, 1), the"
    " look-ahead form and the rewritten one; in d dimensions along each eigenvector of the Hessian",
    sources=[cohen, jury],
    lookahead=about("nesterov"),
    rewritten=about("nesterov", nesterov="rewritten", lr_placement="outside"),
)
def nesterov_stability(lookahead: Rule, rewritten: Rule) -> Decision:
    """Both forms: the root that leaves the disk is -1, at the stated step size."""
    end = 2 * (1 + momentum) / ((1 + 2 * momentum) * curvature)
    for rule in (lookahead, rewritten):
        show_threshold(rule, end)
    at = (end * curvature).subs(momentum, sp.Rational(9, 10))
    return holds(
        f"z^2 - (1 + mu) (1 - q) z + mu (1 - q) with q = lr lambda is 0 at z = -1 for q = 2 (1 + mu)/(1 + 2 mu),"
        f" {at} for mu = 9/10; no other root meets the circle for 0 < q"
    )


@claim(
    "nesterov.quadratic.any_momentum",
    "With a momentum of 1 or more Nesterov's method diverges.",
    statement=r"(\theta_t, v_t) \not\to 0 \text{ from some start, for every } \mu \ge 1 \text{ and}"
    r" \varepsilon > 0, \qquad f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="f(theta) = theta^2/2, dimension 1, full gradients, constant lr = 11/10 and momentum = 2",
    sources=[cohen],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="nesterov.quadratic.window",
    rule=about("nesterov"),
)
def nesterov_above_one(rule: Rule) -> Decision:
    """One exact point at which both roots lie inside the unit disk."""
    point = {momentum: sp.Integer(2), rate: sp.Rational(11, 10), curvature: sp.Integer(1)}
    p = any_rate_matrix(rule).subs(point).charpoly(z)
    if p.as_expr().free_symbols - {z} or not is_schur(p):
        raise NotProved(f"at momentum = 2, lr = 11/10 the step has the polynomial {p.as_expr()}")
    return refuted(
        f"with momentum = 2 and lr = 11/10 on theta^2/2 the step has the polynomial {p.as_expr()}, whose roots"
        " lie inside the unit disk: it converges from every start"
    )


@claim(
    "nesterov.quadratic.window",
    "Nesterov's method converges on quadratics for momentum above 1 too, inside a window of step sizes.",
    statement=r"(\theta_t, v_t) \to 0 \text{ from every start} \quad \Longleftrightarrow \quad \varepsilon"
    r" \lambda > 0, \; (1 + 2 \mu) \, \varepsilon \lambda < 2 (1 + \mu), \; \mu \, \varepsilon \lambda > \mu"
    r" - 1, \qquad f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="quadratics with curvature lambda > 0, full gradients, constant lr, any constant momentum >= 0 (1"
    " and more included, outside the rule's range); a Hessian with several eigenvalues needs all of them in"
    " the window, which excludes curvatures near 0",
    sources=[jury],
    rule=about("nesterov"),
)
def nesterov_window(rule: Rule) -> Decision:
    """The Schur conditions for every momentum >= 0 are the stated ones."""
    q = rate * curvature
    stated = [q, 2 * (1 + momentum) - (1 + 2 * momentum) * q, 1 - momentum + momentum * q]
    any_momentum = {momentum: Domain(0, float("inf"), low_open=False)}
    show_stable_iff(any_rate_matrix(rule), stated, "the step", any_momentum)
    return holds("the three Jury conditions of z^2 - (1 + mu) (1 - q) z + mu (1 - q), q = lr lambda")


@claim(
    "momentum.ema.stability",
    "With the gradient averaged instead of summed, momentum is stable up to 38/L for momentum = 0.9.",
    statement=r"(\theta_t, v_t) \to 0 \text{ from every start} \quad \Longleftrightarrow \quad 0 <"
    r" \varepsilon \lambda < \frac{2 (1 + \mu)}{1 - \mu}, \qquad v_t = \mu v_{t-1} - (1 - \mu) \,"
    r" \varepsilon \nabla f(\theta_{t-1}), \quad f(\theta) = \frac{\lambda}{2} \theta^2, \quad 0 \le \mu < 1",
    scope="quadratics with curvature lambda > 0, full gradients, constant lr and momentum in [0, 1); in d"
    " dimensions along each eigenvector of the Hessian",
    sources=[cohen, jury],
    rule=about("momentum", form="ema"),
)
def ema_stability(rule: Rule) -> Decision:
    """The root that leaves the disk is -1, at the stated step size."""
    end = 2 * (1 + momentum) / ((1 - momentum) * curvature)
    show_threshold(rule, end)
    at = (end * curvature).subs(momentum, sp.Rational(9, 10))
    return holds(f"2 (1 + mu)/(1 - mu) is {at} for mu = 9/10: 19 times the threshold of gradient descent")


@claim(
    "momentum.dampened.stability",
    "Dampening widens the stable range of momentum by 1/(1 - dampening).",
    statement=r"(\theta_t, v_t) \to 0 \text{ from every start} \quad \Longleftrightarrow \quad 0 <"
    r" \varepsilon \lambda < \frac{2 (1 + \mu)}{1 - \tau}, \qquad f(\theta) = \frac{\lambda}{2} \theta^2,"
    r" \quad 0 \le \mu, \tau < 1",
    scope="quadratics with curvature lambda > 0, full gradients, constant lr, momentum and dampening in [0,"
    " 1); in d dimensions along each eigenvector of the Hessian",
    sources=[jury],
    rule=about("momentum", form="dampened"),
)
def dampened_stability(rule: Rule) -> Decision:
    """The root that leaves the disk is -1, at the stated step size."""
    show_threshold(rule, 2 * (1 + momentum) / ((1 - dampening) * curvature))
    return holds("dampening multiplies lr by 1 - tau and changes nothing else")


# ---- other linear rules ------------------------------------------------------------------------------------

nu = hyper_symbol("nu")


@claim(
    "qhm.quadratic.stability",
    "The stable range of quasi-hyperbolic momentum lies between that of gradient descent and that of"
    " averaged momentum.",
    statement=r"(\theta_t, m_t) \to 0 \text{ from every start} \quad \Longleftrightarrow \quad 0 < \alpha"
    r" \lambda < \frac{2 (1 + \beta)}{1 + \beta - 2 \nu \beta}, \qquad f(\theta) = \frac{\lambda}{2}"
    r" \theta^2, \quad 0 \le \beta < 1, \; 0 \le \nu \le 1",
    scope="quadratics with curvature lambda > 0, full gradients, constant lr, momentum in [0, 1) and nu in"
    " [0, 1]: 2 at nu = 0, 2 (1 + beta)/(1 - beta) at nu = 1; in d dimensions along each eigenvector of the"
    " Hessian",
    sources=[gitman],
    rule=about("qhm"),
)
def qhm_stability(rule: Rule) -> Decision:
    """The root that leaves the disk is -1; nu = 1, an end of its range, once more for itself."""
    end = 2 * (1 + momentum) / ((1 + momentum - 2 * nu * momentum) * curvature)
    show_threshold(rule, end, {nu: unit})
    show_stable_between(
        any_rate_matrix(rule).subs(nu, 1), rate, end.subs(nu, 1), "the step with nu = 1", domains(rule)
    )
    usual = (end * curvature).subs({momentum: sp.Rational(999, 1000), nu: sp.Rational(7, 10)})
    return holds(f"for the usual beta = 0.999, nu = 0.7 the threshold is {usual}, a little below 5")


@claim(
    "aggmo.quadratic.stability",
    "Aggregated momentum is as stable as its velocities are together, whatever the slowest of them does.",
    statement=r"(\theta_t, v_t) \to 0 \text{ from every start} \quad \Longleftrightarrow \quad 0 < \gamma"
    r" \lambda < \frac{2 K}{\sum_{i=1}^{K} 1/(1 + \beta^{(i)})}, \qquad f(\theta) = \frac{\lambda}{2}"
    r" \theta^2, \quad 0 \le \beta^{(i)} < 1",
    scope="quadratics with curvature lambda > 0, full gradients, constant lr, K = 2 and K = 3 velocities, any"
    " damping factors in [0, 1); the threshold is twice the harmonic mean of 1 + beta_i; in d dimensions along"
    " each eigenvector of the Hessian",
    sources=[lucas],
    two=about("aggmo", velocities="2"),
    three=about("aggmo"),
)
def aggmo_stability(two: Rule, three: Rule) -> Decision:
    """No root meets the circle but -1: 1/((z - 1)(z - beta)/z) has an imaginary part of one sign there."""
    betas = sp.symbols("beta1 beta2 beta3", nonnegative=True)
    for rule, kept in ((two, betas[:2]), (three, betas)):
        end = 2 * len(kept) / (sp.Add(*(1 / (1 + b) for b in kept)) * curvature)
        show_threshold(rule, sp.factor(end))
    usual = (end * curvature).subs(dict(zip(betas, map(sp.Rational, ("0", "9/10", "99/100")), strict=True)))
    return holds(
        f"for the usual 0, 0.9 and 0.99 the threshold is {usual} = 2.957..., between 2 of gradient descent and"
        " 3.98 of momentum 0.99"
    )


@claim(
    "optimistic_gd.quadratic.stability",
    "Optimism has its price in plain minimization: steps must be three times smaller than those of gradient"
    " descent.",
    statement=r"(\theta_t, M_t) \to 0 \text{ from every start} \quad \Longleftrightarrow \quad 0 < \eta"
    r" \lambda < \frac{2}{3}, \qquad f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="quadratics with curvature lambda > 0, full gradients, constant lr, weights 2 and -1; in d"
    " dimensions along each eigenvector of the Hessian; games are another matter",
    sources=[daskalakis, jury],
    rule=about("optimistic_gd"),
)
def optimistic_stability(rule: Rule) -> Decision:
    """The root that leaves the disk is -1, at the stated step size."""
    show_threshold(rule, sp.Rational(2, 3) / curvature)
    return holds("z^2 - (1 - 2 q) z - q, q = lr lambda, is 2 - 3 q at z = -1 and q at z = 1")


# ---- adaptive rules with a frozen second moment ---------------------------------------------------------

held_root = sp.Symbol("s", positive=True)
"""The root of the second moment, held."""


def show_frozen_threshold(
    rule: Rule,
    end: sp.Expr,
    more: dict[sp.Symbol, Domain] | None = None,
    put: dict[sp.Symbol, sp.Expr] | None = None,
) -> None:
    """Show that the late step, with sqrt(v) held at s, is stable if and only if 0 < lr < end.

    more: ranges beside those of the rule. put: symbols written as squares, so that roots of them go away.
    """
    if found := leaves_minimum(rule, {"v": sp.Integer(1)}):
        raise Refuted(found)
    within = domains(rule) | (more or {})
    matrix = frozen_matrix(rule, {"v": held_root**2}, within).subs({lr: rate, **(put or {})})
    show_stable_between(matrix, rate, end, "the late step with a frozen second moment", within)


@claim(
    "adam.frozen.stability",
    "Late in training Adam is stable while the preconditioned sharpness is below 38/lr, for beta_1 = 0.9.",
    statement=r"(\theta_t, m_t) \to 0 \text{ from every start} \quad \Longleftrightarrow \quad 0 < \alpha"
    r" \frac{\lambda}{P} < \frac{2 (1 + \beta_1)}{1 - \beta_1}, \qquad P = \sqrt{v} + \epsilon, \quad"
    r" f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="the second moment v > 0 held constant, bias corrections at their limit for large t, quadratics with"
    " curvature lambda > 0, full gradients, constant lr, beta_1 in [0, 1), beta_2 in [0, 1); in d dimensions"
    " along each eigenvector of P^-1 H; a moving v is not covered",
    sources=[cohen],
    expected="holds under conditions",
    rule=about("adam"),
)
def adam_frozen(rule: Rule) -> Decision:
    """beta^t vanishes, v stays: what is left of the rule is momentum with averaged gradients."""
    end = 2 * (1 + beta1) * (held_root + eps) / ((1 - beta1) * curvature)
    show_frozen_threshold(rule, end)
    return holds_under_conditions(
        "with v frozen the step is m_t = beta_1 m_(t-1) + (1 - beta_1) g, theta_t = theta_(t-1) - (lr/P) m_t;"
        " 2 (1 + beta_1)/(1 - beta_1) = 38 for beta_1 = 0.9"
    )


@claim(
    "nadam.frozen.stability",
    "Nadam's look-ahead costs stability: late in training it is stable below 13.6/lr where Adam is below"
    " 38/lr.",
    statement=r"(\theta_t, m_t) \to 0 \text{ from every start} \quad \Longleftrightarrow \quad 0 < \alpha"
    r" \frac{\lambda}{P} < \frac{2 (1 + \mu)}{(1 - \mu)(1 + 2 \mu)}, \qquad P = \sqrt{\nu v} + \epsilon,"
    r" \quad f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="the second moment v > 0 held constant, the momentum schedule (psi > 0) and the corrections at their"
    " limit for large t, quadratics with curvature lambda > 0, full gradients, constant lr, mu in [0, 1); in d"
    " dimensions along each eigenvector of P^-1 H; libraries leave out the factor nu under the root",
    sources=[dozat, cohen],
    expected="holds under conditions",
    rule=about("nadam"),
)
def nadam_frozen(rule: Rule) -> Decision:
    """Powers of t and the product of all mu vanish, v stays."""
    root = sp.Symbol("r", positive=True)
    P = root * held_root + eps
    end = 2 * (1 + beta1) * P / ((1 - beta1) * (1 + 2 * beta1) * curvature)
    decay_grows = {hyper_symbol("momentum_decay"): positive, beta2: Domain(0, 1, low_open=True)}
    show_frozen_threshold(rule, end, decay_grows, {beta2: root**2})
    at = sp.Rational(2 * 19, 10) / (sp.Rational(1, 10) * sp.Rational(28, 10))
    return holds_under_conditions(f"{at} = 13.57... for mu = 9/10, 2.8 times less than the 38 of Adam")


@claim(
    "rmsprop.frozen.stability",
    "Late in training RMSProp is gradient descent with each coordinate rescaled: stable below 2/lr.",
    statement=r"\theta_t \to 0 \text{ from every start} \quad \Longleftrightarrow \quad 0 < \eta"
    r" \frac{\lambda}{P} < 2, \qquad P = \sqrt{v} + \epsilon, \quad f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="the mean square v > 0 held constant, quadratics with curvature lambda > 0, full gradients, constant"
    " lr; in d dimensions along each eigenvector of P^-1 H; a moving v is not covered",
    sources=[cohen],
    expected="holds under conditions",
    rule=about("rmsprop"),
)
def rmsprop_frozen(rule: Rule) -> Decision:
    """v stays: what is left is gradient descent with lr/P."""
    show_frozen_threshold(rule, 2 * (held_root + eps) / curvature)
    return holds_under_conditions("with v frozen the multiplier of a step is 1 - lr lambda/P")


# ---- Lookahead ----------------------------------------------------------------------------------------------

slow_lr, sync_period = hyper_symbol("slow_lr", positive=True), hyper_symbol("sync_period", positive=True)
PERIODS = (1, 2, 3, 4, 5)


def slow_multiplier(rule: Rule, period: int) -> sp.Expr:
    """What theta is multiplied with from one return to the next, theta and theta_slow being equal there."""
    matrix = cycle_matrix(rule, period, {sync_period: sp.Integer(period)}).subs(lr, rate)
    together = matrix * sp.ones(matrix.cols, 1)
    if matrix.rows != 2 or sp.expand(together[0] - together[1]) != 0:
        raise NotProved(f"after {period} steps theta and theta_slow differ: {list(together)}")
    return sp.expand(together[0])


def _other_lookahead(rule: Rule) -> str | None:
    """Look for a slow step that is not a mean of where it began and the end of k plain steps; in words."""
    for k in PERIODS:
        values = {"lr": sp.Rational(1, 3), "slow_lr": sp.Rational(1, 2), "sync_period": sp.Integer(k)}
        found = run(rule, [lambda point: point] * k, start=1, values=values)[-1]["theta"]
        stated = (1 + sp.Rational(2, 3) ** k) / 2
        if found.is_Rational and found != stated:
            return (
                f"with slow_lr = 1/2, lr = 1/3, k = {k} on theta^2/2 theta_k is {found} theta_0, not {stated}"
            )
    return None


@claim(
    "lookahead.quadratic.stability",
    "Lookahead makes gradient descent stable at larger step sizes.",
    statement=r"\theta_{k t} = (1 - \alpha_s + \alpha_s (1 - \eta \lambda)^k)^t \, \theta_0 \to 0 \quad \Longleftrightarrow \quad 0 < \eta"
    r" \lambda < 1 + \left( \frac{2}{\alpha_s} - 1 \right)^{1/k} \text{ for odd } k, \qquad 0 < \eta"
    r" \lambda < 2 \text{ for even } k, \qquad f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="Lookahead around gradient descent with k = 1, ..., 5 fast steps, any slow step size in (0, 1],"
    " quadratics with curvature lambda > 0, full gradients, constant lr; in d dimensions along each"
    " eigenvector of the Hessian: it widens the range for odd k and slow_lr < 1 only",
    sources=[zhang_lookahead],
    expected="holds under conditions",
    rule=about("lookahead"),
)
def lookahead_stability(rule: Rule) -> Decision:
    """The slow multiplier is 1 - a + a q^k; its distances to 1 and -1 have the signs of the stated region."""
    x = sp.Symbol("x", nonnegative=True)
    share = 1 / (1 + x)  # of (0, 1]
    with unless(lambda: _other_lookahead(rule)):
        start = rule.state("theta_slow").initial
        show_equal(start, theta.before, "theta_slow at the start", domains(rule))
        for k in PERIODS:
            q = 1 - rate * curvature
            stated = 1 - slow_lr + slow_lr * q**k
            show_equal(slow_multiplier(rule, k), stated, f"the slow multiplier for k = {k}", domains(rule))
            bound = (2 / slow_lr - 1).subs(slow_lr, share)
            show_nonnegative(bound - 1, "2/slow_lr - 2")
    return holds_under_conditions(
        "over k steps theta is multiplied by 1 - a + a (1 - lr lambda)^k with a = slow_lr, which is below 1 iff"
        " (1 - lr lambda)^k < 1 and above -1 iff (1 - lr lambda)^k > 1 - 2/a, and 1 - 2/a <= -1: for even k the"
        " second always holds and the first says lr lambda < 2; for odd k = 5 and a = 1/2 the threshold is 1 +"
        " 3^(1/5) = 2.2457"
    )


@claim(
    "lookahead.quadratic.always_stabler",
    "Lookahead always makes gradient descent stable at larger step sizes.",
    statement=r"\eta \lambda \ge 2 \text{ can be stable for every } k \ge 2, \; \alpha_s < 1, \qquad"
    r" f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="Lookahead around gradient descent, k = 2, slow_lr = 1/2, lr = 5/2 on theta^2/2 from theta_0 = 1",
    sources=[zhang_lookahead],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="lookahead.quadratic.stability",
    rule=about("lookahead"),
)
def lookahead_even(rule: Rule) -> Decision:
    """One exact multiplier beyond 1 for k = 2, where the same step size with k = 1 is stable."""
    point = {slow_lr: sp.Rational(1, 2), rate: sp.Rational(5, 2), curvature: sp.Integer(1)}
    one, two = (slow_multiplier(rule, k).subs(point) for k in (1, 2))
    if not (two.is_Rational and one.is_Rational and abs(two) > 1 > abs(one)):
        raise NotProved(f"the multipliers are {one} for k = 1 and {two} for k = 2")
    return refuted(
        f"with slow_lr = 1/2 and lr = 5/2 on theta^2/2 each pair of steps multiplies theta by {two}: for even k"
        f" the overshoot is not averaged away; for k = 1 the multiplier is {one}"
    )


# ---- averaging ---------------------------------------------------------------------------------------------

schedule_free = Source(
    "Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky",
    2024,
    "The road less scheduled",
    "the three lines of Schedule-Free SGD",
    "NeurIPS",
    arxiv="2405.15682",
)
c = sp.Symbol("c", positive=True)
"""The weight of a new point in the average, 1/t."""


def weighted_matrix(rule: Rule) -> sp.Matrix:
    """The step over (theta, z) for the weight c: W_t = t lr^2 is shown by induction, and 1/t written as c."""
    form, within = closed_form(rule), domains(rule)
    W, points = rule.state("W"), (theta, rule.state("z"))
    show_by_induction(
        lambda y, k: form["W"].subs({W.before: y, t: k}, simultaneous=True),
        sp.sympify(W.initial),
        lambda k: k * lr**2,
        "the sum of the weights",
        within,
    )
    before = [s.before for s in points]
    put = {grad: curvature * rule.gradient_point, W.before: (t - 1) * lr**2}
    step = [sp.cancel(form[s.name].xreplace(put)).subs(t, 1 / c).subs(lr, rate) for s in points]
    matrix = sp.Matrix(step).jacobian(before).applyfunc(sp.cancel)
    if matrix.has(*before, t) or any(e.subs(dict.fromkeys(before, 0)) != 0 for e in step):
        raise NotProved("the step is not linear in theta and z")
    return matrix


@claim(
    "schedule_free_sgd.quadratic.stability",
    "Taking the gradient near the average makes Schedule-Free SGD stable at step sizes up to 20/L for"
    " momentum = 0.9.",
    statement=r"x_t = \left(1 - \frac{a}{t}\right) x_{t-1} + \frac{a - q}{t} \, y_{t-1}, \quad y_t = \left(1 -"
    r" \frac{q}{a} + \frac{\beta (a - q)}{t}\right) y_{t-1} - \frac{\beta a}{t} \, x_{t-1}, \quad q = \gamma"
    r" \lambda, \; a = \frac{1}{1 - \beta}; \quad \theta_t \to 0 \text{ from every state if } 0 < \gamma \lambda < \frac{2}{1 - \beta}, \text{"
    r" and } \theta_t \text{ is unbounded from some state if } \gamma \lambda > \frac{2}{1 - \beta} \text{ or }"
    r" \gamma \lambda < 0, \qquad f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="quadratics with curvature lambda > 0, full gradients, constant lr, momentum beta in (0, 1), theta = x is"
    " the average, y the gradient point; the state is (theta, z) at some t; inside, theta_t shrinks like t^(-1/(1 - beta)), the border"
    " itself is left out; in d dimensions along each eigenvector of the Hessian",
    sources=[schedule_free],
    rule=about("schedule_free_sgd"),
)
def schedule_free_stability(rule: Rule) -> Decision:
    """In (x, y), average and gradient point, a step is a contraction of y and a slow decay of x.

    With x' = (1 - a c) x + c k y and y' = (r + beta c k) y - beta a c x, where a = 1/(1 - beta), k = a - q and
    r = 1 - q/a: the sum |x| + |y|/2 shrinks at least by 1 - a c/2 once c is small, if |r| < 1, and the sum of
    c = 1/t is infinite. If |r| > 1, a start with |x| <= |y| keeps it, and |y| grows by about |r|.
    """
    if found := leaves_minimum(rule, {"W": sp.Integer(1)}):
        raise Refuted(found)
    matrix, within = weighted_matrix(rule), domains(rule)
    q, a = rate * curvature, 1 / (1 - momentum)
    change = sp.Matrix([[1, 0], [momentum, 1 - momentum]])  # (x, z) -> (x, y)
    moved = (change * matrix * change.inv()).applyfunc(sp.cancel)
    k, r = a - q, 1 - q / a
    stated = sp.Matrix([[1 - a * c, c * k], [-momentum * a * c, r + momentum * c * k]])
    for entry, wanted, name in zip(moved, stated, ("x to x", "y to x", "x to y", "y to y"), strict=True):
        show_equal(entry, wanted, f"the coefficient from {name}", within)
    show_nonnegative(1 - momentum / 2 - sp.Rational(1, 2), "the shrinkage of x beyond a c/2", within)
    show_equal((1 - r) * a, q, "1 - r, times a", within)
    show_equal((1 + r) * a, 2 * a - q, "1 + r, times a", within)
    return holds(
        "c_t = 1/t; the gradient point y is multiplied by r = 1 - (1 - beta) lr lambda up to O(1/t), the average"
        " x by 1 - 1/((1 - beta) t): |x| + |y|/2 shrinks by 1 - 1/(2 (1 - beta) t) for large t if |r| < 1"
    )


@claim(
    "asgd.quadratic.average",
    "Without noise averaging slows gradient descent down: the mean of its points comes in like 1/t only.",
    statement=r"\bar{\theta}_t = \frac{q (1 - q^t)}{(1 - q) \, t} \, \theta_0, \quad \theta_t = q^t \theta_0,"
    r" \quad q = 1 - \gamma \lambda, \qquad f(\theta) = \frac{\lambda}{2} \theta^2, \quad t = 1, 2, \dots",
    scope="quadratics with curvature lambda > 0, full gradients, constant lr, the average from the first update"
    " on; in d dimensions along each eigenvector of the Hessian",
    sources=[
        Source(
            "Polyak and Juditsky",
            1992,
            "Acceleration of stochastic approximation by averaging",
            "the averaged iteration of section 2",
            "SIAM Journal on Control and Optimization 30",
            url="https://doi.org/10.1137/0330046",
        )
    ],
    rule=about("asgd"),
)
def averaged_descent(rule: Rule) -> Decision:
    """theta_t by induction, then the mean by induction with symbolic t."""
    q, first = sp.symbols("q theta_0", real=True)
    gradient = (1 - q) / lr * rule.gradient_point  # the curvature that makes the multiplier q
    at_once = {hyper_symbol("average_start"): sp.Integer(0), grad: gradient}
    form = {n: e.subs(at_once) for n, e in closed_form(rule).items()}
    mean, within = rule.state("theta_bar"), domains(rule)

    def last(k: sp.Expr) -> sp.Expr:
        return q**k * first

    with unless(lambda: _other_average(rule)):
        show_by_induction(
            lambda y, k: form["theta"].subs({theta.before: y, t: k}, simultaneous=True),
            first,
            last,
            "theta_t",
            within,
        )
        later = form["theta_bar"].subs(theta.before, last(t - 1))
        start = later.subs({t: 1, mean.before: sp.sympify(mean.initial)})
        show_equal(start, q * first, "the mean at t = 1", within)
        n = sp.Symbol("n", integer=True, positive=True)
        stated = q * (1 - q**n) / ((1 - q) * n) * first
        moved = later.subs(t, n + 1).subs(mean.before, stated)
        show_equal(moved, stated.subs(n, n + 1), "the mean, step of the induction,", within)
    return holds("both by induction; t times the mean tends to (1 - lr lambda)/(lr lambda) theta_0, not to 0")


def _other_average(rule: Rule) -> str | None:
    """Look for a mean that is not as stated, with lr = 1/2 on theta^2/2 from theta_0 = 1; in words."""
    values = {"lr": sp.Rational(1, 2), "average_start": sp.Integer(0)}
    history = run(rule, [lambda point: point] * 3, start=1, values=values)
    for k, state in enumerate(history[1:], 1):
        stated = (1 - sp.Rational(1, 2) ** k) / k
        for name, wanted in (("theta", sp.Rational(1, 2) ** k), ("theta_bar", stated)):
            if state[name].is_Rational and state[name] != wanted:
                return (
                    f"with lr = 1/2 on theta^2/2 from theta_0 = 1, {name}_{k} is {state[name]}, not {wanted}"
                )
    return None
