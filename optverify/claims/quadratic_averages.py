"""Rules that average their points on quadratics: Lookahead, Schedule-Free and averaged gradient descent."""

from __future__ import annotations

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, holds_under_conditions, refuted
from optverify.claims._linear import (
    curvature,
    cycle_matrix,
    in_states,
    leaves_minimum,
    rate,
)
from optverify.language import (
    Rule,
    Source,
    grad,
    hyper_symbol,
    lr,
    momentum,
    t,
    theta,
)
from optverify.proof import (
    NotProved,
    Refuted,
    domains,
    show_by_induction,
    show_equal,
    show_nonnegative,
    unless,
)
from optverify.views.closed import closed_form
from optverify.views.run import run

zhang_lookahead = Source(
    "Zhang, Lucas, Hinton and Ba",
    2019,
    "Lookahead optimizer: k steps forward, 1 step back",
    "Algorithm 1",
    "NeurIPS",
    arxiv="1907.08610",
)


# ---- Lookahead ---------------------------------------------------------------------------------------------

slow_lr, sync_period = hyper_symbol("slow_lr", positive=True), hyper_symbol("sync_period", positive=True)
PERIODS = (1, 2, 3, 4, 5)


def slow_multiplier(rule: Rule, period: int) -> sp.Expr:
    """What theta is multiplied with from one return to the next, theta and theta_slow being equal there."""
    in_states(rule, "theta_slow")
    matrix = cycle_matrix(rule, period, {sync_period: sp.Integer(period)}).subs(lr, rate)
    together = matrix * sp.ones(matrix.cols, 1)
    if matrix.rows != 2 or sp.expand(together[0] - together[1]) != 0:
        raise NotProved(f"after {period} steps theta and theta_slow differ: {list(together)}")
    return sp.expand(together[0])


def _other_lookahead(rule: Rule) -> str | None:
    """Look for a slow step that is not a mean of where it began and the end of k plain steps; in words."""
    for k in PERIODS:
        values = {"lr": sp.Rational(1, 3), "slow_lr": sp.Rational(1, 2), "sync_period": sp.Integer(k)}
        found = run(rule, [lambda point: point] * k, start=1, values=values)[-1]["theta"]
        stated = (1 + sp.Rational(2, 3) ** k) / 2
        if found.is_Rational and found != stated:
            return (
                f"with slow_lr = 1/2, lr = 1/3, k = {k} on theta^2/2 theta_k is {found} theta_0, not {stated}"
            )
    return None


@claim(
    "lookahead.quadratic.stability",
    "Lookahead makes gradient descent stable at larger step sizes.",
    statement=r"\theta_{k t} = (1 - \alpha_s + \alpha_s (1 - \eta \lambda)^k)^t \, \theta_0 \to 0 \quad"
    r" \Longleftrightarrow \quad 0 < \eta \lambda < 1 + \left( \frac{2}{\alpha_s} - 1 \right)^{1/k} \text{"
    r" for odd } k, \qquad 0 < \eta \lambda < 2 \text{ for even } k, \qquad f(\theta) = \frac{\lambda}{2}"
    r" \theta^2",
    scope="Lookahead around gradient descent with k = 1, ..., 5 fast steps, any slow step size in (0, 1],"
    " quadratics with curvature lambda > 0, full gradients, constant lr; in d dimensions along each"
    " eigenvector of the Hessian: it widens the range for odd k and slow_lr < 1 only",
    sources=[zhang_lookahead],
    expected="holds under conditions",
    rule=about("lookahead"),
)
def lookahead_stability(rule: Rule) -> Decision:
    """The slow multiplier is 1 - a + a q^k; its distances to 1 and -1 have the signs of the stated region."""
    in_states(rule, "theta_slow")
    x = sp.Symbol("x", nonnegative=True)
    share = 1 / (1 + x)  # of (0, 1]
    with unless(lambda: _other_lookahead(rule)):
        start = rule.state("theta_slow").initial
        show_equal(start, theta.before, "theta_slow at the start", domains(rule))
        for k in PERIODS:
            q = 1 - rate * curvature
            stated = 1 - slow_lr + slow_lr * q**k
            show_equal(slow_multiplier(rule, k), stated, f"the slow multiplier for k = {k}", domains(rule))
            bound = (2 / slow_lr - 1).subs(slow_lr, share)
            show_nonnegative(bound - 1, "2/slow_lr - 2")
    return holds_under_conditions(
        "over k steps theta is multiplied by 1 - a + a (1 - lr lambda)^k with a = slow_lr, which is below 1"
        " iff (1 - lr lambda)^k < 1 and above -1 iff (1 - lr lambda)^k > 1 - 2/a, and 1 - 2/a <= -1: for"
        " even k the second always holds and the first says lr lambda < 2; for odd k = 5 and a = 1/2 the"
        " threshold is 1 + 3^(1/5) = 2.2457"
    )


@claim(
    "lookahead.quadratic.always_stabler",
    "Lookahead always makes gradient descent stable at larger step sizes.",
    statement=r"\text{some } \eta \lambda \ge 2 \text{ is stable, for every } k \ge 1 \text{ and } \alpha_s"
    r" < 1, \qquad f(\theta) = \frac{\lambda}{2} \theta^2",
    scope="Lookahead around gradient descent, k = 2, every slow_lr and every lr lambda >= 2, any theta_0"
    " other than 0",
    sources=[zhang_lookahead],
    expected="refuted",
    evidence="proved",
    corrected_by="lookahead.quadratic.stability",
    rule=about("lookahead"),
)
def lookahead_even(rule: Rule) -> Decision:
    """For k = 2 the multiplier is at least 1 there; an example, which is stable with k = 1."""
    large = (2 + sp.Symbol("x", nonnegative=True)) / curvature
    try:
        beyond = sp.expand(slow_multiplier(rule, 2).subs(rate, large) - 1)
        show_nonnegative(beyond, "the multiplier for k = 2 less 1", domains(rule))
    except Refuted as other:
        raise NotProved(str(other)) from None
    point = {slow_lr: sp.Rational(1, 2), rate: sp.Rational(5, 2), curvature: sp.Integer(1)}
    one, two = (slow_multiplier(rule, k).subs(point) for k in (1, 2))
    if not (two.is_Rational and one.is_Rational and abs(two) > 1 > abs(one)):
        raise NotProved(f"the multipliers are {one} for k = 1 and {two} for k = 2")
    return refuted(
        "for k = 2 a pair of steps multiplies theta by 1 + slow_lr ((1 - lr lambda)^2 - 1), at least 1"
        f" for lr lambda >= 2; with slow_lr = 1/2 and lr = 5/2 on theta^2/2 by {two}, and for k = 1 by {one}",
        "proved",
    )


# ---- averaging ---------------------------------------------------------------------------------------------

schedule_free = Source(
    "Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky",
    2024,
    "The road less scheduled",
    "the three lines of Schedule-Free SGD",
    "NeurIPS",
    arxiv="2405.15682",
)
c = sp.Symbol("c", positive=True)
"""The weight of a new point in the average, 1/t."""


def weighted_matrix(rule: Rule) -> sp.Matrix:
    """The step over (theta, z) for the weight c: W_t = t lr^2 is shown by induction, and 1/t written as c."""
    form, within = closed_form(rule), domains(rule)
    W, points = rule.state("W"), (theta, rule.state("z"))
    show_by_induction(
        lambda y, k: form["W"].subs({W.before: y, t: k}, simultaneous=True),
        sp.sympify(W.initial),
        lambda k: k * lr**2,
        "the sum of the weights",
        within,
    )
    before = [s.before for s in points]
    put = {grad: curvature * rule.gradient_point, W.before: (t - 1) * lr**2}
    step = [sp.cancel(form[s.name].xreplace(put)).subs(t, 1 / c).subs(lr, rate) for s in points]
    matrix = sp.Matrix(step).jacobian(before).applyfunc(sp.cancel)
    if matrix.has(*before, t) or any(e.subs(dict.fromkeys(before, 0)) != 0 for e in step):
        raise NotProved("the step is not linear in theta and z")
    return matrix


@claim(
    "schedule_free_sgd.quadratic.stability",
    "Taking the gradient near the average makes Schedule-Free SGD stable at step sizes up to 20/L for"
    " momentum = 0.9.",
    statement=r"x_t = \left(1 - \frac{a}{t}\right) x_{t-1} + \frac{a - q}{t} \, y_{t-1}, \quad y_t = \left(1"
    r" - \frac{q}{a} + \frac{\beta (a - q)}{t}\right) y_{t-1} - \frac{\beta a}{t} \, x_{t-1}, \quad q ="
    r" \gamma \lambda, \; a = \frac{1}{1 - \beta}; \quad \theta_t \to 0 \text{ from every state if } 0 <"
    r" \gamma \lambda < \frac{2}{1 - \beta}, \text{ and } \theta_t \text{ is unbounded from some state if }"
    r" \gamma \lambda > \frac{2}{1 - \beta} \text{ or } \gamma \lambda < 0, \qquad f(\theta) ="
    r" \frac{\lambda}{2} \theta^2",
    scope="quadratics with curvature lambda > 0, full gradients, constant lr, momentum beta in (0, 1), theta"
    " = x is the average, y the gradient point; the state is (theta, z) at some t; the border itself is left"
    " out; in d dimensions along each eigenvector of the Hessian",
    sources=[schedule_free],
    rule=about("schedule_free_sgd"),
)
def schedule_free_stability(rule: Rule) -> Decision:
    """In (x, y), average and gradient point, a step is a contraction of y and a slow decay of x.

    With x' = (1 - a c) x + c k y and y' = (r + beta c k) y - beta a c x, where a = 1/(1 - beta), k = a - q
    and r = 1 - q/a: the sum |x| + |y|/2 shrinks at least by 1 - a c/2 once c is small, if |r| < 1, and the
    sum of c = 1/t is infinite. If |r| > 1, a start with |x| <= |y| keeps it, and |y| grows by about |r|.
    """
    in_states(rule, "z", "W")
    if found := leaves_minimum(rule, {"W": sp.Integer(1)}):
        raise Refuted(found)
    matrix, within = weighted_matrix(rule), domains(rule)
    q, a = rate * curvature, 1 / (1 - momentum)
    change = sp.Matrix([[1, 0], [momentum, 1 - momentum]])  # (x, z) -> (x, y)
    moved = (change * matrix * change.inv()).applyfunc(sp.cancel)
    k, r = a - q, 1 - q / a
    stated = sp.Matrix([[1 - a * c, c * k], [-momentum * a * c, r + momentum * c * k]])
    for entry, wanted, name in zip(moved, stated, ("x to x", "y to x", "x to y", "y to y"), strict=True):
        show_equal(entry, wanted, f"the coefficient from {name}", within)
    show_nonnegative(1 - momentum / 2 - sp.Rational(1, 2), "the shrinkage of x beyond a c/2", within)
    show_equal((1 - r) * a, q, "1 - r, times a", within)
    show_equal((1 + r) * a, 2 * a - q, "1 + r, times a", within)
    return holds(
        "c_t = 1/t; the gradient point y is multiplied by r = 1 - (1 - beta) lr lambda up to O(1/t), the"
        " average x by 1 - 1/((1 - beta) t): |x| + |y|/2 shrinks by 1 - 1/(2 (1 - beta) t) for large t if"
        " |r| < 1"
    )


@claim(
    "asgd.quadratic.average",
    "Without noise averaging slows gradient descent down: the mean of its points comes in like 1/t only.",
    statement=r"\bar{\theta}_t = \frac{q (1 - q^t)}{(1 - q) \, t} \, \theta_0, \quad \theta_t = q^t \theta_0,"
    r" \quad q = 1 - \gamma \lambda, \qquad f(\theta) = \frac{\lambda}{2} \theta^2, \quad t = 1, 2, \dots",
    scope="quadratics with curvature lambda > 0, full gradients, constant lr, the average from the first"
    " update on; in d dimensions along each eigenvector of the Hessian",
    sources=[
        Source(
            "Polyak and Juditsky",
            1992,
            "Acceleration of stochastic approximation by averaging",
            "the averaged iteration of section 2",
            "SIAM Journal on Control and Optimization 30",
            url="https://doi.org/10.1137/0330046",
        )
    ],
    rule=about("asgd"),
)
def averaged_descent(rule: Rule) -> Decision:
    """theta_t by induction, then the mean by induction with symbolic t."""
    in_states(rule, "theta_bar")
    q, first = sp.symbols("q theta_0", real=True)
    gradient = (1 - q) / lr * rule.gradient_point  # the curvature that makes the multiplier q
    at_once = {hyper_symbol("average_start"): sp.Integer(0), grad: gradient}
    form = {n: e.subs(at_once) for n, e in closed_form(rule).items()}
    mean, within = rule.state("theta_bar"), domains(rule)

    def last(k: sp.Expr) -> sp.Expr:
        return q**k * first

    with unless(lambda: _other_average(rule)):
        show_by_induction(
            lambda y, k: form["theta"].subs({theta.before: y, t: k}, simultaneous=True),
            first,
            last,
            "theta_t",
            within,
        )
        later = form["theta_bar"].subs(theta.before, last(t - 1))
        start = later.subs({t: 1, mean.before: sp.sympify(mean.initial)})
        show_equal(start, q * first, "the mean at t = 1", within)
        n = sp.Symbol("n", integer=True, positive=True)
        stated = q * (1 - q**n) / ((1 - q) * n) * first
        moved = later.subs(t, n + 1).subs(mean.before, stated)
        show_equal(moved, stated.subs(n, n + 1), "the mean, step of the induction,", within)
    return holds(
        "both by induction; t times the mean tends to (1 - lr lambda)/(lr lambda) theta_0 for 0 < lr"
        " lambda < 2, which is 0 for lr lambda = 1 alone"
    )


def _other_average(rule: Rule) -> str | None:
    """Look for a mean that is not as stated, with lr = 1/2 on theta^2/2 from theta_0 = 1; in words."""
    values = {"lr": sp.Rational(1, 2), "average_start": sp.Integer(0)}
    history = run(rule, [lambda point: point] * 3, start=1, values=values)
    for k, state in enumerate(history[1:], 1):
        stated = (1 - sp.Rational(1, 2) ** k) / k
        for name, wanted in (("theta", sp.Rational(1, 2) ** k), ("theta_bar", stated)):
            if state[name].is_Rational and state[name] != wanted:
                return (
                    f"with lr = 1/2 on theta^2/2 from theta_0 = 1, {name}_{k} is {state[name]}, not {wanted}"
                )
    return None
