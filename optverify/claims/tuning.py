"""The best step size and momentum on quadratics, their rates, and that nothing is faster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, refuted
from optverify.claims._linear import (
    characteristic,
    curvature,
    jury_conditions,
    leaves_minimum,
    matrix_of,
    off_radius,
    rate_of,
    show_fixed_point,
    show_within,
    z,
)
from optverify.claims.quadratics import polyak_book
from optverify.language import Rule, Source, lr, momentum
from optverify.proof import (
    NotProved,
    show_by_smt,
    show_equal,
    show_nonnegative,
    show_positive,
    unless,
)

lessard = Source(
    "Lessard, Recht and Packard",
    2016,
    "Analysis and design of optimization algorithms via integral quadratic constraints",
    "Proposition 1, rates on quadratics",
    "SIAM Journal on Optimization 26",
    arxiv="1408.3595",
)
nesterov_book = Source(
    "Nesterov",
    2004,
    "Introductory lectures on convex optimization",
    "section 2.1 for the optimal step of gradient descent; section 2.2, the scheme with a constant momentum",
    "Kluwer",
)
qian = Source(
    "Qian",
    1999,
    "On the momentum term in gradient descent learning algorithms",
    "critical damping of each eigencomponent",
    "Neural Networks 12",
    url="https://doi.org/10.1016/S0893-6080(98)00116-6",
)

Values = Mapping[sp.Symbol, Any]
low, gap = sp.symbols("m s", positive=True)
"""The smallest curvature, and how far the largest, m + s, lies above it."""
k = sp.Symbol("k", positive=True)
"""sqrt(kappa) - 1, for a largest curvature (1 + k)^2 times the smallest."""
share = sp.Symbol("x", nonnegative=True)


def between(smallest: Any, largest: Any) -> sp.Expr:
    """A curvature from the smallest on up to, not including, the largest, for share >= 0."""
    return smallest + (largest - smallest) * share / (1 + share)


def multiplier(rule: Rule, of: Any) -> sp.Expr:
    """What a rule without states multiplies theta with, at this curvature."""
    matrix = matrix_of(rule)
    if matrix.shape != (1, 1):
        raise NotProved(f"rule {rule.name!r} has states")
    return matrix[0, 0].subs(curvature, of)


# ---- gradient descent --------------------------------------------------------------------------------------


@claim(
    "gd.quadratic.best_step",
    "The best constant step size of gradient descent is 2/(L + m), and its rate is (kappa - 1)/(kappa + 1).",
    statement=r"\min_{\eta} \; \max_{m \le \lambda \le L} \lvert 1 - \eta \lambda \rvert = \frac{L - m}{L +"
    r" m} = \frac{\kappa - 1}{\kappa + 1}, \text{ attained at } \eta = \frac{2}{L + m}, \qquad \kappa ="
    r" \frac{L}{m}",
    scope="quadratics whose Hessian has its eigenvalues in [m, L], m and L among them, 0 < m < L, full"
    " gradients, one constant lr of any size; any dimension from 2 on",
    sources=[polyak_book, nesterov_book],
    rule=about("gd"),
)
def best_step(rule: Rule) -> Decision:
    """At every lr, L q(m) - m q(L) = L - m, so one of |q(m)|, |q(L)| is at least (L - m)/(L + m)."""
    with unless(lambda: _other_best_step(rule)):
        high = low + gap
        at_low, at_high = multiplier(rule, low), multiplier(rule, high)
        show_equal(high * at_low - low * at_high, gap, "L q(m) - m q(L)")
        best, worst = {lr: 2 / (low + high)}, gap / (low + high)
        show_equal(at_low.subs(best), worst, "q(m) at the best step size")
        show_equal(at_high.subs(best), -worst, "q(L) at the best step size")
        inside = multiplier(rule, between(low, high)).subs(best)
        show_nonnegative(worst - inside, "the rate less q")
        show_nonnegative(worst + inside, "the rate plus q")
    return holds(
        "q(lambda) = 1 - lr lambda has L q(m) - m q(L) = L - m for every lr, so (L + m) max|q| >= L - m; at"
        " lr = 2/(L + m) the ends are +-(L - m)/(L + m) and the rest lies between"
    )


def _other_best_step(rule: Rule) -> str | None:
    """Look for a step size that beats 4/5 at m = 1, L = 9, or for another rate at 1/5; in words."""
    if found := leaves_minimum(rule):
        return found
    worst = {}
    for rate in (sp.Rational(n, 20) for n in (2, 3, 4, 5, 6)):
        ends = [multiplier(rule, e).subs(lr, rate) for e in (1, 9)]
        if not all(e.is_Rational for e in ends):
            return None
        worst[rate] = max(map(abs, ends))
    for rate, largest in worst.items():
        if largest < sp.Rational(4, 5):
            return f"at m = 1, L = 9 lr = {rate} has the rate {largest}, below 4/5"
    at_best = worst[sp.Rational(1, 5)]
    return (
        None if at_best == sp.Rational(4, 5) else f"at m = 1, L = 9, lr = 1/5 the rate is {at_best}, not 4/5"
    )


@claim(
    "gd.quadratic.boundary",
    "At the step size 2/L gradient descent still converges.",
    statement=r"\eta = \frac{2}{\lambda} \quad \Longrightarrow \quad \theta_t \to 0, \qquad f(\theta) ="
    r" \frac{\lambda}{2} \theta^2",
    scope="quadratics with any curvature lambda > 0, dimension 1, any theta_0 other than 0",
    sources=[polyak_book],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="gd.quadratic.stability",
    rule=about("gd"),
)
def boundary_step(rule: Rule) -> Decision:
    """The multiplier at lr = 2/lambda is -1."""
    found = sp.cancel(multiplier(rule, curvature).subs(lr, 2 / curvature))
    if found != -1:
        raise NotProved(f"at lr = 2/lambda a step multiplies theta by {found}")
    return refuted("at lr = 2/lambda a step turns theta into -theta: it jumps between theta_0 and -theta_0")


# ---- the heavy ball ----------------------------------------------------------------------------------------

POLYAK: Values = {lr: 4 / (low * (k + 2) ** 2), momentum: (k / (k + 2)) ** 2}
"""Polyak's tuning for curvatures from m to (1 + k)^2 m."""
NINE: Values = {lr: sp.Rational(1, 4), momentum: sp.Rational(1, 4)}
"""The same for curvatures from 1 to 9, k = 2: the rate is 1/2."""


@claim(
    "momentum.quadratic.best_tuning",
    "With Polyak's tuning momentum converges at the rate (sqrt(kappa) - 1)/(sqrt(kappa) + 1).",
    statement=r"\varepsilon = \frac{4}{(\sqrt{L} + \sqrt{m})^2}, \; \mu = \left( \frac{\sqrt{\kappa} -"
    r" 1}{\sqrt{\kappa} + 1} \right)^2 \quad \Longrightarrow \quad \lvert z \rvert = \sqrt{\mu} ="
    r" \frac{\sqrt{\kappa} - 1}{\sqrt{\kappa} + 1} \text{ for both roots at every } \lambda \in [m, L]",
    scope="quadratics whose Hessian has its eigenvalues in [m, L], 0 < m < L, kappa = L/m, full gradients,"
    " constant lr and momentum; the rate is that of the roots: at both ends they are double, and a factor t"
    " comes with it",
    sources=[polyak_book, lessard],
    rule=about("momentum"),
)
def heavy_ball_rate(rule: Rule) -> Decision:
    """Complex or double roots on the whole spectrum, whose product is momentum."""
    with unless(lambda: off_radius(rule, NINE, (1, 2, 4, 9), sp.Rational(1, 2))):
        radius = k / (k + 2)
        for of in (between(1, (1 + k) ** 2), (1 + k) ** 2):
            p = characteristic(rule, {**POLYAK, curvature: low * of})
            show_equal(p.eval(0), radius**2, "the product of the roots")
            discriminant = sp.factor(sp.discriminant(p.as_expr(), z))
            show_nonnegative(-discriminant, "minus the discriminant")
    return holds(
        "the discriminant of z^2 - (1 + mu - lr lambda) z + mu is 0 at m and L and negative between: the"
        " roots are conjugate, and their product is mu"
    )


@claim(
    "momentum.quadratic.lower_bound",
    "No step size and momentum make the heavy ball faster on quadratics than Polyak's.",
    statement=r"\min_{\varepsilon, \mu \in \mathbb{R}} \; \max_{\lambda \in \{m, L\}} \rho(\varepsilon, \mu,"
    r" \lambda) = \frac{\sqrt{\kappa} - 1}{\sqrt{\kappa} + 1}, \qquad \rho = \max \lvert z \rvert"
    r" \text{ over the roots of a step}",
    scope="quadratics whose Hessian has the eigenvalues m and L, 0 < m < L, kappa = L/m, full gradients, any"
    " constant lr and momentum, negative ones too",
    sources=[polyak_book, lessard],
    evidence="decided by SMT",
    rule=about("momentum"),
)
def heavy_ball_optimal(rule: Rule) -> Decision:
    """No lr and momentum satisfy Jury's conditions for a smaller radius at both ends of the spectrum."""
    show_fixed_point(rule)
    radius, largest = k / (k + 2), (1 + k) ** 2
    for of, root in ((sp.Integer(1), radius), (largest, -radius)):
        p = characteristic(rule, {**POLYAK, curvature: low * of})
        show_equal(p.as_expr(), (z - root) ** 2, f"the polynomial of the best tuning at {of}")
    _show_unbeaten(rule, radius, largest)
    return holds(
        "z3: no real lr, momentum and k > 0 meet the six Jury conditions p(r) > 0, p(-r) > 0, r^2 > p(0) at"
        " lambda = m and (1 + k)^2 m for r = k/(k + 2); with Polyak's tuning the roots there are r, r and -r,"
        " -r",
        "decided by SMT",
    )


def _show_unbeaten(rule: Rule, radius: sp.Expr, largest: sp.Expr) -> None:
    """Show that no lr and momentum keep all roots below the radius at both ends, m and m times largest."""
    free: Values = {lr: sp.Symbol("a", real=True) / low, momentum: sp.Symbol("b", real=True)}
    conditions = [
        sp.numer(sp.together(condition)) > 0
        for of in (sp.Integer(1), largest)
        for condition in jury_conditions(characteristic(rule, {**free, curvature: low * of}), radius)
    ]
    show_by_smt(sp.false, conditions, "no tuning is faster", seconds=5)


@claim(
    "momentum.quadratic.critical",
    "For one curvature the best momentum is the one that damps critically, (1 - sqrt(lr lambda))^2.",
    statement=r"\min_{\mu} \rho(\varepsilon, \mu, \lambda) = 1 - \sqrt{\varepsilon \lambda}, \text{ attained"
    r" at } \mu = (1 - \sqrt{\varepsilon \lambda})^2, \qquad 0 < \varepsilon \lambda < 1",
    scope="f(theta) = lambda/2 theta^2 with lambda > 0, full gradients, constant lr, any real constant"
    " momentum; rho is the larger modulus of the roots of a step",
    sources=[qian],
    rule=about("momentum"),
)
def critical_damping(rule: Rule) -> Decision:
    """At r = 1 - sqrt(lr lambda), p(r) = (1 - r)(mu - r^2): p(r) > 0 and r^2 - mu > 0 exclude each other."""
    with unless(lambda: _other_critical(rule)):
        r = share / (1 + share)
        any_momentum = sp.Symbol("mu", real=True)
        p = characteristic(rule, {lr: (1 - r) ** 2 / curvature, momentum: any_momentum})
        over, _, inside = jury_conditions(p, r)
        show_equal(over, -(1 - r) * inside, "p(r)")
        show_positive(1 - r, "1 - r")
        double = p.as_expr().subs(any_momentum, r**2)
        show_equal(double, (z - r) ** 2, "the polynomial at the best momentum")
    return holds(
        "with r = 1 - sqrt(lr lambda), p(r) = -(1 - r)(r^2 - mu): for no mu are both roots below r; at mu ="
        " r^2 both are r"
    )


def _other_critical(rule: Rule) -> str | None:
    """Look for a momentum with a rate below 1/2 at lr lambda = 1/4, or another rate at 1/4; in words."""
    if off := leaves_minimum(rule):
        return off
    at = {lr: sp.Rational(1, 4), curvature: sp.Integer(1)}
    for beta in (sp.Rational(n, 8) for n in range(-8, 9)):
        p = characteristic(rule, {**at, momentum: beta})
        if p.as_expr().free_symbols - {z}:
            return None
        found = rate_of(p, sp.Rational(1, 2))
        if found < 0 or (found > 0 and beta == sp.Rational(1, 4)):
            side = "below" if found < 0 else "above"
            return f"at lr lambda = 1/4, momentum = {beta} the roots of {p.as_expr()} lie {side} 1/2"
    return None


# ---- Nesterov ----------------------------------------------------------------------------------------------


@claim(
    "nesterov.quadratic.rate",
    "With lr = 1/L and the momentum of the textbook Nesterov converges at the rate 1 - 1/sqrt(kappa).",
    statement=r"\varepsilon = \frac{1}{L}, \; \mu = \frac{\sqrt{\kappa} - 1}{\sqrt{\kappa} + 1} \quad"
    r" \Longrightarrow \quad \max_{m \le \lambda \le L} \rho(\lambda) = 1 - \frac{1}{\sqrt{\kappa}}",
    scope="quadratics whose Hessian has its eigenvalues in [m, L], m among them, 0 < m < L, kappa = L/m, full"
    " gradients, constant lr and momentum; the rate is that of the roots, with a factor t where they are"
    " double, at m; on strongly convex functions in general (1 - 1/sqrt(kappa))^t bounds f - f*, half this"
    " exponent",
    sources=[lessard, nesterov_book],
    rule=about("nesterov"),
)
def nesterov_rate(rule: Rule) -> Decision:
    """A double root at m; Jury's conditions for that radius at every other curvature."""
    tuning: Values = {lr: 1 / (low * (1 + k) ** 2), momentum: k / (k + 2)}
    nine: Values = {lr: sp.Rational(1, 9), momentum: sp.Rational(1, 2)}
    with unless(lambda: off_radius(rule, nine, (1, 2, 5, 9), sp.Rational(2, 3))):
        radius = k / (1 + k)
        at_low = characteristic(rule, {**tuning, curvature: low})
        show_equal(at_low.as_expr(), (z - radius) ** 2, "the polynomial at m")
        for of in (between(1, (1 + k) ** 2), (1 + k) ** 2):
            show_within(characteristic(rule, {**tuning, curvature: low * of}), radius, "the rate")
    return holds("at m both roots are 1 - 1/sqrt(kappa); at L both are 0")


@claim(
    "nesterov.quadratic.best_tuning",
    "Tuned for quadratics Nesterov's method converges at the rate 1 - 2/sqrt(3 kappa + 1).",
    statement=r"\varepsilon = \frac{4}{3 L + m}, \; \mu = \frac{\sqrt{3 \kappa + 1} - 2}{\sqrt{3 \kappa + 1}"
    r" + 2} \quad \Longrightarrow \quad \max_{m \le \lambda \le L} \rho(\lambda) = 1 - \frac{2}{\sqrt{3"
    r" \kappa + 1}}",
    scope="quadratics whose Hessian has its eigenvalues in [m, L], m or L among them, 0 < m < L, kappa = L/m,"
    " full gradients, constant lr and momentum; the rate is that of the roots, with a factor t where they are"
    " double, at m",
    sources=[lessard],
    rule=about("nesterov"),
)
def nesterov_best(rule: Rule) -> Decision:
    """A double root at m, Jury's conditions at every curvature up to L, where -radius is a root."""
    tuning, largest, radius = _nesterov_tuning()
    five: Values = {lr: sp.Rational(1, 4), momentum: sp.Rational(1, 3)}
    with unless(lambda: off_radius(rule, five, (1, 2, 4, 5), sp.Rational(1, 2))):
        at_low = characteristic(rule, {**tuning, curvature: low})
        show_equal(at_low.as_expr(), (z - radius) ** 2, "the polynomial at m")
        at_high = characteristic(rule, {**tuning, curvature: low * largest})
        show_equal(at_high.as_expr(), (z + radius) * (z - radius / 3), "the polynomial at L")
        show_within(
            characteristic(rule, {**tuning, curvature: low * between(1, largest)}), radius, "the rate"
        )
    return holds(
        "at m both roots are r = 1 - 2/sqrt(3 kappa + 1), at L they are -r and r/3, between inside r"
    )


def _nesterov_tuning() -> tuple[Values, sp.Expr, sp.Expr]:
    """The tuning for sqrt(3 kappa + 1) = 2 + k, the largest curvature over the smallest, and the rate."""
    root = 2 + k
    return {lr: 4 / (low * root**2), momentum: k / (root + 2)}, (root**2 - 1) / 3, k / root


@claim(
    "nesterov.quadratic.lower_bound",
    "No step size and momentum make Nesterov's method faster on quadratics than 1 - 2/sqrt(3 kappa + 1).",
    statement=r"\min_{\varepsilon, \mu \in \mathbb{R}} \; \max_{\lambda \in \{m, L\}} \rho(\varepsilon, \mu,"
    r" \lambda) = 1 - \frac{2}{\sqrt{3 \kappa + 1}}, \qquad \rho = \max \lvert z \rvert \text{ over the roots"
    r" of a step}",
    scope="quadratics whose Hessian has the eigenvalues m and L, 0 < m < L, kappa = L/m, full gradients, any"
    " constant lr and momentum, negative ones too; slower than the heavy"
    " ball's (sqrt(kappa) - 1)/(sqrt(kappa) + 1) at its best",
    sources=[lessard],
    evidence="decided by SMT",
    rule=about("nesterov"),
)
def nesterov_optimal(rule: Rule) -> Decision:
    """No lr and momentum satisfy Jury's conditions for a smaller radius at both ends of the spectrum."""
    show_fixed_point(rule)
    tuning, largest, radius = _nesterov_tuning()
    at_low = characteristic(rule, {**tuning, curvature: low})
    show_equal(at_low.as_expr(), (z - radius) ** 2, "the polynomial of the best tuning at m")
    at_high = characteristic(rule, {**tuning, curvature: low * largest})
    show_equal(at_high.as_expr(), (z + radius) * (z - radius / 3), "the polynomial of the best tuning at L")
    _show_unbeaten(rule, radius, largest)
    return holds(
        "z3: no real lr, momentum meet the six Jury conditions for this radius at m and L", "decided by SMT"
    )
