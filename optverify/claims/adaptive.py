"""Adaptive rules: effective rates, bias correction, and the first step of Adam."""

from __future__ import annotations

from typing import Any

import sympy as sp

from optverify.claims._claim import (
    Decision,
    about,
    claim,
    holds,
    holds_under_conditions,
    refuted,
)
from optverify.language import Rule, Source, State, Variable, beta1, beta2, eps, grad, lr, rho, t, theta
from optverify.proof import (
    NotProved,
    domains,
    expectation,
    show_by_induction,
    show_equal,
    show_nonnegative,
    show_positive,
    unless,
)
from optverify.views.closed import closed_form
from optverify.views.open import open_form
from optverify.views.run import run

duchi = Source(
    "Duchi, Hazan and Singer",
    2011,
    "Adaptive subgradient methods for online learning and stochastic optimization",
    "Figure 1, diagonal case",
    "JMLR 12",
    url="https://jmlr.org/papers/v12/duchi11a.html",
)
tieleman = Source(
    "Tieleman and Hinton",
    2012,
    "Neural networks for machine learning",
    "lecture 6e, slide 29",
    "Coursera",
    url="https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf",
)
kingma_ba_bias = Source(
    "Kingma and Ba",
    2015,
    "Adam: a method for stochastic optimization",
    "section 3, equations (1) to (4)",
    "ICLR",
    arxiv="1412.6980",
)
kingma_ba_steps = Source(
    "Kingma and Ba",
    2015,
    "Adam: a method for stochastic optimization",
    "section 2.1 (the effective step), for t = 1",
    "ICLR",
    arxiv="1412.6980",
)


# ---- effective rates -----------------------------------------------------------------------------------


def accumulator(rule: Rule) -> State:
    """The one state of AdaGrad and RMSProp."""
    if len(rule.states) != 1:
        raise NotProved(f"rule {rule.name!r} has {len(rule.states)} states, not one accumulator")
    return rule.states[0]


def effective_rate(value: Any) -> sp.Expr:
    """lr / (sqrt(value) + eps): what AdaGrad and RMSProp multiply a gradient with."""
    return lr / (sp.sqrt(value) + eps)


def show_effective_rate(rule: Rule) -> None:
    """Show theta_t = theta_{t-1} - effective_rate(new accumulator) * gradient."""
    stepped = open_form(rule)[theta.now]
    rate = effective_rate(accumulator(rule).now)
    show_equal(stepped, theta.before - rate * grad, "theta_t", domains(rule))


def show_rate_falls_with_accumulator() -> None:
    """Show that effective_rate(a) >= effective_rate(b) for a <= b, for a > 0 or eps > 0.

    In terms of the roots r = sqrt(a) <= r + d = sqrt(b).
    """
    gap, some = sp.Symbol("d", nonnegative=True), sp.Symbol("r", positive=True)
    for root, epsilon in ((some, eps), (sp.Integer(0), some)):
        fall = effective_rate(root**2) - effective_rate((root + gap) ** 2)
        show_nonnegative(fall.subs(eps, epsilon), "the fall of the rate")


@claim(
    "adagrad.effective_rate",
    "AdaGrad's effective learning rate never rises, in any coordinate.",
    statement=r"\theta_t = \theta_{t-1} - \eta_t g_t, \quad \eta_t = \frac{\eta}{\sqrt{G_t} + \delta},"
    r" \quad G_t = G_0 + \sum_{s \le t} g_s^2 \quad \Longrightarrow \quad \eta_t \le \eta_{t-1}",
    scope="each coordinate, any gradients, constant lr, epsilon outside the root, any G_0 >= 0, every t;"
    " with epsilon = 0 from the first gradient other than 0 on",
    sources=[duchi],
    rule=about("adagrad"),
)
def adagrad_rate(rule: Rule) -> Decision:
    """The rate falls with the accumulator, and the accumulator grows by the square of the gradient."""
    G, within = accumulator(rule), domains(rule)
    initial = next((h.symbol for h in rule.hyperparameters if h.name == "initial_accumulator"), sp.Integer(0))
    show_effective_rate(rule)
    growth = closed_form(rule)[G.name] - G.before
    show_equal(growth, grad**2, "the growth of G", within)
    show_equal(G.initial, initial, "G_0", within)
    show_nonnegative(growth, "the growth of G", within)
    show_rate_falls_with_accumulator()
    return holds("G_t - G_{t-1} = g_t^2 >= 0, and lr/(sqrt(G) + eps) falls as G grows")


@claim(
    "rmsprop.effective_rate",
    "Like AdaGrad's, RMSProp's effective learning rate never rises.",
    statement=r"\theta_t = \theta_{t-1} - \eta_t g_t, \quad \eta_t = \frac{\eta}{\sqrt{v_t} + \epsilon},"
    r" \quad v_t = \rho v_{t-1} + (1 - \rho) g_t^2 \quad \Longrightarrow \quad \eta_t \le \eta_{t-1}",
    scope="one coordinate, rho = 1/4, epsilon = 0, v_0 = 0, gradients 2 and then 1",
    sources=[tieleman],
    expected="refuted",
    evidence="exact certificate",
    rule=about("rmsprop"),
)
def rmsprop_rate(rule: Rule) -> Decision:
    """Two updates with shrinking gradients; and v shrinks whenever the squared gradient is below it."""
    with unless(lambda: None):  # another recurrence says nothing about this sentence
        show_effective_rate(rule)
        v, within = accumulator(rule), domains(rule)
        growth = (1 - rho) * (grad**2 - v.before)
        show_equal(closed_form(rule)[v.name] - v.before, growth, "the growth of v", within)
        show_positive(1 - rho, "1 - rho", within)
    values = {"rho": sp.Rational(1, 4), "eps": sp.Integer(0), "initial_accumulator": sp.Integer(0)}
    _, first, second = run(rule, [2, 1], values=values)
    before, after = (effective_rate(state[v.name]).subs(eps, 0) for state in (first, second))
    ratio = sp.simplify(after / before)
    if not (ratio > 1) == True:  # noqa: E712
        raise NotProved(f"the rate went from {before} to {after} in the run that was tried")
    return refuted(
        f"gradients 2 and 1 with rho = 1/4, eps = 0 give v = {first[v.name]} and then {second[v.name]}:"
        f" the rate rises by the factor {ratio}. It rises whenever g_t^2 < v_(t-1)"
    )


# ---- bias correction -----------------------------------------------------------------------------------

mean = {1: sp.Symbol("mu_1", real=True), 2: sp.Symbol("mu_2", positive=True)}
"""E[g] and E[g^2], the same in every step."""


def moment(beta: sp.Symbol, power: int, k: sp.Expr) -> sp.Expr:
    """(1 - beta^k) E[g^power]: what the uncorrected moment is on average after k updates."""
    return (1 - beta**k) * mean[power]


def show_moment(rule: Rule, name: str, beta: sp.Symbol, power: int) -> None:
    """Show E[state_t] = moment(beta, power, t), by induction.

    The update must be a sum of a term linear in the state and one in the gradient: then the gradients may
    depend on each other.
    """
    state, update = rule.state(name), closed_form(rule)[name]
    if any(sp.expand(sp.diff(update, state.before, s)) != 0 for s in (state.before, grad)):
        raise NotProved(
            f"{name}_t = {update} is no sum of a multiple of the state and a term in the gradient"
        )

    def step(y: sp.Expr, k: sp.Expr) -> sp.Expr:
        return expectation(update, grad, mean).subs({state.before: y, t: k}, simultaneous=True)

    show_by_induction(
        step, sp.sympify(state.initial), lambda k: moment(beta, power, k), f"E[{name}_t]", domains(rule)
    )


def _corrected(rule: Rule, name: str, beta: sp.Symbol, power: int) -> Decision:
    """E[hat] = E[g^power] for a stationary moment; not for one that changes."""
    state, hat = rule.state(name), Variable(f"{name}_hat", nonnegative=power == 2).now
    within, expressions = domains(rule), open_form(rule)
    if hat not in expressions:
        raise NotProved(f"this dialect has no {hat}")
    show_moment(rule, name, beta, power)
    shown = expectation(expressions[hat], state.now, {1: moment(beta, power, t)})
    shown = expectation(shown, state.before, {1: moment(beta, power, t - 1)})
    show_equal(shown, mean[power], f"E[{hat}]", within)

    second = run(rule, [1, 0])[2][name]
    drifted = sp.cancel(expressions[hat].subs({state.now: second, t: 2}))
    show_equal(drifted, beta / (1 + beta), f"{hat} after gradients 1 and 0", within)
    of = "E[g]" if power == 1 else "E[g^2]"
    return holds_under_conditions(
        f"E[{name}_t] = (1 - {beta}^t) {of} by induction, so the correction is exact while {of} stays the"
        f" same; with gradients 1 and then 0 the estimate is {drifted} at t = 2, not 0"
    )


@claim(
    "adam.bias_correction.first",
    "Bias correction makes Adam's first moment an unbiased estimate of the gradient.",
    statement=r"E[g_s] = \mu_1 \text{ for all } s \le t \quad \Longrightarrow \quad E[\hat{m}_t] = \mu_1,"
    r" \qquad t = 1, 2, \dots",
    scope="each coordinate, gradients with one mean for all steps, dependent or not, beta_1 in [0, 1),"
    " every t",
    sources=[kingma_ba_bias],
    expected="holds under conditions",
    rule=about("adam"),
)
def first_moment_unbiased(rule: Rule) -> Decision:
    """The mean of m_t by induction, then Adam's own correction; a drifting mean is left behind."""
    return _corrected(rule, "m", beta1, 1)


@claim(
    "adam.bias_correction.second",
    "Bias correction makes Adam's second moment an unbiased estimate of the squared gradient.",
    statement=r"E[g_s^2] = \mu_2 \text{ for all } s \le t \quad \Longrightarrow \quad E[\hat{v}_t] ="
    r" \mu_2, \qquad t = 1, 2, \dots",
    scope="each coordinate, gradients with one mean square for all steps, dependent or not, beta_2 in [0,"
    " 1), every t",
    sources=[kingma_ba_bias],
    expected="holds under conditions",
    rule=about("adam"),
)
def second_moment_unbiased(rule: Rule) -> Decision:
    """The mean of v_t by induction, then Adam's own correction; a drifting mean square is left behind."""
    return _corrected(rule, "v", beta2, 2)


@claim(
    "adam.uncorrected",
    "Without bias correction Adam's moments are too small by the factor 1 - beta^t.",
    statement=r"E[m_t] = (1 - \beta_1^t) \, \mu_1, \quad E[v_t] = (1 - \beta_2^t) \, \mu_2, \qquad t = 0,"
    r" 1, 2, \dots",
    scope="each coordinate, gradients with the same mean mu_1 and mean square mu_2 in all steps,"
    " dependent or not, beta_1 and beta_2 in [0, 1), every t",
    sources=[kingma_ba_bias],
    rule=about("adam", bias_correction="none"),
)
def uncorrected_moments(rule: Rule) -> Decision:
    """Both means by induction, and that the step uses the moments as they are."""
    show_moment(rule, "m", beta1, 1)
    show_moment(rule, "v", beta2, 2)
    m, v = rule.state("m").now, rule.state("v").now
    step = theta.before - lr * m / (sp.sqrt(v) + eps)
    show_equal(open_form(rule)[theta.now], step, "theta_t", domains(rule))
    return holds("by induction; at t = 1 with beta = 0.9 and 0.999 m is 1/10 of the mean, v 1/1000")


# ---- the first step ------------------------------------------------------------------------------------


@claim(
    "adam.first_step",
    "Adam's first step has size lr in every coordinate, however large or small the gradient is.",
    statement=r"\theta_1 = \theta_0 - \eta \, \frac{g_1}{\lvert g_1 \rvert + \epsilon}, \qquad \text{so}"
    r" \quad \theta_1 = \theta_0 - \eta \, \mathrm{sign}(g_1) \quad \text{for } \epsilon = 0, \; g_1 \ne 0",
    scope="each coordinate, every gradient, every lr, beta_1, beta_2 and epsilon; the exact size is lr"
    " |g|/(|g| + epsilon), below lr for epsilon > 0",
    sources=[kingma_ba_steps],
    expected="holds under conditions",
    rule=about("adam"),
)
def first_step(rule: Rule) -> Decision:
    """The closed form at t = 1 from the initial states, for positive and for negative gradients."""
    start = {s.before: sp.sympify(s.initial) for s in rule.states} | {t: sp.Integer(1)}
    stepped = closed_form(rule)["theta"].subs(start)
    size = sp.Symbol("g_1", positive=True)
    within = domains(rule)
    for gradient in (size, -size):
        step = theta.before - lr * gradient / (size + eps)
        show_equal(stepped.subs(grad, gradient), step, f"theta_1 for a gradient {gradient}", within)
    positive = {eps: sp.Symbol("eps", positive=True)}
    show_equal(stepped.subs(grad, 0).subs(positive), theta.before, "theta_1 for a gradient 0", within)
    return holds_under_conditions(
        "the corrections cancel 1 - beta_1 and 1 - beta_2; with eps = 0 the step is lr sign(g), with eps"
        " > 0 it is shorter: lr/2 for a gradient of size eps"
    )
