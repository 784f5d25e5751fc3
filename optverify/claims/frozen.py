"""Adaptive rules late in training: the largest stable step size while the second moment is held."""

from __future__ import annotations

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds_under_conditions
from optverify.claims._linear import (
    curvature,
    frozen_matrix,
    leaves_minimum,
    rate,
)
from optverify.claims.thresholds import cohen
from optverify.language import (
    Domain,
    Rule,
    Source,
    beta1,
    beta2,
    eps,
    hyper_symbol,
    lr,
    positive,
)
from optverify.proof import (
    Refuted,
    domains,
    show_stable_between,
)

dozat = Source(
    "Dozat",
    2016,
    "Incorporating Nesterov momentum into Adam",
    "Algorithm 2",
    "ICLR workshop",
    url="https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
)


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
    scope="the second moment v > 0 held constant, bias corrections at their limit for large t, quadratics"
    " with curvature lambda > 0, full gradients, constant lr, beta_1 in [0, 1), beta_2 in [0, 1); in d"
    " dimensions along each eigenvector of P^-1 H; a moving v is not covered",
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
    "Nadam's look-ahead costs stability: late in training it is stable below 13.57/lr where Adam is below"
    " 38/lr.",
    statement=r"(\theta_t, m_t) \to 0 \text{ from every start} \quad \Longleftrightarrow \quad 0 < \alpha"
    r" \frac{\lambda}{P} < \frac{2 (1 + \mu)}{(1 - \mu)(1 + 2 \mu)}, \qquad P = \sqrt{\nu v} + \epsilon,"
    r" \quad f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="the second moment v > 0 held constant, the momentum schedule (psi > 0) and the corrections at"
    " their limit for large t, quadratics with curvature lambda > 0, full gradients, constant lr, mu in [0,"
    " 1); in d dimensions along each eigenvector of P^-1 H; libraries leave out the factor nu under the root",
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
    scope="the mean square v > 0 held constant, quadratics with curvature lambda > 0, full gradients,"
    " constant lr; in d dimensions along each eigenvector of P^-1 H; a moving v is not covered",
    sources=[cohen],
    expected="holds under conditions",
    rule=about("rmsprop"),
)
def rmsprop_frozen(rule: Rule) -> Decision:
    """v stays: what is left is gradient descent with lr/P."""
    show_frozen_threshold(rule, 2 * (held_root + eps) / curvature)
    return holds_under_conditions("with v frozen the multiplier of a step is 1 - lr lambda/P")
