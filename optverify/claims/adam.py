"""Adam: bias correction of the moments, and the mean of the update."""

from __future__ import annotations

from itertools import product

import sympy as sp

from optverify.claims._adaptive import (
    changes,
    claim,
    exceeds,
    kingma_ba,
)
from optverify.claims._claim import (
    Decision,
    about,
    holds,
    holds_under_conditions,
    refuted,
    trial_in_words,
    trial_values,
)
from optverify.language import (
    Rule,
    Variable,
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
    expectation,
    show_by_induction,
    show_equal,
    unless,
)
from optverify.views.closed import closed_form
from optverify.views.open import open_form
from optverify.views.run import run

bias_section = kingma_ba("section 3, equations (1) to (4)")


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
    sources=[bias_section],
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
    sources=[bias_section],
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
    sources=[bias_section],
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


# ---- the mean of the update ------------------------------------------------------------------------------


@claim(
    "adam.unbiased_update",
    "Adam's corrected update is unbiased: on average it goes against the mean gradient.",
    statement=r"E[g_t] > 0 \quad \Longrightarrow \quad E[\theta_t - \theta_{t-1}] < 0",
    scope="one coordinate, the first step, epsilon = 0: the gradient is -1 with probability 3/4 and 4 with"
    " probability 1/4",
    sources=[bias_section],
    expected="refuted",
    evidence="exact enumeration",
    corrected_by="adam.bias_correction.first",
    rule=about("adam"),
)
def unbiased_update(rule: Rule) -> Decision:
    """Both moments are unbiased, their quotient is not: the first step is the sign of the gradient."""
    draws = {sp.Integer(-1): sp.Rational(3, 4), sp.Integer(4): sp.Rational(1, 4)}
    slope = sp.Add(*(g * p for g, p in draws.items()))
    moved = sp.Add(*(changes(rule, [g], lr=1, eps=0)[0] * p for g, p in draws.items()))
    if not exceeds(moved, 0):
        raise NotProved(f"the mean gradient is {slope} and the mean step {moved}")
    return refuted(
        f"the mean gradient is {slope} > 0, and yet the mean of the first step is {moved} lr: uphill; the two"
        f" possible steps are +lr and -lr, whatever the sizes",
        "exact enumeration",
    )
