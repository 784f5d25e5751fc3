"""What the velocity of momentum holds, and what its different forms share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp

from optverify.claims._claim import (
    Decision,
    about,
    claim,
    holds,
    holds_under_conditions,
    refuted,
    trial_in_words,
    trial_values,
)
from optverify.claims._linear import in_states
from optverify.claims.momentum import goodfellow, show_conjugate, show_same_start, sutskever
from optverify.language import Rule, Source, grad, lr, momentum, t, theta
from optverify.proof import NotProved, domains, show_by_induction, show_equal, unless
from optverify.views.closed import closed_form
from optverify.views.run import run

qhm_paper = Source(
    "Ma and Yarats",
    2019,
    "Quasi-hyperbolic momentum and Adam for deep learning",
    "section 3, the plain and the averaged form of momentum",
    "ICLR",
    arxiv="1810.06801",
)
torch_docs = Source(
    "PyTorch",
    2024,
    "torch.optim.SGD",
    "the note on how its momentum differs from that of Sutskever et al.",
    url="https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html",
)

Weight = Callable[[sp.Expr, sp.Expr], sp.Expr]
i = sp.Symbol("i", integer=True, positive=True)


def settings(rule: Rule) -> dict[str, sp.Rational]:
    """The trial values of a rule, with lr and momentum also where a changed rule has lost them."""
    return {"lr": sp.Rational(1, 2), "momentum": sp.Rational(1, 3)} | trial_values(rule)


def show_sum(rule: Rule, weight: Weight) -> None:
    """Show that the velocity is the sum over i = 1, ..., t of weight(t, i) times the gradient of step i.

    By induction, term by term: an update multiplies each old weight as stated, and gives the new gradient
    weight(t, t); the sum is empty at the start.
    """
    v, within = rule.state("v"), domains(rule)
    update = sp.expand(closed_form(rule)[v.name])
    kept, fresh = sp.diff(update, v.before), sp.diff(update, grad)
    show_equal(v.initial, 0, f"{v.name} at the start", within)
    show_equal(update, kept * v.before + fresh * grad, f"{v.name}_t", within)
    show_equal(kept * weight(t - 1, i), weight(t, i), "the weight of an old gradient", within)
    show_equal(fresh, weight(t, t), "the weight of the new gradient", within)


def other_sum(rule: Rule, weight: Weight) -> str | None:
    """Look for a velocity that is not the stated sum, for gradients 1, 2 and 5; in words."""
    v, values, gradients = rule.state("v"), settings(rule), (1, 2, 5)
    numbers = {lr: values["lr"], momentum: values["momentum"]}
    history = run(rule, gradients, start=1, values=values)
    for k, state in enumerate(history):
        terms = (weight(sp.Integer(k), sp.Integer(j)) * g for j, g in enumerate(gradients[:k], 1))
        stated = sp.Add(*terms).subs(numbers)
        if state[v.name].is_Rational and state[v.name] != stated:
            given = f"gradients 1, 2, 5 from theta_0 = 1 with {trial_in_words(rule)}"
            return f"{given} give {v.name}_{k} = {state[v.name]}, not {stated}"
    return None


def show_step(rule: Rule, scale: Any) -> None:
    """Show theta_t = theta_{t-1} + scale v_t."""
    v, form = rule.state("v"), closed_form(rule)
    show_equal(form["theta"], theta.before + scale * form[v.name], "theta_t", domains(rule))


@claim(
    "momentum.velocity",
    "The velocity of momentum is an exponentially decaying sum of all past gradients.",
    statement=r"v_t = -\varepsilon \sum_{i=1}^{t} \mu^{t-i} g_i, \quad \theta_t = \theta_{t-1} + v_t, \qquad"
    r" t = 0, 1, 2, \dots",
    scope="any gradients, constant lr and momentum in [0, 1), v_0 = 0, each coordinate, every t",
    sources=[sutskever, goodfellow],
    rule=about("momentum"),
)
def decaying_sum(rule: Rule) -> Decision:
    """Term by term: each update multiplies a weight by momentum and adds the new gradient with weight -lr."""
    in_states(rule, "v")

    def weight(k: sp.Expr, j: sp.Expr) -> sp.Expr:
        return -lr * momentum ** (k - j)

    with unless(lambda: other_sum(rule, weight)):
        show_sum(rule, weight)
    show_step(rule, 1)
    return holds(
        "an update multiplies every old weight by mu and gives the new gradient -lr; at the start v = 0"
    )


@claim(
    "momentum.average",
    "Momentum averages the past gradients.",
    statement=r"v_t = -\varepsilon (1 - \mu) \sum_{i=1}^{t} \mu^{t-i} g_i, \qquad (1 - \mu) \sum_{i=1}^{t}"
    r" \mu^{t-i} = 1 - \mu^t",
    scope="any gradients, constant lr and momentum in [0, 1), v_0 = 0, the form with weight 1 - momentum"
    " (EMA): the weights add up to 1 - momentum^t, to 1 only in the limit; in the heavy-ball form they add"
    " up to (1 - momentum^t)/(1 - momentum), which is no average; each coordinate, every t",
    sources=[qhm_paper],
    expected="holds under conditions",
    rule=about("momentum", form="ema"),
)
def decaying_mean(rule: Rule) -> Decision:
    """Term by term, and the sum of the weights by induction: the velocity under a constant gradient."""
    in_states(rule, "v")

    def weight(k: sp.Expr, j: sp.Expr) -> sp.Expr:
        return -lr * (1 - momentum) * momentum ** (k - j)

    with unless(lambda: other_sum(rule, weight)):
        show_sum(rule, weight)
        v, form = rule.state("v"), closed_form(rule)
        show_by_induction(
            lambda y, k: form[v.name].subs({v.before: y, grad: 1, t: k}, simultaneous=True),
            sp.sympify(v.initial),
            lambda k: -lr * (1 - momentum**k),
            "the velocity under the gradient 1",
            domains(rule),
        )
    show_step(rule, 1)
    return holds_under_conditions(
        "the weights (1 - mu) mu^(t-i) add up to 1 - mu^t by induction; at t = 1 with mu = 0.9 the mean"
        " holds 1/10 of the gradient"
    )


@claim(
    "momentum.ema.rescaled",
    "Momentum with averaged gradients is the heavy ball with lr (1 - momentum).",
    statement=r"\theta_t^{\mathrm{EMA}}(\varepsilon) = \theta_t^{\mathrm{HB}}((1 - \mu) \, \varepsilon),"
    r" \qquad t = 0, 1, 2, \dots",
    scope="any f, any gradients (noisy ones too), any lr, constant momentum in [0, 1), v_0 = 0, any"
    " dimension, every t; with lr inside the buffer under any schedule of lr too",
    sources=[qhm_paper],
    ema=about("momentum", form="ema"),
    ball=about("momentum"),
)
def ema_rescaled(ema: Rule, ball: Rule) -> Decision:
    """One step of either is the same function of state and gradient, with lr (1 - momentum) in the second."""
    in_states(ema, "v")
    in_states(ball, "v")
    with unless(lambda: _apart(ema, ball, [1, 2, -3], sp.Integer(1))):
        one, two = closed_form(ema), closed_form(ball)
        within = domains(ema)
        for name, e in one.items():
            scaled = two[name].subs(lr, lr * (1 - momentum))
            show_equal(e, scaled, f"{name} after a step", within)
        for mine, other in zip(ema.states, ball.states, strict=True):
            show_equal(mine.initial, other.initial, f"{mine.name} at the start", within)
    return holds("both states after a step agree as functions of the old states and the gradient")


def _apart(ema: Rule, ball: Rule, gradients: Sequence[int], start: sp.Expr) -> str | None:
    """Look for parameters of the two forms that differ at lr = 1/2, momentum = 1/3; in words."""
    values = {"lr": sp.Rational(1, 2), "momentum": sp.Rational(1, 3)}
    scaled = values | {"lr": sp.Rational(1, 3)}
    one, two = run(ema, gradients, start, values), run(ball, gradients, start, scaled)
    return _first_apart(one, two, f"gradients {', '.join(map(str, gradients))}, lr = 1/2, momentum = 1/3")


def _first_apart(one: list[dict[str, sp.Expr]], two: list[dict[str, sp.Expr]], given: str) -> str | None:
    for k, (a, b) in enumerate(zip(one, two, strict=True)):
        x, y = a["theta"], b["theta"]
        if (x - y).is_Rational and x != y:
            return f"with {given} theta_{k} is {x} in the one and {y} in the other"
    return None


@claim(
    "momentum.impulse",
    "In the end every gradient moves the parameters by lr/(1 - momentum) times itself.",
    statement=r"g_1 = g, \; g_2 = g_3 = \dots = 0 \quad \Longrightarrow \quad \theta_t = \theta_0 - \frac{1 -"
    r" \mu^t}{1 - \mu} \, \varepsilon g \to \theta_0 - \frac{\varepsilon g}{1 - \mu}",
    scope="one gradient and then none, constant lr and momentum in [0, 1), v_0 = 0, each coordinate, every t"
    " >= 1; gradients add up, so this is the share of each one in the end",
    sources=[goodfellow],
    rule=about("momentum"),
)
def impulse(rule: Rule) -> Decision:
    """Velocity and position by induction from the first update on, both geometric."""
    in_states(rule, "v")
    with unless(lambda: _other_impulse(rule)):
        v, form, within = rule.state("v"), closed_form(rule), domains(rule)
        start = {
            v.before: sp.sympify(v.initial),
            theta.before: sp.Symbol("theta_0", real=True),
            t: sp.Integer(1),
        }
        after = {name: e.subs(start, simultaneous=True) for name, e in form.items()}
        count = sp.Symbol("n", integer=True, positive=True)
        speed = -lr * grad * momentum ** (count - 1)
        place = start[theta.before] - lr * grad * (1 - momentum**count) / (1 - momentum)
        show_equal(after[v.name], speed.subs(count, 1), "v_1", within)
        show_equal(after["theta"], place.subs(count, 1), "theta_1", within)
        coasting = {v.before: speed, theta.before: place, grad: sp.Integer(0), t: count + 1}
        for name, stated in ((v.name, speed), ("theta", place)):
            moved = form[name].subs(coasting, simultaneous=True)
            show_equal(moved, stated.subs(count, count + 1), f"{name}, step of the induction,", within)
    return holds("v_t = -mu^(t-1) lr g and theta_t by induction; mu^t tends to 0")


def _other_impulse(rule: Rule) -> str | None:
    """Look for a position that is not as stated after the gradients 2, 0, 0, 0; in words."""
    values = settings(rule)
    kept, rate = values["momentum"], values["lr"]
    history = run(rule, [2, 0, 0, 0], start=1, values=values)
    for k, state in enumerate(history):
        stated = 1 - 2 * rate * (1 - kept**k) / (1 - kept)
        if state["theta"].is_Rational and state["theta"] != stated:
            given = f"gradients 2, 0, 0, 0 from theta_0 = 1 with {trial_in_words(rule)}"
            return f"{given} give theta_{k} = {state['theta']}, not {stated}"
    return None


# ---- where lr stands ---------------------------------------------------------------------------------------

inside, outside = about("momentum"), about("momentum", lr_placement="outside")
HALVED = [sp.Rational(1, 2), sp.Rational(1, 2), sp.Rational(1, 4)]


@claim(
    "momentum.forms.constant",
    "Momentum as PyTorch writes it, with lr outside the buffer, is that of the papers.",
    statement=r"u_t = -\frac{v_t}{\varepsilon} \quad \text{turns} \quad v_t = \mu v_{t-1} - \varepsilon g_t,"
    r" \; \theta_t = \theta_{t-1} + v_t \quad \text{into} \quad u_t = \mu u_{t-1} + g_t, \; \theta_t ="
    r" \theta_{t-1} - \varepsilon u_t",
    scope="constant lr and momentum, any f, any gradients (noisy ones too), any dimension, every t",
    sources=[sutskever, torch_docs],
    inside=inside,
    outside=outside,
)
def placements_agree(inside: Rule, outside: Rule) -> Decision:
    """One step commutes with the change of variables, with the gradient a free symbol; so do the starts."""
    in_states(inside, "v")
    in_states(outside, "v")
    with unless(lambda: _placements_apart(inside, outside, HALVED[:1] * 3)):
        change = {theta.before: theta.before, outside.state("v").before: -inside.state("v").before / lr}
        show_same_start(inside, outside, change)
        show_conjugate(inside, outside, change)
    return holds("theta and u = -v/lr commute with a step, whatever the gradient")


@claim(
    "momentum.forms.schedule",
    "Where lr stands in momentum makes no difference under a learning-rate schedule either.",
    statement=r"\theta_t^{\mathrm{inside}} = \theta_t^{\mathrm{outside}} \text{ for every } t \text{ and"
    r" every schedule } \varepsilon_t",
    scope="f(theta) = theta^2/2, dimension 1, momentum 1/3, lr 1/2 for two updates and 1/4 after them",
    sources=[torch_docs],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="momentum.forms.constant",
    inside=inside,
    outside=outside,
)
def placements_differ(inside: Rule, outside: Rule) -> Decision:
    """Exact runs, equal while lr is constant and apart at the first update with another one."""
    in_states(inside, "v")
    in_states(outside, "v")
    if early := _placements_apart(inside, outside, HALVED[:2]):
        raise NotProved(f"the forms differ under a constant lr already: {early}")
    found = _placements_apart(inside, outside, HALVED)
    if found is None:
        raise NotProved("the forms agree on the schedule that was tried")
    return refuted(
        f"{found}: inside, the old velocity keeps the old lr; outside, the new lr rescales all of it"
    )


def _placements_apart(inside: Rule, outside: Rule, rates: list[sp.Rational]) -> str | None:
    """Look for parameters that differ on theta^2/2 from 1 with these lr and momentum = 1/3; in words."""
    values = {"lr": lambda k: rates[k - 1], "momentum": sp.Rational(1, 3)}
    one, two = (run(r, [lambda point: point] * len(rates), 1, values) for r in (inside, outside))
    return _first_apart(one, two, f"lr = {', '.join(map(str, rates))} and momentum = 1/3 on theta^2/2 from 1")


# ---- Nesterov ----------------------------------------------------------------------------------------------

lookahead, rewritten = about("nesterov"), about("nesterov", nesterov="rewritten")
GROWING = [sp.Rational(1, 2), sp.Rational(2, 3), sp.Rational(3, 4)]


@claim(
    "nesterov.correction",
    "Nesterov's look-ahead point moves by the new velocity and momentum times its change.",
    statement=r"\varphi_t - \varphi_{t-1} = v_t + \mu (v_t - v_{t-1}), \qquad \varphi_t = \theta_t + \mu v_t",
    scope="constant lr and momentum, any f, any gradients, any dimension, every t: where gradients bend the"
    " velocity the look-ahead anticipates the bend, heavy-ball momentum does not",
    sources=[sutskever],
    rule=about("nesterov"),
)
def look_ahead_correction(rule: Rule) -> Decision:
    """The look-ahead point after a step less the one before it, from the closed form."""
    in_states(rule, "v")
    v, form = rule.state("v"), closed_form(rule)
    with unless(lambda: _other_correction(rule)):
        new = {theta.before: form["theta"], v.before: form[v.name]}
        point = rule.gradient_point
        show_equal(point, theta.before + momentum * v.before, "the look-ahead point", domains(rule))
        moved = point.subs(new, simultaneous=True) - point
        stated = form[v.name] + momentum * (form[v.name] - v.before)
        show_equal(moved, stated, "the change of the look-ahead point", domains(rule))
    return holds(
        "phi_t - phi_(t-1) = (theta_t - theta_(t-1)) + mu (v_t - v_(t-1)), and theta_t - theta_(t-1) = v_t"
    )


def _other_correction(rule: Rule) -> str | None:
    """Look for a look-ahead point off theta + momentum v, or a step off the velocity; in words."""
    values, v = settings(rule), rule.state("v")
    numbers = {lr: values["lr"], momentum: values["momentum"]}
    history = run(rule, [1, 2, 5], start=1, values=values)
    for k, state in enumerate(history):
        here = {theta.before: state["theta"], v.before: state[v.name]}
        point = rule.gradient_point.subs(numbers).subs(here)
        stated = state["theta"] + values["momentum"] * state[v.name]
        if point.is_Rational and point != stated:
            return f"with {trial_in_words(rule)} the gradient {k + 1} is taken at {point}, not at {stated}"
        if k and (change := state["theta"] - history[k - 1]["theta"]) != state[v.name]:
            return f"with {trial_in_words(rule)} theta moves by {change} in update {k}, its velocity is"
            f" {state[v.name]}"
    return None


@claim(
    "nesterov.forms.momentum",
    "The two forms of Nesterov momentum agree while momentum grows from step to step, too.",
    statement=r"\varphi_t = \theta_t + \mu_{t+1} v_t \text{ is the stored parameter of the rewritten form"
    r" for every schedule } \mu_t, \text{ with } \mu_t \text{ in both places of its step}",
    scope="f(theta) = theta^2/2, dimension 1, lr = 1/2, momentum 1/2, 2/3, 3/4, theta_0 = 1; the rewritten"
    " form needs the momentum of the next step for its correction (Bengio et al.), as Nadam has it",
    sources=[sutskever],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="nesterov.forms.inside",
    lookahead=lookahead,
    rewritten=rewritten,
)
def momentum_grows(lookahead: Rule, rewritten: Rule) -> Decision:
    """Exact runs: the points at which gradients are taken, equal for constant momentum."""
    in_states(lookahead, "v")
    in_states(rewritten, "v")
    if _points(lookahead, GROWING[:1] * 3) != _points(rewritten, GROWING[:1] * 3):
        raise NotProved("the forms differ for a constant momentum already")
    ahead, stored = _points(lookahead, GROWING), _points(rewritten, GROWING)
    for k, (a, b) in enumerate(zip(ahead, stored, strict=True), 1):
        if a != b:
            if not (a - b).is_Rational:
                raise NotProved(f"the points of gradient {k} are no numbers: {a} and {b}")
            return refuted(
                f"on theta^2/2 from 1 with lr = 1/2 and momentum 1/2, 2/3, 3/4 gradient {k} is taken at {a}"
                f" by the look-ahead form and at {b} by the rewritten one"
            )
    raise NotProved("the forms agree on the schedule of momentum that was tried")


def _points(rule: Rule, kept: list[sp.Rational]) -> list[sp.Expr]:
    """Where gradients of theta^2/2 are taken from theta_0 = 1 with lr = 1/2 and these momenta."""
    points: list[sp.Expr] = []

    def gradient(point: sp.Expr) -> sp.Expr:
        points.append(point)
        return point

    values: dict[str, Any] = {"lr": sp.Rational(1, 2), "momentum": lambda k: kept[k - 1]}
    run(rule, [gradient] * len(kept), start=1, values=values)
    return points
