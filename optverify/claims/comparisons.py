"""Gradient descent, momentum and Nesterov momentum on quadratics: which is faster, exactly where."""

from __future__ import annotations

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, holds_under_conditions, refuted
from optverify.claims._linear import (
    characteristic,
    curvature,
    in_states,
    jury_conditions,
    leaves_minimum,
    rate_of,
    z,
)
from optverify.claims.oscillation import ONE, deep_learning, goh, q, root, scaled, yellowfin
from optverify.claims.tuning import lessard, multiplier, qian
from optverify.language import Rule, Source, lr, momentum
from optverify.proof import NotProved, show_equal, show_positive, unless

sutskever_dampens = Source(
    "Sutskever, Martens, Dahl and Hinton",
    2013,
    "On the importance of initialization and momentum in deep learning",
    "section 2, momentum and Nesterov momentum compared on quadratics",
    "ICML",
    url="https://proceedings.mlr.press/v28/sutskever13.html",
)

# ---- which is faster ---------------------------------------------------------------------------------------


@claim(
    "momentum.always_faster",
    "Momentum 0.9 converges faster than gradient descent.",
    statement=r"\min_{h} \max_{\lambda} \rho_{\mu = 0.9}(h \lambda) < \min_{h} \max_{\lambda}"
    r" \rho_{\mathrm{gd}}(h \lambda) \text{ for every } \kappa",
    scope="quadratics with curvatures m = 1 and L = 10, full gradients, each method with the constant step"
    " size h that suits it best; rho is the largest modulus of the roots of a step",
    sources=[deep_learning],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="momentum.quadratic.floor",
    rule=about("momentum"),
    descent=about("gd"),
)
def always_faster(rule: Rule, descent: Rule) -> Decision:
    """The product of the roots is 9/10 whatever lr is; gradient descent reaches 9/11."""
    in_states(rule, "v")
    in_states(descent)
    product = characteristic(rule, {momentum: 9 * ONE / 10}).eval(0)
    ends = [multiplier(descent, of).subs(lr, 2 * ONE / 11) for of in (ONE, 10 * ONE)]
    if not all(e.is_Rational for e in ends):
        raise NotProved(f"gradient descent multiplies by {ends[0]} and {ends[1]}")
    best = max(map(abs, ends))
    if product != 9 * ONE / 10 or best**2 >= product:
        raise NotProved(f"the product of the roots is {product}, the rate of gradient descent {best}")
    return refuted(
        f"at curvatures 1 and 10 gradient descent with lr = 2/11 has the rate {best} = 0.818...; the roots of"
        " momentum 0.9 have the product 0.9 for every lr, so one is at least sqrt(0.9) = 0.948...; momentum"
        " 0.9 pays from kappa = 38 on"
    )


@claim(
    "momentum.quadratic.floor",
    "No step size makes the heavy ball faster than sqrt(momentum) per step; gradient descent, well tuned, is"
    " faster where kappa < (1 + sqrt(momentum))/(1 - sqrt(momentum)).",
    statement=r"\rho(h, \lambda) \ge \sqrt{\mu} \text{ for all } h, \lambda; \qquad \frac{\kappa - 1}{\kappa"
    r" + 1} < \sqrt{\mu} \Longleftrightarrow \kappa < \frac{1 + \sqrt{\mu}}{1 - \sqrt{\mu}}",
    scope="quadratics, full gradients, any constant step size h, momentum in [0, 1); rho is the largest"
    " modulus of the roots of a step; the second part compares with gradient descent at its best constant"
    " step",
    sources=[yellowfin, lessard],
    rule=about("momentum"),
    descent=about("gd"),
)
def floor(rule: Rule, descent: Rule) -> Decision:
    """The product of the roots is momentum; the rate of gradient descent from its multiplier at both ends."""
    in_states(rule, "v")
    in_states(descent)
    with unless(lambda: _below_floor(rule, descent)):
        product = characteristic(rule, {}).eval(0)
        show_equal(product, momentum, "the product of the roots")
        kappa = 1 + sp.Symbol("x", positive=True)
        ends = [multiplier(descent, of).subs(lr, 2 / (1 + kappa)) for of in (ONE, kappa)]
        worst = (kappa - 1) / (kappa + 1)
        show_equal(ends[0], worst, "the multiplier at m")
        show_equal(ends[1], -worst, "the multiplier at L")
        distance = (1 + root) - kappa * (1 - root)
        show_equal((root - worst) * (kappa + 1), distance, "the difference of the rates, times kappa + 1")
    return holds(
        "the roots have the product mu, so the larger modulus is at least sqrt(mu); sqrt(mu) - (kappa -"
        " 1)/(kappa + 1) has the sign of 1 + sqrt(mu) - kappa (1 - sqrt(mu)): 37.97 is the border for mu ="
        " 0.9"
    )


def _below_floor(rule: Rule, descent: Rule) -> str | None:
    """Look for a step size with all roots below sqrt(momentum), or another multiplier of gd; in words."""
    if off := leaves_minimum(rule) or leaves_minimum(descent):
        return off
    for at in (ONE / 2, ONE, 3 * ONE / 2):
        p = characteristic(rule, {lr: at / 8, curvature: 8 * ONE, momentum: ONE / 4})
        if p.as_expr().free_symbols - {z}:
            return None
        if rate_of(p, ONE / 2) < 0:
            return f"at lr lambda = {at}, momentum = 1/4 all roots of {p.as_expr()} are below 1/2"
    ends = [multiplier(descent, of).subs(lr, ONE / 2) for of in (ONE, 3 * ONE)]
    if all(e.is_Rational for e in ends) and max(map(abs, ends)) != ONE / 2:
        return f"at m = 1, L = 3, lr = 1/2 gradient descent multiplies by {ends[0]} and {ends[1]}"
    return None


@claim(
    "nesterov.always_faster",
    "Nesterov momentum converges faster than momentum with the same step size and momentum.",
    statement=r"\rho_{\mathrm{Nesterov}} < \rho_{\mathrm{momentum}} \text{ for all } 0 < q < 1, \; 0 < \mu <"
    r" 1, \qquad q = \varepsilon \lambda",
    scope="f(theta) = lambda/2 theta^2 with lr lambda = 1/4 and momentum = 1/4, full gradients; rho is the"
    " largest modulus of the roots of a step",
    sources=[sutskever_dampens],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="nesterov.quadratic.faster",
    nesterov=about("nesterov"),
    ball=about("momentum"),
)
def nesterov_always_faster(nesterov: Rule, ball: Rule) -> Decision:
    """Where the heavy ball is critically damped Nesterov's method is overdamped."""
    in_states(nesterov, "v")
    in_states(ball, "v")
    at = {lr: ONE / 4, curvature: ONE, momentum: ONE / 4}
    one, other = characteristic(ball, at), characteristic(nesterov, at)
    if (one.as_expr().free_symbols | other.as_expr().free_symbols) - {z}:
        raise NotProved("the steps are no functions of lr, lambda and momentum")
    if not (rate_of(one, ONE / 2) == 0 and rate_of(other, ONE / 2) > 0):
        raise NotProved(f"the polynomials are {one.as_expr()} and {other.as_expr()}")
    return refuted(
        f"at lr lambda = momentum = 1/4 the heavy ball has {one.as_expr()} with the double root 1/2, Nesterov"
        f" {other.as_expr()}, which is {other.eval(ONE / 2)} at 1/2: its larger root is 0.648..."
    )


@claim(
    "nesterov.quadratic.faster",
    "Nesterov momentum converges faster than momentum along directions of middle curvature.",
    statement=r"\rho_{\mathrm{Nesterov}} < \rho_{\mathrm{momentum}} \quad \Longleftrightarrow \quad \frac{(1"
    r" - \sqrt{\mu})^2}{1 - \sqrt{\mu} + \mu} < q < \frac{(1 + \sqrt{\mu})^2}{1 + \sqrt{\mu} + \mu}, \qquad"
    r" q = \varepsilon \lambda",
    scope="quadratics with curvature lambda > 0 along one eigenvector, full gradients, the same constant lr"
    " and momentum in (0, 1), both methods stable (q < 2 (1 + mu)/(1 + 2 mu)); rho is the largest modulus of"
    " the roots of a step; for mu = 0.9 the range is 0.0028 < q < 1.333",
    sources=[sutskever_dampens, lessard],
    expected="holds under conditions",
    nesterov=about("nesterov"),
    ball=about("momentum"),
)
def nesterov_faster(nesterov: Rule, ball: Rule) -> Decision:
    """p_N = p_H + mu q (z - 1): beyond a real root of p_H; and Jury's conditions of p_N at sqrt(mu).

    Where p_H has complex roots, of modulus s = sqrt(mu), p_N has both roots inside iff p_N(s), p_N(-s) and
    mu - mu (1 - q) are > 0. Where p_H has a real root r of largest modulus, |r| < 1, p_N(r) = mu q (r - 1)
    < 0: for r > 0 and for r < 0 alike p_N has a root beyond r. The range lies inside that of complex roots.
    """
    in_states(nesterov, "v")
    in_states(ball, "v")
    with unless(lambda: _not_faster(nesterov, ball)):
        s = root
        one, other = scaled(ball, q, s**2), scaled(nesterov, q, s**2)
        show_equal(other.as_expr() - one.as_expr(), s**2 * q * (z - 1), "p_N - p_H")
        discriminant = sp.discriminant(one.as_expr(), z)
        show_equal(discriminant, (q - (1 - s) ** 2) * (q - (1 + s) ** 2), "the discriminant of p_H")
        show_equal(one.eval(0), s**2, "the product of the roots of p_H")
        over, under, inside = jury_conditions(other, s)
        low, high = (1 - s) ** 2 / (1 - s + s**2), (1 + s) ** 2 / (1 + s + s**2)
        show_equal(over, s * (1 - s + s**2) * (q - low), "p_N(s)")
        show_equal(under, s * (1 + s + s**2) * (high - q), "p_N(-s)")
        show_equal(inside, s**2 * q, "mu less the product of the roots of p_N")
        inside_unit = {s: 1 / (1 + sp.Symbol("x", positive=True))}
        show_positive((low - (1 - s) ** 2).subs(inside_unit), "the lower end less where complex roots begin")
        show_positive(((1 + s) ** 2 - high).subs(inside_unit), "where complex roots end less the upper end")
    return holds_under_conditions(
        "with s = sqrt(mu), p_N(s) = s (1 - s + mu)(q - q_low), p_N(-s) = s (1 + s + mu)(q_high - q), and the"
        " product of Nesterov's roots is mu - mu q: below q_low and above q_high the heavy ball is faster"
    )


def _not_faster(nesterov: Rule, ball: Rule) -> str | None:
    """Look for q at which the comparison for momentum = 1/4 is not as stated; in words."""
    if off := leaves_minimum(nesterov) or leaves_minimum(ball):
        return off
    for at in (ONE / 3, ONE / 2, ONE, 5 * ONE / 4, 9 * ONE / 7):
        values = {lr: at / 8, curvature: 8 * ONE, momentum: ONE / 4}
        one, other = characteristic(ball, values), characteristic(nesterov, values)
        if (one.as_expr().free_symbols | other.as_expr().free_symbols) - {z}:
            return None
        sides = (
            rate_of(one, ONE / 2),
            rate_of(other, ONE / 2),
        )  # the heavy ball's rate is 1/2 at all of these
        stated = bool(ONE / 3 < at < 9 * ONE / 7)
        if sides[0] != 0 or (sides[1] < 0) != stated:
            return f"at q = {at}, momentum = 1/4 the polynomials are {one.as_expr()} and {other.as_expr()}"
    return None


# ---- the effective step size -------------------------------------------------------------------------------


@claim(
    "momentum.effective_rate",
    "Momentum is gradient descent with the effective learning rate lr/(1 - momentum).",
    statement=r"z_{\max} = 1 - \frac{q}{1 - \mu} - \frac{\mu \, q^2}{(1 - \mu)^3} + O(q^3), \qquad q ="
    r" h \lambda \to 0",
    scope="quadratics with curvature lambda > 0 along one eigenvector, full gradients, a constant step size h"
    " (lr) and momentum in [0, 1): true to first order in lr lambda for the slow root of a step, false at"
    " large steps: with momentum = 9/10 and lr lambda = 1 momentum converges, gradient descent with 10 lr"
    " diverges",
    sources=[qian, goh],
    expected="holds under conditions",
    rule=about("momentum"),
    descent=about("gd"),
)
def effective_rate(rule: Rule, descent: Rule) -> Decision:
    """The root that is 1 at lr = 0, to second order; and one exact point where the two part."""
    in_states(rule, "v")
    in_states(descent)
    with unless(lambda: _other_effective(rule, descent)):
        p = scaled(rule, q, momentum)
        second = -momentum / (1 - momentum) ** 3
        slow = 1 - q / (1 - momentum) + second * q**2
        rest = sp.series(sp.expand(p.as_expr().subs(z, slow)), q, 0, 3).removeO()
        show_equal(rest, 0, "the polynomial at the stated root, to second order")
        show_equal(p.as_expr().subs(q, 0), (z - 1) * (z - momentum), "the polynomial at lr = 0")
        same = multiplier(descent, curvature).subs(lr, q / curvature / (1 - momentum))
        show_equal(same, 1 - q / (1 - momentum), "the multiplier of gd at lr/(1 - momentum)")
        at = {lr: ONE, curvature: ONE, momentum: 9 * ONE / 10}
        big = abs(multiplier(descent, ONE).subs(lr, 10))
        if rate_of(characteristic(rule, at), ONE) >= 0 or not big > 1:
            raise NotProved("at momentum = 9/10, lr lambda = 1 both converge or both diverge")
    return holds_under_conditions(
        "the slow root is that of gradient descent with lr/(1 - mu) up to -mu q^2/(1 - mu)^3; at mu = 9/10,"
        f" q = 1 momentum is stable and gradient descent with 10 lr multiplies by {-big} a step"
    )


def _other_effective(rule: Rule, descent: Rule) -> str | None:
    """Look for a slow root off the stated one at momentum = 1/2 by more than q^2 allows; in words."""
    if off := leaves_minimum(rule) or leaves_minimum(descent):
        return off
    small = ONE / 100
    p = characteristic(rule, {lr: small, curvature: ONE, momentum: ONE / 2})
    plain = multiplier(descent, ONE).subs(lr, small)
    if p.as_expr().free_symbols - {z} or not plain.is_Rational:
        return None
    if plain != 1 - small:
        return f"gradient descent with lr lambda = 1/100 multiplies by {plain}"
    slow = 1 - 2 * small - 4 * small**2
    near = (p.eval(slow - 50 * small**3), p.eval(slow + 50 * small**3))
    if near[0] * near[1] > 0:
        return f"at lr lambda = 1/100, momentum = 1/2 no root of {p.as_expr()} is within 50 q^3 of {slow}"
    return None
