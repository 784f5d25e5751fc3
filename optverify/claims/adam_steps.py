"""Adam's steps: the first one, constant gradients, the scale of the gradients, and epsilon."""

from __future__ import annotations

from typing import Any

import sympy as sp

from optverify.claims._adaptive import (
    change,
    changes,
    claim,
    exact_values,
    exceeds,
    initial,
    kingma_ba,
    other_step,
    plain,
    positive_size,
    show_constant,
    show_scaling,
    told,
    words,
)
from optverify.claims._claim import (
    Decision,
    about,
    holds,
    holds_under_conditions,
    in_scope,
    refuted,
)
from optverify.language import (
    Domain,
    Rule,
    beta1,
    beta2,
    eps,
    grad,
    lr,
    t,
    theta,
)
from optverify.proof import (
    NotProved,
    domains,
    show_equal,
    unless,
)
from optverify.views.closed import closed_form
from optverify.views.open import open_form
from optverify.views.run import run

first_section = kingma_ba("section 2.1 (the effective step), for t = 1")


# ---- the first step ------------------------------------------------------------------------------------


@claim(
    "adam.first_step",
    "Adam's first step has size lr in every coordinate, however large or small the gradient is.",
    statement=r"\theta_1 = \theta_0 - \alpha \, \frac{g_1}{\lvert g_1 \rvert + \epsilon}, \qquad \text{so}"
    r" \quad \theta_1 = \theta_0 - \alpha \, \mathrm{sign}(g_1) \quad \text{for } \epsilon = 0, \; g_1 \ne 0",
    scope="each coordinate, every gradient, every lr, beta_1, beta_2 and epsilon outside the root; the exact"
    " size is lr |g|/(|g| + epsilon), below lr for epsilon > 0",
    sources=[first_section],
    expected="holds under conditions",
    rule=about("adam"),
)
def first_step(rule: Rule) -> Decision:
    """The closed form at t = 1 from the initial states, for positive and for negative gradients."""
    in_scope(rule, epsilon="outside", weight_decay_form="none", maximize=False)
    start = {s.before: sp.sympify(s.initial) for s in rule.states} | {t: sp.Integer(1)}
    share = sp.Symbol("1 - beta2", positive=True)  # known to be positive: then AMSGrad's maximum is decided
    stepped = closed_form(rule)["theta"].subs(start).subs(beta2, 1 - share)
    size = sp.Symbol("g_1", positive=True)
    within = domains(rule) | {share: Domain(0, 1, low_open=True, high_open=False)}
    for gradient in (size, -size):
        step = theta.before - lr * gradient / (size + eps)
        show_equal(stepped.subs(grad, gradient), step, f"theta_1 for a gradient {gradient}", within)
    positive = {eps: sp.Symbol("eps", positive=True)}
    show_equal(stepped.subs(grad, 0).subs(positive), theta.before, "theta_1 for a gradient 0", within)
    return holds_under_conditions(
        "the corrections cancel 1 - beta_1 and 1 - beta_2; with eps = 0 the step is lr sign(g), with eps"
        " > 0 it is shorter: lr/2 for a gradient of size eps"
    )


# ---- without bias correction -----------------------------------------------------------------------------

uncorrected = about("adam", bias_correction="none")


def _first_step_other(rule: Rule) -> str | None:
    """Look for a first step that is not lr (1 - beta1)/sqrt(1 - beta2) in size; in words."""
    for b1, b2 in ((sp.Rational(1, 3), sp.Rational(3, 4)), (sp.Rational(1, 2), sp.Rational(8, 9))):
        numbers = {"lr": sp.Rational(1, 2), "beta1": b1, "beta2": b2, "eps": 0}
        for gradient in (2, -3):
            step = changes(rule, [gradient], start=1, **numbers)[0]
            stated = -sp.sign(gradient) * (1 - b1) / sp.sqrt(1 - b2) / 2
            if step.is_number and step != stated:
                return f"gradient {gradient} with {told(**numbers)}: the first step is {step}, not {stated}"
    return None


@claim(
    "adam.uncorrected.first_step",
    "Without bias correction Adam's first step is lr (1 - beta1)/sqrt(1 - beta2) in every coordinate.",
    statement=r"\theta_1 = \theta_0 - \alpha \, \frac{1 - \beta_1}{\sqrt{1 - \beta_2}} \, \mathrm{sign}(g_1)"
    r" \quad \text{for } \epsilon = 0, \; g_1 \ne 0",
    scope="each coordinate, every gradient other than 0, no bias correction, epsilon = 0; 3.16 lr for beta_1"
    " = 0.9 and beta_2 = 0.999",
    sources=[first_section],
    rule=uncorrected,
)
def uncorrected_first_step(rule: Rule) -> Decision:
    """The closed form at t = 1 from the initial states, for positive and for negative gradients."""
    plain(rule, bias_correction="none", amsgrad="none")
    with unless(lambda: _first_step_other(rule)):
        share = sp.Symbol("1 - beta2", positive=True)
        step = change(rule).subs({**initial(rule), t: 1, eps: 0}).subs(beta2, 1 - share)
        for gradient in (positive_size, -positive_size):
            stated = -lr * (1 - beta1) / sp.sqrt(share) * gradient / positive_size
            show_equal(step.subs(grad, gradient), stated, f"the first step for a gradient {gradient}")
    return holds("m_1 = (1 - b1) g and v_1 = (1 - b2) g^2; for 0.9 and 0.999 the ratio is sqrt(10)")


@claim(
    "adam.uncorrected.small_steps",
    "Without bias correction Adam's first steps are too small, since its moments start at zero.",
    statement=r"\lvert \theta_1 - \theta_0 \rvert \le \alpha \quad \text{without bias correction}",
    scope="one coordinate, beta_1 = 0.9, beta_2 = 0.999, epsilon = 0, gradient 1",
    sources=[first_section],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="adam.uncorrected.first_step",
    rule=uncorrected,
)
def uncorrected_steps_small(rule: Rule) -> Decision:
    """The default decay rates: v is too small by more than m is."""
    numbers = {"lr": 1, "beta1": sp.Rational(9, 10), "beta2": sp.Rational(999, 1000), "eps": 0}
    step = changes(rule, [1], **numbers)[0]
    if not exceeds(step**2, 1):
        raise NotProved(f"the first step that was tried is {step}, not longer than lr")
    return refuted(
        f"gradient 1 with {told(**numbers)}: the first step is {step}, its square {step**2}, not at most 1"
    )


# ---- a constant gradient ---------------------------------------------------------------------------------


@claim(
    "adam.constant_gradient",
    "Under a constant gradient every step of Adam is lr, whatever the size of the gradient.",
    statement=r"\theta_t = \theta_{t-1} - \alpha \, \frac{g}{\lvert g \rvert + \epsilon}, \qquad t = 1, 2,"
    r" \dots, \qquad \text{so} \quad \lvert \theta_t - \theta_{t-1} \rvert = \alpha \quad \text{for }"
    r" \epsilon = 0, \; g \ne 0",
    scope="each coordinate, constant gradient g, constant lr, epsilon outside the root, with bias correction,"
    " every t; the exact size is lr |g|/(|g| + epsilon), below lr for epsilon > 0",
    sources=[first_section],
    expected="holds under conditions",
    rule=about("adam"),
)
def constant_gradient(rule: Rule) -> Decision:
    """Both moments by induction, put into the step."""
    plain(rule, epsilon="outside", bias_correction="both", amsgrad="none")

    def stated(values: Any, gradient: sp.Expr, k: int) -> sp.Expr:
        return -values["lr"] * gradient / (abs(gradient) + values["eps"])

    numbers = {"lr": sp.Rational(1, 2), "eps": sp.Rational(1, 3)}
    with unless(
        lambda: (
            other_step(rule, (2, 2, 2), stated, **numbers) or other_step(rule, (-3, -3), stated, **numbers)
        )
    ):
        moments = {"m": lambda k: (1 - beta1**k) * grad, "v": lambda k: (1 - beta2**k) * grad**2}
        show_constant(rule, moments, lambda gradient, size: -lr * gradient / (size + eps))
    return holds_under_conditions(
        "m_t = (1 - b1^t) g and v_t = (1 - b2^t) g^2 by induction, so the corrected moments are g and g^2;"
        " with eps > 0 the step is shorter than lr"
    )


# ---- the scale of the gradients --------------------------------------------------------------------------

factor = sp.Symbol("c", positive=True)


@claim(
    "adam.scale_invariance",
    "Adam does not notice the scale of the gradients.",
    statement=r"g_t \mapsto c \, g_t \text{ for all } t \quad \Longrightarrow \quad \theta_t \mapsto"
    r" \theta_t, \qquad c > 0, \; \epsilon = 0, \; t = 1, 2, \dots",
    scope="each coordinate, any gradients (the first one not 0), epsilon = 0, every factor c > 0, every t",
    sources=[kingma_ba("section 2.1, the invariance of the effective step to the scale of the gradients")],
    rule=about("adam"),
)
def scale_invariance(rule: Rule) -> Decision:
    """(c m, c^2 v) with c g does what (m, v) with g does, and both start at zero."""
    with unless(lambda: _scale_seen(rule)):
        show_scaling(rule, factor, {"m": 1, "v": 2}, step=1)
    return holds("m scales with c and v with c^2 in every update, so m/sqrt(v) stays the same")


def _scale_seen(rule: Rule) -> str | None:
    """Look for a step that changes when the gradients are doubled; in words."""
    gradients = (2, -1, 1)
    first = changes(rule, gradients, start=1, eps=0)
    second = changes(rule, [2 * g for g in gradients], start=1, eps=0)
    for k, (one, two) in enumerate(zip(first, second, strict=True), 1):
        if sp.expand(one - two).is_zero is False:
            values = told(**exact_values(rule, eps=0))
            return (
                f"gradients {words(gradients)} with {values} give step {k} = {one}, twice those gradients"
                f" {two}"
            )
    return None


@claim(
    "adam.scale_invariance.epsilon",
    "Adam does not notice the scale of the gradients, with an epsilon or without one.",
    statement=r"g_t \mapsto c \, g_t \text{ for all } t \quad \Longrightarrow \quad \theta_t \mapsto"
    r" \theta_t, \qquad c > 0, \; \epsilon \ge 0",
    scope="one coordinate, the first step, epsilon = 1, gradients 1 and 3: when gradients get near epsilon in"
    " size the steps shrink with them",
    sources=[kingma_ba("section 2.1, the invariance of the effective step to the scale of the gradients")],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="adam.scale_invariance",
    rule=about("adam"),
)
def scale_with_epsilon(rule: Rule) -> Decision:
    """The first step, for a gradient as large as epsilon and for one three times as large."""
    small, large = (changes(rule, [g], lr=1, eps=1)[0] for g in (1, 3))
    if (small - large).is_zero is not False:
        raise NotProved(f"both steps that were tried are {small}")
    return refuted(f"with lr = 1 and eps = 1 the first step is {small} for the gradient 1 and {large} for 3")


# ---- two places for epsilon ------------------------------------------------------------------------------

outside, hat = about("adam"), about("adam", epsilon="hat")


@claim(
    "adam.epsilon.forms",
    "Adam is its epsilon-hat form with an epsilon-hat that grows to epsilon.",
    statement=r"\alpha \, \frac{\hat{m}_t}{\sqrt{\hat{v}_t} + \epsilon} = \alpha_t \, \frac{m_t}{\sqrt{v_t} +"
    r" \hat{\epsilon}_t} \quad \text{with} \quad \alpha_t = \alpha \, \frac{\sqrt{1 - \beta_2^t}}{1 -"
    r" \beta_1^t}, \quad \hat{\epsilon}_t = \epsilon \sqrt{1 - \beta_2^t}",
    scope="each coordinate, any gradients, any lr, beta_1, beta_2 and epsilon >= 0, every t",
    sources=[kingma_ba("end of section 2, the epsilon-hat form")],
    classic=outside,
    hat=hat,
)
def epsilon_forms(classic: Rule, hat: Rule) -> Decision:
    """The moments are the same; the steps agree with the stated epsilon-hat for symbolic t."""
    for rule in (classic, hat):
        plain(rule, bias_correction="both", amsgrad="none")
    with unless(lambda: _forms_apart(classic, hat)):
        for name in ("m", "v"):
            show_equal(closed_form(classic)[name], closed_form(hat)[name], f"{name}_t", domains(classic))
            show_equal(classic.state(name).initial, hat.state(name).initial, f"{name}_0")
        share = sp.Symbol("1-beta2^t", positive=True)
        one, two = (open_form(r)[theta.now] for r in (classic, hat))
        two = two.subs(eps, eps * sp.sqrt(1 - beta2**t))
        one, two = (sp.expand_power_exp(e).subs(beta2**t, 1 - share) for e in (one, two))
        show_equal(one, two, "theta_t", domains(classic))
    return holds("multiply above and below with sqrt(1 - b2^t): epsilon becomes eps sqrt(1 - b2^t)")


def _forms_apart(classic: Rule, hat: Rule) -> str | None:
    """Look for a step in which the two differ, eps being 1/2 and the epsilon-hat the stated one."""
    half, b2, gradients = sp.Rational(1, 2), sp.Rational(3, 4), (2, -1)
    growing = {"lr": half, "beta1": sp.Rational(1, 3), "beta2": b2, "eps": half}
    first = changes(classic, gradients, start=1, **growing)
    history = run(hat, gradients, start=1, values={**growing, "eps": lambda k: half * sp.sqrt(1 - b2**k)})
    for k, one in enumerate(first, 1):
        two = history[k]["theta"] - history[k - 1]["theta"]
        if abs((one - two).evalf(40)) > sp.Rational(1, 10**30):
            return (
                f"gradients 2, -1 from theta_0 = 1 with {told(**growing)}: step {k} is {one} in the one form,"
                f" {two} in the other"
            )
    return None


@claim(
    "adam.epsilon.constant",
    "Both forms of Adam's epsilon are the same for the same epsilon.",
    statement=r"\alpha \, \frac{\hat{m}_t}{\sqrt{\hat{v}_t} + \epsilon} = \alpha_t \, \frac{m_t}{\sqrt{v_t} +"
    r" \epsilon}, \qquad \alpha_t = \alpha \, \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}",
    scope="one coordinate, the first step, beta_2 = 0.99, epsilon = 1, gradient 1: at t = 1 an epsilon-hat"
    " acts like an epsilon that is 1/sqrt(1 - beta_2) times as large, 31.6 times for beta_2 = 0.999",
    sources=[kingma_ba("end of section 2, the epsilon-hat form")],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="adam.epsilon.forms",
    classic=outside,
    hat=hat,
)
def epsilon_constant(classic: Rule, hat: Rule) -> Decision:
    """The first step of both, and of the classic form with the larger epsilon."""
    numbers = {"lr": 1, "beta2": sp.Rational(99, 100), "eps": 1}
    one, two = (changes(rule, [1], **numbers)[0] for rule in (classic, hat))
    larger = changes(classic, [1], **(numbers | {"eps": 10}))[0]
    if sp.simplify(two - larger) != 0 or (one - two).is_zero is not False:
        raise NotProved(f"the first steps are {one} and {two}, with the larger epsilon {larger}")
    return refuted(
        f"gradient 1 with {told(**numbers)}: the first step is {one} in the classic form, {two} in the"
        f" epsilon-hat form, which is that of the classic one for eps = 10"
    )
