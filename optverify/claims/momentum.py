"""The velocity of momentum, and the forms of Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, refuted
from optverify.language import Rule, Source, grad, lr, momentum, theta
from optverify.proof import NotProved, domains, show_by_induction, show_equal, show_nonnegative, show_positive
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


@claim(
    "momentum.terminal_velocity",
    "Under a constant gradient momentum speeds up to lr g/(1 - beta), 10 times the step of gradient"
    " descent for beta = 0.9.",
    statement=r"v_t = -\frac{1 - \beta^t}{1 - \beta} \, \eta g \to -\frac{\eta g}{1 - \beta}, \qquad"
    r" \theta_t - \theta_{t-1} = v_t",
    scope="constant gradient g, constant lr and momentum in [0, 1), v_0 = 0, each coordinate, every t",
    sources=[goodfellow],
    rule=about("momentum"),
)
def terminal_velocity(rule: Rule) -> Decision:
    """The closed form by induction; the distance to the limit shrinks by the factor beta in every step."""
    v, form, within = rule.state("v"), closed_form(rule), domains(rule)
    velocity, parameters = form["v"], form["theta"]
    limit, off = -lr * grad / (1 - momentum), sp.Symbol("off", real=True)
    show_by_induction(
        lambda y, k: velocity.subs(v.before, y),
        sp.sympify(v.initial),
        lambda k: limit * (1 - momentum**k),
        "the velocity",
        within,
    )
    show_equal(
        velocity.subs(v.before, limit + off) - limit, momentum * off, "the distance to the limit", within
    )
    show_nonnegative(momentum, "the factor", within)
    show_positive(1 - momentum, "1 minus the factor", within)
    show_equal(parameters - theta.before, velocity, "the change of theta", within)
    return holds("v_t - v_inf = beta (v_{t-1} - v_inf) with v_inf = -lr g/(1 - beta) and 0 <= beta < 1")


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
    statement=r"\varphi_t = \theta_t + \mu v_t, \quad u_t = -\frac{v_t}{\eta} \quad \text{turns} \quad"
    r" v_t = \mu v_{t-1} - \eta \nabla f(\theta_{t-1} + \mu v_{t-1}), \; \theta_t = \theta_{t-1} + v_t"
    r" \quad \text{into} \quad u_t = \mu u_{t-1} + \nabla f(\varphi_{t-1}), \; \varphi_t = \varphi_{t-1}"
    r" - \eta (\nabla f(\varphi_{t-1}) + \mu u_t)",
    scope="constant lr and momentum, any f, any gradients (noisy ones too), any dimension, every t; the"
    " stored parameters are the look-ahead points",
    sources=[sutskever, bengio],
    lookahead=lookahead,
    rewritten=rewritten,
)
def forms_agree(lookahead: Rule, rewritten: Rule) -> Decision:
    """One step commutes with the change of variables, with the gradient a free symbol; so do the starts."""
    change = _change(lookahead, rewritten, scale=-1 / lr)
    show_same_start(lookahead, rewritten, change)
    show_conjugate(lookahead, rewritten, change)
    return holds("phi = theta + mu v, u = -v/lr commutes with a step, whatever the gradient; phi_0 = theta_0")


def _change(first: Rule, second: Rule, scale: Any) -> Change:
    v = first.state("v").before
    return {theta.before: first.gradient_point, second.state("v").before: scale * v}


@claim(
    "nesterov.forms.inside",
    "With lr inside the velocity, the rewritten Nesterov momentum agrees with the look-ahead under any"
    " schedule.",
    statement=r"\varphi_t = \theta_t + \mu v_t \quad \text{turns} \quad v_t = \mu v_{t-1} - \eta_t \nabla"
    r" f(\theta_{t-1} + \mu v_{t-1}), \; \theta_t = \theta_{t-1} + v_t \quad \text{into} \quad v_t = \mu"
    r" v_{t-1} - \eta_t \nabla f(\varphi_{t-1}), \; \varphi_t = \varphi_{t-1} + \mu v_t - \eta_t \nabla"
    r" f(\varphi_{t-1})",
    scope="any schedule of lr, constant momentum, any f, any gradients, any dimension, every t",
    sources=[sutskever, bengio],
    lookahead=lookahead,
    rewritten=about("nesterov", nesterov="rewritten"),
)
def forms_agree_inside(lookahead: Rule, rewritten: Rule) -> Decision:
    """The change of variables does not name lr, so each step may have its own."""
    change = _change(lookahead, rewritten, scale=1)
    if any(e.has(lr) for e in change.values()):
        raise NotProved("the change of variables depends on lr, which changes from step to step")
    show_same_start(lookahead, rewritten, change)
    show_conjugate(lookahead, rewritten, change)
    return holds("phi = theta + mu v commutes with a step for every gradient and every lr of that step")


@claim(
    "nesterov.forms.schedule",
    "The two forms of Nesterov momentum are the same under a learning-rate schedule too.",
    statement=r"\varphi_t = \theta_t + \mu v_t \text{ for every } t \text{ and every schedule } \eta_t,"
    r" \qquad \text{lr inside the look-ahead velocity, outside the rewritten one}",
    scope="f(theta) = theta^2/2, dimension 1, momentum 1/2, lr 1/2 for two updates and 1/4 after them",
    sources=[sutskever],
    expected="refuted",
    evidence="exact certificate",
    lookahead=lookahead,
    rewritten=rewritten,
)
def forms_differ(lookahead: Rule, rewritten: Rule) -> Decision:
    """Exact runs, equal while lr is constant and apart after the first update with the new one."""
    ahead, stored = _schedule_run(lookahead), _schedule_run(rewritten)
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


def _schedule_run(rule: Rule) -> list[sp.Expr]:
    half, quarter = sp.Rational(1, 2), sp.Rational(1, 4)
    values = {"lr": lambda k: half if k <= 2 else quarter, "momentum": half}
    history = run(rule, [lambda point: point] * 3, start=1, values=values)
    states = [{rule.state(name).before: e for name, e in state.items()} for state in history]
    return [rule.gradient_point.subs({momentum: half}).subs(state) for state in states]
