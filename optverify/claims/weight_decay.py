"""L2 regularization and decoupled weight decay."""

from __future__ import annotations

import sympy as sp

from optverify.claims._adaptive import (
    change,
    changes,
    claim,
    exact_run,
    exact_values,
    initial,
    loshchilov_hutter,
    told,
    words,
)
from optverify.claims._claim import (
    Decision,
    about,
    holds,
    in_scope,
    refuted,
)
from optverify.language import (
    Rule,
    beta2,
    eps,
    grad,
    lr,
    t,
    theta,
    weight_decay,
)
from optverify.proof import (
    NotProved,
    domains,
    show_equal,
    unless,
)
from optverify.views.closed import closed_form
from optverify.views.run import run

# ---- weight decay ----------------------------------------------------------------------------------------

coupled_adam, adamw = about("adam", weight_decay_form="coupled"), about("adamw")


@claim(
    "gd.decay.forms",
    "For gradient descent L2 regularization and weight decay are the same.",
    statement=r"\theta_t = \theta_{t-1} - \eta (\nabla f(\theta_{t-1}) + \lambda' \theta_{t-1}) = (1 -"
    r" \lambda) \theta_{t-1} - \eta \nabla f(\theta_{t-1}) \quad \Longleftrightarrow \quad \lambda' ="
    r" \lambda/\eta",
    scope="any f, any gradients, any dimension, constant lr; with a schedule the coefficients must follow it",
    sources=[loshchilov_hutter("section 2, Proposition 1")],
    coupled=about("gd", weight_decay_form="coupled"),
    decoupled=about("gd", weight_decay_form="decoupled_without_lr"),
)
def decay_of_gradient_descent(coupled: Rule, decoupled: Rule) -> Decision:
    """Equal with lambda' = lambda/lr; and the gap is linear in lambda', so for no other coefficient."""
    with unless(lambda: _decay_apart(coupled, decoupled)):
        one, two = closed_form(coupled)["theta"], closed_form(decoupled)["theta"]
        show_equal(one.subs(weight_decay, weight_decay / lr), two, "theta_t", domains(coupled))
        slope = sp.diff(one, weight_decay)
        show_equal(slope, -lr * theta.before, "the slope in lambda'", domains(coupled))
    return holds(
        "theta_t is the same for lambda' = lambda/lr, and strictly monotone in lambda' where theta is not 0"
    )


def _decay_apart(coupled: Rule, decoupled: Rule) -> str | None:
    """Look for a first step in which the two differ; in words."""
    rate, share = sp.Rational(1, 2), sp.Rational(1, 3)
    one = changes(coupled, [1], start=2, lr=rate, weight_decay=share / rate)[0]
    two = changes(decoupled, [1], start=2, lr=rate, weight_decay=share)[0]
    if one == two:
        return None
    return f"gradient 1 at theta = 2, lr = 1/2, lambda = 1/3 and lambda' = 2/3: the steps are {one} and {two}"


@claim(
    "adam.decay.forms",
    "For Adam too, L2 regularization is weight decay.",
    statement=r"\text{there is a } \lambda' \text{ with which Adam on } f + \frac{\lambda'}{2} \lVert \theta"
    r" \rVert^2 \text{ is Adam on } f \text{ with the decay } \theta \mapsto \theta - \alpha \lambda \theta",
    scope="one coordinate, the first step, epsilon = 0, theta_0 = 1, gradient 1, lambda = 1/2, every lambda'"
    " >= 0",
    sources=[loshchilov_hutter("section 2, Proposition 2")],
    expected="refuted",
    evidence="proved",
    corrected_by="adamw.decay.separate",
    coupled=coupled_adam,
    decoupled=adamw,
)
def decay_of_adam(coupled: Rule, decoupled: Rule) -> Decision:
    """The first step is lr in size whatever lambda' is; decoupled decay makes it longer."""
    coefficient = sp.Symbol("w", nonnegative=True)
    start = {theta.before: 1, grad: 1, t: 1, eps: 0, **initial(coupled)}
    share = sp.Symbol("1 - beta2", positive=True)
    form = change(coupled).subs(start).subs(weight_decay, coefficient)
    form = sp.cancel(form.subs(beta2, 1 - share).replace(sp.Pow, lambda b, e: sp.Pow(sp.factor(b), e)))
    own = changes(decoupled, [1], start=1, lr=1, eps=0, weight_decay=sp.Rational(1, 2))[0]
    if form.has(coefficient):
        raise NotProved(f"the first step of the coupled form depends on lambda': {form}")
    if (form.subs(lr, 1) - own).is_zero is not False:
        raise NotProved(f"both first steps are {own}")
    return refuted(
        f"with lr = 1, eps = 0, gradient 1 at theta = 1 the first step of Adam with L2 is {form.subs(lr, 1)}"
        f" for every lambda' >= 0, that of AdamW with lambda = 1/2 is {own}",
        "proved",
    )


@claim(
    "momentum.decay.forms",
    "For gradient descent with momentum L2 regularization is weight decay.",
    statement=r"\text{there is a } \lambda' \text{ with which momentum on } f + \frac{\lambda'}{2} \lVert"
    r" \theta \rVert^2 \text{ is momentum on } f \text{ with the decay } \theta \mapsto \theta - \varepsilon"
    r" \lambda \theta",
    scope="one coordinate, two updates, lr = 1/2, momentum 1/2, theta_0 = 1, gradients 1, lambda = 1/2, every"
    " lambda'",
    sources=[loshchilov_hutter("section 2 and Algorithm 1")],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="sgdw.decay.separate",
    coupled=about("momentum", weight_decay_form="coupled"),
    decoupled=about("sgdw"),
)
def decay_of_momentum(coupled: Rule, decoupled: Rule) -> Decision:
    """The first step leaves one lambda' only, and the second step differs with it."""
    coefficient, half = sp.Symbol("w", real=True), sp.Rational(1, 2)
    numbers = {"lr": half, "momentum": half, "weight_decay": half}
    one = changes(coupled, [1, 1], start=1, **(numbers | {"weight_decay": coefficient}))
    two = changes(decoupled, [1, 1], start=1, **numbers)
    found = sp.solve(sp.expand(one[0] - two[0]), coefficient)
    gaps = [sp.expand(one[1].subs(coefficient, w) - two[1]) for w in found]
    if not found or not all(gap.is_zero is False for gap in gaps):
        raise NotProved(
            f"the first steps agree for lambda' in {found}, the second ones then differ by {gaps}"
        )
    return refuted(
        f"gradients 1, 1 from theta = 1 with {told(**numbers)}: the first steps agree for lambda' ="
        f" {words(found)} only, and then the second ones differ by {words(gaps)}: the velocity carries the L2"
        f" term on"
    )


# ---- decay beside the step -------------------------------------------------------------------------------


def _show_separate(decayed: Rule, plain: Rule) -> None:
    """Show that the states are those without decay, and that theta lacks lr weight_decay theta besides."""
    one, two = closed_form(decayed), closed_form(plain)
    for state in plain.states:
        show_equal(one[state.name], two[state.name], f"{state.name}_t", domains(decayed))
        show_equal(decayed.state(state.name).initial, state.initial, f"{state.name}_0")
    shrunk = two["theta"] - lr * weight_decay * theta.before
    show_equal(one["theta"], shrunk, "theta_t", domains(decayed))


def _decay_not_separate(decayed: Rule, plain: Rule) -> str | None:
    """Look for states that differ, or another difference of the steps from one point; in words."""
    values = {h.name: sp.Rational(1, k) for k, h in enumerate(decayed.every_hyperparameter, 2)}
    values |= {"lr": sp.Rational(1, 2), "weight_decay": sp.Rational(1, 3)}
    used = [{h.name: values[h.name] for h in r.hyperparameters} for r in (decayed, plain)]
    kept = 1 - values["lr"] * values["weight_decay"]
    one, two = (exact_run(r, (2, -3), 1, **given) for r, given in zip((decayed, plain), used, strict=True))
    shrunk = 1
    for k in (1, 2):
        shrunk = kept * shrunk + two[k]["theta"] - two[k - 1]["theta"]
        stated = {s.name: two[k][s.name] for s in plain.states} | {"theta": shrunk}
        for name, value in stated.items():
            if (one[k][name] - value).equals(0) is False:
                return (
                    f"gradients 2, -3 from theta_0 = 1 with {told(**used[0])}: {name}_{k} is {one[k][name]},"
                    f" not {value}"
                )
    return None


def _separate(decayed: Rule, plain: Rule) -> Decision:
    """Both in the same dialect but for the decay, or nothing is said."""
    in_scope(plain, **(dict(decayed.options) | {"weight_decay_form": "none"}))
    in_scope(decayed, weight_decay_form="decoupled")
    with unless(lambda: _decay_not_separate(decayed, plain)):
        _show_separate(decayed, plain)
    return holds("the states do not see the decay, and it adds -lr wd theta to the step, whatever they are")


SEPARATE = (
    r"\theta_t = (1 - %s \lambda) \, \theta_{t-1} + \Delta_t, \qquad \Delta_t = \text{ the step of %s with"
    r" the same gradients } g_1, \dots, g_t"
)


@claim(
    "adamw.decay.separate",
    "AdamW adds to Adam's step a decay that shrinks every parameter by the same factor, whatever its"
    " gradients are.",
    statement=SEPARATE % (r"\alpha", "Adam"),
    scope="each coordinate, any gradients that both are given, any hyperparameters, the decay multiplied by"
    " lr, every t",
    sources=[loshchilov_hutter("Algorithm 2, line 12, with the decay multiplied by lr as libraries do")],
    decayed=adamw,
    plain=about("adam"),
)
def adamw_separate(decayed: Rule, plain: Rule) -> Decision:
    """The moments are the same, and theta differs by the decay alone."""
    return _separate(decayed, plain)


@claim(
    "sgdw.decay.separate",
    "SGDW adds to the step of momentum a decay that shrinks every parameter by the same factor and leaves no"
    " trace in the velocity.",
    statement=SEPARATE % (r"\varepsilon", "momentum"),
    scope="each coordinate, any gradients that both are given, any lr and momentum, the decay multiplied by"
    " lr, every t",
    sources=[loshchilov_hutter("Algorithm 1, line 9, with the decay multiplied by lr as libraries do")],
    decayed=about("sgdw"),
    plain=about("momentum"),
)
def sgdw_separate(decayed: Rule, plain: Rule) -> Decision:
    """The velocity is the same, and theta differs by the decay alone."""
    return _separate(decayed, plain)


@claim(
    "adamw.zero_gradient",
    "Where the gradients are zero AdamW shrinks the parameters by the factor 1 - lr weight_decay in every"
    " update.",
    statement=r"g_1 = \dots = g_t = 0 \quad \Longrightarrow \quad \theta_t = (1 - \alpha \lambda)^t \,"
    r" \theta_0, \qquad \epsilon > 0",
    scope="each coordinate, constant lr and weight decay, epsilon > 0, every t",
    sources=[loshchilov_hutter("Algorithm 2, line 12, with the decay multiplied by lr as libraries do")],
    rule=adamw,
)
def shrinks(rule: Rule) -> Decision:
    """The moments stay zero, so the step is the decay alone."""
    with unless(lambda: _shrinks_otherwise(rule)):
        rest = {**initial(rule), grad: 0, eps: sp.Symbol("eps", positive=True)}
        for name in ("m", "v"):
            show_equal(closed_form(rule)[name].subs(rest), 0, f"{name}_t", domains(rule))
            show_equal(rule.state(name).initial, 0, f"{name}_0")
        shrunk = (1 - lr * weight_decay) * theta.before
        show_equal(closed_form(rule)["theta"].subs(rest), shrunk, "theta_t", domains(rule))
    return holds("m = v = 0 in every update, and theta_t = (1 - lr wd) theta_{t-1}")


def _shrinks_otherwise(rule: Rule) -> str | None:
    """Look for an update with a zero gradient that does anything else; in words."""
    values = exact_values(rule, lr=sp.Rational(1, 2), weight_decay=sp.Rational(1, 3))
    kept = 1 - values["lr"] * values["weight_decay"]
    history = run(rule, [0, 0], start=1, values=values)
    for k in (1, 2):
        if (history[k]["theta"] - kept**k).is_zero is False:
            return (
                f"zero gradients from theta_0 = 1 with {told(**values)}: theta_{k} is {history[k]['theta']},"
                f" not {kept**k}"
            )
    return None
