"""How long the steps of Adam and its kin can get."""

from __future__ import annotations

from typing import Any

import sympy as sp

from optverify.claims._adaptive import (
    below_one,
    changes,
    claim,
    exceeds,
    initial,
    inside,
    kingma_ba,
    open_change,
    plain,
    told,
    words,
)
from optverify.claims._claim import Decision, about, holds, refuted
from optverify.language import Rule, beta1, beta2, eps, grad, lr, t
from optverify.proof import (
    NotProved,
    domains,
    over_domains,
    show_by_induction,
    show_equal,
    show_form_nonnegative,
    show_nonnegative,
    unless,
)
from optverify.views.closed import closed_form

half, quarter, most = sp.Rational(1, 2), sp.Rational(1, 4), sp.Rational(3, 4)
section = kingma_ba("section 2.1, the two cases of the bound on the effective step")


# ---- the bound of the paper ------------------------------------------------------------------------------


def paper_bound(b1: sp.Rational, b2: sp.Rational) -> sp.Expr:
    """The square of the paper's bound, over lr: max(1, (1 - b1)^2/(1 - b2))."""
    return sp.Max(1, (1 - b1) ** 2 / (1 - b2))


def _longer_than_the_paper_says(rule: Rule, b1: sp.Rational, b2: sp.Rational, gradients: Any) -> Decision:
    numbers = {"lr": 1, "beta1": b1, "beta2": b2, "eps": 0}
    square = sp.expand(changes(rule, gradients, **numbers)[-1] ** 2)
    stated = paper_bound(b1, b2)
    if not exceeds(square, stated):
        raise NotProved(f"the square of the step that was tried is {square}, not above {stated}")
    return refuted(
        f"gradients {words(gradients)} with {told(**numbers)}: the square of step {len(gradients)} is"
        f" {square}, the square of the bound {stated}"
    )


@claim(
    "adam.step.bound.first_case",
    "The step of Adam is at most lr (1 - beta1)/sqrt(1 - beta2) if 1 - beta1 > sqrt(1 - beta2).",
    statement=r"\lvert \theta_t - \theta_{t-1} \rvert \le \alpha \, \frac{1 - \beta_1}{\sqrt{1 - \beta_2}}"
    r" \quad \text{for } 1 - \beta_1 > \sqrt{1 - \beta_2}, \; \epsilon = 0",
    scope="one coordinate, beta_1 = 1/4, beta_2 = 1/2, epsilon = 0, gradients 1, 2, 4",
    sources=[section],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="adam.step.bound",
    rule=about("adam"),
)
def paper_first_case(rule: Rule) -> Decision:
    """Three growing gradients; the bound would be right if all but the last were 0."""
    return _longer_than_the_paper_says(rule, quarter, half, (1, 2, 4))


@claim(
    "adam.step.bound.second_case",
    "The step of Adam is at most lr if 1 - beta1 <= sqrt(1 - beta2).",
    statement=r"\lvert \theta_t - \theta_{t-1} \rvert \le \alpha \quad \text{for } 1 - \beta_1 \le"
    r" \sqrt{1 - \beta_2}, \; \epsilon = 0",
    scope="one coordinate, beta_1 = 1/2, beta_2 = 3/4, epsilon = 0, gradients 1, 2",
    sources=[section],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="adam.step.bound",
    rule=about("adam"),
)
def paper_second_case(rule: Rule) -> Decision:
    """Two gradients of which the second is twice the first."""
    return _longer_than_the_paper_says(rule, half, most, (1, 2))


# ---- the bound that holds --------------------------------------------------------------------------------

kept, fall = sp.symbols("X Y", positive=True)
"""beta1^t and beta2^t."""
size, ratio, slack = (
    sp.Symbol("w", positive=True),
    sp.Symbol("K", positive=True),
    sp.Symbol("s", nonnegative=True),
)
powers = {kept: below_one, fall: below_one}


def sharp_square(b1: Any, b2: Any) -> sp.Expr:
    """The square of the sharp bound, over lr: (1 - b1)^2/((1 - b2)(1 - b1^2/b2))."""
    return (1 - b1) ** 2 / ((1 - b2) * (1 - b1**2 / b2))


def next_ratio(K: Any) -> sp.Expr:
    """The smallest K_t with m_t^2 <= K_t v_t for all gradients, from the one before."""
    return beta1**2 / beta2 * K + (1 - beta1) ** 2 / (1 - beta2)


def adam_alone(rule: Rule) -> None:
    """The dialect that the statements about steps are about."""
    plain(rule, epsilon="outside", bias_correction="both", amsgrad="none")


def show_ratio_bounded(rule: Rule, share: Any = next_ratio, equal: bool = False) -> None:
    """Show that m^2 <= K v is handed on to m'^2 <= share(K) v', and that it holds at the start with K = 0."""
    form, m, v = closed_form(rule), rule.state("m"), rule.state("v")
    ranges = domains(rule) | {beta2: inside}
    bound = share(ratio) * form["v"] - form["m"] ** 2
    if equal:
        bound = bound.subs(beta2, beta1)
        ranges[beta1] = inside
    first = bound.subs({ratio: 0, **initial(rule)})
    show_nonnegative(sp.factor(first), "K_1 v_1 - m_1^2", ranges)
    bound = over_domains(bound.subs(v.before, m.before**2 / ratio + slack), ranges)
    spare = sp.factor(sp.diff(bound, slack))
    if spare.has(slack):
        raise NotProved(f"the bound on m^2 is not linear in v: {bound}")
    show_nonnegative(spare, "what a larger v adds")
    show_form_nonnegative(sp.together(bound.subs(slack, 0)), (m.before, grad), "K' v' - m'^2")


def corrected_square(rule: Rule) -> sp.Expr:
    """The square of step/lr, times v/m^2, for eps = 0, in X and Y; a larger eps is shown to shorten it."""
    m, v = rule.state("m").now, rule.state("v").now
    one, two = sp.symbols("1-X 1-Y", positive=True)  # known to be positive: then the roots of quotients split
    step = sp.expand_power_exp(open_change(rule)).subs({beta1**t: 1 - one, beta2**t: 1 - two})
    step = step.subs(v, size**2 * two)
    without = step.subs(eps, 0)
    if without == 0:
        raise NotProved("theta does not move")
    show_nonnegative(sp.cancel(without / step) - 1, "the loss by epsilon", domains(rule))
    form = sp.cancel((without / (lr * m)) ** 2 * size**2 * two).subs({one: 1 - kept, two: 1 - fall})
    if form.free_symbols - {kept, fall}:
        raise NotProved(f"the square of the step is no multiple of m^2/v: the factor is {form}")
    return form


def _longer(rule: Rule, trials: Any) -> str | None:
    """Look for a step that is longer than the sharp bound; trials: beta1, beta2, eps, gradients."""
    for b1, b2, epsilon, gradients in trials:
        stated = sharp_square(b1, b2)
        numbers = {"lr": 1, "beta1": b1, "beta2": b2, "eps": epsilon}
        try:
            steps = changes(rule, gradients, start=1, **numbers)
        except NotProved:
            continue
        for k, step in enumerate(steps, 1):
            if exceeds(step**2, stated):
                return (
                    f"gradients {words(gradients)} with {told(**numbers)}: step {k} is {step}, its square is"
                    f" above {stated}"
                )
    return None


TRIALS = (
    (half, half, 0, (1, 1, 1)),
    (half, half, half, (1, 1, 1)),
    (half, most, 0, (1, 2, 3)),
    (half, half, 0, (quarter, quarter)),
    (half, half, 0, (1, -1, 1)),
    (half, most, 0, (-quarter, 1)),
    (sp.Integer(0), most, 0, (quarter, 1)),
)


@claim(
    "adam.step.bound",
    "No step of Adam exceeds lr (1 - beta1)/sqrt((1 - beta2)(1 - beta1^2/beta2)): 7.27 lr for 0.9 and 0.999.",
    statement=r"\lvert \theta_t - \theta_{t-1} \rvert \le \alpha \, \frac{1 - \beta_1}{\sqrt{(1 - \beta_2)"
    r" \left(1 - \beta_1^2/\beta_2\right)}} \quad \text{for } \beta_1^2 < \beta_2, \qquad t = 1, 2, \dots",
    scope="each coordinate, every sequence of gradients, 0 <= beta_1^2 < beta_2 < 1, epsilon >= 0 outside the"
    " root, with bias correction, every t; for epsilon = 0 from the first gradient other than 0 on",
    sources=[section],
    rule=about("adam"),
)
def sharp_bound(rule: Rule) -> Decision:
    """m^2 <= K_t v by a one-step invariant, then what the corrections do to it, in beta1^t and beta2^t."""
    adam_alone(rule)
    with unless(lambda: _longer(rule, TRIALS)):
        show_ratio_bounded(rule)
        whole = sharp_square(beta1, beta2)
        show_equal(next_ratio(whole), whole, "the fixed point of K")
        part = whole * (1 - kept**2 / fall)
        show_equal(
            next_ratio(part), part.subs({kept: beta1 * kept, fall: beta2 * fall}, simultaneous=True), "K_t"
        )
        show_equal(part.subs({kept: 1, fall: 1}), 0, "K_0")
        rest = 1 - (1 - kept**2 / fall) * corrected_square(rule)
        show_nonnegative(sp.factor(rest), "what is left of the bound", powers | {fall: inside})
    default = sharp_square(sp.Rational(9, 10), sp.Rational(999, 1000))
    return holds(
        f"m_t^2 <= K_t v_t with K_t = b1^2/b2 K_(t-1) + (1 - b1)^2/(1 - b2) by induction, and K_t times the"
        f" corrections is the square of the bound less a multiple of (b1^t - b2^t)^2; for 0.9 and 0.999 the"
        f" square is {default}"
    )


# ---- how sharp it is -------------------------------------------------------------------------------------

total, last = sp.symbols("S y", positive=True)
"""The sum of r^k, k < t, for r = beta1^2/beta2; and the gradient of the update before."""


def show_aligned(rule: Rule) -> None:
    """Show that g_t = (beta2/beta1) g_{t-1} keeps m_t = (1 - beta1) S_t g_t and v_t = (1 - beta2) S_t g_t^2.

    S_1 = 1 and S_t = 1 + r S_{t-1} with r = beta1^2/beta2: then m^2/v is the largest there is.
    """
    form, m, v = closed_form(rule), rule.state("m"), rule.state("v")
    grown, later = beta2 / beta1 * last, 1 + beta1**2 / beta2 * total
    start = {**initial(rule), grad: last}
    now = {m.before: (1 - beta1) * total * last, v.before: (1 - beta2) * total * last**2, grad: grown}
    for name, share, power in (("m", 1 - beta1, 1), ("v", 1 - beta2, 2)):
        show_equal(form[name].subs(start), share * last**power, f"{name}_1", domains(rule))
        moved = form[name].subs(now, simultaneous=True)
        show_equal(moved, share * later * grown**power, f"{name}_t", domains(rule))


def _not_reached(rule: Rule, stated: Any, gradients: Any) -> str | None:
    """Look for a last step that is not the stated one; stated: square of step t over lr, from b1 and b2."""
    for b1, b2 in ((half, most), (sp.Rational(1, 3), half)):
        numbers = {"lr": 1, "beta1": b1, "beta2": b2, "eps": 0}
        sequence = gradients(b1, b2)
        steps = changes(rule, sequence, start=1, **numbers)
        for k, step in enumerate(steps, 1):
            expected = stated(b1, b2, k)
            if (square := sp.expand(step**2)).is_number and square != expected:
                return (
                    f"gradients {words(sequence)} with {told(**numbers)}: the square of step {k} is {square},"
                    f" not {expected}"
                )
    return None


def _geometric(b1: sp.Expr, b2: sp.Expr) -> list[sp.Expr]:
    return [(b2 / b1) ** k for k in range(3)]


def aligned_square(b1: Any, b2: Any, k: Any) -> sp.Expr:
    """The square of step k over lr along the aligned gradients."""
    r = b1**2 / b2
    return (1 - b1) ** 2 / (1 - b2) * (1 - r**k) / (1 - r) * (1 - b2**k) / (1 - b1**k) ** 2


@claim(
    "adam.step.supremum",
    "The bound on Adam's step is sharp: gradients in geometric progression come as close to it as one likes.",
    statement=r"g_t = (\beta_2/\beta_1)^t \; \Longrightarrow \; \frac{(\theta_t - \theta_{t-1})^2}{\alpha^2}"
    r" = \frac{(1 - \beta_1)^2}{(1 - \beta_2)(1 - r)} \, (1 - r^t) \, \frac{1 - \beta_2^t}{(1 -"
    r" \beta_1^t)^2} \to \frac{(1 - \beta_1)^2}{(1 - \beta_2)(1 - r)}, \quad r = \frac{\beta_1^2}{\beta_2} <"
    r" 1",
    scope="each coordinate, 0 < beta_1^2 < beta_2 < 1, epsilon = 0, with bias correction, every t; the limit"
    " is the square of the bound of adam.step.bound",
    sources=[section],
    rule=about("adam"),
)
def supremum(rule: Rule) -> Decision:
    """The gradients that keep m^2/v largest, and the limit of the corrections."""
    adam_alone(rule)
    with unless(lambda: _not_reached(rule, aligned_square, _geometric)):
        show_aligned(rule)
        r = beta1**2 / beta2
        show_by_induction(lambda y, k: 1 + r * y, sp.Integer(0), lambda k: (1 - r**k) / (1 - r), "S_t")
        factor = corrected_square(rule)
        show_equal(factor, (1 - fall) / (1 - kept) ** 2, "the factor of the corrections", powers)
        limit = factor.subs({kept: 0, fall: 0}) * (1 - beta1) ** 2 / (1 - beta2) / (1 - r)
        show_equal(limit, sharp_square(beta1, beta2), "the limit")
    return holds("m_t = (1 - b1) S_t g_t and v_t = (1 - b2) S_t g_t^2 with S_t = 1 + r S_(t-1) -> 1/(1 - r)")


@claim(
    "adam.step.unbounded",
    "The step of Adam is bounded by a multiple of lr whatever the decay rates.",
    statement=r"\sup_{t, \, g_1, \dots, g_t} \lvert \theta_t - \theta_{t-1} \rvert \le K \alpha \quad"
    r" \text{with } K \text{ that depends on } \beta_1, \beta_2 \text{ alone, for all } \beta_1, \beta_2 \in"
    r" [0, 1)",
    scope="one coordinate, epsilon = 0, 0 < beta_2 <= beta_1^2 < 1: with g_t = (beta_2/beta_1)^t the square"
    " of step t is at least (1 - beta_1)^2 t lr^2",
    sources=[section],
    expected="refuted",
    evidence="proved",
    corrected_by="adam.step.bound",
    rule=about("adam"),
)
def unbounded(rule: Rule) -> Decision:
    """For r = beta1^2/beta2 >= 1 the sum S_t of powers of r is at least t; the corrections take little."""
    adam_alone(rule)
    with unless(lambda: None):  # of another recurrence the sentence may be true
        show_aligned(rule)
        more = sp.Symbol("q", nonnegative=True)
        growth = (beta1**2 / beta2 * total - total).subs(beta2, beta1**2 / (1 + more))
        show_nonnegative(growth, "S_t - S_(t-1) - 1")
        spare = corrected_square(rule).subs(fall, beta2 * fall) / (1 - beta2) - 1
        show_nonnegative(sp.factor(spare), "what is left of the corrections", powers | domains(rule))
    return refuted(
        "for b2 <= b1^2 and g_t = (b2/b1)^t the square of step t is (1 - b1)^2/(1 - b2) S_t (1 - b2^t)/(1 -"
        " b1^t)^2 lr^2 with S_t >= t, at least (1 - b1)^2 t lr^2: it passes every bound",
        "proved",
    )


@claim(
    "adam.step.equal_betas",
    "With beta1 = beta2 no step of Adam is longer than lr.",
    statement=r"\beta_1 = \beta_2 \quad \Longrightarrow \quad \lvert \theta_t - \theta_{t-1} \rvert \le"
    r" \alpha, \qquad t = 1, 2, \dots",
    scope="each coordinate, every sequence of gradients, beta_1 = beta_2 in (0, 1), epsilon >= 0 outside the"
    " root, with bias correction, every t; attained by constant gradients for epsilon = 0",
    sources=[section],
    rule=about("adam"),
)
def equal_betas(rule: Rule) -> Decision:
    """m^2 <= (1 - beta^t) v: the square of a mean is at most the mean of the squares."""
    adam_alone(rule)
    with unless(lambda: _longer(rule, [trial for trial in TRIALS if trial[0] == trial[1]])):
        show_ratio_bounded(rule, lambda K: beta1 * K + 1 - beta1, equal=True)
        weight = 1 - kept
        show_equal(beta1 * weight + 1 - beta1, 1 - beta1 * kept, "K_t")
        rest = 1 - weight * corrected_square(rule).subs(fall, kept)
        show_nonnegative(sp.factor(rest), "what is left of the bound", powers)
    return holds("m_t^2 <= (1 - beta^t) v_t by induction, so the corrected moments have m_hat^2 <= v_hat")
