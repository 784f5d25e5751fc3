"""Runs that never arrive: exact cycles of momentum and of sign descent."""

from __future__ import annotations

from itertools import pairwise

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, refuted
from optverify.claims._linear import in_states
from optverify.claims.tuning import lessard
from optverify.language import Rule, Source, grad, lr, momentum, theta
from optverify.proof import NotProved, is_schur, show_equal, unless
from optverify.views.closed import closed_form
from optverify.views.run import run

goujaud = Source(
    "Goujaud, Taylor and Dieuleveut",
    2023,
    "Provable non-accelerations of the heavy-ball method",
    "cycles of the heavy ball on smooth strongly convex functions",
    arxiv="2307.11291",
)
lessard_cycle = Source(
    lessard.authors,
    lessard.year,
    lessard.title,
    "the counterexample to convergence of the heavy ball, with kappa = 25",
    lessard.venue,
    arxiv=lessard.arxiv,
)
bernstein = Source(
    "Bernstein, Wang, Azizzadenesheli and Anandkumar",
    2018,
    "signSGD: compressed optimisation for non-convex problems",
    "Algorithm 1",
    "ICML",
    arxiv="1802.04434",
)

z = sp.Symbol("z")
CYCLE = tuple(sp.Rational(n, 1225) for n in (792, -2208, 2592))
TUNING = {lr: sp.Rational(1, 9), momentum: sp.Rational(4, 9)}
"""Polyak's tuning for curvatures between 1 and 25."""


def steep_slope(x: sp.Rational) -> sp.Rational:
    """The slope of a convex function whose curvature is 25, then 1 between 1 and 2, then 25 again."""
    return 25 * x if x < 1 else x + 24 if x < 2 else 25 * x - 24


@claim(
    "momentum.global_convergence",
    "Momentum with the tuning that is best on quadratics converges on smooth and strongly convex functions.",
    statement=r"m \le f'' \le L, \; \varepsilon = \frac{4}{(\sqrt{L} + \sqrt{m})^2}, \; \mu = \left("
    r" \frac{\sqrt{L} - \sqrt{m}}{\sqrt{L} + \sqrt{m}} \right)^2 \quad \Longrightarrow \quad \theta_t \to"
    r" \theta^*",
    scope="m = 1, L = 25, so lr = 1/9 and momentum = 4/9; dimension 1, f'(x) = 25 x for x < 1, x + 24 for 1"
    " <= x < 2, 25 x - 24 from there on, with its minimum at 0; full gradients",
    sources=[lessard_cycle, goujaud],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="momentum.quadratic.best_tuning",
    rule=about("momentum"),
)
def three_cycle(rule: Rule) -> Decision:
    """Three exact steps return to the start; the product of their matrices is stable, so it attracts."""
    in_states(rule, "v")
    form = {name: e.subs(TUNING) for name, e in closed_form(rule).items()}
    if rule.gradient_point != theta.before:
        raise NotProved(f"the gradient is taken at {rule.gradient_point}")
    before = [theta.before, rule.state("v").before]
    state, product = {before[0]: CYCLE[0], before[1]: CYCLE[0] - CYCLE[2]}, sp.eye(2)
    for k in range(3):
        here = state[theta.before]
        if here != CYCLE[k]:
            raise NotProved(f"step {k} of the cycle leads to {here}, not {CYCLE[k]}")
        at = {**state, grad: steep_slope(here)}
        slope = 1 if 1 <= here < 2 else 25
        step = sp.Matrix([form["theta"], form["v"]])
        product = (step.jacobian(before) + step.diff(grad) * sp.Matrix([[slope, 0]])) * product
        state = {s: e.subs(at) for s, e in zip(before, step, strict=True)}
    if state != {before[0]: CYCLE[0], before[1]: CYCLE[0] - CYCLE[2]}:
        raise NotProved(f"after three steps the state is {state}")
    if product.free_symbols or not is_schur(product.charpoly(z)):
        raise NotProved(f"the cycle is not attracting: three steps have the matrix {product}")
    near = _reached(rule)
    return refuted(
        f"theta = {', '.join(map(str, CYCLE))} repeat for ever, with v the difference of two in a row; the"
        f" cycle attracts: three steps have the matrix {product.tolist()}, whose roots lie in the unit disk;"
        f" from theta_0 = 33/10, v_0 = 0 the run is within {near} of it after 30 updates"
    )


def _reached(rule: Rule) -> sp.Rational:
    """1/100, if the run from 33/10 has come so near to the cycle after 30 updates; else NotProved."""
    values = {"lr": TUNING[lr], "momentum": TUNING[momentum]}
    history = run(rule, [steep_slope] * 30, start=sp.Rational(33, 10), values=values)
    last, near = history[-1]["theta"], sp.Rational(1, 100)
    if min(abs(last - e) for e in CYCLE) > near:
        raise NotProved(f"the run from 33/10 is at {last} after 30 updates")
    return near


@claim(
    "signsgd.converges",
    "Sign descent with a constant step size converges to the minimum of a convex function.",
    statement=r"\theta_t \to 0 \text{ for every } \theta_0, \; \delta > 0, \qquad f(\theta) ="
    r" \frac{\lambda}{2} \theta^2",
    scope="f(theta) = lambda/2 theta^2 with any curvature lambda > 0, dimension 1, full gradients, any"
    " constant lr, from theta_0 = lr/2",
    sources=[bernstein],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="signsgd.neighbourhood",
    rule=about("signsgd"),
)
def sign_cycle(rule: Rule) -> Decision:
    """Two symbolic steps from lr/2 return to it."""
    in_states(rule)
    there = moved(rule, lr / 2)
    back = moved(rule, there)
    if sp.expand(there + lr / 2) != 0 or sp.expand(back - lr / 2) != 0:
        raise NotProved(f"two steps from lr/2 lead to {there} and {back}")
    return refuted(
        "from theta_0 = lr/2 the run is lr/2, -lr/2, lr/2, ...: a cycle, however flat or steep f is"
    )


def moved(rule: Rule, start: sp.Expr) -> sp.Expr:
    """theta after one step from this point on lambda/2 theta^2."""
    slope = sp.Symbol("lambda", positive=True) * start
    return closed_form(rule)["theta"].subs({grad: slope, theta.before: start}, simultaneous=True)


@claim(
    "signsgd.neighbourhood",
    "Sign descent with a constant step size comes within one step of the minimum and stays there.",
    statement=r"\lvert \theta_t \rvert = \bigl\lvert \lvert \theta_{t-1} \rvert - \delta \bigr\rvert \text{"
    r" for } \theta_{t-1} \ne 0, \quad \text{so } \lvert \theta_t \rvert \le \max(\lvert \theta_0 \rvert - t"
    r" \delta, \, \delta), \qquad f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="f(theta) = lambda/2 theta^2 with lambda > 0, and every f whose gradient has the sign of theta,"
    " each coordinate; full gradients, constant lr, every t; at 0 it stays",
    sources=[bernstein],
    rule=about("signsgd"),
)
def sign_neighbourhood(rule: Rule) -> Decision:
    """A step from either side of the minimum, and from it."""
    in_states(rule)
    with unless(lambda: _other_sign_step(rule)):
        x = sp.Symbol("x", positive=True)
        show_equal(moved(rule, x), x - lr, "theta after a step from x")
        show_equal(moved(rule, -x), lr - x, "theta after a step from -x")
        show_equal(moved(rule, sp.Integer(0)), 0, "theta after a step from 0")
    return holds(
        "from x > 0 a step leads to x - lr, from -x to -(x - lr): the distance falls by lr while it is at"
        " least lr, and below lr it becomes lr - x, which is at most lr"
    )


def _other_sign_step(rule: Rule) -> str | None:
    """Look for a distance that is not as stated in a run from 5/4 or -5/4 with lr = 1/2; in words."""
    for start in (sp.Rational(5, 4), sp.Rational(-5, 4), sp.Integer(0)):
        history = run(rule, [lambda point: 3 * point] * 3, start=start, values={"lr": sp.Rational(1, 2)})
        points = [state["theta"] for state in history]
        for old, new in pairwise(points):
            if not new.is_Rational:
                return None
            if abs(new) != (abs(abs(old) - sp.Rational(1, 2)) if old else 0):
                return f"on 3/2 theta^2 with lr = 1/2 a step from {old} leads to {new}"
    return None
