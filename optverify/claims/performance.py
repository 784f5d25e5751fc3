"""Worst cases found numerically: PEPit, given the rule's own step, against the certified rates.

PEPit poses the primal problem, the worst function in any dimension, where the certificates are points of the
dual. Both come from the rule, by different code; the solver (Clarabel) works in float64, to about 1e-8.
"""

from __future__ import annotations

from optverify.claims._certificates import (
    GD,
    GD_STRONG,
    HEAVY_BALL,
    LAST_ITERATE,
    NESTEROV,
    SUBGRADIENT,
    Problem,
)
from optverify.claims._claim import Decision, about, claim, holds, refuted
from optverify.claims._convex_sources import pepit, taylor_interpolation, zamani_glineur
from optverify.language import Rule
from optverify.proof import numerical_worst_case

TOLERANCE = 1e-5
"""Relative. Clarabel stops at 1e-8 in its own scaling; the numbers agree to 1e-7 or better."""


def agrees(problem: Problem, rule: Rule, horizons: tuple[int, ...]) -> Decision:
    """Decide whether PEPit's worst case is the certified rate, at each horizon."""
    gaps = []
    for n in horizons:
        values, rate = problem.values(n), float(problem.rate(n))
        found = numerical_worst_case(rule, n, values, problem.family, problem.measure)
        gaps.append(abs(found / rate - 1))
        if gaps[-1] > TOLERANCE:
            return refuted(
                f"at t = {n} PEPit's worst case is {found:.9g}, not {problem.rate(n)}", "numerical"
            )
    given = ", ".join(f"t = {n}" for n in horizons)
    return holds(f"{given}: PEPit's number and the certified rate agree to {TOLERANCE:g}", "numerical")


@claim(
    "gd.convex.worst_case",
    "The worst case of gradient descent with step size 1/L is L R^2/(4t + 2), by semidefinite programming.",
    statement=r"\max_f \, (f(\theta_t) - f^\ast) = \frac{L \, \lVert \theta_0 - \theta^\ast \rVert^2}{4 t +"
    r" 2}, \qquad \eta = \frac{1}{L}, \quad t = 1, 2, 4",
    scope="convex f with L-Lipschitz gradient, any dimension, t = 1, 2, 4, within 1e-5",
    sources=[pepit, taylor_interpolation],
    evidence="numerical",
    needs="pep",
    rule=about("gd"),
)
def gd_worst_case(rule: Rule) -> Decision:
    """PEPit on the rule's own step."""
    return agrees(GD, rule, (1, 2, 4))


@claim(
    "gd.strongly_convex.worst_case",
    "The worst contraction of gradient descent with step size 2/(L + mu) is (L - mu)/(L + mu), by"
    " semidefinite programming.",
    statement=r"\max_f \, \lVert \theta_t - \theta^\ast \rVert^2 = \left( \frac{L - \mu}{L + \mu} \right)^{2"
    r" t} \lVert \theta_0 - \theta^\ast \rVert^2, \qquad \eta = \frac{2}{L + \mu}, \quad L = 10 \mu, \quad t"
    r" = 1, 2",
    scope="mu-strongly convex f with L-Lipschitz gradient, L = 10 mu, any dimension, t = 1, 2, within 1e-5",
    sources=[pepit, taylor_interpolation],
    evidence="numerical",
    needs="pep",
    rule=about("gd"),
)
def gd_strong_worst_case(rule: Rule) -> Decision:
    """PEPit on the rule's own step."""
    return agrees(GD_STRONG, rule, (1, 2))


@claim(
    "momentum.convex.worst_case",
    "The worst case of the heavy ball with varying coefficients is L R^2/(2t + 2), by semidefinite"
    " programming.",
    statement=r"\max_f \, (f(\theta_t) - f^\ast) = \frac{L \, \lVert \theta_0 - \theta^\ast \rVert^2}{2 (t +"
    r" 1)}, \qquad \varepsilon_t = \frac{1}{L (t + 1)}, \quad \mu_t = \frac{t - 1}{t + 1}, \quad t = 1, 2, 3",
    scope="convex f with L-Lipschitz gradient, any dimension, t = 1, 2, 3, within 1e-5",
    sources=[pepit],
    evidence="numerical",
    needs="pep",
    rule=about("momentum"),
)
def momentum_worst_case(rule: Rule) -> Decision:
    """PEPit on the rule's own step."""
    return agrees(HEAVY_BALL, rule, (1, 2, 3))


@claim(
    "nesterov.convex.worst_case",
    "The worst case of Nesterov momentum with coefficient (t - 1)/(t + 2) is 2 L R^2/(t^2 + 7 t + 4), by"
    " semidefinite programming.",
    statement=r"\max_f \, (f(\theta_t) - f^\ast) = \frac{2 L \, \lVert \theta_0 - \theta^\ast \rVert^2}{t^2"
    r" + 7 t + 4}, \qquad \varepsilon = \frac{1}{L}, \quad \mu_t = \frac{t - 1}{t + 2}, \quad t = 1, 2, 3",
    scope="convex f with L-Lipschitz gradient, any dimension, t = 1, 2, 3, within 1e-5",
    sources=[pepit],
    evidence="numerical",
    needs="pep",
    rule=about("nesterov"),
)
def nesterov_worst_case(rule: Rule) -> Decision:
    """PEPit on the rule's own step."""
    return agrees(NESTEROV, rule, (1, 2, 3))


@claim(
    "gd.subgradient.worst_case",
    "The worst case of the subgradient method is G R/sqrt(t + 1), by semidefinite programming.",
    statement=r"\max_f \, \min_{0 \le k \le t} (f(\theta_k) - f^\ast) = \frac{G \, \lVert \theta_0 -"
    r" \theta^\ast \rVert}{\sqrt{t + 1}}, \qquad \eta = \frac{\lVert \theta_0 - \theta^\ast \rVert}{G"
    r" \sqrt{t + 1}}, \quad t = 3",
    scope="convex f with subgradients of length at most G, any dimension, t = 3, within 1e-5",
    sources=[pepit],
    evidence="numerical",
    needs="pep",
    rule=about("gd"),
)
def subgradient_worst_case(rule: Rule) -> Decision:
    """PEPit on the rule's own step."""
    return agrees(SUBGRADIENT, rule, (3,))


@claim(
    "gd.subgradient.last.worst_case",
    "With linearly decaying steps the worst case of the last iterate is G R/sqrt(t + 1), by semidefinite"
    " programming.",
    statement=r"\max_f \, (f(\theta_t) - f^\ast) = \frac{G \, \lVert \theta_0 - \theta^\ast \rVert}{\sqrt{t"
    r" + 1}}, \qquad \eta_k = \frac{\lVert \theta_0 - \theta^\ast \rVert}{G \sqrt{t + 1}} \left( 1 -"
    r" \frac{k}{t + 1} \right), \quad t = 3",
    scope="convex f with subgradients of length at most G, any dimension, t = 3, within 1e-5",
    sources=[zamani_glineur, pepit],
    evidence="numerical",
    needs="pep",
    rule=about("gd"),
)
def last_iterate_worst_case(rule: Rule) -> Decision:
    """PEPit on the rule's own step."""
    return agrees(LAST_ITERATE, rule, (3,))
