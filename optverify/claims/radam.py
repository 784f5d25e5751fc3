"""RAdam's first adaptive step."""

from __future__ import annotations

from functools import partial

import sympy as sp

from optverify.claims._adaptive import (
    claim,
    exceeds,
)
from optverify.claims._claim import Decision, about, holds
from optverify.language import Rule, Source, beta1, beta2, lr, t, theta
from optverify.proof import (
    NotProved,
    domains,
    show_equal,
    unless,
)
from optverify.views.open import open_form

liu = Source(
    "Liu et al.",
    2020,
    "On the variance of the adaptive learning rate and beyond",
    "Algorithm 2",
    "ICLR",
    arxiv="1908.03265",
)


def adaptive_gap(rule: Rule) -> sp.Expr:
    """How far rho_t is above the threshold, as a function of beta2 and t."""
    form = open_form(rule)[theta.now]
    if not form.is_Piecewise:
        raise NotProved("every step of this rule is of the same kind")
    condition = form.args[0][1]
    if not isinstance(condition, sp.core.relational.Relational):
        raise NotProved(f"the first case of the step is no comparison: {condition}")
    return condition.gts - condition.lts


def _gap_sign(rule: Rule, step: int) -> str | None:
    """Look for a step that is adaptive too early, or not yet at `step`, by numbers; in words."""
    gap = adaptive_gap(rule)
    for decay in (sp.Rational(9, 10), sp.Rational(99, 100), sp.Rational(1, 2)):
        for k in range(1, step + 1):
            value = gap.subs({beta2: decay, t: k})
            if k < step and value.is_positive:
                return f"beta2 = {decay}: rho_{k} is above the threshold by {value}"
            if k == step and decay > sp.Rational(1, 2) and value.is_nonpositive:
                return f"beta2 = {decay}: rho_{k} is not above the threshold, but {value} below it"
    return None


def show_sign_between(e: sp.Expr, x: sp.Symbol, low: sp.Rational, what: str) -> None:
    """Show that a rational function is > 0 for low <= x < 1 (0 < x if low = 0), by counting real roots."""
    if e.has(sp.zoo, sp.nan):
        raise NotProved(f"{what} is not defined: {e}")
    for part in sp.fraction(sp.cancel(e)):
        p = sp.Poly(part, x)
        ends = [end for end in (low, sp.Integer(1)) if p.eval(end) == 0 and (end == 1 or low == 0)]
        if p.count_roots(low, 1) > len(ends):
            raise NotProved(f"{what} changes its sign between {low} and 1: {part}")
    if not exceeds(e.subs(x, (low + 1) / 2), 0):
        raise NotProved(f"{what} is not positive at {(low + 1) / 2}")


def _first_adaptive(rule: Rule, step: int) -> Decision:
    with unless(partial(_gap_sign, rule, step)):
        gap = adaptive_gap(rule)
        if gap.free_symbols - {beta2, t}:
            raise NotProved(f"the threshold depends on more than beta2 and t: {gap}")
        plain = open_form(rule)[theta.now].args[1][0]
        momentum = theta.before - lr * rule.state("m").now / (1 - beta1**t)
        show_equal(plain, momentum, "a step that is not adaptive", domains(rule))
        for k in range(1, step):
            show_sign_between(-gap.subs(t, k), beta2, sp.Integer(0), f"the threshold less rho_{k}")
        show_sign_between(gap.subs(t, step), beta2, sp.Rational(9, 10), f"rho_{step} less the threshold")
    return holds(
        f"rho_t is at most the threshold for t < {step}, for every beta2, and above it at t = {step} for"
        f" beta2 >= 0.9 (no root of the rational function of beta2 lies between); else theta moves"
        f" by -lr m_hat"
    )


@claim(
    "radam.first_adaptive_step",
    "RAdam's first four steps are momentum with bias correction; the fifth is the first adaptive one.",
    statement=r"\rho_t \le 4 \text{ for } t \le 4, \qquad \rho_5 > 4 \text{ for } 0.9 \le \beta_2 < 1; \qquad"
    r" \theta_t = \theta_{t-1} - \alpha \hat{m}_t \text{ for } \rho_t \le 4",
    scope="every beta_2 in (0, 1) for the first four, beta_2 in [0.9, 1) for the fifth; threshold 4 as in the"
    " paper",
    sources=[liu],
    rule=about("radam"),
)
def radam_fifth(rule: Rule) -> Decision:
    """The condition of the adaptive case, as a rational function of beta2 at t = 1, ..., 5."""
    return _first_adaptive(rule, 5)


@claim(
    "radam.first_adaptive_step.five",
    "With the threshold 5 of the libraries RAdam's first adaptive step is the sixth.",
    statement=r"\rho_t \le 5 \text{ for } t \le 5, \qquad \rho_6 > 5 \text{ for } 0.9 \le \beta_2 < 1; \qquad"
    r" \theta_t = \theta_{t-1} - \alpha \hat{m}_t \text{ for } \rho_t \le 5",
    scope="every beta_2 in (0, 1) for the first five, beta_2 in [0.9, 1) for the sixth; threshold 5 as in"
    " PyTorch",
    sources=[liu],
    rule=about("radam", threshold="above_5"),
)
def radam_sixth(rule: Rule) -> Decision:
    """The condition of the adaptive case, as a rational function of beta2 at t = 1, ..., 6."""
    return _first_adaptive(rule, 6)
