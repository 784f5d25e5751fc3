"""Linear rules on quadratics: exactly where they converge."""

from __future__ import annotations

from optverify.claims._claim import Decision, about, claim, holds
from optverify.claims._linear import any_rate_matrix, curvature, in_states, rate, show_fixed_point
from optverify.language import Rule, Source, momentum
from optverify.proof import domains, show_stable_iff

polyak_book = Source(
    "Polyak",
    1987,
    "Introduction to optimization",
    "section 1.4 for gradient descent; section 3.2.1, Theorem 1 for the heavy ball",
    "Optimization Software",
)
jury = Source(
    "Jury", 1964, "Theory and application of the z-transform method", "the stability criterion", "Wiley"
)


@claim(
    "gd.quadratic.stability",
    "Gradient descent on a quadratic converges for step sizes below 2/L, and for no others.",
    statement=r"\theta_t \to 0 \text{ from every } \theta_0 \quad \Longleftrightarrow \quad 0 < \eta"
    r" \lambda < 2, \qquad f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="quadratics with curvature lambda > 0, full gradients, constant lr; in d dimensions along each"
    " eigenvector of the Hessian, so for all of them if and only if 0 < lr < 2/lambda_max",
    sources=[polyak_book],
    rule=about("gd"),
)
def gradient_descent_stability(rule: Rule) -> Decision:
    """The Schur conditions of the step matrix are the stated ones."""
    in_states(rule)
    show_fixed_point(rule)
    show_stable_iff(
        any_rate_matrix(rule), [rate * curvature, 2 - rate * curvature], "the step", domains(rule)
    )
    return holds("the multiplier q = 1 - lr lambda of a step has 1 - q = lr lambda and 1 + q = 2 - lr lambda")


@claim(
    "momentum.quadratic.stability",
    "Momentum widens the range of stable step sizes: up to 2 (1 + momentum)/L instead of 2/L.",
    statement=r"(\theta_t, v_t) \to 0 \text{ from every start} \quad \Longleftrightarrow \quad 0 <"
    r" \varepsilon \lambda < 2 (1 + \mu), \qquad f(\theta) = \frac{\lambda}{2} \theta^2, \quad 0 \le \mu < 1",
    scope="quadratics with curvature lambda > 0, full gradients, constant lr and momentum in [0, 1); in d"
    " dimensions along each eigenvector of the Hessian",
    sources=[polyak_book, jury],
    rule=about("momentum"),
)
def momentum_stability(rule: Rule) -> Decision:
    """The Schur conditions of the step matrix, factored, are the stated ones and 1 - momentum > 0."""
    in_states(rule, "v")
    show_fixed_point(rule)
    stated = [rate * curvature, 2 * (1 + momentum) - rate * curvature]
    show_stable_iff(any_rate_matrix(rule), stated, "the step", domains(rule))
    return holds(
        "with mu for momentum, z^2 - (1 + mu - lr lambda) z + mu has its roots in the unit disk iff lr lambda"
        " > 0, 2 (1 + mu) - lr lambda > 0 and 1 - mu > 0 (Jury)"
    )
