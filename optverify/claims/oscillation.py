"""Folklore about momentum on quadratics, made precise: when it oscillates, and what it dampens."""

from __future__ import annotations

from itertools import pairwise

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
from optverify.claims.tuning import multiplier
from optverify.language import Rule, Source, lr, momentum
from optverify.proof import NotProved, show_equal, show_positive, unless
from optverify.views.run import run

goh = Source(
    "Goh",
    2017,
    "Why momentum really works",
    "the dynamics of momentum: its eigenvalues",
    "Distill",
    url="https://distill.pub/2017/momentum",
)
yellowfin = Source(
    "Zhang and Mitliagkas",
    2017,
    "YellowFin and the art of momentum tuning",
    "the robust region, in which the spectral radius is the root of momentum",
    arxiv="1706.03471",
)
deep_learning = Source(
    "Goodfellow, Bengio and Courville",
    2016,
    "Deep learning",
    "section 8.3.2, momentum and Figure 8.5",
    "MIT Press",
    url="https://www.deeplearningbook.org",
)
q = sp.Symbol("q", real=True)
"""lr times curvature."""
root = sp.Symbol("s", nonnegative=True)
"""sqrt(momentum)."""
ONE = sp.Integer(1)


def scaled(rule: Rule, at: sp.Expr, kept: sp.Expr) -> sp.Poly:
    """The characteristic polynomial of a step where lr lambda = at and momentum = kept."""
    p = characteristic(rule, {lr: at / curvature, momentum: kept})
    p = sp.Poly([sp.cancel(e) for e in p.all_coeffs()], z)
    if p.as_expr().has(curvature):
        raise NotProved(f"the step is no function of lr lambda: {p.as_expr()}")
    return p


def _unlike(rule: Rule, stated: sp.Expr) -> str | None:
    """Look for lr lambda and momentum where the polynomial of a step is not the stated one; in words."""
    if off := leaves_minimum(rule):
        return off
    for at, kept in ((ONE / 2, ONE / 4), (3 * ONE / 2, ONE / 9)):
        values = {lr: at / 2, curvature: sp.Integer(2), momentum: kept}
        found = characteristic(rule, values).as_expr()
        wanted = sp.expand(stated.subs({q: at, momentum: kept}))
        if not found.free_symbols - {z} and sp.expand(found - wanted) != 0:
            return f"at lr lambda = {at}, momentum = {kept} the step has the polynomial {found}, not {wanted}"
    return None


HEAVY_BALL = z**2 - (1 + momentum - q) * z + momentum
"""What the statements say of the roots of a step of the heavy ball."""


def show_heavy_ball(rule: Rule) -> sp.Poly:
    """Show that the roots of a step are those of HEAVY_BALL; return it with momentum = s^2."""
    with unless(lambda: _unlike(rule, HEAVY_BALL)):
        show_equal(scaled(rule, q, momentum).as_expr(), HEAVY_BALL, "the polynomial of a step")
    return sp.Poly(HEAVY_BALL.subs(momentum, root**2), z)


# ---- oscillation -------------------------------------------------------------------------------------------


@claim(
    "momentum.quadratic.oscillation",
    "Momentum oscillates along every direction whose curvature is above (1 - sqrt(momentum))^2/lr, and there"
    " the swing shrinks by sqrt(momentum) a step.",
    statement=r"z^2 - (1 + \mu - q) z + \mu = 0: \quad z \notin \mathbb{R} \Longleftrightarrow (1 -"
    r" \sqrt{\mu})^2 < q < (1 + \sqrt{\mu})^2, \text{ then } \lvert z \rvert = \sqrt{\mu}; \qquad z > 0"
    r" \text{ for } 0 < q \le (1 - \sqrt{\mu})^2, \quad z < 0 \text{ for } q \ge (1 + \sqrt{\mu})^2, \qquad"
    r" q = \varepsilon \lambda",
    scope="f(theta) = lambda/2 theta^2 with lambda > 0, full gradients, constant lr, momentum in (0, 1); z"
    " are the multipliers of a step; in d dimensions along each eigenvector of the Hessian",
    sources=[yellowfin, goh],
    rule=about("momentum"),
)
def oscillation(rule: Rule) -> Decision:
    """The discriminant factors at the stated ends; product and sum of the roots give modulus and sign."""
    in_states(rule, "v")
    p = show_heavy_ball(rule)
    low, high = (1 - root) ** 2, (1 + root) ** 2
    discriminant = sp.discriminant(p.as_expr(), z)
    show_equal(discriminant, (q - low) * (q - high), "the discriminant")
    show_equal(p.eval(0), root**2, "the product of the roots")
    show_equal(-p.coeff_monomial(z), 1 + root**2 - q, "the sum of the roots")
    return holds(
        "the discriminant is (q - (1 - s)^2)(q - (1 + s)^2) with s^2 = mu, the product of the roots mu,"
        " their sum 1 + mu - q: 2 s at the lower end, -2 s at the upper; for mu = 0.9 all q above 0.0026"
        " oscillate"
    )


@claim(
    "momentum.never_oscillates",
    "Momentum dampens oscillations.",
    statement=r"\theta_t \text{ changes its sign under momentum only if it does so without,} \qquad"
    r" f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="f(theta) = theta^2/2 from theta_0 = 1 with lr = 1/10, momentum = 9/10 against momentum = 0, full"
    " gradients",
    sources=[deep_learning],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="momentum.quadratic.damping",
    rule=about("momentum"),
    descent=about("gd"),
)
def never_oscillates(rule: Rule, descent: Rule) -> Decision:
    """Exact runs: gradient descent comes down on one side, momentum shoots across the minimum."""
    in_states(rule, "v")
    in_states(descent)
    settings = {"lr": ONE / 10, "momentum": 9 * ONE / 10}
    swung = [s["theta"] for s in run(rule, [_itself] * 8, start=1, values=settings)]
    plain = [s["theta"] for s in run(descent, [_itself] * 8, start=1, values=settings)]
    if not all(e.is_Rational for e in (*swung, *plain)):
        raise NotProved("the runs are not rational")
    if any(b >= a or b <= 0 for a, b in pairwise(plain)):
        raise NotProved(f"gradient descent does not come down on one side: {plain}")
    crossing = next((i for i, e in enumerate(swung) if e < 0), None)
    if crossing is None:
        raise NotProved(f"momentum does not cross the minimum in the steps that were run: {swung}")
    return refuted(
        f"on theta^2/2 from 1 with lr = 1/10 gradient descent is (9/10)^t, always above 0; momentum = 9/10"
        f" is at {swung[crossing]} after update {crossing}: it adds an oscillation"
    )


def _itself(point: sp.Expr) -> sp.Expr:
    return point


@claim(
    "momentum.quadratic.damping",
    "Momentum dampens the oscillation of gradient descent along steep directions.",
    statement=r"\rho_{\mathrm{momentum}} < \rho_{\mathrm{gd}} = q - 1 \quad \Longleftrightarrow \quad \mu <"
    r" (q - 1)^2, \qquad 1 < q < 2, \; 0 < \mu < 1, \; q = h \lambda",
    scope="quadratics with curvature lambda > 0 along one eigenvector, where gradient descent changes sign"
    " each step (1 < h lambda < 2), full gradients, the same constant step size h for both; rho is the"
    " largest modulus of the roots of a step: momentum = 0.9 dampens for h lambda > 1.949 only, and is"
    " slower below",
    sources=[deep_learning, yellowfin],
    expected="holds under conditions",
    rule=about("momentum"),
    descent=about("gd"),
)
def damping(rule: Rule, descent: Rule) -> Decision:
    """Of Jury's conditions for the radius q - 1 two always hold; the third is momentum < (q - 1)^2."""
    in_states(rule, "v")
    in_states(descent)
    with unless(lambda: _undamped(rule, descent)):
        show_equal(multiplier(descent, curvature).subs(lr, q / curvature), 1 - q, "the multiplier of gd")
        r = 1 / (1 + sp.Symbol("x", positive=True))  # q - 1
        kept = 1 / (1 + sp.Symbol("y", positive=True))
        over, under, inside = jury_conditions(scaled(rule, 1 + r, kept), r)
        show_positive(over, "p(r)")
        show_positive(under, "p(-r)")
        show_equal(inside, r**2 - kept, "r^2 less the product of the roots")
    return holds_under_conditions(
        "with r = q - 1, p(r) = 2 r^2 + mu (1 - r) > 0 and p(-r) = mu (1 + r) > 0 always, so both roots are"
        " below r iff their product mu is below r^2"
    )


def _undamped(rule: Rule, descent: Rule) -> str | None:
    """Look for q and momentum at which the comparison is not as stated; in words."""
    if off := leaves_minimum(rule) or leaves_minimum(descent):
        return off
    for at in (5 * ONE / 4, 3 * ONE / 2, 7 * ONE / 4):
        plain = multiplier(descent, ONE).subs(lr, at)
        if not plain.is_Rational:
            return None
        if abs(plain) != at - 1:
            return f"at q = {at} gradient descent multiplies theta by {plain}"
        for kept in (ONE / 9, ONE / 4, ONE / 2, 4 * ONE / 5):
            p = characteristic(rule, {lr: at / 8, curvature: 8 * ONE, momentum: kept})
            if p.as_expr().free_symbols - {z}:
                return None
            if (rate_of(p, at - 1) < 0) != (kept < (at - 1) ** 2):
                return f"at q = {at}, momentum = {kept} the step has the polynomial {p.as_expr()}"
    return None
