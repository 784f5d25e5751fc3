"""Steepest descent in three norms: signSGD, the first step of AdaGrad-Norm, and that of Shampoo."""

from __future__ import annotations

from typing import Any

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds
from optverify.claims._matrix import diagonal, run_differs, show_like, symbols, trials
from optverify.claims.layers import START, from_start
from optverify.claims.matrix import (
    another_first_step,
    damped,
    damping,
    first_step,
    old_optimizer,
    s1,
    s2,
    show_on_singular_values,
)
from optverify.language import Rule, Source, grad, hyper_symbol, lr, theta
from optverify.proof import Refuted, domains, show_equal, show_nonnegative, unless
from optverify.views.closed import closed_form

boyd = Source(
    "Boyd and Vandenberghe",
    2004,
    "Convex optimization",
    "section 9.4: steepest descent in a norm",
    "Cambridge University Press",
    url="https://web.stanford.edu/~boyd/cvxbook/",
)
q = sp.Symbol("q", positive=True)
b0 = hyper_symbol("b0", positive=True)


@claim(
    "signsgd.steepest",
    "signSGD is steepest descent in the largest-coordinate norm.",
    statement=r"\min_{\lVert d \rVert_\infty \le \eta} \langle g, d \rangle = - \eta \, \lVert g \rVert_1,"
    r" \quad \text{attained by } d = \theta_t - \theta_{t-1}",
    scope="every gradient, each coordinate on its own, so every dimension, every lr; no decay",
    sources=[boyd, old_optimizer],
    rule=about("signsgd"),
)
def signsgd_steepest(rule: Rule) -> Decision:
    """In a coordinate, for g > 0, g < 0 and g = 0; any other d in [-lr, lr] does no better."""
    show_like(rule, "")
    step = sp.expand(closed_form(rule)["theta"] - theta.before)
    if step.has(theta.before):
        raise Refuted(f"the step {step} depends on theta, so it is not the best one for each gradient")
    s, x = sp.Symbol("s", positive=True), sp.Symbol("x", nonnegative=True)
    inside = -1 + 2 * x / (1 + x)  # any d/lr in [-1, 1)
    for g in (s, -s, sp.Integer(0)):
        d = step.subs(grad, g)
        show_equal(g * d, -lr * sp.Abs(g), f"g d at g = {g}", domains(rule))
        show_nonnegative(sp.expand(lr**2 - d**2), f"lr^2 - d^2 at g = {g}", domains(rule))
        for other in (inside, -inside):
            show_nonnegative(
                sp.factor(g * lr * other - g * d), f"what another d has more at g = {g}", domains(rule)
            )
    return holds("g d = -lr |g| in each coordinate, and g d >= -lr |g| for every |d| <= lr")


@claim(
    "adagrad_norm.steepest",
    "A step along the gradient is steepest descent in the Euclidean norm; AdaGrad-Norm begins with one of"
    " length lr.",
    statement=r"\min_{\lVert d \rVert_2 \le \eta} \langle g, d \rangle = - \eta \, \lVert g \rVert_2, \quad"
    r" \text{attained by } d = \theta_1 - \theta_0 = - \frac{\eta \, g}{\lVert g \rVert} \quad (b_0 \to 0)",
    scope="every gradient other than 0, every lr; the bound in the plane of g and d, so in every dimension",
    sources=[boyd],
    rule=about("adagrad_norm"),
)
def adagrad_norm_steepest(rule: Rule) -> Decision:
    """The first step as b_0 tends to 0, and the identity of Lagrange for the bound."""
    show_like(rule, "b")
    gradient, values = sp.ImmutableDenseMatrix([3, 4]), {**trials(rule), "b0": sp.Integer(12)}
    with unless(lambda: run_differs(rule, [gradient], START, values, START - values["lr"] * gradient / 13)):
        step = sp.expand(from_start(rule)["theta"] - theta.before)
        show_equal(step, -lr * grad / sp.sqrt(b0**2 + q**2), "the first step", domains(rule))
        show_equal(step.subs(b0, 0), -lr * grad / q, "that for b_0 = 0", domains(rule))
    g, d = symbols("g", 2), symbols("d", 2)
    gap = (g.T * g)[0] * (d.T * d)[0] - (g.T * d)[0] ** 2
    show_equal(gap, (g[0] * d[1] - g[1] * d[0]) ** 2, "|g|^2 |d|^2 - <g, d>^2")
    return holds(
        "<g, d> = -lr |g| at the step, and <g, d>^2 <= |g|^2 |d|^2: the gap is (g_1 d_2 - g_2 d_1)^2"
    )


@claim(
    "shampoo.steepest",
    "Without accumulation Shampoo is steepest descent in the spectral norm.",
    statement=r"\min_{\lVert D \rVert_2 \le \eta} \langle G, D \rangle = - \eta \, \lVert G \rVert_*, \quad"
    r" \text{attained by } D = \theta_1 - \theta_0 = - \eta \, U V^\top \quad (\epsilon \to 0)",
    scope="the first step, every gradient of full rank of every shape: turned to diagonal ones, done for 2 x"
    " 3; no decay",
    sources=[old_optimizer],
    rule=about("shampoo"),
)
def shampoo_steepest(rule: Rule) -> Decision:
    """On singular values s: the step reaches -lr (s_1 + s_2), and no entry of D is below -lr."""
    show_like(rule, "L R")
    with unless(lambda: another_first_step(rule, damped)):
        show_on_singular_values(rule, damped)
        step = first_step(rule, diagonal(2, 3, s1, s2)).subs(damping, 0)
        reached = sum(s * step[i, i] for i, s in enumerate((s1, s2)))
        show_equal(reached, -lr * (s1 + s2), "<G, D> at the step", domains(rule))
        gram = sp.expand(lr**2 * sp.eye(2) - step * step.T)
        for entry in gram:
            show_equal(entry, 0, "an entry of lr^2 I - D D^T at the step", domains(rule))
    D = symbols("D", 2, 3)
    first: Any = sp.expand((lr**2 * sp.eye(2) - D * D.T)[0, 0] + D[0, 1] ** 2 + D[0, 2] ** 2)
    show_equal(first, (lr - D[0, 0]) * (lr + D[0, 0]), "lr^2 - D_11^2")
    return holds(
        "at the step <G, D> = -lr (s_1 + s_2) and D D^T = lr^2 I; if lr^2 I - D D^T is positive semidefinite"
        " its diagonal says D_ii^2 <= lr^2, so that s_i D_ii >= -lr s_i"
    )
