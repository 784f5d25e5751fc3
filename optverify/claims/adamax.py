"""Bounds on the steps of AdaMax and LaProp."""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy as sp

from optverify.claims._adaptive import (
    below_one,
    changes,
    claim,
    exceeds,
    inside,
    kingma_ba,
    open_change,
    plain,
    told,
    words,
)
from optverify.claims._claim import Decision, about, holds, refuted
from optverify.language import Rule, Source, beta1, beta2, eps, grad, lr, t
from optverify.proof import (
    NotProved,
    domains,
    show_by_smt,
    show_equal,
    show_nonnegative,
    unless,
)
from optverify.views.closed import closed_form
from optverify.views.open import open_form

SECONDS = 1.0
half, quarter, most = sp.Rational(1, 2), sp.Rational(1, 4), sp.Rational(3, 4)
kept, fall = sp.symbols("X Y", positive=True)
"""beta1^t and beta2^t."""
powers = {kept: below_one, fall: inside}
root = sp.Symbol("r", positive=True)


# ---- AdaMax ----------------------------------------------------------------------------------------------

adamax_section = kingma_ba("section 7.1, AdaMax has the simpler bound |Delta_t| <= alpha")
share, excess, below = sp.symbols("A p q", nonnegative=True)
height = sp.Symbol("U", positive=True)


@claim(
    "adamax.step.bound.paper",
    "No step of AdaMax is longer than lr.",
    statement=r"\lvert \theta_t - \theta_{t-1} \rvert \le \alpha, \qquad t = 1, 2, \dots",
    scope="one coordinate, beta_1 = beta_2 = 1/2, gradients 2 and then 1",
    sources=[adamax_section],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="adamax.step.bound",
    rule=about("adamax"),
)
def adamax_paper(rule: Rule) -> Decision:
    """Gradients that fall as fast as the maximum decays."""
    numbers = {"lr": 1, "beta1": half, "beta2": half}
    step = changes(rule, (2, 1), **numbers)[-1]
    if not exceeds(sp.Abs(step), 1):
        raise NotProved(f"the second step of the run that was tried is {step}, not longer than lr")
    return refuted(f"gradients 2, 1 with {told(**numbers)}: the second step is {step}, longer than lr = 1")


def _adamax_longer(rule: Rule) -> str | None:
    """Look for a step that is longer than the bound; in words."""
    trials: tuple[tuple[Any, Any, Any], ...] = (
        (0, half, (1, half, 3)),
        (0, half, (-2, quarter)),
        (quarter, half, (4, 2, 1, half)),
        (half, most, (64, 48, 36, 27)),
    )
    for b1, b2, gradients in trials:
        numbers = {"lr": 1, "beta1": sp.sympify(b1), "beta2": b2}
        stated = (1 - numbers["beta1"]) / (1 - numbers["beta1"] / b2)
        for k, step in enumerate(changes(rule, gradients, start=1, **numbers), 1):
            if exceeds(sp.Abs(step), stated):
                return (
                    f"gradients {words(gradients)} with {told(**numbers)}: step {k} is {step}, longer than"
                    f" {stated}"
                )
    return None


@claim(
    "adamax.step.bound",
    "No step of AdaMax is longer than lr (1 - beta1)/(1 - beta1/beta2): 1.0091 lr for 0.9 and 0.999.",
    statement=r"\lvert \theta_t - \theta_{t-1} \rvert \le \alpha \, \frac{1 - \beta_1}{1 - \beta_1/\beta_2}"
    r" \quad \text{for } \beta_1 < \beta_2, \qquad t = 1, 2, \dots",
    scope="each coordinate, every sequence of gradients with a first one other than 0, 0 <= beta_1 < beta_2 <"
    " 1, no epsilon, every t; approached along g_t = beta_2 g_(t-1)",
    sources=[adamax_section],
    rule=about("adamax"),
)
def adamax_bound(rule: Rule) -> Decision:
    """|m| <= A_t u by a one-step invariant, from u' >= beta2 u and u' >= |g|; then the correction."""
    plain(rule, epsilon="none", bias_correction="first")
    with unless(partial(_adamax_longer, rule)):
        form, m, u = closed_form(rule), rule.state("m"), rule.state("u")
        within = domains(rule) | {beta2: inside}
        for bound in (beta2 * u.before, grad, -grad):
            show_by_smt(form["u"] >= bound, [], "the maximum is at least each of the two", within, SECONDS)
        later = beta1 / beta2 * share + 1 - beta1
        spare = sp.Symbol("w", nonnegative=True)
        largest = share * (height - excess) / beta2 - spare
        for side in (1, -1):
            moved = form["m"].subs(
                {m.before: side * largest, grad: side * (height - below)}, simultaneous=True
            )
            show_nonnegative(sp.expand(later * height - side * moved), "A' u' - |m'|", within)
        show_equal(m.initial, 0, "m_0")
        whole = (1 - beta1) / (1 - beta1 / beta2)
        part = whole * (1 - kept / fall)
        after = part.subs({kept: beta1 * kept, fall: beta2 * fall}, simultaneous=True)
        show_equal(later.subs(share, part), after, "A_t")
        step = sp.expand_power_exp(open_change(rule)).subs(beta1**t, kept)
        show_equal(step * (1 - kept) * u.now / m.now, -lr, "the step", within)
        show_nonnegative(sp.factor(1 - (1 - kept / fall) / (1 - kept)), "what is left of the bound", powers)
        # g_t = beta2 g_(t-1) keeps m_t = A_t u_t, so the bound is approached
        along = {m.before: share * height, u.before: height, grad: beta2 * height}
        for name, reached in (("m", later * beta2 * height), ("u", beta2 * height)):
            show_equal(form[name].subs(along, simultaneous=True), reached, f"{name}_t along it", within)
    return holds(
        "|m_t| <= A_t u_t with A_t = b1/b2 A_(t-1) + 1 - b1 by induction, and A_t/(1 - b1^t) is (1 - b1)/(1 -"
        " b1/b2) times (1 - (b1/b2)^t)/(1 - b1^t) <= 1"
    )


# ---- LaProp ----------------------------------------------------------------------------------------------


def _laprop_longer(rule: Rule) -> str | None:
    """Look for a step that is longer than the bound; in words."""
    for b2, epsilon, gradients in (
        (0, 0, (1, 2, -1)),
        (0, half, (1, -2)),
        (most, 0, (quarter, 1, 1)),
        (0, 0, (2, 3)),
    ):
        numbers = {"lr": 1, "beta1": half, "beta2": sp.sympify(b2), "eps": epsilon}
        stated = 1 / sp.sqrt(1 - numbers["beta2"])
        for k, step in enumerate(changes(rule, gradients, start=1, **numbers), 1):
            if exceeds(sp.Abs(step), stated):
                return (
                    f"gradients {words(gradients)} with {told(**numbers)}: step {k} is {step}, longer than"
                    f" {stated}"
                )
    return None


@claim(
    "laprop.step.bound",
    "No step of LaProp is longer than lr/sqrt(1 - beta2), whatever beta1 is.",
    statement=r"\lvert \theta_t - \theta_{t-1} \rvert \le \frac{\lambda}{\sqrt{1 - \nu}} \quad \text{for all"
    r" } \mu, \nu \in [0, 1), \qquad t = 1, 2, \dots",
    scope="each coordinate, every sequence of gradients, any decay rates, epsilon >= 0, every t; for epsilon"
    " = 0 from the first gradient other than 0 on; Adam has no such bound for mu^2 >= nu",
    sources=[
        Source(
            "Ziyin, Wang and Ueda",
            2020,
            "LaProp: separating momentum and adaptivity in Adam",
            "the proposition that bounds the magnitude of the update",
            arxiv="2002.04839",
        )
    ],
    rule=about("laprop"),
)
def laprop_bound(rule: Rule) -> Decision:
    """Each divided gradient is bounded, and the step is a mean of them with weights that add up to 1."""
    plain(rule)
    with unless(partial(_laprop_longer, rule)):
        m, n, within = rule.state("m"), rule.state("n"), domains(rule)
        show_nonnegative(
            sp.expand(closed_form(rule)["n"] - (1 - beta2) * grad**2), "n_t - (1 - b2) g^2", within
        )
        left = sp.Symbol("1-Y", positive=True)
        mean = sp.expand_power_exp(open_form(rule)[m.now]).subs(beta2**t, 1 - left)
        mean = mean.subs(n.now, root**2 * left)
        divided = grad / (root + eps)
        show_equal(mean, beta1 * m.before + (1 - beta1) * divided, "m_t", within)
        show_equal(m.initial, 0, "m_0")
        show_nonnegative(sp.cancel(1 - root / (root + eps)), "what epsilon takes away", within)
        show_equal(beta1 * (1 - kept) + 1 - beta1, 1 - beta1 * kept, "the weights")
        step = sp.expand_power_exp(open_change(rule)).subs(beta1**t, kept)
        show_equal(step * (1 - kept) / m.now, -lr, "the step", within)
    return holds(
        "g^2 <= n_t/(1 - b2) and n_t <= n_hat_t, so a divided gradient is at most 1/sqrt(1 - b2); |m_t| <= (1"
        " - b1^t)/sqrt(1 - b2) by induction, and the correction takes 1 - b1^t away"
    )
