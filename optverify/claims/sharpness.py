"""SAM: the point it climbs to, and the penalty that this amounts to."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, holds_under_conditions
from optverify.claims._noise import ranges, rational
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
zhao = Source(
    "Zhao, Zhang and Hu",
    2022,
    "Penalizing gradient norm for efficiently improving generalization in deep learning",
    "the relation to SAM",
    "ICML",
    arxiv="2202.03599",
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
    "sam.penalty",
    "To first order in its radius SAM is gradient descent with a penalty on the length of the gradient.",
    statement=r"\theta_{2j} = \theta - \eta \, \frac{d}{d \theta} \left( f(\theta) + \rho_s \, \lvert"
    r" f'(\theta) \rvert \right) + O(\rho_s^2)",
    scope="dimension 1, any f with a continuous third derivative, where f' is not 0, every pair of calls"
    " j >= 1",
    sources=[foret, zhao],
    expected="holds under conditions",
    rule=about("sam"),
)
def penalty(rule: Rule) -> Decision:
    """Both sides and their derivatives by the radius, at radius 0, for a slope of either sign."""
    with unless(lambda: _other_climb(rule)):
        held, within = held_by(rule), ranges(rule)
        odd, even = called(rule, True), called(rule, False)
        x, slope = sp.Symbol("x", real=True), sp.Function("s")
        for side in (1, -1):
            first = {theta.before: x, grad: slope(x), length: side * slope(x)}
            climbed, waiting = (odd[name].subs(first, simultaneous=True) for name in ("theta", "theta_held"))
            put = {theta.before: climbed, held: waiting, grad: slope(climbed)}
            end = even["theta"].subs(put, simultaneous=True)
            stated = x - lr * (slope(x) + sam_rho * side * slope(x).diff(x))
            for k in (0, 1):
                gap = sp.diff(end - stated, sam_rho, k).subs(sam_rho, 0).doit()
                show_equal(gap, 0, f"the gap of order {k} in the radius", within)
    return holds_under_conditions(
        "f'(theta + rho sign f') = f' + rho f'' sign f' + O(rho^2), and d|f'| = f'' sign f'"
    )
