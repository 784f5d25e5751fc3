"""Variants of Adam: constant gradients, first steps, and second moments."""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy as sp

from optverify.claims._adaptive import (
    below_one,
    change,
    changes,
    claim,
    exceeds,
    initial,
    inside,
    open_change,
    other_step,
    plain,
    positive_size,
    settled,
    show_constant,
    symbols_of,
    told,
    words,
)
from optverify.claims._claim import Decision, about, holds, refuted
from optverify.language import Rule, Source, beta1, beta2, eps, grad, lr, t
from optverify.proof import (
    NotProved,
    domains,
    show_by_induction,
    show_by_smt,
    show_equal,
    show_nonnegative,
    unless,
)
from optverify.views.closed import closed_form

SECONDS = 1.0
half, quarter, most = sp.Rational(1, 2), sp.Rational(1, 4), sp.Rational(3, 4)
kept, fall = sp.symbols("X Y", positive=True)
"""beta1^t and beta2^t."""
root = sp.Symbol("r", positive=True)


# ---- constant gradients ----------------------------------------------------------------------------------


@claim(
    "ademamix.constant_gradient",
    "Under a constant gradient AdEMAMix's steps grow from about lr to (1 + alpha) lr, nine lr for alpha = 8.",
    statement=r"\theta_t = \theta_{t-1} - \eta \left( 1 + \alpha (1 - \beta_3^t) \right) \frac{g}{\lvert g"
    r" \rvert + \epsilon}, \qquad t = 1, 2, \dots",
    scope="each coordinate, constant gradient g and lr, alpha and beta_3 constant, no weight decay, epsilon"
    " outside the root, every t; 9 lr in the end for alpha = 8",
    sources=[
        Source(
            "Pagliardini, Ablin and Grangier",
            2024,
            "The AdEMAMix optimizer: better, faster, older",
            "Algorithm 1, without its schedulers",
            arxiv="2409.03137",
        )
    ],
    rule=about("ademamix", growth="none", weight_decay_form="none"),
)
def ademamix_constant(rule: Rule) -> Decision:
    """The three means by induction, put into the step; the slow one is not corrected."""
    plain(rule, growth="none", epsilon="outside")
    names = symbols_of(rule)
    slow, weight = names["beta3"], names["alpha"]

    def stated(values: Any, g: sp.Expr, k: int) -> sp.Expr:
        grown = 1 + values["alpha"] * (1 - values["beta3"] ** k)
        return -values["lr"] * grown * g / (abs(g) + values["eps"])

    numbers = {"lr": half, "eps": quarter, "alpha": 2, "beta3": most}
    with unless(
        lambda: other_step(rule, (2, 2), stated, **numbers) or other_step(rule, (-3,), stated, **numbers)
    ):
        means = {"m1": (beta1, 1), "m2": (slow, 1), "nu": (beta2, 2)}
        closed = {n: partial(_grown, beta, power) for n, (beta, power) in means.items()}
        grown = 1 + weight * (1 - slow**t)
        show_constant(rule, closed, lambda g, size: -lr * grown * g / (size + eps))
    return holds("m1_hat = g and nu_hat = g^2, while the slow mean, uncorrected, is (1 - beta3^t) g")


def _grown(beta: sp.Symbol, power: int, k: sp.Expr) -> sp.Expr:
    return (1 - beta**k) * grad**power


@claim(
    "adan.constant_gradient",
    "Under a constant gradient Adan's steps stay the same, lr for epsilon = 0: there are no differences to"
    " look ahead with.",
    statement=r"\theta_t = \theta_{t-1} - \eta \, \frac{g}{\sqrt{g^2 + \varepsilon}}, \qquad t = 1, 2, \dots",
    scope="each coordinate, constant gradient g and lr, no weight decay, epsilon inside the root, every t;"
    " the size is below lr for epsilon > 0",
    sources=[
        Source(
            "Xie, Zhou, Li, Lin and Yan",
            2022,
            "Adan: adaptive Nesterov momentum algorithm for faster optimizing deep models",
            "Algorithm 1",
            arxiv="2208.06677",
        )
    ],
    rule=about("adan", weight_decay_form="none"),
)
def adan_constant(rule: Rule) -> Decision:
    """After the first update m = g, v = 0, n = g^2, and so they stay."""
    plain(rule, epsilon="inside", start="gradient")
    rest, form = {"m": grad, "v": sp.Integer(0), "n": grad**2, "g_last": grad}, closed_form(rule)
    step = -lr * grad / sp.sqrt(grad**2 + eps)
    again = {rule.state(name).before: value for name, value in rest.items()}
    later = sp.Symbol("k", integer=True, nonnegative=True) + 2

    def stated(values: Any, g: sp.Expr, k: int) -> sp.Expr:
        return -values["lr"] * g / sp.sqrt(g**2 + values["eps"])

    with unless(lambda: other_step(rule, (2, 2, 2), stated, lr=half, eps=5)):
        for old, time in ((initial(rule), sp.Integer(1)), (again, later)):
            for name, value in rest.items():
                show_equal(
                    form[name].subs(t, time).subs(old), value, f"{name}_t at t = {time}", domains(rule)
                )
            show_equal(change(rule).subs(t, time).subs(old), step, f"the step at t = {time}", domains(rule))
    return holds("m = g, v = 0 and n = g^2 after the first update and after every later one")


@claim(
    "qhadam.first_step",
    "QHAdam's first step is Adam's, whatever nu1 and nu2 are.",
    statement=r"\theta_1 = \theta_0 - \alpha \, \frac{g_1}{\lvert g_1 \rvert + \epsilon}",
    scope="each coordinate, every gradient other than 0, every lr, beta_1, beta_2, nu_1, nu_2 and epsilon",
    sources=[
        Source(
            "Ma and Yarats",
            2019,
            "Quasi-hyperbolic momentum and Adam for deep learning",
            "the QHAdam update rule",
            "ICLR",
            arxiv="1810.06801",
        )
    ],
    rule=about("qhadam"),
)
def qhadam_first(rule: Rule) -> Decision:
    """At t = 1 both corrected moments are those of the gradient itself, so all weights give the same."""
    plain(rule)
    step = change(rule).subs({**initial(rule), t: 1})
    for gradient in (positive_size, -positive_size):
        moved = settled(step.subs(grad, gradient))
        stated = -lr * gradient / (positive_size + eps)
        show_equal(moved, stated, f"the first step for a gradient {gradient}", domains(rule))
    return holds("m_hat = g and v_hat = g^2, and a mean of g with itself is g")


# ---- NAdam -----------------------------------------------------------------------------------------------

dozat = Source(
    "Dozat",
    2016,
    "Incorporating Nesterov momentum into Adam",
    "Algorithm 2",
    "ICLR workshop",
    url="https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
)


def nadam_share(b1: Any, k: Any) -> sp.Expr:
    """m_hat over the constant gradient, for constant momentum."""
    return b1 * (1 - b1**k) / (1 - b1 ** (k + 1)) + (1 - b1) / (1 - b1**k)


@claim(
    "nadam.constant_gradient",
    "Under a constant gradient every step of Nadam is lr, as every step of Adam is.",
    statement=r"\lvert \theta_t - \theta_{t-1} \rvert = \alpha \quad \text{under a constant gradient } g \ne"
    r" 0, \; \epsilon = 0",
    scope="one coordinate, the first step, mu_t = 1/4 constant (mu = 1/2, psi = 0), nu = 1/4",
    sources=[dozat],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="nadam.constant_gradient.exact",
    rule=about("nadam"),
)
def nadam_constant(rule: Rule) -> Decision:
    """The look-ahead counts the first gradient more than once, and nu makes the divisor smaller."""
    numbers = {"lr": 1, "beta1": half, "beta2": quarter, "eps": 0, "momentum_decay": 0}
    step = changes(rule, [1], **numbers)[0]
    if not exceeds(sp.Abs(step), 1):
        raise NotProved(f"the first step of the run that was tried is {step}")
    return refuted(f"gradient 1 with {told(**numbers)}: the first step is {step}, not 1")


@claim(
    "nadam.constant_gradient.exact",
    "Under a constant gradient Nadam's steps begin above lr and go to lr/sqrt(nu).",
    statement=r"\theta_t - \theta_{t-1} = -\alpha \, \frac{g}{\sqrt{\nu} \lvert g \rvert + \epsilon} \left("
    r" \mu \, \frac{1 - \mu^t}{1 - \mu^{t+1}} + \frac{1 - \mu}{1 - \mu^t} \right) \to -\alpha \,"
    r" \frac{g}{\sqrt{\nu} \lvert g \rvert + \epsilon}",
    scope="each coordinate, constant gradient g, constant lr and momentum, epsilon outside the root, every t;"
    " the title's sizes are for epsilon = 0",
    sources=[dozat],
    rule=about("nadam", momentum_schedule="constant"),
)
def nadam_exact(rule: Rule) -> Decision:
    """Both moments by induction, put into the step."""
    plain(
        rule,
        momentum_schedule="constant",
        first_correction="ahead",
        second_correction="beta2",
        epsilon="outside",
    )

    def stated(values: Any, g: sp.Expr, k: int) -> sp.Expr:
        divisor = sp.sqrt(values["beta2"]) * abs(g) + values["eps"]
        return -values["lr"] * g / divisor * nadam_share(values["beta1"], k)

    numbers = {"lr": half, "eps": half, "beta1": quarter, "beta2": sp.Rational(4, 9)}
    with unless(
        lambda: other_step(rule, (2, 2), stated, **numbers) or other_step(rule, (-3,), stated, **numbers)
    ):
        closed = {"m": partial(_grown, beta1, 1), "v": partial(_grown, beta2, 2)}
        factor = sp.expand_power_exp(nadam_share(beta1, t))
        show_constant(rule, closed, lambda g, size: -lr * factor * g / (sp.sqrt(beta2) * size + eps))
        show_equal(factor.subs(beta1**t, 0), 1, "the limit of the factor")
    return holds(
        "m_t = (1 - mu^t) g and v_t = (1 - nu^t) g^2; as mu^t goes to 0 the factor goes to mu + 1 - mu = 1"
    )


# ---- AdaBelief -------------------------------------------------------------------------------------------


def _belief_shorter(rule: Rule) -> str | None:
    """Look for a first step other than lr/beta1, or a later one that is shorter; in words."""
    numbers = {"lr": 1, "beta1": half, "beta2": most, "eps": 0}
    for gradients in ((2, 2, 2), (-1, -1)):
        steps = [-sp.sign(gradients[0]) * step for step in changes(rule, gradients, start=1, **numbers)]
        if steps[0].is_number and steps[0] != 2:
            return (
                f"gradients {words(gradients)} with {told(**numbers)}: the first step is {steps[0]}, not"
                f" lr/beta1 = 2"
            )
        for k in range(1, len(steps)):
            if exceeds(steps[k - 1], steps[k]):
                return f"gradients {words(gradients)} with {told(**numbers)}: the steps are {words(steps)}"
    return None


@claim(
    "adabelief.constant_gradient",
    "Under a constant gradient AdaBelief's steps grow from lr/beta1 on, where Adam's stay at lr.",
    statement=r"\theta_1 - \theta_0 = -\frac{\alpha}{\beta_1} \, \mathrm{sign}(g), \qquad \lvert \theta_{t+1}"
    r" - \theta_t \rvert \ge \lvert \theta_t - \theta_{t-1} \rvert, \qquad t = 1, 2, \dots",
    scope="each coordinate, constant gradient g other than 0, constant lr, beta_1, beta_2 in (0, 1), epsilon"
    " = 0, with bias correction, every t",
    sources=[
        Source(
            "Zhuang, Tang, Ding, Tatikonda, Dvornek, Papademetris and Duncan",
            2020,
            "AdaBelief optimizer: adapting stepsizes by the belief in observed gradients",
            "Algorithm 2; section 2.2, a small change of a large gradient gives a large step",
            "NeurIPS",
            arxiv="2010.07468",
        )
    ],
    rule=about("adabelief"),
)
def adabelief_constant(rule: Rule) -> Decision:
    """s_hat is a mean of the deviations (beta1^k g)^2 so far: each new one is the smallest."""
    plain(rule, bias_correction="both", amsgrad=False)
    with unless(partial(_belief_shorter, rule)):
        m, s = rule.state("m"), rule.state("s")
        form = {name: e.subs(eps, 0) for name, e in closed_form(rule).items()}
        ranges = {beta1: inside, beta2: inside, kept: inside, fall: below_one}
        show_by_induction(
            lambda y, k: form["m"].subs({m.before: y, t: k}), m.initial, partial(_grown, beta1, 1), "m_t"
        )
        # X, Y: beta1^(t-1), beta2^(t-1). h: s_hat before, at least the last deviation (X g)^2
        ahead, spare = sp.Symbol("1-b2^t", positive=True), sp.Symbol("w", nonnegative=True)
        hat = (kept * grad) ** 2 + spare
        old = {m.before: (1 - kept) * grad, s.before: (1 - fall) * hat}
        later = form["s"].subs(old) / (1 - beta2 * fall)
        show_nonnegative(sp.factor(hat - later), "the fall of s_hat", ranges)
        rest = sp.factor(later - (beta1 * kept * grad) ** 2)
        show_nonnegative(rest, "s_hat less the last deviation", ranges)
        first = form["s"].subs(initial(rule)) / (1 - beta2)
        show_equal(first, (beta1 * grad) ** 2, "s_hat_1", ranges)
        step = sp.expand_power_exp(open_change(rule).subs(eps, 0)).subs(beta2**t, 1 - ahead)
        step = step.subs({s.now: root**2 * ahead, m.now: (1 - beta1**t) * grad})
        show_equal(sp.cancel(step), -lr * grad / root, "the step", domains(rule))
    return holds(
        "the step is lr |g|/sqrt(s_hat), where s_hat starts at (b1 g)^2 and each new deviation,"
        " (b1^t g)^2, is the smallest"
    )


# ---- Yogi, ADOPT, Padam ----------------------------------------------------------------------------------


@claim(
    "yogi.second_moment",
    "Yogi's second moment moves by at most (1 - beta2) g^2 in an update, and never falls below zero.",
    statement=r"\lvert v_t - v_{t-1} \rvert \le (1 - \beta_2) \, g_t^2, \qquad v_t \ge 0, \qquad t = 1, 2,"
    r" \dots",
    scope="each coordinate, any gradients, beta_2 in [0, 1), any v_0 >= 0, every t; Adam's falls by up to (1"
    " - beta_2) v_(t-1), whatever the gradient",
    sources=[
        Source(
            "Zaheer, Reddi, Sachan, Kale and Kumar",
            2018,
            "Adaptive methods for nonconvex optimization",
            "section 3, the difference of v_t and v_(t-1) in Yogi and in Adam",
            "NeurIPS",
            url="https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization",
        )
    ],
    evidence="decided by SMT",
    rule=about("yogi"),
)
def yogi_moves(rule: Rule) -> Decision:
    """One update from any v >= 0, in the three cases of the sign."""
    v, new = rule.state("v"), closed_form(rule)["v"]
    limit, within = (1 - beta2) * grad**2, domains(rule)
    show_nonnegative(sp.sympify(v.initial), "v_0", within)
    shown = sp.And(new - v.before <= limit, v.before - new <= limit, new >= 0)
    show_by_smt(shown, [v.before >= 0], "|v_t - v_(t-1)| <= (1 - beta2) g^2 and v_t >= 0", within, SECONDS)
    return holds(
        "the sign decides the direction, g^2 the size; down only from v >= g^2, to beta2 g^2 at least",
        "decided by SMT",
    )


@claim(
    "adopt.unbiased",
    "What ADOPT divides a gradient by does not depend on it: given the past, the quotient is unbiased.",
    statement=r"E[m_t \mid g_1, \dots, g_{t-1}] = \beta_1 m_{t-1} + (1 - \beta_1) \, \frac{E[g_t \mid g_1,"
    r" \dots, g_{t-1}]}{\max(\sqrt{v_{t-1}}, \epsilon)}, \qquad \theta_t = \theta_{t-1} - \alpha m_t, \qquad"
    r" t = 2, 3, \dots",
    scope="each coordinate, any noise, no clipping, epsilon > 0, v_(t-1) > 0, every t >= 2; Adam's quotient"
    " is biased in its first step already",
    sources=[
        Source(
            "Taniguchi et al.",
            2024,
            "ADOPT: modified Adam can converge with any beta2 with the optimal rate",
            "the algorithm box and the section on its derivation",
            "NeurIPS",
            arxiv="2411.02853",
        )
    ],
    rule=about("adopt", clipping="none"),
)
def adopt_unbiased(rule: Rule) -> Decision:
    """The mean after the update is linear in the gradient, with a slope that the past alone decides."""
    plain(rule, clipping="none", first_mean="zero", nesterov_step=False)
    m, v = rule.state("m"), rule.state("v")
    later = sp.Symbol("k", integer=True, nonnegative=True) + 2
    mean = closed_form(rule)["m"].subs(t, later).subs(v.before, root**2)
    stated = beta1 * m.before + (1 - beta1) * grad / sp.Max(root, eps)
    show_equal(mean, stated, "m_t for t >= 2", domains(rule))
    start = closed_form(rule)["m"].subs(t, 1).subs(m.before, 0)
    show_equal(start, 0, "m_1, before any divisor is known,", domains(rule))
    show_equal(m.initial, 0, "m_0")
    with unless(lambda: None):  # with another v_1 the quotient would be as unbiased
        show_equal(closed_form(rule)["v"].subs(t, 1), grad**2, "v_1", domains(rule))
    show_equal(open_change(rule), -lr * m.now, "the step", domains(rule))
    return holds(
        "m_t is linear in g_t for given m_(t-1), v_(t-1), so its mean is that of g_t over"
        " max(sqrt(v_(t-1)), eps)"
    )


@claim(
    "padam.first_step",
    "Padam's first step grows like the gradient to the power 1 - 2p: between Adam's and that of momentum.",
    statement=r"\lvert \theta_1 - \theta_0 \rvert = \alpha \, \frac{1 - \beta_1}{(1 - \beta_2)^p} \, \lvert"
    r" g_1 \rvert^{1 - 2p}, \qquad 0 \le p \le \frac{1}{2}",
    scope="each coordinate, every gradient other than 0, no bias correction, epsilon = 0",
    sources=[
        Source(
            "Chen, Zhou, Tang, Yang, Cao and Gu",
            2020,
            "Closing the generalization gap of adaptive gradient methods in training deep neural networks",
            "Algorithm 1",
            "IJCAI",
            arxiv="1806.06763",
        )
    ],
    rule=about("padam"),
)
def padam_first(rule: Rule) -> Decision:
    """The closed form at the start: m = (1 - beta1) g over the p-th power of (1 - beta2) g^2."""
    plain(rule, epsilon="outside", bias_correction="none", amsgrad=True)
    power, left = symbols_of(rule)["partial"], sp.Symbol("1 - beta2", positive=True)
    step = change(rule).subs({**initial(rule), eps: 0}).subs(beta2, 1 - left)
    for side in (1, -1):
        moved = sp.expand_power_base(step.subs(grad, side * positive_size), force=True)
        stated = -side * lr * (1 - beta1) / left**power * positive_size ** (1 - 2 * power)
        show_equal(moved, stated, f"the first step for a gradient {side * positive_size}", domains(rule))
    return holds("m_1 = (1 - b1) g and v_1 = (1 - b2) g^2, whose p-th power divides")
