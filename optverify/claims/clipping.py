"""Clipped gradients: which direction they keep, and how far they move apart."""

from __future__ import annotations

from typing import Any

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, refuted
from optverify.claims._matrix import end_of, run_differs, show_like
from optverify.language import Rule, Source, grad, hyper_symbol, lr, norm, theta
from optverify.proof import (
    NotProved,
    Refuted,
    domains,
    show_by_smt,
    show_equal,
    unless,
)
from optverify.views.closed import closed_form

pascanu = Source(
    "Pascanu, Mikolov and Bengio",
    2013,
    "On the difficulty of training recurrent neural networks",
    "Algorithm 1",
    "ICML",
    arxiv="1211.5063",
)
mikolov = Source(
    "Mikolov",
    2012,
    "Statistical language models based on neural networks",
    "the chapter on recurrent networks: gradients are truncated",
    "PhD thesis, Brno",
)

max_norm, clip_value = hyper_symbol("max_norm", positive=True), hyper_symbol("clip_value", positive=True)
length = sp.Symbol("n", positive=True)


def shrinking(rule: Rule, size: Any) -> sp.Expr:
    """What a step along the gradient is multiplied with, over -lr, as a function of the length n."""
    step = closed_form(rule)["theta"] - theta.before
    factor = sp.cancel(sp.expand(step.xreplace({size: length})) / (-lr * grad))
    if factor.free_symbols - {length, max_norm}:
        raise NotProved(f"the step is no multiple of the gradient that depends on its length alone: {step}")
    return factor


def show_clips(factor: sp.Expr) -> None:
    """Show that a factor is 1 up to the length max_norm, and max_norm over the length from there on."""
    for longer, shorter, expected in ((max_norm, length, 1), (length, max_norm, max_norm / length)):
        known = {sp.Max(length, max_norm): longer, sp.Min(length, max_norm): shorter}
        show_equal(factor.xreplace(known), expected, f"the factor where {longer} >= {shorter}")


@claim(
    "clip_by_norm.direction",
    "Clipping by norm keeps the direction of the gradient.",
    statement=r"\theta_t = \theta_{t-1} - \eta \, s \, g, \quad s = \min \left( 1, \frac{c}{\lVert g \rVert}"
    r" \right) > 0, \quad \lVert s \, g \rVert = \min(\lVert g \rVert, c)",
    scope="around gradient descent, every gradient other than 0 of every shape, every c > 0; one array",
    sources=[pascanu],
    rule=about("clip_by_norm(gd)"),
)
def clip_by_norm_direction(rule: Rule) -> Decision:
    """The step as a multiple of the gradient, with the norm as a number of its own."""
    show_like(rule, "")
    with unless(lambda: _clipped_otherwise(rule)):
        show_clips(shrinking(rule, norm(grad)))
    return holds("the factor depends on the norm alone: 1 up to c, then c over the norm, so the length is c")


def _clipped_otherwise(rule: Rule) -> str | None:
    """Look for a gradient of length 5 that is not clipped to 1, 5 or 8 as it should be; in words."""
    gradient, start = sp.ImmutableDenseMatrix([[3], [-4]]), sp.ImmutableDenseMatrix([[1], [2]])
    for c in (1, 5, 8):
        expected = start - sp.Rational(1, 2) * sp.Min(1, sp.Rational(c, 5)) * gradient
        values = {"lr": sp.Rational(1, 2), "max_norm": sp.Integer(c), "global_norm": sp.Integer(5)}
        if (found := run_differs(rule, [gradient], start, values, expected)) is not None:
            return found
    return None


@claim(
    "clip_by_norm.nonexpansive",
    "Clipping by norm brings no two gradients further apart.",
    statement=r"\lVert P(g) - P(h) \rVert \le \lVert g - h \rVert, \qquad P(g) = \min \left( 1,"
    r" \frac{c}{\lVert g \rVert} \right) g",
    scope="around gradient descent with lr = 1, all pairs of gradients other than 0, every dimension: by"
    " their lengths n, m and the inner product p, with p <= n m",
    sources=[pascanu],
    evidence="decided by SMT",
    rule=about("clip_by_norm(gd)"),
)
def clip_by_norm_nonexpansive(rule: Rule) -> Decision:
    """In p, the claim is linear: it is enough at p = n m, where both point the same way."""
    show_like(rule, "")
    n, m = sp.symbols("n m", positive=True)
    with unless(lambda: _clipped_otherwise(rule)):
        factor = shrinking(rule, norm(grad))
        a, b = factor.subs(length, n), factor.subs(length, m)
        # n^2 + m^2 - 2 p - (a^2 n^2 + b^2 m^2 - 2 a b p) falls with p where 1 - a b >= 0
        show_by_smt(a * b <= 1, [], "the slope in p", domains(rule))
        show_by_smt((a * n - b * m) ** 2 <= (n - m) ** 2, [], "the case p = n m", domains(rule))
    return holds(
        "the gap of the squares falls with the inner product p, as s(n) s(m) <= 1, and at p = n m it is (n -"
        " m)^2 - (s(n) n - s(m) m)^2 >= 0",
        "decided by SMT",
    )


@claim(
    "clip_by_value.direction",
    "Clipping by value keeps the direction of the gradient, as clipping by norm does.",
    statement=r"\theta_t = \theta_{t-1} - \eta \, s \, g \text{ for some } s > 0",
    scope="around gradient descent with lr = 1, c = 1, two coordinates, gradient (1, 4)",
    sources=[mikolov, pascanu],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="clip_by_norm.direction",
    rule=about("clip_by_value(gd)"),
)
def clip_by_value_direction(rule: Rule) -> Decision:
    """One exact step."""
    show_like(rule, "")
    gradient = sp.ImmutableDenseMatrix([[1], [4]])
    x, y = end_of(rule, [gradient], sp.zeros(2, 1), {"lr": 1, "clip_value": 1})
    if x * 4 - y == 0 and x < 0:
        return holds(f"gradient (1, 4) gives the step ({x}, {y})", "exact certificate")
    return refuted(f"gradient (1, 4) with c = 1 gives the step ({x}, {y}), which is no multiple of it")


@claim(
    "clip_by_value.nonexpansive",
    "Clipping by value brings no two gradients further apart, in any coordinate.",
    statement=r"\lvert P(g) - P(h) \rvert \le \lvert g - h \rvert, \quad \lvert P(g) \rvert \le c, \quad P(g)"
    r" = g \text{ for } \lvert g \rvert \le c",
    scope="around gradient descent with lr = 1, each coordinate, all gradients, every c > 0",
    sources=[mikolov],
    evidence="decided by SMT",
    rule=about("clip_by_value(gd)"),
)
def clip_by_value_nonexpansive(rule: Rule) -> Decision:
    """All three for all reals."""
    show_like(rule, "")
    other = sp.Symbol("h", real=True)
    step = (theta.before - closed_form(rule)["theta"]).subs(lr, 1)
    if step.free_symbols - {grad, clip_value}:
        raise Refuted(f"the step {step} depends on more than the gradient and c")
    for statement, what in (
        (
            (step - step.subs(grad, other)) ** 2 <= (grad - other) ** 2,
            "two clipped gradients are no further apart",
        ),
        (sp.And(step <= clip_value, step >= -clip_value), "a clipped gradient is at most c"),
        (sp.Or(sp.Abs(grad) > clip_value, sp.Eq(step, grad)), "a small gradient is left alone"),
    ):
        show_by_smt(statement, [], what, domains(rule))
    return holds("each of the three follows, for all real g, h and c > 0", "decided by SMT")


@claim(
    "clip_by_global_norm.direction",
    "Clipping by global norm keeps the direction of all gradients together.",
    statement=r"\theta^{(i)}_t = \theta^{(i)}_{t-1} - \eta \, s \, g^{(i)}, \quad s = \min \left( 1,"
    r" \frac{c}{G} \right), \quad G = \Bigl( \sum_i \lVert g^{(i)} \rVert^2 \Bigr)^{1/2}",
    scope="around gradient descent, any number of arrays of any shapes, G > 0, every c > 0",
    sources=[pascanu],
    rule=about("clip_by_global_norm(gd)"),
)
def clip_by_global_norm_direction(rule: Rule) -> Decision:
    """The factor depends on the number G alone, which is the same for all arrays."""
    show_like(rule, "")
    (joint,) = rule.inputs or (None,)
    if joint is None:
        raise Refuted("the global norm is not read: gradients of any length are stepped along alike")
    with unless(lambda: _clipped_otherwise(rule)):
        show_clips(shrinking(rule, joint.now))
    return holds("the factor is a function of G, the same for every array: 1 up to c, then c/G")


@claim(
    "clip_by_norm.layers",
    "It makes no difference whether gradients are clipped layer by layer or all together.",
    statement=r"\text{clipping each } g^{(i)} \text{ to } c \text{ keeps the direction of } (g^{(1)},"
    r" g^{(2)})",
    scope="around gradient descent with lr = 1, c = 1, two layers of one number each, gradients 4 and 1",
    sources=[pascanu],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="clip_by_global_norm.direction",
    rule=about("clip_by_norm(gd)"),
)
def clip_by_norm_layers(rule: Rule) -> Decision:
    """Two exact steps."""
    show_like(rule, "")
    steps = []
    for g in (4, 1):
        steps.append(end_of(rule, [sp.Matrix([[g]])], sp.zeros(1, 1), {"lr": 1, "max_norm": 1})[0])
    if steps[0] == 4 * steps[1] and steps[1] < 0:
        return holds(f"gradients 4 and 1 give the steps {steps[0]} and {steps[1]}", "exact certificate")
    return refuted(f"gradients 4 and 1 give the steps {steps[0]} and {steps[1]}: no multiple of (4, 1)")
