"""The largest stable step size of each linear rule on a quadratic, and of adaptive rules late in training."""

from __future__ import annotations

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, refuted
from optverify.claims._linear import (
    any_rate_matrix,
    curvature,
    rate,
    show_fixed_point,
    z,
)
from optverify.claims.quadratics import jury, polyak_book
from optverify.language import (
    Domain,
    Rule,
    Source,
    dampening,
    hyper_symbol,
    momentum,
    unit,
    weight_decay,
)
from optverify.proof import (
    NotProved,
    domains,
    is_schur,
    show_positive,
    show_stable_between,
    show_stable_iff,
)

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


def show_threshold(rule: Rule, end: sp.Expr, more: dict[sp.Symbol, Domain] | None = None) -> None:
    """Show that the step is stable on curvature/2 theta^2 if and only if 0 < lr < end."""
    show_fixed_point(rule)
    show_stable_between(any_rate_matrix(rule), rate, end, "the step", domains(rule) | (more or {}))


# ---- gradient descent and momentum with weight decay -------------------------------------------------------


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
    "Decoupled weight decay lowers the largest stable step size of momentum, and by more than decay in the"
    " gradient does.",
    statement=r"(\theta_t, v_t) \to 0 \text{ from every start} \quad \Longleftrightarrow \quad \varepsilon"
    r" > 0, \; \varepsilon \Lambda < (1 + \mu) (2 - \varepsilon \lambda), \qquad f(\theta) ="
    r" \frac{\Lambda}{2} \theta^2, \quad 0 \le \mu < 1",
    scope="quadratics with curvature Lambda > 0, weight decay lambda >= 0 decoupled and multiplied by lr,"
    " full gradients, constant lr and momentum; decay in the gradient allows lr (Lambda + lambda) < 2 (1 +"
    " momentum), a larger step for lambda > 0 and momentum > 0; in d dimensions along each eigenvector of the"
    " Hessian",
    sources=[decoupled, jury],
    rule=about("sgdw"),
    coupled=about("momentum", weight_decay_form="coupled"),
)
def sgdw_stability(rule: Rule, coupled: Rule) -> Decision:
    """The root that leaves the disk is -1, at the stated step size; compared with coupled decay."""
    end = 2 * (1 + momentum) / (curvature + (1 + momentum) * weight_decay)
    show_threshold(rule, end)
    larger = 2 * (1 + momentum) / (curvature + weight_decay)
    show_threshold(coupled, larger)
    lost = sp.cancel((larger - end) / (momentum * weight_decay))
    show_positive(lost, "what it allows less, over momentum times decay", domains(rule))
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
        f"z^2 - (1 + mu) (1 - q) z + mu (1 - q) with q = lr lambda is 0 at z = -1 for q = 2 (1 + mu)/(1 + 2"
        f" mu), {at} for mu = 9/10; no other root meets the circle for 0 < q"
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
        f"with momentum = 2 and lr = 11/10 on theta^2/2 the step has the polynomial {p.as_expr()}, whose"
        " roots lie inside the unit disk: it converges from every start"
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
    show_fixed_point(rule)
    q = rate * curvature
    stated = [q, 2 * (1 + momentum) - (1 + 2 * momentum) * q, 1 - momentum + momentum * q]
    any_momentum = {momentum: Domain(0, float("inf"), low_open=False)}
    if (matrix := any_rate_matrix(rule)).rows != 2:
        raise NotProved(f"rule {rule.name!r} has not theta and one velocity")
    show_stable_iff(matrix, stated, "the step", any_momentum)
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
    "Dampening widens the stable range of momentum by the factor 1/(1 - dampening).",
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
    return holds(f"for the usual beta = 0.999, nu = 0.7 the threshold is {usual} = 6.658...")


@claim(
    "aggmo.quadratic.stability",
    "The largest stable step size of aggregated momentum is the harmonic mean of those that momentum has with"
    " each of its damping factors.",
    statement=r"(\theta_t, v_t) \to 0 \text{ from every start} \quad \Longleftrightarrow \quad 0 < \gamma"
    r" \lambda < \frac{2 K}{\sum_{i=1}^{K} 1/(1 + \beta^{(i)})}, \qquad f(\theta) = \frac{\lambda}{2}"
    r" \theta^2, \quad 0 \le \beta^{(i)} < 1",
    scope="quadratics with curvature lambda > 0, full gradients, constant lr, K = 2 and K = 3 velocities, any"
    " damping factors in [0, 1); the threshold is twice the harmonic mean of 1 + beta_i; in d dimensions"
    " along each eigenvector of the Hessian",
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
        f"for the usual 0, 0.9 and 0.99 the threshold is {usual} = 2.957..., between 2 of gradient descent"
        " and 3.98 of momentum 0.99"
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
