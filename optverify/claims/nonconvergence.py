"""Where adaptive rules do not converge, and the one that was made to."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import sympy as sp

from optverify.claims._adaptive import claim, exact_values, inside, open_change, plain, reddi, tieleman, told
from optverify.claims._claim import Decision, about, holds, refuted
from optverify.language import (
    Domain,
    Rule,
    Source,
    beta1,
    beta2,
    eps,
    grad,
    lr,
    rho,
    theta,
)
from optverify.proof import (
    NotProved,
    domains,
    show_equal,
    show_nonnegative,
    show_positive,
    show_stable_iff,
    unless,
)
from optverify.views.closed import closed_form
from optverify.views.open import open_form
from optverify.views.run import run

# ---- the example of Reddi, Kale and Kumar ----------------------------------------------------------------

over = sp.Symbol("x", nonnegative=True)
C = 2 + over
"""The slope of every third loss, any number from 2 on."""
decay = 1 / (1 + C**2)
fixed = {beta1: 0, beta2: decay, eps: 0}
some = sp.Symbol("V", positive=True)
example = reddi("Theorem 1 and its proof in the appendix")

PROBLEM = (
    r"f_t(\theta) = C \theta \text{ if } t \equiv 1 \pmod 3, \text{ else } -\theta, \quad \theta \in [-1, 1],"
    r" \quad \beta_1 = 0, \; \beta_2 = \frac{1}{1 + C^2}"
)


@dataclass(frozen=True)
class Period:
    """v after the three updates of a period: at least low after the first, at most high after each."""

    low: sp.Expr
    high: tuple[sp.Expr, sp.Expr, sp.Expr]


def after(rule: Rule, v: sp.Expr, gradient: sp.Expr) -> sp.Expr:
    """v after an update with this gradient, from this v."""
    form = closed_form(rule)["v"].subs(fixed)
    return sp.factor(form.subs({rule.state("v").before: v, grad: gradient}, simultaneous=True))


def period(rule: Rule) -> Period:
    """The bounds from 0 <= v <= C^2, which are shown to hold again after the period."""
    v = rule.state("v")
    form = closed_form(rule)["v"].subs(fixed)
    for gradient in (C, sp.Integer(-1)):
        slope = sp.diff(form.subs(grad, gradient), v.before)
        show_nonnegative(sp.factor(slope), "the slope of v_t in v_(t-1)")
    first = after(rule, C**2, C)
    second = after(rule, first, sp.Integer(-1))
    third = after(rule, second, sp.Integer(-1))
    low = after(rule, sp.Integer(0), C)
    for bound in (first, second, third):
        show_nonnegative(sp.factor(C**2 - bound), "C^2 - v")
    show_nonnegative(sp.sympify(v.initial), "v_0")
    show_nonnegative(sp.factor(C**2 - sp.sympify(v.initial)), "C^2 - v_0")
    show_positive(low, "v after the first update of a period")
    return Period(low, (first, second, third))


def show_step(rule: Rule, accumulated: sp.Symbol) -> None:
    """Show that theta moves by -lr g/sqrt(accumulated)."""
    m = closed_form(rule)["m"]
    step = open_change(rule).subs(rule.state("m").now, m).subs(fixed).subs(accumulated, some)
    show_equal(step, -lr * grad / sp.sqrt(some), "the step", domains(rule))


def show_climb(rule: Rule, falls: tuple[sp.Rational, sp.Rational]) -> None:
    """Show that the two steps up are longer than the one down, together; falls: squares of later lr."""
    plain(rule, epsilon="outside", bias_correction="none", amsgrad="none")
    bounds = period(rule)
    show_step(rule, rule.state("v").now)
    shares = (sp.Rational(1, 2), sp.Rational(5, 7))
    for high, share in zip(bounds.high[1:], shares, strict=True):
        spare = bounds.low / (C**2 * high) - share
        show_nonnegative(sp.factor(spare), f"the square of a step up over the step down, less {share},")
    reach = sp.Add(*(sp.sqrt(a * b) for a, b in zip(shares, falls, strict=True)))
    show_positive(reach - 1, "what the steps up gain")


@claim(
    "adam.nonconvergence.constant",
    "On convex problems Adam with a constant learning rate gets to the neighbourhood of the best point.",
    statement=PROBLEM + r": \quad \theta_t \to \text{ the neighbourhood of the best point } -1",
    scope="dimension 1, every C > 2, epsilon = 0, no bias correction, constant lr, projection onto [-1, 1]:"
    " Adam ends at the worst point, +1",
    sources=[example],
    expected="refuted",
    evidence="proved",
    corrected_by="amsgrad.convergence",
    rule=about("adam", bias_correction="none"),
)
def adam_constant(rule: Rule) -> Decision:
    """Bounds on v over a period give bounds on the three steps, for symbolic C."""
    with unless(lambda: None):  # another rule may converge here
        show_climb(rule, (sp.Integer(1), sp.Integer(1)))
    return refuted(
        "in every three updates the two steps up have at least sqrt(1/2) and sqrt(5/7) of the size of the"
        " step down, 1.55 together, for every C >= 2 and every 0 <= v <= C^2 at the start of the three:"
        " theta climbs until the projection holds it at +1, where the losses of a period are worst",
        "proved",
    )


@claim(
    "adam.nonconvergence.decreasing",
    "Adam's average regret goes to zero on convex problems if the learning rate falls like 1/sqrt(t).",
    statement=PROBLEM
    + r", \; \alpha_t = \frac{\alpha}{\sqrt{t}}: \quad \frac{1}{T} \sum_{t \le T} \left( f_t(\theta_{t-1}) -"
    r" f_t(-1) \right) \to 0",
    scope="dimension 1, every C > 2, epsilon = 0, no bias correction, lr/sqrt(t), projection onto [-1, 1]:"
    " Adam ends at the worst point, +1",
    sources=[example],
    expected="refuted",
    evidence="proved",
    corrected_by="amsgrad.convergence",
    rule=about("adam", bias_correction="none"),
)
def adam_decreasing(rule: Rule) -> Decision:
    """The same bounds; from the second period on lr falls by too little within a period to help."""
    with unless(lambda: None):
        k = sp.Symbol("k", nonnegative=True)
        falls = (sp.Rational(4, 5), sp.Rational(4, 6))
        for place, share in zip((2, 3), falls, strict=True):
            at = (3 * k + 4) / (3 * k + 3 + place)
            show_nonnegative(
                sp.factor(at - share), "the square of lr over that of the first update of the period"
            )
        show_climb(rule, falls)
    return refuted(
        "from t = 4 on the two steps up have at least sqrt(1/2 4/5) and sqrt(5/7 2/3) of the size of the step"
        " down, 1.32 together, and the sum of 1/sqrt(t) diverges: theta climbs to +1 and stays, and each"
        " period costs 2 (C - 2) more than at -1",
        "proved",
    )


@claim(
    "amsgrad.convergence",
    "AMSGrad converges on the problem where Adam does not.",
    statement=PROBLEM
    + r": \quad \theta_{3k+3} - \theta_{3k} \le -(C - 2) \, \frac{\alpha_{3k+1}}{C} \text{ away from the"
    r" ends, for } \alpha_1 \ge \alpha_2 \ge \dots > 0",
    scope="dimension 1, every C > 2, epsilon = 0, no bias correction, every positive learning rate that does"
    " not rise, projection onto [-1, 1]; where their sum diverges theta gets to -1, and then stays within 2"
    " lr_t of it",
    sources=[example],
    rule=about("amsgrad"),
)
def amsgrad_converges(rule: Rule) -> Decision:
    """The largest v changes in the first update of a period alone, so three steps add up to less than 0."""
    plain(rule, epsilon="outside", bias_correction="none", amsgrad="v")
    with unless(lambda: _climbs(rule)):
        v, largest = rule.state("v"), rule.state("v_max")
        bounds = period(rule)
        above = sp.Symbol("y", nonnegative=True)
        show_nonnegative(sp.factor(bounds.low - 1), "v after the first update, less 1,")
        later = after(rule, 1 + above, sp.Integer(-1))
        show_nonnegative(sp.factor(1 + above - later), "the fall of v in the other updates")
        show_nonnegative(sp.factor(later - 1), "v after the other updates, less 1,")
        show_equal(open_form(rule)[largest.now], sp.Max(largest.before, v.now), "v_max")
        show_equal(largest.initial, 0, "v_max at the start")
        show_step(rule, largest.now)
    return holds(
        "v >= 1 after the first update of each period, so the updates with gradient -1 do not raise v_max:"
        " with V = v_max <= C^2 the three steps are -C lr/sqrt(V) and at most twice lr/sqrt(V), together at"
        " most -(C - 2) lr/sqrt(V) < 0; from -1 the two steps up reach -1 + 2 lr/sqrt(V) at most, V >= 1"
    )


def _climbs(rule: Rule) -> str | None:
    """Look for a period with C = 3 that does not move theta down; in words."""
    values = exact_values(rule, beta1=0, beta2=sp.Rational(1, 10), eps=0, lr=sp.Rational(1, 10))
    thetas = [state["theta"] for state in run(rule, [3, -1, -1] * 2, values=values)][::3]
    for k, (one, two) in enumerate(pairwise(thetas), 1):
        if (two - one).is_nonnegative:
            return f"C = 3 with {told(**values)}: period {k} takes theta from {one} to {two}"
    return None


# ---- RMSProp on a quadratic ------------------------------------------------------------------------------

curvature = sp.Symbol("lambda", positive=True)
hop = {theta.before: lr / 2}
shi = Source(
    "Shi, Li, Hong and Sun",
    2021,
    "RMSprop converges with proper hyper-parameter",
    "the introduction: with a constant learning rate only to a neighbourhood",
    "ICLR",
    url="https://openreview.net/forum?id=3UDSdyIcBDA",
)


def on_quadratic(rule: Rule) -> sp.Matrix:
    """(theta, v) after an update on lambda theta^2/2, for epsilon = 0."""
    plain(rule, epsilon="outside", centered=False, buffer="none")
    form = {
        name: e.subs(eps, 0).subs(grad, curvature * theta.before) for name, e in closed_form(rule).items()
    }
    if set(form) != {"theta", "v"}:
        raise NotProved(f"the states are {', '.join(form)}, not theta and v")
    return sp.Matrix([form["theta"], form["v"]])


def show_cycle(rule: Rule) -> None:
    """Show that (lr/2, V) and (-lr/2, V) follow each other, V = (lambda lr/2)^2."""
    v, height, step = rule.state("v").before, (curvature * lr / 2) ** 2, on_quadratic(rule)
    for side in (1, -1):
        moved = step.subs({theta.before: side * lr / 2, v: height}, simultaneous=True)
        show_equal(moved[0], -side * lr / 2, "theta_t", domains(rule))
        show_equal(moved[1], height, "v_t", domains(rule))


def _leaves(rule: Rule) -> str | None:
    """Look for a start on the cycle with which the next point is not the other one; in words."""
    for steep in (2, 3):
        values = exact_values(rule, lr=1, eps=0, initial_accumulator=sp.Rational(steep**2, 4))
        history = run(rule, [lambda x, steep=steep: steep * x] * 2, start=sp.Rational(1, 2), values=values)
        for k, state in enumerate(history[1:], 1):
            if (state["theta"] - sp.Rational((-1) ** k, 2)).is_zero is False:
                return (
                    f"curvature {steep} from theta_0 = 1/2 with {told(**values)}: theta_{k} is"
                    f" {state['theta']}"
                )
    return None


@claim(
    "rmsprop.quadratic.convergence",
    "RMSProp converges to the minimum of a quadratic for small enough learning rates.",
    statement=r"\theta_t \to 0 \quad \text{on } f(\theta) = \frac{\lambda}{2} \theta^2 \text{ for all } \eta"
    r" < \eta^*(\lambda)",
    scope="dimension 1, epsilon = 0, constant lr; every curvature, every lr and every rho have the 2-cycle"
    " from lr/2 to -lr/2 with v = (lambda lr/2)^2",
    sources=[shi, tieleman],
    expected="refuted",
    evidence="proved",
    corrected_by="rmsprop.quadratic.cycle",
    rule=about("rmsprop"),
)
def rmsprop_converges(rule: Rule) -> Decision:
    """One step from either point of the cycle, for symbolic curvature, lr and rho."""
    with unless(lambda: None):  # another rule may converge
        show_cycle(rule)
    return refuted(
        "from theta = lr/2 and v = (lambda lr/2)^2 the next point is -lr/2 with the same v, and so on, for"
        " every curvature",
        "proved",
    )


@claim(
    "rmsprop.quadratic.cycle",
    "On a quadratic RMSProp with a constant learning rate is drawn into hopping between +lr/2 and -lr/2.",
    statement=r"(\theta, v) = \left( \pm \frac{\eta}{2}, \left( \frac{\lambda \eta}{2} \right)^2 \right)"
    r" \quad \text{is an attracting 2-cycle on } f(\theta) = \frac{\lambda}{2} \theta^2, \qquad 0 < \rho < 1",
    scope="dimension 1, epsilon = 0, every curvature lambda > 0, every constant lr > 0, every rho in (0, 1);"
    " attracting means from every start near enough",
    sources=[tieleman],
    rule=about("rmsprop"),
)
def rmsprop_cycle(rule: Rule) -> Decision:
    """The cycle by one step; the linear map of a step and a reflection, by the Schur conditions."""
    with unless(lambda: _leaves(rule)):
        show_cycle(rule)
        v = rule.state("v").before
        step = on_quadratic(rule)
        step[0] = -step[0]
        at = {**hop, v: (curvature * lr / 2) ** 2}
        linear = step.jacobian([theta.before, v]).subs(at, simultaneous=True).applyfunc(sp.factor)
        show_stable_iff(linear, [], "the cycle", {rho: inside, lr: Domain(0, float("inf"), low_open=True)})
    trace, determinant = sp.factor(linear.trace()), sp.factor(linear.det())
    return holds(
        f"a step followed by a reflection keeps (lr/2, (lambda lr/2)^2); its linear map has trace {trace} and"
        f" determinant {determinant}, both roots inside the unit circle for every rho in (0, 1) (Jury)"
    )
