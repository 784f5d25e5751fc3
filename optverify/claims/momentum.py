"""The velocity of momentum, and the forms of Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, refuted, trial_in_words, trial_values
from optverify.claims._linear import in_states
from optverify.language import Rule, Source, grad, lr, momentum, t, theta
from optverify.proof import (
    NotProved,
    domains,
    show_by_induction,
    show_equal,
    show_nonnegative,
    show_positive,
    unless,
    vanishes,
)
from optverify.views.closed import closed_form
from optverify.views.run import run

sutskever = Source(
    "Sutskever, Martens, Dahl and Hinton",
    2013,
    "On the importance of initialization and momentum in deep learning",
    "equations (1) to (4)",
    "ICML",
    url="https://proceedings.mlr.press/v28/sutskever13.html",
)
bengio = Source(
    "Bengio, Boulanger-Lewandowski and Pascanu",
    2013,
    "Advances in optimizing recurrent networks",
    "equations (6) and (7)",
    "ICASSP",
    arxiv="1212.0901",
)
goodfellow = Source(
    "Goodfellow, Bengio and Courville",
    2016,
    "Deep learning",
    "section 8.3.2, the terminal velocity",
    "MIT Press",
    url="https://www.deeplearningbook.org",
)


TRIED = {"lr": sp.Rational(1, 2), "momentum": sp.Rational(1, 3)}
"""The trial values of momentum, for a changed rule that has lost one of them."""


@claim(
    "momentum.terminal_velocity",
    "Under a constant gradient momentum speeds up to lr g/(1 - momentum), 10 times the step of gradient"
    " descent for momentum = 0.9.",
    statement=r"\theta_t - \theta_{t-1} = -\frac{1 - \mu^t}{1 - \mu} \, \varepsilon g \to -\frac{\varepsilon"
    r" g}{1 - \mu}, \qquad t = 1, 2, \dots",
    scope="constant gradient g, constant lr and momentum in [0, 1), v_0 = 0, each coordinate, every t",
    sources=[goodfellow],
    rule=about("momentum"),
)
def terminal_velocity(rule: Rule) -> Decision:
    """The velocity by induction, in the scale of the rule; its distance to the limit shrinks by momentum."""
    in_states(rule, "v")
    with unless(lambda: _other_speed(rule)):
        v, form, within = rule.state("v"), closed_form(rule), domains(rule)
        velocity, change = form["v"], form["theta"] - theta.before
        later = velocity.subs(
            t, t + 1
        )  # a first update of its own is the base of the induction, not its step
        first, scale = velocity.subs({v.before: v.initial, t: 1}), _scale(change, later)
        limit, off = -lr * grad / (1 - momentum) / scale, sp.Symbol("off", real=True)
        show_by_induction(
            lambda y, k: later.subs({v.before: y, t: k}, simultaneous=True),
            first,
            lambda k: limit * (1 - momentum ** (k + 1)),
            "the velocity after the first one",
            within,
        )
        distance = later.subs(v.before, limit + off) - limit
        show_equal(distance, momentum * off, "the distance to the limit", within)
        show_nonnegative(momentum, "the factor", within)
        show_positive(1 - momentum, "1 minus the factor", within)
        show_equal(change.subs(t, 1), scale * velocity.subs(t, 1), "the first change of theta", within)
    return holds(
        "v_t - v_inf = momentum (v_{t-1} - v_inf) with v_inf = -lr g/(1 - momentum) and 0 <= momentum < 1"
    )


def _scale(change: sp.Expr, velocity: sp.Expr) -> sp.Expr:
    """What the velocity is multiplied with in the step: 1, or -lr where lr stands outside."""
    for scale in (sp.Integer(1), -lr):
        if vanishes(change.subs(t, t + 1) - scale * velocity):
            return scale
    raise NotProved(f"the change of theta, {change}, is no multiple of the velocity {velocity}")


def _other_speed(rule: Rule) -> str | None:
    """Look for an update under the constant gradient 2 that is not as stated; in words."""
    values = TRIED | trial_values(rule)
    history = run(rule, [2] * 3, start=1, values=values)
    kept, rate = values["momentum"], values["lr"]
    for k, (before, after) in enumerate(pairwise(history), 1):
        change, stated = after["theta"] - before["theta"], -2 * rate * (1 - kept**k) / (1 - kept)
        if change != stated:
            given = f"from theta_0 = 1 with g = 2, {trial_in_words(rule)}"
            return f"{given}, update {k} is {change}, not {stated}"
    return None


# ---- Nesterov's momentum, two ways -------------------------------------------------------------------------

lookahead, rewritten = about("nesterov"), about("nesterov", nesterov="rewritten", lr_placement="outside")
"""As in the paper, with lr inside the velocity; as PyTorch has it, with lr outside."""

Change = Mapping[sp.Symbol, sp.Expr]


def show_conjugate(first: Rule, second: Rule, change: Change) -> None:
    """Show that second does to the changed state what first does to the state, whatever the gradient.

    change: state of second -> expression in the states of first. Both rules are shown to take their gradient
    at the same point, so one symbol stands for it.
    """
    within = domains(first)
    point = first.gradient_point
    show_equal(second.gradient_point.subs(change, simultaneous=True), point, "the gradient point", within)
    one, two = closed_form(first), closed_form(second)
    new = {first.state(name).before: e for name, e in one.items()}
    for name, e in two.items():
        moved = e.subs(change, simultaneous=True)
        image = change[second.state(name).before].subs(new, simultaneous=True)
        show_equal(moved, image, f"{name} after a step", within)


def show_same_start(first: Rule, second: Rule, change: Change) -> None:
    """Show that the change of variables takes the initial states of first to those of second."""
    start = {s.before: sp.sympify(s.initial) for s in first.states}
    for state in (theta, *second.states):
        initial = theta.before if state is theta else sp.sympify(state.initial)
        show_equal(change[state.before].subs(start), initial, f"{state.name} at the start", domains(first))


@claim(
    "nesterov.forms.constant",
    "Nesterov momentum as frameworks write it, without a look-ahead, is the method of the paper.",
    statement=r"\varphi_t = \theta_t + \mu v_t, \quad u_t = -\frac{v_t}{\varepsilon} \quad \text{turns} \quad"
    r" v_t = \mu v_{t-1} - \varepsilon \nabla f(\theta_{t-1} + \mu v_{t-1}), \; \theta_t = \theta_{t-1} + v_t"
    r" \quad \text{into} \quad u_t = \mu u_{t-1} + \nabla f(\varphi_{t-1}), \; \varphi_t = \varphi_{t-1}"
    r" - \varepsilon (\nabla f(\varphi_{t-1}) + \mu u_t)",
    scope="constant lr and momentum, any f, any gradients (noisy ones too), any dimension, every t; the"
    " stored parameters are the look-ahead points",
    sources=[sutskever, bengio],
    lookahead=lookahead,
    rewritten=rewritten,
)
def forms_agree(lookahead: Rule, rewritten: Rule) -> Decision:
    """One step commutes with the change of variables, with the gradient a free symbol; so do the starts."""
    in_states(lookahead, "v")
    in_states(rewritten, "v")
    with unless(lambda: _forms_apart(lookahead, rewritten, [sp.Rational(1, 2)] * 3)):
        scale = _lr_of(lookahead) / _lr_of(rewritten)
        change = _change(lookahead, rewritten, scale)
        show_same_start(lookahead, rewritten, change)
        show_conjugate(lookahead, rewritten, change)
    return holds(
        f"phi = theta + mu v, u = ({scale}) v commutes with a step, whatever the gradient; phi_0 = theta_0"
    )


def _lr_of(rule: Rule) -> sp.Expr:
    """What a velocity is multiplied with in a step: 1 with lr inside it, -lr with lr outside."""
    return sp.Integer(1) if rule.options.get("lr_placement") == "inside" else -lr


def _change(first: Rule, second: Rule, scale: Any) -> Change:
    v = first.state("v").before
    return {theta.before: first.gradient_point, second.state("v").before: scale * v}


@claim(
    "nesterov.forms.inside",
    "With lr inside the velocity, the rewritten Nesterov momentum agrees with the look-ahead under any"
    " schedule.",
    statement=r"\varphi_t = \theta_t + \mu v_t \quad \text{turns} \quad v_t = \mu v_{t-1} - \varepsilon_t"
    r" \nabla f(\theta_{t-1} + \mu v_{t-1}), \; \theta_t = \theta_{t-1} + v_t \quad \text{into} \quad v_t ="
    r" \mu v_{t-1} - \varepsilon_t \nabla f(\varphi_{t-1}), \; \varphi_t = \varphi_{t-1} + \mu v_t -"
    r" \varepsilon_t \nabla f(\varphi_{t-1})",
    scope="any schedule of lr, constant momentum, any f, any gradients, any dimension, every t",
    sources=[sutskever, bengio],
    lookahead=lookahead,
    rewritten=about("nesterov", nesterov="rewritten"),
)
def forms_agree_inside(lookahead: Rule, rewritten: Rule) -> Decision:
    """The change of variables does not name lr, so each step may have its own."""
    in_states(lookahead, "v")
    in_states(rewritten, "v")
    with unless(lambda: _forms_apart(lookahead, rewritten, FALLING)):
        change = _change(lookahead, rewritten, scale=1)
        if any(e.has(lr) for e in change.values()):
            raise NotProved("the change of variables depends on lr, which changes from step to step")
        show_same_start(lookahead, rewritten, change)
        show_conjugate(lookahead, rewritten, change)
    return holds("phi = theta + mu v commutes with a step for every gradient and every lr of that step")


@claim(
    "nesterov.forms.schedule",
    "The two forms of Nesterov momentum are the same under a learning-rate schedule too.",
    statement=r"\varphi_t = \theta_t + \mu v_t \text{ for every } t \text{ and every schedule }"
    r" \varepsilon_t, \qquad \text{lr inside the look-ahead velocity, outside the rewritten one}",
    scope="f(theta) = theta^2/2, dimension 1, momentum 1/3, lr 1/2 for two updates and 1/4 after them",
    sources=[sutskever],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="nesterov.forms.inside",
    lookahead=lookahead,
    rewritten=rewritten,
)
def forms_differ(lookahead: Rule, rewritten: Rule) -> Decision:
    """Exact runs, equal while lr is constant and apart after the first update with the new one."""
    in_states(lookahead, "v")
    in_states(rewritten, "v")
    ahead, stored = (_gradient_points(r, FALLING) for r in (lookahead, rewritten))
    for k, (phi, theta_k) in enumerate(zip(ahead, stored, strict=True)):
        if phi == theta_k:
            continue
        if k < 3:
            raise NotProved(f"the forms differ at t = {k} already, under a constant lr: {phi} and {theta_k}")
        return refuted(
            f"from theta_0 = 1 with lr = 1/2, 1/2, 1/4: the look-ahead point is {phi} after update {k},"
            f" the stored parameter of the rewritten form {theta_k}; up to update {k - 1} they agree"
        )
    raise NotProved("the forms agree on the schedule that was tried")


FALLING = [sp.Rational(1, 2), sp.Rational(1, 2), sp.Rational(1, 4)]


def _gradient_points(rule: Rule, rates: list[sp.Rational]) -> list[sp.Expr]:
    """Where the gradient of theta^2/2 is taken from theta_0 = 1 on, lr aside at the trial values."""
    values: dict[str, Any] = TRIED | trial_values(rule) | {"lr": lambda k: rates[k - 1]}
    history = run(rule, [lambda point: point] * len(rates), start=1, values=values)
    states = [{rule.state(name).before: e for name, e in state.items()} for state in history]
    coming = [*rates, rates[-1]]
    return [
        rule.gradient_point.subs({momentum: values["momentum"], lr: rate}).subs(state)
        for state, rate in zip(states, coming, strict=True)
    ]


def _forms_apart(lookahead: Rule, rewritten: Rule, rates: list[sp.Rational]) -> str | None:
    """Look for a gradient that the two rules take at different points; in words."""
    pairs = zip(*(_gradient_points(r, rates) for r in (lookahead, rewritten)), strict=True)
    for k, (phi, stored) in enumerate(pairs):
        if phi != stored:
            used = ", ".join(map(str, rates))
            return (
                f"on f(theta) = theta^2/2 from theta_0 = 1 with lr = {used} and momentum 1/3 the gradient"
                f" after update {k} is taken at {phi} by the one and at {stored} by the other"
            )
    return None
