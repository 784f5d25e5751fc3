"""Effective rates of Adam, AMSGrad and AdaBound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from optverify.claims._adaptive import (
    claim,
    exact_run,
    exact_values,
    exceeds,
    open_change,
    plain,
    reddi,
    symbols_of,
    told,
    words,
)
from optverify.claims._claim import Decision, about, holds, refuted
from optverify.language import Rule, Source, grad, t, theta
from optverify.proof import (
    NotProved,
    domains,
    show_by_smt,
    show_nonnegative,
    unless,
)
from optverify.views.open import open_form

SECONDS = 1.0
quarter = sp.Rational(1, 4)
root, more = sp.Symbol("r", positive=True), sp.Symbol("d", nonnegative=True)


# ---- AMSGrad ---------------------------------------------------------------------------------------------


def mean_rate(rule: Rule) -> sp.Expr:
    """What the first moment is multiplied with in the step, up to sign."""
    rate = -sp.diff(open_change(rule), rule.state("m").now)
    if rate.free_symbols & {grad, theta.before, rule.state("m").now}:
        raise NotProved(f"the step is no multiple of the first moment: its slope is {rate}")
    return rate


def rates_of(rule: Rule, gradients: Sequence[Any], **given: Any) -> list[sp.Expr]:
    """The rate of the first moment in each update of an exact run."""
    values, rate = exact_values(rule, **given), mean_rate(rule)
    numbers = {h.symbol: values[h.name] for h in rule.hyperparameters}
    history = exact_run(rule, gradients, 1, **given)[1:]
    now = [{s.now: state[s.name] for s in rule.states} for state in history]
    return [rate.subs({**numbers, **states, t: k}) for k, states in enumerate(now, 1)]


def rise(rule: Rule, gradients: Sequence[Any], corrected: bool = False, **given: Any) -> str | None:
    """Look for a rate above the one before; corrected: of the corrected first moment; in words."""
    rates = rates_of(rule, gradients, **given)
    if corrected:
        share = exact_values(rule, **given)["beta1"]
        rates = [rate * (1 - share**k) for k, rate in enumerate(rates, 1)]
    for k in range(1, len(rates)):
        if exceeds(rates[k], rates[k - 1]):
            values = told(**exact_values(rule, **given))
            return f"gradients {words(gradients)} with {values}: the rates are {words(rates)}"
    return None


def _must_rise(rule: Rule, gradients: Sequence[Any], **given: Any) -> Decision:
    found = rise(rule, gradients, **given)
    if found is None:
        raise NotProved("the rate does not rise in the run that was tried")
    return refuted(found)


@claim(
    "amsgrad.effective_rate",
    "AMSGrad's effective learning rate never rises, in any coordinate.",
    statement=r"\theta_t = \theta_{t-1} - r_t m_t, \quad r_t = \frac{\alpha}{\sqrt{v^{\max}_t} +"
    r" \epsilon} \quad \Longrightarrow \quad r_t \le r_{t-1}",
    scope="each coordinate, any gradients, constant lr, no bias correction as in the paper, every t; with"
    " epsilon = 0 from the first gradient other than 0 on",
    sources=[reddi("Algorithm 2 and section 4: the difference of the inverse rates is never negative")],
    evidence="decided by SMT",
    rule=about("amsgrad"),
)
def amsgrad_rate(rule: Rule) -> Decision:
    """The rate falls as the maximum grows, and a maximum never shrinks."""
    plain(rule, amsgrad="v", epsilon="outside", bias_correction="none")
    with unless(lambda: rise(rule, (2, 1, 1), eps=0) or rise(rule, (1, 2), eps=0)):
        rate, largest = mean_rate(rule), rule.state("v_max")
        if rate.free_symbols & {rule.state("v").now, largest.before, t}:
            raise NotProved(f"the rate {rate} depends on more than the maximum")
        ratio = rate.subs(largest.now, root**2) / rate.subs(largest.now, (root + more) ** 2)
        show_nonnegative(sp.cancel(ratio) - 1, "the ratio of a rate to a later one, less 1,", domains(rule))
        shown = open_form(rule)[largest.now] >= largest.before
        show_by_smt(shown, [], "v_max does not shrink", domains(rule), SECONDS)
    return holds("v_max_t >= v_max_(t-1), and the rate falls as it grows", "decided by SMT")


@claim(
    "adam.effective_rate",
    "Adam's effective learning rate never rises.",
    statement=r"\theta_t = \theta_{t-1} - r_t m_t, \quad r_t = \frac{\alpha}{\sqrt{v_t} + \epsilon}"
    r" \quad \Longrightarrow \quad r_t \le r_{t-1}",
    scope="one coordinate, no bias correction, beta_2 = 1/4, epsilon = 0, gradients 2 and then 1",
    sources=[reddi("section 3, where the proof of Kingma and Ba needs it")],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="amsgrad.effective_rate",
    rule=about("adam", bias_correction="none"),
)
def adam_rate(rule: Rule) -> Decision:
    """Two updates with shrinking gradients."""
    return _must_rise(rule, (2, 1), eps=0, beta2=quarter)


@claim(
    "amsgrad.corrected.effective_rate",
    "With bias correction, as PyTorch has AMSGrad, its effective learning rate never rises either.",
    statement=r"\theta_t = \theta_{t-1} - r_t \hat{m}_t, \quad r_t = \frac{\alpha}{\sqrt{v^{\max}_t/(1"
    r" - \beta_2^t)} + \epsilon} \quad \Longrightarrow \quad r_t \le r_{t-1}",
    scope="one coordinate, maximum of v and then bias correction of both moments, epsilon = 0, gradients 1"
    " and then 0: the maximum stays, its correction falls",
    sources=[reddi("Algorithm 2, which does not correct")],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="amsgrad.effective_rate",
    rule=about("adam", amsgrad="v"),
)
def corrected_amsgrad_rate(rule: Rule) -> Decision:
    """One gradient, and then nothing."""
    plain(rule, amsgrad="v", epsilon="outside", bias_correction="both")
    return _must_rise(rule, (1, 0), corrected=True, eps=0)


# ---- AdaBound --------------------------------------------------------------------------------------------


@claim(
    "adabound.band",
    "AdaBound's learning rates lie in a band that closes on final_lr.",
    statement=r"\alpha^* \left( 1 - \frac{1}{\gamma t + 1} \right) \le r_t \le \alpha^* \left( 1 +"
    r" \frac{1}{\gamma t} \right), \qquad \theta_t = \theta_{t-1} - r_t m_t, \qquad t = 1, 2, \dots",
    scope="each coordinate, any gradients, any lr, without the further decay by 1/sqrt(t), every t; both ends"
    " go to final_lr",
    sources=[
        Source(
            "Luo, Xiong, Liu and Sun",
            2019,
            "Adaptive gradient methods with dynamic bound of learning rate",
            "Algorithm 2, with the bounds of the experiments",
            "ICLR",
            arxiv="1902.09843",
        )
    ],
    evidence="decided by SMT",
    rule=about("adabound", step_decay="none"),
)
def adabound_band(rule: Rule) -> Decision:
    """What the first moment is multiplied with, between the two ends, for every second moment."""
    plain(rule, amsbound=False, band="fixed", step_decay="none", bias_correction="none")
    rate, names = mean_rate(rule), symbols_of(rule)
    end, speed, time = names["final_lr"], names["gamma"], sp.Symbol("t", integer=True, positive=True)
    low, high = end * (1 - 1 / (speed * time + 1)), end * (1 + 1 / (speed * time))
    found = rate.subs(t, time)
    for bound, shown in (("lower", found >= low), ("upper", found <= high)):
        show_by_smt(shown, [time >= 1], f"the {bound} end of the band", domains(rule), SECONDS)
    width = sp.factor(high - low)
    show_nonnegative(sp.factor(2 * end / (speed * time) - width), "the limit of the width", domains(rule))
    return holds("the rate is cut to the band, whose width is below 2 final_lr/(gamma t)", "decided by SMT")
