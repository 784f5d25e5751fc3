r"""Convex functions with kinks: the subgradient method, online gradient descent, Polyak's step.

With x* = 0 and f* = 0 a subgradient g at x satisfies <g, x> >= f(x); |g| <= G.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import sympy as sp

from optverify.claims._certificates import LAST_ITERATE, SUBGRADIENT
from optverify.claims._claim import (
    Decision,
    about,
    claim,
    holds,
    refuted,
    trial_in_words,
    trial_values,
)
from optverify.claims._convex import (
    Broken,
    R,
    Trial,
    exact_run,
    falsified,
    gap_above,
    kinked,
    plain_step,
    quadratic,
)
from optverify.claims._convex_sources import (
    hazan_kakade,
    kelley,
    linear_decay,
    nesterov_nonsmooth,
    pepit,
    polyak_unsmooth,
    zamani_glineur,
    zinkevich,
)
from optverify.language import Rule, grad, lr, theta
from optverify.language.operators import norm
from optverify.proof import NotProved, show_equal, show_nonnegative, unless
from optverify.views.closed import closed_form

x, g, f = sp.symbols("x g f", real=True)
G = sp.Symbol("G", positive=True)
n = sp.Symbol("n", positive=True)  # t + 1
HALF = sp.Rational(1, 2)


def _trials() -> list[Trial]:
    """Two slopes, starts on either side, and one at the minimum."""
    near = [kinked(1), kinked(1, 3), kinked(HALF, 3)]
    return [*near, kinked(3), kinked(1, 0, -1), kinked(1, 0, HALF), kinked(1, 0, 0)]


def best_above(bound: Callable[[int, Trial], Any]) -> Broken:
    """Broken where the smallest f(theta_i) - f* up to theta_k exceeds bound(k, trial)."""

    def broken(trial: Trial, thetas: list[sp.Expr]) -> str | None:
        best = sp.oo
        for k, at in enumerate(thetas):
            best = min(best, trial.value(at))
            if best > (limit := bound(k, trial)):
                return f"the best gap up to theta_{k} is {best} > {limit}"
        return None

    return broken


# ---- the subgradient method ----------------------------------------------------------------------------


@claim(
    "gd.subgradient.best",
    "The best iterate of the subgradient method closes the gap like 1/sqrt(t), with the right constant step.",
    statement=r"\min_{0 \le k \le t} f(\theta_k) - f^\ast \le \frac{\lVert \theta_0 - \theta^\ast"
    r" \rVert^2}{2 \eta (t + 1)} + \frac{\eta G^2}{2}, \quad \text{which is} \quad \frac{G \, \lVert"
    r" \theta_0 - \theta^\ast \rVert}{\sqrt{t + 1}} \quad \text{for} \quad \eta = \frac{\lVert \theta_0 -"
    r" \theta^\ast \rVert}{G \sqrt{t + 1}}",
    scope="every convex f with subgradients of length at most G and a minimum, any dimension, any choice of"
    " subgradients, every lr > 0, every t; the best of the iterates, not the last",
    sources=[nesterov_nonsmooth, zinkevich],
    rule=about("gd"),
)
def subgradient_best(rule: Rule) -> Decision:
    """The squared distance falls by 2 lr (f - f*) - lr^2 G^2 a step, t + 1 times; it stays nonnegative."""
    above = best_above(lambda k, trial: trial.far / (k + 1) + HALF * HALF * _steepest(trial) ** 2)
    with unless(lambda: falsified(rule, _trials(), 6, {"lr": HALF}, above)):
        made = plain_step(rule)(x, g)
        fall = x**2 - made**2 - (2 * lr * f - lr**2 * G**2)
        rest = fall - 2 * lr * (g * x - f) - lr**2 * (G**2 - g**2)
        show_equal(sp.expand(rest), 0, "what the inequalities leave over")
        bound = R**2 / (2 * lr * n) + lr * G**2 / 2
        show_equal(bound.subs(lr, R / (G * sp.sqrt(n))), G * R / sp.sqrt(n), "the bound at the best lr")
    return holds(
        "|theta_k - theta*|^2 falls by at least 2 lr (f_k - f*) - lr^2 G^2; summed over k = 0, ..., t the"
        " mean gap is at most R^2/(2 lr (t + 1)) + lr G^2/2"
    )


def _steepest(trial: Trial) -> sp.Expr:
    return sp.Abs(trial.slope(trial.minimum + 1))


@claim(
    "gd.subgradient.dual",
    "The 1/sqrt(t) rate of the subgradient method follows from finitely many inequalities between its"
    " points.",
    statement=r"\min_{0 \le k \le t} f(\theta_k) - f^\ast \le \frac{G \, \lVert \theta_0 - \theta^\ast"
    r" \rVert}{\sqrt{t + 1}}, \qquad \eta = \frac{\lVert \theta_0 - \theta^\ast \rVert}{G \sqrt{t + 1}},"
    r" \quad t = 3, 8",
    scope="every convex f with subgradients of length at most G and a minimum, any dimension, t = 3 and t ="
    " 8",
    sources=[pepit, nesterov_nonsmooth],
    evidence="exact certificate",
    rule=about("gd"),
)
def subgradient_dual(rule: Rule) -> Decision:
    """Stored multipliers over the Gram matrices of the rule's own points."""
    above = best_above(lambda k, trial: HALF / 2 if k == 3 else sp.oo)
    with unless(lambda: falsified(rule, _steep_trials(), 3, {"lr": HALF / 2}, above)):
        SUBGRADIENT.show(rule)
    return holds(
        "weights 1/(t+1) on the inequalities from the minimum and lr/(2(t+1)) on |g| <= G leave a positive"
        " semidefinite Gram matrix (exact LDL) for t = 3 and t = 8",
        "exact certificate",
    )


def _steep_trials() -> list[Trial]:
    """Slope 1 from distance 1/2, on either side."""
    return [kinked(1, centre, centre + side) for centre in (0, 3) for side in (HALF, -HALF)]


@claim(
    "gd.subgradient.tight",
    "No step sizes make the subgradient method faster than G R/sqrt(t + 1).",
    statement=r"\min_{0 \le k \le t} f(\theta_k) - f^\ast = \frac{G \, \lVert \theta_0 - \theta^\ast"
    r" \rVert}{\sqrt{t + 1}} \quad \text{for} \quad f(x) = \max \left( G x_1, \dots, G x_{t+1}, -\frac{G"
    r" R}{\sqrt{t + 1}} \right), \quad \theta_0 = 0, \quad \eta_1, \dots, \eta_t > 0",
    scope="one function for each horizon t, dimension t + 1, a subgradient of the largest coordinate not"
    " seen before, any lr > 0 at each step, every t",
    sources=[nesterov_nonsmooth, kelley],
    rule=about("gd"),
)
def subgradient_tight(rule: Rule) -> Decision:
    """One coordinate of each step moves, down; after t steps one of the t + 1 is still 0."""
    with unless(lambda: _coordinates_missed(rule)):
        step, zero = plain_step(rule), sp.Integer(0)
        show_equal(step(zero, zero), 0, "a coordinate that was never chosen")
        show_equal(step(zero, G), -lr * G, "a coordinate when it is chosen")
        show_equal(step(x, zero), x, "a coordinate afterwards")
        # theta* has all coordinates -R/sqrt(n), n = t + 1
        show_equal(sp.sqrt(n * (R / sp.sqrt(n)) ** 2), R, "the distance to the minimum")
    return holds(
        "after k <= t steps k coordinates are -lr G and the others 0, so f(theta_k) = 0; the minimum -G"
        " R/sqrt(t + 1) is at distance R"
    )


def _coordinates_missed(rule: Rule) -> str | None:
    """Look for an iterate on the function of 4 coordinates with G = R = 1 that is not as stated; in words."""
    paths = [exact_run(rule, [int(i == k) for k in range(3)], 0, {}) for i in range(4)]
    values = [max(*(p[k] for p in paths), -HALF) for k in range(4)]
    if min(values) != 0:
        found = ", ".join(map(str, values))
        return f"with t = 3, G = R = 1 and {trial_in_words(rule)}: f = {found}, not 0 throughout"
    return None


@claim(
    "gd.subgradient.last",
    "With a step size that decays linearly to zero, the last iterate of the subgradient method is as good as"
    " any.",
    statement=r"f(\theta_t) - f^\ast \le \frac{G \, \lVert \theta_0 - \theta^\ast \rVert}{\sqrt{t + 1}},"
    r" \qquad \eta_k = \frac{\lVert \theta_0 - \theta^\ast \rVert}{G \sqrt{t + 1}} \left( 1 - \frac{k}{t +"
    r" 1} \right), \quad k = 1, \dots, t, \quad t = 3, 8",
    scope="every convex f with subgradients of length at most G and a minimum, any dimension, t = 3 and t ="
    " 8; by gd.subgradient.tight no step sizes do better",
    sources=[zamani_glineur, linear_decay],
    evidence="exact certificate",
    rule=about("gd"),
)
def subgradient_last(rule: Rule) -> Decision:
    """Stored multipliers over the Gram matrices of the rule's own points."""
    values = {"lr": lambda k: sp.Rational(4 - k, 16)}
    above = gap_above(lambda k, trial: HALF / 2 if k == 3 else sp.oo)
    with unless(lambda: falsified(rule, _steep_trials(), 3, values, above)):
        LAST_ITERATE.show(rule)
    return holds(
        "for t = 3 and t = 8 nonnegative multipliers between all pairs of points leave a positive"
        " semidefinite Gram matrix (exact LDL)",
        "exact certificate",
    )


@claim(
    "gd.subgradient.constant_step",
    "On a convex function gradient descent converges to the minimum if its constant step size is small"
    " enough.",
    statement=r"\theta_t \to \theta^\ast \quad \text{for} \quad f(x) = \lvert x \rvert, \; 0 < \eta < \eta_0",
    scope="f(x) = |x| in dimension 1, from lr/2 for every lr > 0; also from 1 for every lr = 2/(2n + 1)",
    sources=[nesterov_nonsmooth],
    expected="refuted",
    evidence="proved",
    corrected_by="gd.subgradient.best",
    rule=about("gd"),
)
def subgradient_cycle(rule: Rule) -> Decision:
    """From lr/2 the step leads to -lr/2 and back, for symbolic lr."""
    with unless(lambda: None):
        step = plain_step(rule)
        show_equal(step(lr / 2, 1), -lr / 2, "theta_1")
        show_equal(step(-lr / 2, -1), lr / 2, "theta_2")
        show_equal(step(x, 1), x - lr, "theta_1 from x > 0")
    return refuted(
        "from theta_0 = lr/2: theta_1 = -lr/2, theta_2 = lr/2, for ever; lr = 1/2: 1/4, -1/4, 1/4. From 1"
        " with lr = 2/(2n + 1), however small, n steps lead to lr/2",
        "proved",
    )


# ---- online ---------------------------------------------------------------------------------------------


@claim(
    "gd.online.regret",
    "Online gradient descent has regret of order sqrt(T) against every fixed point.",
    statement=r"\sum_{t=1}^{T} \left( f_t(\theta_{t-1}) - f_t(u) \right) \le \frac{\lVert \theta_0 - u"
    r" \rVert^2}{2 \eta} + \frac{\eta G^2 T}{2}, \quad \text{which is} \quad G D \sqrt{T} \quad \text{for}"
    r" \quad \eta = \frac{D}{G \sqrt{T}}, \; D = \lVert \theta_0 - u \rVert",
    scope="any convex losses f_1, f_2, ..., chosen in any way, with subgradients of length at most G; every"
    " u, any dimension, every lr > 0, every T; no constraint set",
    sources=[zinkevich],
    rule=about("gd"),
)
def regret(rule: Rule) -> Decision:
    """The identity of one step, summed; f_t(theta) - f_t(u) <= <g_t, theta - u>."""
    with unless(lambda: _regret_above(rule)):
        u = sp.Symbol("u", real=True)
        made = plain_step(rule)(x, g)
        telescoped = ((x - u) ** 2 - (made - u) ** 2) / (2 * lr) + lr * g**2 / 2
        show_equal(
            sp.expand(g * (x - u) - telescoped), 0, "the linear regret of a step beyond what is stated"
        )
        bound = R**2 / (2 * lr) + lr * G**2 * n / 2
        show_equal(bound.subs(lr, R / (G * sp.sqrt(n))), G * R * sp.sqrt(n), "the bound at the best lr")
    return holds(
        "<g, theta - u> = (|theta - u|^2 - |theta' - u|^2)/(2 lr) + lr |g|^2/2 at every step, summed over T"
        " of them"
    )


def _regret_above(rule: Rule) -> str | None:
    """Look for linear losses and a u at distance 1 or 0 with more regret than stated; in words."""
    for gradients in ([1] * 6, [-1] * 6, [1, -1] * 3, [0, 1, -1]):
        for start in (0, 2):
            thetas = exact_run(rule, gradients, start, {"lr": HALF})
            for far in (-1, 0, 1):
                total = sum(w * (a - start - far) for w, a in zip(gradients, thetas, strict=False))
                bound = far**2 + sp.Rational(len(gradients), 4)
                if total > bound:
                    losses = ", ".join(f"{w} x" for w in gradients)
                    given = f"losses {losses} from {start}, lr = 1/2, u = {start + far}"
                    return f"{given}: the regret is {total} > {bound}"
    return None


# ---- Polyak's step -------------------------------------------------------------------------------------

gap, length = sp.Symbol("gap", nonnegative=True), sp.Symbol("length", positive=True)


def _polyak_weight(rule: Rule) -> sp.Expr:
    """w of theta_t = theta_{t-1} - w g for eps = 0 and g not 0; shows that nothing moves at g = 0."""
    if rule.states or rule.inputs or rule.gradient_point != theta.before:
        raise NotProved("the proof is for rules without states, with the gradient at theta_{t-1}")
    values = {h.symbol: sp.Integer(0) for h in rule.hyperparameters if h.name == "eps"}
    hyper = {h.name: h.symbol for h in rule.hyperparameters}
    if {"loss", "f_min"} - set(hyper):
        raise NotProved("the proof is for rules that are given the loss and its smallest value")
    values[hyper["loss"]] = hyper["f_min"] + gap
    step = closed_form(rule)["theta"].subs(values)
    at_rest = step.subs({norm(grad): 0, grad: 0})
    show_equal(at_rest, theta.before, "theta_t where the gradient is 0")
    step = step.subs(norm(grad), length)
    weight = -sp.expand(step).coeff(grad)
    if step.has(norm) or weight.has(theta.before, grad):
        raise NotProved("the step is no multiple of the gradient by a number")
    show_equal(sp.expand(step), theta.before - weight * grad, "theta_t")
    return weight


def _polyak_run(rule: Rule, trial: Trial, rate: sp.Rational, updates: int) -> list[sp.Expr]:
    """theta_0, theta_1, ... in dimension 1, with the loss at each; f_min = 1 to see who forgets it."""
    form = closed_form(rule)["theta"].replace(norm, sp.Abs)
    values = {h.symbol: v for h, v in zip(rule.hyperparameters, trial_values(rule).values(), strict=True)}
    fixed = {"lr": rate, "eps": sp.Integer(0), "f_min": sp.Integer(1)}
    values |= {h.symbol: fixed[h.name] for h in rule.hyperparameters if h.name in fixed}
    loss = next((h.symbol for h in rule.hyperparameters if h.name == "loss"), None)
    thetas = [trial.start]
    for _ in range(updates):
        at = thetas[-1]
        here = {theta.before: at, grad: trial.slope(at), loss: 1 + trial.value(at)}
        thetas.append(form.subs({**values, **{k: v for k, v in here.items() if k is not None}}))
    return thetas


def _polyak_fails(rule: Rule, trials: list[Trial], rate: Any, broken: Broken, updates: int) -> str | None:
    """Look for a function on which Polyak steps are not as stated; in words."""
    if rule.states or rule.inputs or {f.func for f in rule.operators} - {norm}:
        return None
    for trial in trials:
        thetas = _polyak_run(rule, trial, rate, updates)
        if any(not at.is_Rational for at in thetas):
            return f"on {trial.words} from {trial.start} with lr = {rate} the run reaches {thetas[-1]}"
        if found := broken(trial, thetas):
            return f"on {trial.words} from {trial.start} with lr = {rate}, {found}"
    return None


def _distance_kept(rate: sp.Rational) -> Broken:
    def broken(trial: Trial, thetas: list[sp.Expr]) -> str | None:
        for k, (a, b) in enumerate(pairwise(thetas), 1):
            slope = trial.slope(a)
            fall = rate * (2 - rate) * trial.value(a) ** 2 / slope**2 if slope else 0
            before, after = (a - trial.minimum) ** 2, (b - trial.minimum) ** 2
            if after > before - fall:
                return f"the squared distance is {after} after update {k}, more than {before - fall}"
        return None

    return broken


@claim(
    "polyak_step.distance",
    "A Polyak step never moves away from a minimum of a convex function.",
    statement=r"\lVert \theta_t - \theta^\ast \rVert^2 \le \lVert \theta_{t-1} - \theta^\ast \rVert^2 -"
    r" \gamma (2 - \gamma) \frac{(f(\theta_{t-1}) - f^\star)^2}{\lVert \nabla f(\theta_{t-1}) \rVert^2},"
    r" \qquad 0 < \gamma \le 2",
    scope="every convex f with minimum f*, smooth or not, any subgradient that is not 0 (at 0 nothing"
    " moves), any dimension, eps = 0, every lr in (0, 2], every step",
    sources=[polyak_unsmooth, hazan_kakade],
    rule=about("polyak_step"),
)
def polyak_distance(rule: Rule) -> Decision:
    """The step is w g with w = lr (f - f*)/|g|^2 >= 0, and <g, theta - theta*> >= f - f*."""
    trials = [*_trials(), quadratic(2), quadratic(1, 3), kinked(2, 3)]
    with unless(lambda: _polyak_fails(rule, trials, HALF, _distance_kept(HALF), 2)):
        _show_polyak(rule)
    return holds(
        "|theta - w g - theta*|^2 = |theta - theta*|^2 - 2 w <g, theta - theta*> + w^2 |g|^2 with w = lr (f -"
        " f*)/|g|^2"
    )


def _show_polyak(rule: Rule) -> None:
    weight = _polyak_weight(rule)
    show_nonnegative(weight, "the step over the gradient")
    fall = 2 * weight * gap - weight**2 * length**2
    show_equal(fall, lr * (2 - lr) * gap**2 / length**2, "the fall of the squared distance")


@claim(
    "polyak_step.rate",
    "With Polyak steps the best iterate closes the gap like 1/sqrt(t), without knowing distance or slope.",
    statement=r"\min_{0 \le k \le t} f(\theta_k) - f^\star \le \frac{G \, \lVert \theta_0 - \theta^\ast"
    r" \rVert}{\sqrt{t + 1}}, \qquad \gamma = 1",
    scope="every convex f with minimum f* and subgradients of length at most G, any dimension, eps = 0,"
    " every t",
    sources=[polyak_unsmooth, hazan_kakade],
    rule=about("polyak_step"),
)
def polyak_rate(rule: Rule) -> Decision:
    """The squared distance falls by (f - f*)^2/G^2 or more at each of t + 1 steps."""
    above = best_above(lambda k, trial: _steepest(trial) * sp.sqrt(trial.far / (k + 1)))
    with unless(lambda: _polyak_fails(rule, [*_trials(), kinked(2, 3)], sp.Integer(1), above, 6)):
        _show_polyak(rule)
        show_equal((lr * (2 - lr)).subs(lr, 1), 1, "the factor of the fall")
        one = sp.Symbol("rest", nonnegative=True)  # G = length + rest
        show_nonnegative(
            sp.factor(gap**2 / length**2 - gap**2 / (length + one) ** 2), "the fall beyond (f - f*)^2/G^2"
        )
    return holds("(t + 1) min (f_k - f*)^2/G^2 <= sum of the falls <= |theta_0 - theta*|^2")
