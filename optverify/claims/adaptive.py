"""Effective learning rates of adaptive rules."""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy as sp

from optverify.claims._adaptive import (
    change,
    changes,
    claim,
    duchi,
    exact_values,
    exceeds,
    positive_size,
    show_scaling,
    tieleman,
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
    trial_in_words,
    trial_values,
)
from optverify.language import Rule, Source, State, eps, grad, initial_accumulator, lr, rho, t, theta
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
from optverify.views.open import open_form
from optverify.views.run import run

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


def show_rate_falls_with_accumulator(rule: Rule, later: int = 1) -> None:
    """Show |rate| at (G, t) >= |rate| at (G', t + later) for all G <= G', for G > 0 or eps > 0.

    In terms of the roots r = sqrt(G) <= r + d = sqrt(G'), by the ratio of the two and its square.
    """
    rate, now, within = step_rate(rule), accumulator(rule).now, domains(rule)
    gap, some = sp.Symbol("d", nonnegative=True), sp.Symbol("r", positive=True)
    updates = sp.Symbol("j", integer=True, nonnegative=True)
    for root, epsilon in ((some, eps), (sp.Integer(0), some)):
        before = rate.subs({now: root**2, t: updates + 1, eps: epsilon})
        after = rate.subs({now: (root + gap) ** 2, t: updates + 1 + later, eps: epsilon})
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
    corrected_by="rmsprop.effective_rate.rises",
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


@claim(
    "rmsprop.effective_rate.rises",
    "RMSProp's effective learning rate rises where the squared gradient is below its mean so far, and falls"
    " where it is above.",
    statement=r"\eta_t > \eta_{t-1} \; \Longleftrightarrow \; g_t^2 < v_{t-1}, \qquad \eta_t < \eta_{t-1} \;"
    r" \Longleftrightarrow \; g_t^2 > v_{t-1}, \qquad \eta_t = \frac{\eta}{\sqrt{v_t} + \epsilon}",
    scope="each coordinate, any gradients, constant lr, rho in [0, 1), epsilon >= 0 outside the root, every"
    " t; with epsilon = 0 where neither v_t nor v_(t-1) is 0",
    sources=[tieleman],
    rule=about("rmsprop"),
)
def rmsprop_rises(rule: Rule) -> Decision:
    """v_t - v_(t-1) has the sign of g_t^2 - v_(t-1), and the rate falls strictly as v grows."""
    in_scope(rule, epsilon="outside", weight_decay_form="none", maximize=False, centered=False, buffer="none")
    with unless(partial(_rate_against_gradient, rule)):
        v, within = accumulator(rule), domains(rule)
        show_effective_rate(rule)
        growth = (1 - rho) * (grad**2 - v.before)
        show_equal(closed_form(rule)[v.name] - v.before, growth, "the growth of v", within)
        show_positive(1 - rho, "1 - rho", within)
        root, gap = sp.Symbol("r", nonnegative=True), sp.Symbol("d", positive=True)
        fall = sp.factor(effective_rate(root**2) - effective_rate((root + gap) ** 2))
        show_positive(fall * (root + eps) / lr, "the fall of the rate", within)
    return holds("v_t - v_(t-1) = (1 - rho)(g_t^2 - v_(t-1)), and the rate falls as v grows")


def _rate_against_gradient(rule: Rule) -> str | None:
    """Look for an update whose rate goes the other way than stated; in words."""
    if len(rule.states) != 1:
        return None
    rate, v = step_rate(rule), accumulator(rule)
    numbers = {h.symbol: trial_values(rule)[h.name] for h in rule.hyperparameters}
    for gradients in ((2, 1), (1, 2), (2, 2, -2), (sp.Rational(1, 2), 0)):
        _, *history = run(rule, gradients, start=1, values=trial_values(rule))
        rates = [-rate.subs({**numbers, v.now: s[v.name], t: k}) for k, s in enumerate(history, 1)]
        for k in range(1, len(rates)):
            old = history[k - 1][v.name]
            if sp.sign(rates[k] - rates[k - 1]) != sp.sign(old - sp.sympify(gradients[k]) ** 2):
                given = f"gradients {words(gradients)} with {trial_in_words(rule)}"
                return f"{given}: v_{k} = {old}, and the rates are {words(rates)}"
    return None


# ---- which coordinates get which rates -------------------------------------------------------------------


def show_accumulator_follows(rule: Rule) -> None:
    """Show that a larger accumulator and a gradient larger in size give a larger accumulator."""
    G, within = accumulator(rule), domains(rule)
    form = closed_form(rule)[G.name]
    if form.has(t):
        raise NotProved(f"the accumulator depends on the time: {form}")
    more, further, least = sp.symbols("a x h", nonnegative=True)
    for one, two in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        larger = form.subs({G.before: G.before + more, grad: one * (least + further)})
        growth = sp.factor(larger - form.subs(grad, two * least))
        show_nonnegative(growth, "the growth of the accumulator", within)


def _rates_out_of_order(rule: Rule) -> str | None:
    """Look for larger gradients that get a larger rate; in words."""
    values = exact_values(rule, eps=0, initial_accumulator=0)
    rate, G = step_rate(rule), accumulator(rule)
    numbers = {h.symbol: values[h.name] for h in rule.hyperparameters}
    for small, large in (((1, 1), (2, 3)), ((1, 2), (1, 3)), ((sp.Rational(1, 3),), (sp.Rational(1, 2),))):
        rates = []
        for gradients in (small, large):
            last = run(rule, gradients, start=1, values=values)[-1][G.name]
            rates.append(sp.Abs(rate.subs({**numbers, G.now: last, t: len(gradients)})))
        if exceeds(rates[1], rates[0]):
            return f"gradients {words(small)} get the rate {rates[0]}, {words(large)} the rate {rates[1]}"
    return None


@claim(
    "adaptive.rates.ordered",
    "Coordinates with larger gradients get smaller learning rates.",
    statement=r"\lvert g_s \rvert \ge \lvert h_s \rvert \text{ for all } s \le t \quad \Longrightarrow \quad"
    r" \eta_t(g_1, \dots, g_t) \le \eta_t(h_1, \dots, h_t), \qquad \theta_t = \theta_{t-1} - \eta_t g_t",
    scope="AdaGrad and RMSProp, two coordinates with gradients g and h, the same lr, epsilon and start, every"
    " t; with epsilon = 0 from the first gradient other than 0 on",
    sources=[duchi, tieleman],
    adagrad=about("adagrad"),
    rmsprop=about("rmsprop"),
)
def rates_ordered(adagrad: Rule, rmsprop: Rule) -> Decision:
    """The accumulator grows with the size of every gradient, and the rate falls as it grows."""
    for rule in (adagrad, rmsprop):
        with unless(partial(_rates_out_of_order, rule)):
            show_accumulator_follows(rule)
            show_rate_falls_with_accumulator(rule, later=0)
    return holds(
        "by induction the accumulator is the larger one, and the rate falls as the accumulator grows"
    )


@claim(
    "adaptive.steps.ordered",
    "Coordinates with larger gradients make smaller steps.",
    statement=r"\lvert g_s \rvert \ge \lvert h_s \rvert \text{ for all } s \le t \quad \Longrightarrow \quad"
    r" \eta_t(g) \lvert g_t \rvert \le \eta_t(h) \lvert h_t \rvert",
    scope="AdaGrad and RMSProp, epsilon = 0, two updates, gradients 1, 1 and 1, 2: the rate falls by less"
    " than the gradient grows",
    sources=[duchi, tieleman],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="adaptive.rates.ordered",
    adagrad=about("adagrad"),
    rmsprop=about("rmsprop"),
)
def steps_ordered(adagrad: Rule, rmsprop: Rule) -> Decision:
    """Two histories that differ in the last gradient."""
    found = []
    for rule in (adagrad, rmsprop):
        small, large = (
            sp.Abs(changes(rule, gradients, lr=1, eps=0, initial_accumulator=0)[-1])
            for gradients in ((1, 1), (1, 2))
        )
        if not exceeds(large, small):
            raise NotProved(f"{rule.name}: the steps that were tried are {small} and {large}")
        found.append(f"{rule.name} makes steps of {small} and {large}")
    return refuted(
        f"after gradients 1, 1 and 1, 2 with lr = 1, rho = {exact_values(rmsprop)['rho']}:"
        f" {' and '.join(found)}"
    )


# ---- least squares ---------------------------------------------------------------------------------------

wilson = Source(
    "Wilson, Roelofs, Stern, Srebro and Recht",
    2017,
    "The marginal value of adaptive gradient methods in machine learning",
    "Lemma 3.1 and the example of section 3.3",
    "NeurIPS",
    arxiv="1705.08292",
)
POWERS = {"m": 1, "v": 2, "G": 2}


def _coordinates_differ(rule: Rule) -> str | None:
    """Look for a step that depends on the size of the gradients, or not on their sign; in words."""
    base, values = (1, -2), exact_values(rule, eps=0, initial_accumulator=0)
    first = changes(rule, base, **values)
    for scale in (2, -1):
        for one, two in zip(first, changes(rule, [scale * g for g in base], **values), strict=True):
            if (two - sp.sign(scale) * one).is_zero is False:
                return (
                    f"gradients {words(base)} and {scale} times those make the steps {one} and {two} with"
                    f" {told(**values)}"
                )
    return None


def show_signs_alone(rules: tuple[Rule, ...]) -> None:
    """Show that gradients times c > 0 leave the steps alone, and gradients times -1 turn them round."""
    for rule in rules:
        with unless(partial(_coordinates_differ, rule)):
            show_scaling(rule, positive_size, POWERS, step=1)
            show_scaling(rule, sp.Integer(-1), POWERS, step=-1)


@claim(
    "adaptive.least_squares.line",
    "On least squares with X sign(X'y) = c y AdaGrad, RMSProp and Adam stay on the line of sign(X'y).",
    statement=r"X \, \mathrm{sign}(X^\top y) = c \, y, \; \theta_0 = 0 \quad \Longrightarrow \quad \theta_t"
    r" \in \mathbb{R} \; \mathrm{sign}(X^\top y), \qquad f(\theta) = \frac{1}{2} \lVert X \theta - y"
    r" \rVert^2, \quad t = 0, 1, \dots",
    scope="any number of rows and columns, X'y without zeros, full gradients, epsilon = 0, zero start, every"
    " t; where they converge to a solution it is sign(X'y)/c",
    sources=[wilson],
    adagrad=about("adagrad"),
    rmsprop=about("rmsprop"),
    adam=about("adam"),
)
def least_squares_line(**rules: Rule) -> Decision:
    """On the line all gradients are multiples of X'y, and steps depend on their signs alone."""
    show_signs_alone(tuple(rules.values()))
    return holds(
        "at theta = a sign(X'y) the gradient is (a c - 1) X'y; scaling one coordinate's gradients by |X'y|_i"
        " leaves its steps alone and its sign turns them, so all coordinates move by +-the same amount"
    )


@claim(
    "adaptive.least_squares.least_norm",
    "On underdetermined least squares adaptive methods find the solution of least norm, as gradient descent"
    " does.",
    statement=r"\theta_0 = 0 \quad \Longrightarrow \quad \theta_t \to \text{the solution of least norm of } X"
    r" \theta = y",
    scope="AdaGrad, RMSProp and Adam with epsilon = 0; X = (1, 2), y = 1: they stay on the line of (1, 1),"
    " with the solution (1/3, 1/3), while the one of least norm is (1/5, 2/5)",
    sources=[wilson],
    expected="refuted",
    evidence="proved",
    corrected_by="adaptive.least_squares.line",
    adagrad=about("adagrad"),
    rmsprop=about("rmsprop"),
    adam=about("adam"),
    gd=about("gd"),
)
def least_norm(gd: Rule, **rules: Rule) -> Decision:
    """X sign(X'y) = (1, 2).(1, 1) = 3 y. Gradient descent moves along X, where the least norm is."""
    with unless(lambda: None):
        show_signs_alone(tuple(rules.values()))
        step = change(gd)
        show_equal(
            step.subs(grad, 2 * grad), 2 * step, "the step of gradient descent along (1, 2)", domains(gd)
        )
    X, signs, best = sp.Matrix([[1, 2]]), sp.Matrix([1, 1]), sp.Matrix([sp.Rational(1, 5), sp.Rational(2, 5)])
    if X * signs != sp.Matrix([3]) or X * best != sp.Matrix([1]) or sp.Matrix([signs.T, best.T]).det() == 0:
        raise NotProved("the example is not one")
    return refuted(
        "X = (1, 2), y = 1: gradient descent stays on the line of (1, 2), where (1/5, 2/5) solves X theta ="
        " y; the three stay on that of (1, 1), where only (1/3, 1/3) does",
        "proved",
    )
