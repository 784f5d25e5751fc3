"""Adaptive rules: effective rates, bias correction, and the first step of Adam."""

from __future__ import annotations

from itertools import product
from typing import Any

import sympy as sp

from optverify.claims._claim import (
    Decision,
    about,
    claim,
    holds,
    holds_under_conditions,
    in_scope,
    refuted,
    trial_in_words,
    trial_values,
)
from optverify.language import (
    Domain,
    Rule,
    Source,
    State,
    Variable,
    beta1,
    beta2,
    eps,
    grad,
    initial_accumulator,
    lr,
    rho,
    t,
    theta,
)
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


def step_rate(rule: Rule) -> sp.Expr:
    """What a gradient is multiplied with, up to sign: a function of the new accumulator and of t."""
    rate = sp.diff(open_form(rule)[theta.now], grad)
    if rate.free_symbols & {grad, theta.before, accumulator(rule).before}:
        raise NotProved(
            f"the step is no multiple of the gradient for a given accumulator: its slope is {rate}"
        )
    return rate


def show_rate_falls_with_accumulator(rule: Rule) -> None:
    """Show |rate| at (G, t) >= |rate| at (G', t + 1) for all G <= G', for G > 0 or eps > 0.

    In terms of the roots r = sqrt(G) <= r + d = sqrt(G'), by the ratio of the two and its square.
    """
    rate, now, within = step_rate(rule), accumulator(rule).now, domains(rule)
    gap, some = sp.Symbol("d", nonnegative=True), sp.Symbol("r", positive=True)
    updates = sp.Symbol("j", integer=True, nonnegative=True)
    for root, epsilon in ((some, eps), (sp.Integer(0), some)):
        before = rate.subs({now: root**2, t: updates + 1, eps: epsilon})
        after = rate.subs({now: (root + gap) ** 2, t: updates + 2, eps: epsilon})
        ratio = sp.cancel(before / after)
        show_positive(ratio, "the ratio of a rate to the next one", within)
        show_nonnegative(sp.cancel(ratio**2 - 1), "the square of that ratio, less 1,", within)


def risen_rate(rule: Rule) -> str | None:
    """Look for two updates of which the second has the larger rate; in words."""
    rate, G = step_rate(rule), accumulator(rule)
    numbers = {h.symbol: trial_values(rule)[h.name] for h in rule.hyperparameters}
    for gradients in ((2, 1), (1, 2), (sp.Rational(1, 4), sp.Rational(1, 4))):
        _, *history = run(rule, gradients, start=1, values=trial_values(rule))
        first, second = (
            sp.Abs(rate.subs({**numbers, G.now: state[G.name], t: k})) for k, state in enumerate(history, 1)
        )
        if (second > first) == True:  # noqa: E712
            pair = " and ".join(map(str, gradients))
            return f"gradients {pair} with {trial_in_words(rule)} have the rates {first} and then {second}"
    return None


@claim(
    "adagrad.effective_rate",
    "AdaGrad's effective learning rate never rises, in any coordinate.",
    statement=r"\theta_t = \theta_{t-1} - \eta_t g_t, \quad \eta_t = \frac{\eta}{\sqrt{G_t} + \delta},"
    r" \quad G_t = G_0 + \sum_{s \le t} g_s^2 \quad \Longrightarrow \quad \eta_t \le \eta_{t-1}",
    scope="each coordinate, any gradients, constant lr, any G_0 >= 0, every t; with epsilon = 0 from the"
    " first gradient other than 0 on",
    sources=[duchi],
    rule=about("adagrad"),
)
def adagrad_rate(rule: Rule) -> Decision:
    """The rate, read off the step, falls as the accumulator grows; and the accumulator never shrinks."""
    with unless(lambda: risen_rate(rule)):
        G, within = accumulator(rule), domains(rule)
        growth = sp.factor(closed_form(rule)[G.name] - G.before)
        show_nonnegative(sp.sympify(G.initial), "G_0", within)
        show_nonnegative(growth, "the growth of G", within)
        show_rate_falls_with_accumulator(rule)
    return holds(f"G_t - G_(t-1) = {growth} >= 0, and the rate {-step_rate(rule)} falls in size as G grows")


@claim(
    "adagrad.constant_gradient",
    "Under a constant gradient AdaGrad's steps shrink like 1/sqrt(t), whatever the size of the gradient.",
    statement=r"\theta_t = \theta_{t-1} - \eta \, \frac{g}{\sqrt{G_0 + t g^2} + \delta}, \qquad \text{so}"
    r" \quad \theta_t = \theta_{t-1} - \frac{\eta}{\sqrt{t}} \, \mathrm{sign}(g) \quad \text{for } G_0 ="
    r" \delta = 0, \; g \ne 0",
    scope="each coordinate, constant gradient g, constant lr, epsilon outside the root, any G_0 >= 0,"
    " every t >= 1",
    sources=[duchi],
    expected="holds under conditions",
    rule=about("adagrad"),
)
def adagrad_constant_gradient(rule: Rule) -> Decision:
    """The accumulator by induction, put into the step."""
    in_scope(rule, epsilon="outside", lr_schedule="constant", weight_decay_form="none", maximize=False)
    G, form, within = accumulator(rule), closed_form(rule), domains(rule)

    def total(k: sp.Expr) -> sp.Expr:
        return initial_accumulator + k * grad**2

    show_by_induction(
        lambda y, k: form[G.name].subs({G.before: y, t: k}, simultaneous=True),
        sp.sympify(G.initial),
        total,
        "G",
        within,
    )
    stepped = form["theta"].subs(G.before, total(t - 1))
    show_equal(stepped, theta.before - effective_rate(total(t)) * grad, "theta_t", within)
    size = sp.Symbol("g", positive=True)
    plain = (effective_rate(total(t)) * grad).subs({initial_accumulator: 0, eps: 0})
    for gradient in (size, -size):
        show_equal(plain.subs(grad, gradient), lr / sp.sqrt(t) * gradient / size, "the step", within)
    return holds_under_conditions(
        "G_t = G_0 + t g^2 by induction; for G_0 = eps = 0 the step is lr/sqrt(t) in size, else it is shorter"
    )


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
    with unless(lambda: _biased(rule, hat, power)):
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


def _biased(rule: Rule, hat: sp.Symbol, power: int) -> str | None:
    """Look for a mean of the estimate that is not E[g^power], for fair draws of 0 and 2; in words."""
    values, estimate = trial_values(rule), open_form(rule)[hat]
    numbers = {h.symbol: values[h.name] for h in rule.hyperparameters}
    stated = sp.Integer(2) ** (power - 1)
    for k in (1, 2):
        total = sp.Integer(0)
        for gradients in product((0, 2), repeat=k):
            *_, before, after = run(rule, gradients, start=1, values=values)
            old = {s.before: before[s.name] for s in rule.states}
            new = {s.now: after[s.name] for s in rule.states}
            total += estimate.subs({**numbers, **old, **new, t: k})
        if (found := total / 2**k).is_Rational and found != stated:
            return (
                f"gradients 0 or 2, each with probability 1/2, theta_0 = 1 and {trial_in_words(rule)} give"
                f" E[{hat}] = {found} at t = {k}, not {stated}"
            )
    return None


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
    with unless(lambda: None):  # the sentence is about the moments: another step with them leaves it true
        show_equal(open_form(rule)[theta.now], step, "theta_t", domains(rule))
    return holds("by induction; at t = 1 with beta = 0.9 and 0.999 m is 1/10 of the mean, v 1/1000")


# ---- the first step ------------------------------------------------------------------------------------


@claim(
    "adam.first_step",
    "Adam's first step has size lr in every coordinate, however large or small the gradient is.",
    statement=r"\theta_1 = \theta_0 - \alpha \, \frac{g_1}{\lvert g_1 \rvert + \epsilon}, \qquad \text{so}"
    r" \quad \theta_1 = \theta_0 - \alpha \, \mathrm{sign}(g_1) \quad \text{for } \epsilon = 0, \; g_1 \ne 0",
    scope="each coordinate, every gradient, every lr, beta_1, beta_2 and epsilon outside the root; the exact"
    " size is lr |g|/(|g| + epsilon), below lr for epsilon > 0",
    sources=[kingma_ba_steps],
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
