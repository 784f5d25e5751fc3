"""AdaGrad: how its rate falls, and its regret."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import sympy as sp

from optverify.claims._adaptive import claim, duchi, exact_run, exceeds, open_change, plain, told, words
from optverify.claims._claim import Decision, about, holds, refuted
from optverify.claims.adaptive import (
    accumulator,
    effective_rate,
    show_effective_rate,
    show_rate_falls_with_accumulator,
    step_rate,
)
from optverify.language import Rule, eps, grad, initial_accumulator, lr, t
from optverify.proof import (
    NotProved,
    domains,
    show_by_induction,
    show_equal,
    show_nonnegative,
    show_positive,
    unless,
)
from optverify.views.closed import closed_form

analysis = replace(duchi, where="Theorem 5 and Lemma 4, diagonal case")
EXACT = {"lr": sp.Rational(1, 2), "eps": 0, "initial_accumulator": 0}


@claim(
    "adagrad.rate_vanishes",
    "AdaGrad's learning rate always goes to zero in the end.",
    statement=r"\eta_t = \frac{\eta}{\sqrt{G_t}} \to 0 \quad \text{for every sequence of gradients}",
    scope="one coordinate, epsilon = 0, G_0 = 0, gradients 2^-t: the rate stays above sqrt(3) lr",
    sources=[duchi],
    expected="refuted",
    evidence="proved",
    corrected_by="adagrad.rate_decay",
    rule=about("adagrad"),
)
def rate_vanishes(rule: Rule) -> Decision:
    """G_t = (1 - 4^-t)/3 by induction, below 1/3, and the rate falls as G grows."""
    plain(rule, epsilon="outside", lr_schedule="constant")
    with unless(lambda: None):  # of another recurrence the sentence may be true
        G, form = accumulator(rule), closed_form(rule)[accumulator(rule).name]
        show_by_induction(
            lambda y, k: form.subs({G.before: y, grad: sp.Rational(1, 2) ** k, t: k}, simultaneous=True),
            sp.sympify(G.initial).subs(initial_accumulator, 0),
            lambda k: (1 - sp.Rational(1, 4) ** k) / 3,
            "G_t",
        )
        show_rate_falls_with_accumulator(rule)
        floor = -step_rate(rule).subs({G.now: sp.Rational(1, 3), eps: 0})
        if floor.has(t):
            raise NotProved(f"the rate falls with the time too: {floor}")
        show_positive(floor, "the rate at G = 1/3", domains(rule))
    return refuted(f"gradients 2^-t give G_t = (1 - 4^-t)/3 < 1/3, so every rate is above {floor}", "proved")


def _exact_run(rule: Rule, gradients: Sequence[Any]) -> list[sp.Expr]:
    """The parameters from theta_0 = 1 on."""
    return [state["theta"] for state in exact_run(rule, gradients, 1, **EXACT)]


def _rate_above(rule: Rule) -> str | None:
    """Look for a change of theta above lr |g|/(c sqrt(t)), c the smallest gradient; in words."""
    for gradients in ((1, -1, 1), (2, 1, 2), (2,), (-3, -3)):
        least = min(map(abs, gradients))
        thetas = _exact_run(rule, gradients)
        for k, (before, after) in enumerate(pairwise(thetas), 1):
            rate = sp.Abs(after - before) / abs(gradients[k - 1])
            if exceeds(rate, EXACT["lr"] / (least * sp.sqrt(k))):
                return f"gradients {words(gradients)} with {told(**EXACT)}: the rate of update {k} is {rate}"
    return None


@claim(
    "adagrad.rate_decay",
    "Where gradients stay away from zero AdaGrad's learning rate falls like 1/sqrt(t).",
    statement=r"\lvert g_s \rvert \ge c > 0 \text{ for all } s \le t \quad \Longrightarrow \quad \eta_t \le"
    r" \frac{\eta}{c \sqrt{t}}, \qquad \theta_t = \theta_{t-1} - \eta_t g_t",
    scope="each coordinate, gradients of either sign, any G_0 >= 0 and epsilon >= 0 outside the root,"
    " constant lr, every t >= 1",
    sources=[duchi],
    rule=about("adagrad"),
)
def rate_decay(rule: Rule) -> Decision:
    """G_t >= c^2 t by induction, and the rate falls as G grows."""
    plain(rule, epsilon="outside", lr_schedule="constant")
    with unless(lambda: _rate_above(rule)):
        G, within = accumulator(rule), domains(rule)
        form = closed_form(rule)[G.name]
        least, more = sp.Symbol("c", positive=True), sp.symbols("x y", nonnegative=True)
        show_nonnegative(sp.sympify(G.initial), "G_0", within)
        for sign in (1, -1):
            grown = form.subs({G.before: least**2 * (t - 1) + more[0], grad: sign * (least + more[1])})
            show_nonnegative(sp.expand(grown - least**2 * t), "G_t - c^2 t", within)
        show_effective_rate(rule)
        show_rate_falls_with_accumulator(rule, later=0)
        ratio = lr / (least * sp.sqrt(t)) / effective_rate(least**2 * t)
        show_nonnegative(sp.cancel(ratio) - 1, "the bound over the rate, less 1,", within)
    return holds("G_t >= c^2 t by induction, so the rate is at most lr/(c sqrt(t) + eps)")


# ---- the regret ------------------------------------------------------------------------------------------

root, rise = sp.Symbol("r", nonnegative=True), sp.Symbol("d", positive=True)
"""sqrt(G_{t-1}), and what the root grows by."""


def show_roots(rule: Rule) -> None:
    """Show G_t = G_{t-1} + g^2, from G_0 >= 0: then g^2 = d (2 r + d)."""
    G, within = accumulator(rule), domains(rule)
    show_equal(closed_form(rule)[G.name], G.before + grad**2, "G_t", within)
    show_nonnegative(sp.sympify(G.initial), "G_0", within)


def stepped(rule: Rule) -> sp.Expr:
    """The change of theta for epsilon = 0, in grad and the roots."""
    return open_change(rule).subs(eps, 0).subs(accumulator(rule).now, (root + rise) ** 2)


def in_roots(e: sp.Expr) -> sp.Expr:
    """e with even powers of the gradient as d (2 r + d)."""
    polynomial = sp.Poly(sp.expand(e), grad)
    return sp.Add(
        *(c * (rise * (2 * root + rise)) ** (k // 2) * grad ** (k % 2) for (k,), c in polynomial.terms())
    )


def _sum_above(
    rule: Rule, gain: Callable[..., sp.Expr], bound: Callable[..., sp.Expr], words_for: str
) -> str | None:
    """Look for gradients whose gains add up to more than the bound; in words."""
    for gradients in ((1,), (3, 4), (1, -1, 1), (-1, -2), (sp.Rational(1, 4), sp.Rational(1, 4)), (2, 1, 1)):
        thetas = _exact_run(rule, gradients)
        total = sp.Add(*(gain(g, a, b) for g, (a, b) in zip(gradients, pairwise(thetas), strict=True)))
        limit = bound(sp.sqrt(sum(g**2 for g in gradients)), thetas[:-1])
        if exceeds(total, limit):
            return (
                f"gradients {words(gradients)} from theta_0 = 1 with {told(**EXACT)}: {words_for} is {total},"
                f" above {limit}"
            )
    return None


@claim(
    "adagrad.lemma",
    "The steps of AdaGrad add up: the sum of g^2 over the root of the sum so far is at most twice the last"
    " root.",
    statement=r"\sum_{s \le t} \frac{g_s^2}{\sqrt{G_s}} = \frac{1}{\eta} \sum_{s \le t} g_s (\theta_{s-1} -"
    r" \theta_s) \le 2 \sqrt{G_t}, \qquad G_t = G_0 + \sum_{s \le t} g_s^2",
    scope="each coordinate, any gradients (the first one not 0), epsilon = 0, G_0 >= 0, constant lr, every t",
    sources=[analysis],
    rule=about("adagrad"),
)
def lemma(rule: Rule) -> Decision:
    """One update adds less to the left than to the right: the difference is a square over the root."""
    plain(rule, lr_schedule="constant")
    rate = EXACT["lr"]
    with unless(
        lambda: _sum_above(
            rule,
            lambda g, a, b: g * (a - b) / rate,
            lambda r, _: 2 * r,
            "the sum of g (theta_(s-1) - theta_s)/lr",
        )
    ):
        show_roots(rule)
        spare = 2 * rise - in_roots(-grad * stepped(rule) / lr)
        show_equal(spare, rise**2 / (root + rise), "what an update leaves", domains(rule))
        show_nonnegative(rise**2 / (root + rise), "what an update leaves")
    return holds("each update leaves (sqrt(G_t) - sqrt(G_(t-1)))^2/sqrt(G_t) >= 0 over")


@claim(
    "adagrad.regret",
    "AdaGrad's regret is at most (D^2/(2 lr) + lr) times the root of the sum of squared gradients.",
    statement=r"\sum_{s \le t} g_s (\theta_{s-1} - u) \le \left( \frac{D^2}{2 \eta} + \eta \right)"
    r" \sqrt{\sum_{s \le t} g_s^2}, \qquad \lvert \theta_{s-1} - u \rvert \le D \text{ for } s \le t",
    scope="each coordinate, so in d dimensions the sum over the coordinates; convex losses, by their linear"
    " lower bounds; any u; no projection; epsilon = 0, G_0 = 0, constant lr, first gradient not 0, every t",
    sources=[analysis],
    rule=about("adagrad"),
)
def regret(rule: Rule) -> Decision:
    """A potential: (D^2 - (theta - u)^2) r/(2 lr) + lr r grows by at least the regret of an update."""
    plain(rule, lr_schedule="constant")
    rate = EXACT["lr"]
    with unless(
        lambda: _sum_above(
            rule,
            lambda g, a, _: g * a,
            lambda r, x: (max(map(abs, x)) ** 2 / (2 * rate) + rate) * r,
            "the regret against u = 0",
        )
    ):
        show_roots(rule)
        offset, room = sp.Symbol("x", real=True), sp.Symbol("w", nonnegative=True)
        widest = offset**2 + room

        def potential(x: sp.Expr, r: sp.Expr) -> sp.Expr:
            return (widest - x**2) * r / (2 * lr) + lr * r

        gain = potential(offset + stepped(rule), root + rise) - potential(offset, root) - grad * offset
        spare = sp.factor(in_roots(gain))
        show_nonnegative(spare, "what the potential gains", domains(rule))
    return holds(
        f"the potential gains the regret of the update and {spare} more, with w = D^2 - (theta - u)^2 >= 0"
    )
