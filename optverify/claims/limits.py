"""Small steps: the differential equations that momentum and Nesterov's method become."""

from __future__ import annotations

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds
from optverify.claims._linear import in_states
from optverify.language import Rule, Source, grad, lr, momentum, theta
from optverify.proof import Refuted, show_equal
from optverify.views.closed import closed_form

su = Source(
    "Su, Boyd and Candes",
    2016,
    "A differential equation for modeling Nesterov's accelerated gradient method: theory and insights",
    "section 2, the derivation of the equation",
    "JMLR 17",
    arxiv="1503.01243",
)
polyak_paper = Source(
    "Polyak",
    1964,
    "Some methods of speeding up the convergence of iteration methods",
    "the two-step method as a heavy ball with friction",
    "USSR Computational Mathematics and Mathematical Physics 4",
    url="https://doi.org/10.1016/0041-5553(64)90137-5",
)
shi = Source(
    "Shi, Du, Jordan and Su",
    2021,
    "Understanding the acceleration phenomenon via high-resolution differential equations",
    "the low-resolution equation that both methods share",
    "Mathematical Programming",
    arxiv="1810.08907",
)

d = sp.Symbol("d", positive=True)
"""The time of a step; lr = d^2."""
now = sp.Symbol("tau", positive=True)
X = sp.symbols("x x_1 x_2 x_3", real=True)
"""The curve at tau and its derivatives, the third bounded."""
slope, change = sp.symbols("F G", real=True)
"""The gradient at the curve, and its rate of change along the distance d, bounded."""


def curve(shift: int) -> sp.Expr:
    """x(tau + shift d) up to the third power of d."""
    return sp.Add(*(X[j] * (shift * d) ** j / sp.factorial(j) for j in range(4)))


def residual(rule: Rule, kept: sp.Expr) -> sp.Expr:
    """What is left of a step divided by d^2 as d -> 0, if theta follows the curve: 0 for its equation.

    kept: momentum, a function of tau and d. The velocity is the last change of theta, as the rule has it.
    """
    in_states(rule, "v")
    form = closed_form(rule)
    gradient = slope + change * d  # the gradient point lies within O(d) of the curve
    put = {
        theta.before: curve(0),
        rule.state("v").before: curve(0) - curve(-1),
        lr: d**2,
        momentum: kept,
    }
    if sp.cancel(rule.gradient_point.subs(put, simultaneous=True) - curve(0)).subs(d, 0) != 0:
        raise Refuted(
            f"the gradient point {rule.gradient_point} does not tend to theta as the step goes to 0"
        )
    put[grad] = gradient
    left = [
        curve(1) - form["theta"].subs(put, simultaneous=True),
        curve(1) - curve(0) - form["v"].subs(put, simultaneous=True),
    ]
    first, second = (_leading(sp.together(e / d**2)) for e in left)
    show_equal(first, second, "the residual of theta, against that of the velocity")
    return first


def _leading(e: sp.Expr) -> sp.Expr:
    """The value at d = 0 of a rational function of d. Raises Refuted if it has none."""
    above, below = sp.fraction(sp.cancel(e))
    if below.subs(d, 0) == 0:
        raise Refuted(f"a step is not of the order of d^2 along the curve: {sp.factor(e)}")
    return above.subs(d, 0) / below.subs(d, 0)


@claim(
    "nesterov.ode",
    "For small steps Nesterov's method with momentum (t - 1)/(t + 2) follows x'' + 3/t x' + grad f = 0.",
    statement=r"\varepsilon = d^2, \; \mu_t = \frac{t - 1}{t + 2}, \; \tau = t d: \qquad \frac{x(\tau + d) -"
    r" \theta_{t+1}}{d^2} \to \ddot{x} + \frac{3}{\tau} \dot{x} + \nabla f(x) \quad (d \to 0), \quad"
    r" \theta_t = x(\tau), \; v_t = x(\tau) - x(\tau - d)",
    scope="consistency of one step at a fixed time tau > 0, for smooth curves x and f with a Lipschitz"
    " gradient, any dimension; that runs converge to the curve is another theorem",
    sources=[su],
    rule=about("nesterov"),
)
def nesterov_equation(rule: Rule) -> Decision:
    """The Taylor expansion of one step, from the rule."""
    count = now / d
    found = residual(rule, (count - 1) / (count + 2))
    show_equal(found, X[2] + 3 * X[1] / now + slope, "the residual of a step, over lr")
    return holds("1 - (t - 1)/(t + 2) = 3/(t + 2) becomes the friction 3/tau; the look-ahead vanishes with d")


@claim(
    "momentum.ode",
    "For small steps momentum is a heavy ball with friction: x'' + c x' + grad f = 0.",
    statement=r"\varepsilon = d^2, \; \mu = 1 - c d, \; \tau = t d: \qquad \frac{x(\tau + d) -"
    r" \theta_{t+1}}{d^2} \to \ddot{x} + c \dot{x} + \nabla f(x) \quad (d \to 0), \quad \theta_t = x(\tau),"
    r" \; v_t = x(\tau) - x(\tau - d)",
    scope="consistency of one step, for smooth curves x and f with a Lipschitz gradient, any friction c > 0,"
    " any dimension; Nesterov momentum with the same constants has the same equation, which does not tell"
    " them apart; that runs converge to the curve is another theorem",
    sources=[polyak_paper, shi],
    ball=about("momentum"),
    nesterov=about("nesterov"),
)
def heavy_ball_equation(ball: Rule, nesterov: Rule) -> Decision:
    """The Taylor expansion of one step of either method, from the rules."""
    friction = sp.Symbol("c", positive=True)
    for rule in (ball, nesterov):
        found = residual(rule, 1 - friction * d)
        show_equal(found, X[2] + friction * X[1] + slope, f"the residual of a step of {rule.name}, over lr")
    return holds("momentum = 1 - c d and lr = d^2 leave x'' + c x' + grad f; the look-ahead vanishes with d")
