"""SAM: the point it climbs to, and where it comes to rest."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, refuted
from optverify.claims._noise import curvature, ranges, rational
from optverify.language import Rule, Source, grad, lr, t, theta
from optverify.language.operators import norm
from optverify.language.wrappers import sam_rho
from optverify.proof import NotProved, show_equal, unless
from optverify.views.closed import closed_form
from optverify.views.run import run

foret = Source(
    "Foret, Kleiner, Mobahi and Neyshabur",
    2021,
    "Sharpness-aware minimization for efficiently improving generalization",
    "equation (2) and Algorithm 1, p = 2",
    "ICLR",
    arxiv="2010.01412",
)
bartlett = Source(
    "Bartlett, Long and Bousquet",
    2023,
    "The dynamics of sharpness-aware minimization: bouncing across ravines and drifting towards wide minima",
    "the theorem on quadratics: SAM bounces",
    "JMLR 24",
    arxiv="2210.01513",
)
call = sp.Symbol("j", integer=True, positive=True)
length = sp.Symbol("n", positive=True)


def held_by(rule: Rule) -> sp.Symbol:
    """Where theta waits during the climb; NotProved for a rule of another shape."""
    if [s.name for s in rule.states] != ["theta_held"] or rule.inputs:
        raise NotProved(f"rule {rule.name!r} does not hold theta for a climb")
    return rule.state("theta_held").before


def called(rule: Rule, odd: bool) -> dict[str, sp.Expr]:
    """What an odd or an even call does, for a gradient other than 0; its norm is `length`."""
    time = 2 * call - 1 if odd else 2 * call
    return {n: e.xreplace({norm(grad): length}).subs(t, time) for n, e in closed_form(rule).items()}


def in_one_dimension(rule: Rule) -> Rule:
    """The rule for a theta that is one number."""
    lines = tuple((lhs, rhs.replace(norm, sp.Abs)) for lhs, rhs in rule.assignments)
    return replace(rule, assignments=lines)


@claim(
    "sam.ascent_point",
    "SAM steps with the gradient at the worst point near by, as the linear model of the loss sees it.",
    statement=r"\theta_{2j-1} = \theta + \hat{\epsilon}, \quad \hat{\epsilon} = \rho_s \frac{g}{\lVert g"
    r" \rVert}, \quad \langle g, \hat{\epsilon} \rangle = \rho_s \lVert g \rVert = \max_{\lVert \epsilon"
    r" \rVert \le \rho_s} \langle g, \epsilon \rangle, \qquad \theta_{2j} = \theta - \eta \nabla f(\theta +"
    r" \hat{\epsilon})",
    scope="one array of any shape, any f, gradient g at theta other than 0, every pair of calls j >= 1; the"
    " maximum by the inequality of Cauchy and Schwarz",
    sources=[foret],
    rule=about("sam"),
)
def ascent_point(rule: Rule) -> Decision:
    """The climb is rho/|g| times the gradient, and the step starts from where the climb began."""
    with unless(lambda: _other_climb(rule)):
        held, within = held_by(rule), ranges(rule)
        odd, even = called(rule, True), called(rule, False)
        factor = sp.cancel((odd["theta"] - theta.before) / grad)
        if factor.has(grad, norm):
            raise NotProved(f"the climb is no multiple of the gradient: {odd['theta'] - theta.before}")
        show_equal(factor * length, sam_rho, "the length of the climb", within)
        second = {grad: sp.Symbol("g_2", real=True), length: sp.Symbol("n_2", positive=True)}
        put = {theta.before: odd["theta"], held: odd["theta_held"]}
        stepped = even["theta"].xreplace(second).subs(put, simultaneous=True)
        show_equal(stepped, theta.before - lr * second[grad], "the step", within)
    return holds("the climb is (rho/|g|) g: its length is rho and its inner product with g is rho |g|")


def _other_climb(rule: Rule) -> str | None:
    """Look for other points in two pairs of calls with gradients 4 and -2, each pair; in words."""
    if [s.name for s in rule.states] != ["theta_held"] or rule.inputs:
        return None
    values = {"lr": sp.Rational(1, 2), "sam_rho": sp.Integer(3), "weight_decay": sp.Integer(0)}
    history = run(in_one_dimension(rule), [4, -2, 4, -2], start=1, values=values)
    found = [rational(state["theta"]) for state in history]
    if found != [1, 4, 2, 5, 3]:
        return (
            "from theta_0 = 1 with lr = 1/2, sam_rho = 3 and gradients 4, -2, 4, -2 theta is"
            f" {', '.join(map(str, found))}, not 1, 4, 2, 5, 3"
        )
    return None


@claim(
    "sam.quadratic.converges",
    "SAM converges to the minimum of a quadratic, as gradient descent does.",
    statement=r"\theta_{2j} \to 0 \text{ for } 0 < \eta \lambda < 1, \qquad f(\theta) = \frac{\lambda}{2}"
    r" \theta^2",
    scope="dimension 1, every lambda, rho and lr with lr lambda < 2: it bounces between two points; in"
    " numbers for lambda = rho = 1, lr = 1/2",
    sources=[bartlett],
    expected="refuted",
    evidence="proved",
    rule=about("sam"),
)
def bounces(rule: Rule) -> Decision:
    """A pair of calls takes the one point to the other, by symbols and in numbers."""
    held_by(rule)
    scaled, slack = lr * curvature, sp.Symbol("s", positive=True)
    inside = 2 / (1 + slack)  # lr lambda < 2
    end = lr * curvature * sam_rho / (2 - scaled)
    flat = in_one_dimension(rule)
    for side in (1, -1):
        start = (side * end).subs(lr, inside / curvature)
        slopes = [lambda p: curvature * sp.factor(p)] * 2
        values = {"lr": inside / curvature, "weight_decay": 0}
        last = run(flat, slopes, start=sp.factor(start), values=values)[-1]["theta"]
        if sp.cancel(sp.simplify(last) + start) != 0:
            raise NotProved(f"a pair of calls takes {start} to {last}")
    third = sp.Rational(1, 3)
    numbers = {"lr": sp.Rational(1, 2), "sam_rho": 1, "weight_decay": 0}
    history = run(flat, [lambda p: p] * 4, start=third, values=numbers)
    found = [rational(state["theta"]) for state in history]
    return refuted(
        "+-lr lambda rho/(2 - lr lambda) go to each other; with lambda = rho = 1, lr = 1/2 theta is"
        f" {', '.join(map(str, found))}, a climb and a step in turn",
        "proved",
    )
