"""Rules that choose their own step sizes, and those that rebuild theta from sums."""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy as sp

from optverify.claims._adaptive import (
    change,
    changes,
    claim,
    initial,
    plain,
    positive_size,
    settled,
    told,
)
from optverify.claims._claim import Decision, about, holds, refuted
from optverify.language import (
    Rule,
    Source,
    beta1,
    beta2,
    eps,
    grad,
    inner,
    lr,
    momentum,
    norm,
    norm1,
    rho,
    t,
    theta,
)
from optverify.proof import (
    NotProved,
    domains,
    show_by_smt,
    show_equal,
    show_nonnegative,
    show_positive,
    unless,
)
from optverify.views.closed import closed_form
from optverify.views.open import open_form

SECONDS = 1.0
half, most = sp.Rational(1, 2), sp.Rational(3, 4)

# ---- AdaDelta --------------------------------------------------------------------------------------------

zeiler = Source(
    "Zeiler",
    2012,
    "ADADELTA: an adaptive learning rate method",
    "Algorithm 1; section 3.2 on units",
    arxiv="1212.5701",
)


@claim(
    "adadelta.first_step",
    "AdaDelta's first step is shorter than lr sqrt(eps/(1 - rho)), whatever the gradient: epsilon sets its"
    " size.",
    statement=r"\theta_1 = \theta_0 - \eta \, \frac{\sqrt{\epsilon} \, g_1}{\sqrt{(1 - \rho) g_1^2 +"
    r" \epsilon}}, \qquad \lvert \theta_1 - \theta_0 \rvert < \eta \sqrt{\frac{\epsilon}{1 - \rho}}",
    scope="each coordinate, every gradient, epsilon > 0, any lr and rho; 0.0045 for lr = 1, rho = 0.95,"
    " epsilon = 1e-6",
    sources=[zeiler],
    rule=about("adadelta"),
)
def adadelta_first(rule: Rule) -> Decision:
    """The closed form at the start; the squares of step and bound."""
    plain(rule)
    some = sp.Symbol("eps", positive=True)
    step = change(rule).subs({**initial(rule), t: 1}).subs(eps, some)
    stated = -lr * sp.sqrt(some) * grad / sp.sqrt((1 - rho) * grad**2 + some)
    show_equal(step, stated, "the first step", domains(rule))
    bound = lr**2 * some / (1 - rho)
    show_positive(sp.factor(sp.together(bound - stated**2)), "what is left of the bound", domains(rule))
    return holds(
        "u_0 = 0, so the step is sqrt(eps) g/sqrt((1 - rho) g^2 + eps), which grows with |g| to the bound"
    )


@claim(
    "adadelta.units",
    "AdaDelta's steps have the units of the parameters.",
    statement=r"g_t \mapsto g_t/c \text{ for all } t \quad \Longrightarrow \quad \theta_t - \theta_0 \mapsto"
    r" c \, (\theta_t - \theta_0), \qquad c > 0",
    scope="one coordinate, the first step, rho = 3/4, epsilon = 1, gradients 3/2 and 8/3: the units are those"
    " of epsilon, which stands in both roots",
    sources=[zeiler],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="adadelta.no_epsilon",
    rule=about("adadelta"),
)
def adadelta_units(rule: Rule) -> Decision:
    """Two gradients, of which the larger should make the shorter step."""
    plain(rule)
    one, two = sp.Rational(3, 2), sp.Rational(8, 3)
    numbers = {"lr": 1, "rho": most, "eps": 1}
    first, second = (changes(rule, [g], **numbers)[0] for g in (one, two))
    if (second - first * one / two).is_zero is not False:
        raise NotProved(f"the steps are {first} and {second}, as the units would have it")
    return refuted(
        f"with {told(**numbers)} the gradients {one} and {two} make the first steps {first} and {second}; the"
        f" units ask for {first * one / two}"
    )


@claim(
    "adadelta.no_epsilon",
    "Without epsilon AdaDelta does not move at all.",
    statement=r"\epsilon = 0 \quad \Longrightarrow \quad \theta_t = \theta_0, \qquad t = 0, 1, \dots",
    scope="each coordinate, any gradients with a first one other than 0, any lr and rho, zero start, every t",
    sources=[zeiler],
    rule=about("adadelta"),
)
def adadelta_still(rule: Rule) -> Decision:
    """The mean of squared steps starts at 0, so the first step is 0, and so it stays."""
    plain(rule)
    with unless(partial(_moves, rule)):
        v, u, form = rule.state("v"), rule.state("u"), closed_form(rule)
        rest = {u.before: 0, eps: 0}
        show_equal(u.initial, 0, "u_0")
        for name, value in (("u", sp.Integer(0)), ("theta", theta.before)):
            show_equal(form[name].subs(rest).subs(v.before, positive_size), value, f"{name}_t", domains(rule))
            first = form[name].subs(rest).subs({v.before: 0, grad: positive_size})
            show_equal(first, value, f"{name}_1", domains(rule))
    return holds("u_{t-1} = 0 makes the step 0 and u_t = 0, for every gradient")


def _moves(rule: Rule) -> str | None:
    """Look for a step that is not 0; in words."""
    steps = changes(rule, (2, 1), start=1, lr=1, rho=half, eps=0)
    if all(step == 0 for step in steps):
        return None
    return (
        f"gradients 2, 1 with lr = 1, rho = 1/2, eps = 0 from theta_0 = 1: the steps are {steps[0]} and"
        f" {steps[1]}"
    )


# ---- DoG and Prodigy -------------------------------------------------------------------------------------


def _named(rule: Rule, name: str) -> sp.Symbol:
    return next(h.symbol for h in rule.every_hyperparameter if h.name == name)


@claim(
    "dog.first_step",
    "DoG's first step has length r_eps (1 + |theta_0|), however long the gradient is.",
    statement=r"\theta_1 = \theta_0 - c \, r_\epsilon (1 + \lVert \theta_0 \rVert) \frac{g_1}{\lVert g_1"
    r" \rVert}, \qquad \lVert \theta_1 - \theta_0 \rVert = c \, r_\epsilon (1 + \lVert \theta_0 \rVert)",
    scope="any dimension, every gradient other than 0, epsilon = 0; c is lr, 1 in the paper",
    sources=[
        Source(
            "Ivgi, Hinder and Carmon",
            2023,
            "DoG is SGD's best friend: a parameter-free dynamic step size schedule",
            "equation (DoG) and the choice of r_epsilon",
            "ICML",
            arxiv="2302.12022",
        )
    ],
    rule=about("dog"),
)
def dog_first(rule: Rule) -> Decision:
    """The closed form at the start, with the two norms as numbers."""
    plain(rule, first_distance="relative")
    far, steep = sp.Symbol("T", nonnegative=True), sp.Symbol("N", positive=True)
    step = change(rule).subs(initial(rule)).subs({norm(sp.Integer(0)): 0, eps: 0, t: 1})
    step = step.subs({norm(theta.before): far, norm(grad): steep, norm(-grad): steep})
    least = _named(rule, "r_eps")
    show_equal(step, -lr * least * (1 + far) * grad / steep, "the first step", domains(rule))
    return holds(
        "the distance from the start is 0, so r_eps (1 + |theta_0|) is the largest, over the root of |g|^2"
    )


prodigy_paper = Source(
    "Mishchenko and Defazio",
    2024,
    "Prodigy: an expeditiously adaptive parameter-free learner",
    "the algorithm of the Adam version",
    "ICML",
    arxiv="2306.06101",
)


@claim(
    "prodigy.first_step",
    "Prodigy's first step is d_0 (1 - beta1)/sqrt(1 - beta2) in every coordinate, 3.16 d_0 for 0.9 and"
    " 0.999.",
    statement=r"\theta_1 = \theta_0 - \gamma \, d_0 \, \frac{1 - \beta_1}{\sqrt{1 - \beta_2}} \,"
    r" \mathrm{sign}(g_1)",
    scope="each coordinate, every gradient other than 0, no bias correction, epsilon = 0; gamma is lr, 1 in"
    " the paper",
    sources=[prodigy_paper],
    rule=about("prodigy"),
)
def prodigy_first(rule: Rule) -> Decision:
    """The closed form at the start."""
    plain(rule, bias_correction="none", epsilon_distance="old")
    left = sp.Symbol("1 - beta2", positive=True)
    step = change(rule).subs({**initial(rule), eps: 0, t: 1}).subs(beta2, 1 - left)
    if step.has(inner, norm1):
        raise NotProved("the first step depends on the new estimate of the distance")
    least = _named(rule, "d0")
    for side in (1, -1):
        moved = settled(step.subs(grad, side * positive_size))
        stated = -side * lr * least * (1 - beta1) / sp.sqrt(left)
        show_equal(moved, stated, f"the first step for a gradient {side * positive_size}", domains(rule))
    return holds("m_1 = (1 - b1) d_0 g and v_1 = (1 - b2) d_0^2 g^2, and the step is d_0 m_1/sqrt(v_1)")


@claim(
    "prodigy.distance",
    "Prodigy's estimate of the distance never shrinks.",
    statement=r"d_t \ge d_{t-1} \ge d_0 > 0, \qquad t = 1, 2, \dots",
    scope="any dimension, any gradients, any factor on the estimate, every t",
    sources=[prodigy_paper],
    evidence="decided by SMT",
    rule=about("prodigy"),
)
def prodigy_distance(rule: Rule) -> Decision:
    """In either case of the update the new estimate is at least the old one."""
    names = {s.name: s for s in rule.states}
    distance, size = names["d"], sp.Symbol("S", nonnegative=True)
    new = open_form(rule)[distance.now].subs(norm1(names["s"].now), size)
    show_by_smt(new >= distance.before, [], "d_t >= d_(t-1)", domains(rule), SECONDS)
    start = sp.sympify(distance.initial) - _named(rule, "d0")
    show_nonnegative(start, "d at the start, less d_0,", domains(rule))
    return holds("the maximum of the old estimate and another number, or the old one", "decided by SMT")


# ---- FTRL and MADGRAD ------------------------------------------------------------------------------------


@claim(
    "ftrl.sparse",
    "FTRL-Proximal makes a parameter exactly zero where its sum z is at most lambda_1 in size, and nowhere"
    " else.",
    statement=r"\theta_t = 0 \; \Longleftrightarrow \; \lvert z_t \rvert \le \lambda_1, \qquad \text{else }"
    r" \mathrm{sign}(\theta_t) = -\mathrm{sign}(z_t)",
    scope="each coordinate, any gradients with n_t > 0, any lr, beta, lambda_1 and lambda_2, every t",
    sources=[
        Source(
            "McMahan et al.",
            2013,
            "Ad click prediction: a view from the trenches",
            "Algorithm 1",
            "KDD",
            url="https://doi.org/10.1145/2487575.2488200",
        )
    ],
    evidence="decided by SMT",
    rule=about("ftrl"),
)
def ftrl_sparse(rule: Rule) -> Decision:
    """Both cases, from theta as a function of the new z and n."""
    plain(rule, rate="root", l2_shrinkage=False)
    z, n = rule.state("z").now, rule.state("n").now
    point, edge = open_form(rule)[theta.now], _named(rule, "lambda1")
    outside, inside = sp.Abs(z) > edge, sp.Abs(z) <= edge
    shown = sp.And(sp.Or(outside, sp.Eq(point, 0)), sp.Or(inside, point * z < 0))
    show_by_smt(shown, [n > 0], "theta_t = 0 exactly where |z_t| <= lambda_1", domains(rule), SECONDS)
    return holds("the sign of z times max(|z| - lambda_1, 0), over a positive number", "decided by SMT")


@claim(
    "madgrad.first_step",
    "MADGRAD's first step grows like the cube root of the gradient.",
    statement=r"\lvert \theta_1 - \theta_0 \rvert = (1 - \beta) \, \gamma^{2/3} \, \lvert g_1 \rvert^{1/3}",
    scope="each coordinate, every gradient other than 0, epsilon = 0, any lr gamma and momentum beta",
    sources=[
        Source(
            "Defazio and Jelassi",
            2022,
            "A momentumized, adaptive, dual averaged gradient method for stochastic optimization",
            "Algorithm 1",
            "JMLR 23",
            arxiv="2101.11075",
        )
    ],
    rule=about("madgrad"),
)
def madgrad_first(rule: Rule) -> Decision:
    """The closed form at the start: lr g over the cube root of lr g^2, times 1 - momentum."""
    plain(rule, lr_shift=False)
    step = change(rule).subs({**initial(rule), eps: 0}).subs(t, 1)
    for side in (1, -1):
        moved = sp.expand_power_base(sp.expand(step.subs(grad, side * positive_size)))
        stated: Any = -side * (1 - momentum) * lr ** sp.Rational(2, 3) * positive_size ** sp.Rational(1, 3)
        show_equal(moved, stated, f"the first step for a gradient {side * positive_size}", domains(rule))
    return holds("s_1 = lr g and nu_1 = lr g^2; lr g/(lr g^2)^(1/3) = lr^(2/3) g^(1/3)")
