r"""Gradient descent on smooth convex functions: the best rate, a function that attains it, and divergence.

The rate is proved for every horizon by a potential. With L = 1, x* = 0, f* = 0, horizon N and

    a_k = (k + 1)/(2 N - k),    b_k = a_k - a_{k-1},    v_k = (2 N + 1 - 2 k)/(2 (2 N + 1 - k)^2),
    Phi_k = a_{k-1} (f_k + |g_k|^2/2) + v_k |x_k|^2,    k = 0, ..., N,

Phi_0 = |x_0|^2/(4 N + 2), f_N <= Phi_N, and Phi_{k+1} <= Phi_k: the difference is a_k times the inequality of
smooth convex functions between x_k and x_{k+1}, plus b_k times the one between x* and x_k, plus a square,
(a_k - v_{k+1}) |g_k - x_k/(2 N + 1 - k)|^2. The a_k are the multipliers of Drori and Teboulle's dual
certificate; the v_k are what maximizing over g_N, g_{N-1}, ... leaves.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import sympy as sp

from optverify.claims._certificates import GD, LONG, LONG_STEPS
from optverify.claims._claim import Decision, about, claim, holds, refuted, trial_in_words
from optverify.claims._convex import (
    L,
    R,
    Step,
    Trial,
    distance_above,
    exact_run,
    falsified,
    gap_above,
    huber,
    huber_trial,
    plain_step,
    point,
    smooth_trials,
)
from optverify.claims._convex_sources import (
    drori_teboulle,
    garrigos_gower,
    hedging,
    long_steps,
    nesterov_book,
    polyak_book,
    teboulle_vaisbourd,
)
from optverify.language import Rule, lr
from optverify.proof import (
    NotProved,
    show_by_induction,
    show_equal,
    show_form_nonnegative,
    show_nonnegative,
    show_polynomial,
    show_positive,
    unless,
)
from optverify.views.linear import step_matrix

HALF = sp.Rational(1, 2)


def broken_rate(rule: Rule) -> str | None:
    """Look for a function on which a rule with lr = 1/L breaks the tight rate within 3 updates; in words."""
    above = gap_above(lambda k, trial: 2 * trial.far / (4 * k + 2))
    trials = smooth_trials([sp.Rational(2, 2 * n + 1) for n in (1, 2)])
    return falsified(rule, trials, 3, {"lr": HALF}, above)


# ---- the rate ------------------------------------------------------------------------------------------


@claim(
    "gd.convex.rate",
    "With step size 1/L, gradient descent closes the gap to the minimum like 1/t.",
    statement=r"f(\theta_t) - f^\ast \le \frac{L \, \lVert \theta_0 - \theta^\ast \rVert^2}{4 t + 2}, \qquad"
    r" \eta = \frac{1}{L}, \quad t = 0, 1, 2, \dots",
    scope="every convex f with L-Lipschitz gradient and a minimum, any dimension, full gradients, every t",
    sources=[drori_teboulle, teboulle_vaisbourd, nesterov_book],
    rule=about("gd"),
)
def rate(rule: Rule) -> Decision:
    """The potential of this module, its step derived from the rule, for symbolic k < N."""
    with unless(lambda: broken_rate(rule)):
        _potential_proof(plain_step(rule, 1 / L))
    return holds(
        "a potential that weighs the gap of f by k/(2t+1-k) and the squared distance to the minimum by L"
        " (2t+1-2k)/(2(2t+1-k)^2) never rises in k = 0, ..., t: what a step leaves over is a square"
    )


def _a(k: sp.Expr, horizon: sp.Expr) -> sp.Expr:
    return (k + 1) / (2 * horizon - k)


def _v(k: sp.Expr, horizon: sp.Expr) -> sp.Expr:
    return (2 * horizon + 1 - 2 * k) / (2 * (2 * horizon + 1 - k) ** 2)


def _potential_proof(step: Step) -> None:
    k, j = sp.symbols("k j", integer=True, nonnegative=True)
    x, g, g_next, f, f_next = sp.symbols("x g g_next f f_next", real=True)  # x* = 0 and f* = 0

    def potential(k: Any, horizon: Any, x: Any, g: Any, f: Any) -> sp.Expr:
        return _a(k - 1, horizon) * (f + g**2 / (2 * L)) + L * _v(k, horizon) * x**2

    to_minimum = g * x - g**2 / (2 * L) - f  # >= 0, between the minimum and x
    horizon = sp.Symbol("N", integer=True, nonnegative=True)
    start = potential(sp.Integer(0), horizon, x, g, f)
    show_equal(start, L * x**2 / (4 * horizon + 2), "the potential at the start")

    horizon = k + 1 + j  # any N > k
    y = step(x, g)
    to_next = (
        f - f_next - g_next * (x - y) - (g - g_next) ** 2 / (2 * L)
    )  # >= 0, between x and the next point
    a, b = _a(k, horizon), _a(k, horizon) - _a(k - 1, horizon)
    show_nonnegative(a, "the multiplier a_k")
    show_nonnegative(b, "the multiplier b_k")
    fall = potential(k, horizon, x, g, f) - potential(k + 1, horizon, y, g_next, f_next)
    rest = sp.expand(fall - a * to_next - b * to_minimum)
    for value in (f, f_next):
        show_equal(rest.coeff(value), 0, f"what is left of {value}")
    show_form_nonnegative(rest.subs({f: 0, f_next: 0}), (g, x, g_next), "the fall of the potential")

    last = potential(k, k, x, g, f) - f - to_minimum / (k + 1)
    show_equal(sp.expand(last).coeff(f), 0, "what is left of f at the end")
    show_form_nonnegative(last.subs(f, 0), (g, x), "the potential over the gap at the end")


@claim(
    "gd.convex.rate.dual",
    "The 1/t rate of gradient descent follows from finitely many inequalities between the points it visits.",
    statement=r"f(\theta_t) - f^\ast \le \frac{L \, \lVert \theta_0 - \theta^\ast \rVert^2}{4 t + 2}, \qquad"
    r" \eta = \frac{1}{L}, \quad t = 1, \dots, 8",
    scope="every convex f with L-Lipschitz gradient and a minimum, any dimension, full gradients, t <= 8",
    sources=[drori_teboulle, nesterov_book],
    evidence="exact certificate",
    rule=about("gd"),
)
def rate_dual(rule: Rule) -> Decision:
    """Stored multipliers for each horizon, over Gram matrices obtained by running the rule on symbols."""
    with unless(lambda: broken_rate(rule)):
        GD.show(rule)
    return holds(
        "multipliers (k+1)/(2t-k) between consecutive points, and their differences between the minimum and"
        " each point, leave a positive semidefinite Gram matrix (exact LDL) for each t = 1, ..., 8",
        "exact certificate",
    )


# ---- the Huber function --------------------------------------------------------------------------------


@claim(
    "gd.convex.tight",
    "No better rate than L R^2/(4t + 2) can be promised: a Huber function attains it.",
    statement=r"f(\theta_t) - f^\ast = \frac{L \, (\theta_0 - \theta^\ast)^2}{4 t + 2}, \qquad \eta ="
    r" \frac{1}{L}, \quad f(x) = \begin{cases} \frac{L}{2} x^2 & \lvert x \rvert \le \tau/L \\ \tau \lvert x"
    r" \rvert - \frac{\tau^2}{2L} & \lvert x \rvert > \tau/L \end{cases}, \quad \tau = \frac{L \, \lvert"
    r" \theta_0 \rvert}{2 t + 1}",
    scope="one function for each horizon t, dimension 1, every t; it is convex with L-Lipschitz gradient",
    sources=[drori_teboulle],
    rule=about("gd"),
)
def tight(rule: Rule) -> Decision:
    """Every point up to the horizon lies where the function is linear: induction over k <= N."""
    with unless(lambda: _huber_missed(rule)):
        k, j, n = sp.symbols("k j n", integer=True, nonnegative=True)

        def visited(k: Any, horizon: Any) -> sp.Expr:
            return R * (2 * horizon + 1 - k) / (2 * horizon + 1)

        horizon = k + j  # any N >= k
        slope = L * R / (2 * horizon + 1)
        linear = huber(L, slope).args[1][0]  # its expression beyond slope/L
        edge = {point: slope / L}
        show_equal(linear.subs(edge), huber(L, slope).args[0][0].subs(edge), "f where its pieces meet")
        show_nonnegative(visited(k, horizon) - slope / L, "x_k lies where f is linear")
        show_equal(visited(0, horizon), R, "x_0")
        slope_there = sp.diff(linear.subs(sp.Abs(point), point), point)
        next_point = plain_step(rule, 1 / L)(visited(k, horizon), slope_there)
        show_equal(next_point, visited(k + 1, horizon), "x_{k+1}")
        reached = linear.subs(point, visited(k, horizon)).subs(j, 0).subs(k, n)
        show_equal(reached, L * R**2 / (4 * n + 2), "f at the horizon")
    return holds(
        "by induction x_k = R (2t+1-k)/(2t+1) for k <= t, all where f has slope tau; f(x_t) = L R^2/(4t+2)"
    )


def _huber_missed(rule: Rule) -> str | None:
    for n in (1, 2, 3):
        trial = huber_trial(sp.Rational(2, 2 * n + 1))
        reached = trial.value(exact_run(rule, [trial.slope] * n, 1, {"lr": HALF})[-1])
        if reached != (stated := sp.Rational(2, 4 * n + 2)):
            return f"with L = 2, R = 1, {trial_in_words(rule)} and t = {n}, f(x_t) = {reached}, not {stated}"
    return None


# ---- divergence ----------------------------------------------------------------------------------------


@claim(
    "gd.diverges",
    "With a step size above 2/L gradient descent can diverge.",
    statement=r"f(\theta) = \frac{L}{2} \theta^2, \quad \eta > \frac{2}{L}, \quad \theta_0 \ne 0"
    r" \quad\Longrightarrow \quad \lvert \theta_t \rvert = (\eta L - 1)^t \, \lvert \theta_0 \rvert \to"
    r" \infty",
    scope="one convex quadratic for each L, dimension 1, full gradients, every lr > 2/L",
    sources=[polyak_book],
    rule=about("gd"),
)
def diverges(rule: Rule) -> Decision:
    """The multiplier of one step is 1 - lr L, below -1; the closed form follows by induction."""
    s = sp.Symbol("s", positive=True)
    show_polynomial(rule)
    try:
        multiplier = step_matrix(rule, L)
    except ValueError as failed:
        raise NotProved(str(failed)) from None
    if multiplier.shape != (1, 1):
        raise NotProved("the argument is for rules without states")
    q = multiplier[0, 0]
    show_equal(q, 1 - lr * L, "the multiplier of a step")
    show_positive(-1 - q.subs(lr, (2 + s) / L), "the multiplier is below -1: -1 - q")
    start = sp.Symbol("theta_0", real=True, nonzero=True)
    show_by_induction(lambda x, k: q * x, start, lambda k: (1 - lr * L) ** k * start, "theta_t")
    return holds("theta_t = (1 - lr L)^t theta_0 with lr L - 1 > 1, and (lr L - 1)^t >= 1 + t (lr L - 2)")


# ---- other step sizes ----------------------------------------------------------------------------------

x, g, f, f_next = sp.symbols("x g f f_next", real=True)


def _slow_bound(rate: sp.Rational, k: int, trial: Trial) -> sp.Expr:
    return trial.far / (2 * rate * k) if k else sp.oo


@claim(
    "gd.convex.every_step",
    "With any step size up to 1/L, gradient descent closes the gap to the minimum like 1/t; the bound is the"
    " better the longer the step.",
    statement=r"f(\theta_t) - f^\ast \le \frac{\lVert \theta_0 - \theta^\ast \rVert^2}{2 \eta t}, \qquad 0 <"
    r" \eta \le \frac{1}{L}, \quad t = 1, 2, \dots",
    scope="every convex f with L-Lipschitz gradient and a minimum, any dimension, full gradients, every lr"
    " <= 1/L, every t",
    sources=[garrigos_gower, nesterov_book],
    rule=about("gd"),
)
def every_step(rule: Rule) -> Decision:
    """The potential k (f_k - f*) + |x_k - x*|^2/(2 lr), for symbolic k and lr = 1/(L + s)."""

    def too_slow() -> str | None:
        for rate in (HALF, HALF / 2):
            above = gap_above(partial(_slow_bound, rate))
            slopes = [sp.Rational(2, 4), sp.Rational(2, 7)]
            if found := falsified(rule, smooth_trials(slopes), 6, {"lr": rate}, above):
                return found
        return None

    with unless(too_slow):
        s, k = sp.Symbol("s", nonnegative=True), sp.Symbol("k", integer=True, nonnegative=True)
        rate = 1 / (L + s)
        made = plain_step(rule, rate)(x, g)
        upper = f + g * (made - x) + L * (made - x) ** 2 / 2 - f_next
        fall = k * f + x**2 / (2 * rate) - (k + 1) * f_next - made**2 / (2 * rate)
        rest = sp.expand(fall - (k + 1) * upper - (g * x - f))
        for value in (f, f_next):
            show_equal(sp.cancel(rest.coeff(value)), 0, f"what is left of {value}")
        show_form_nonnegative(rest.subs({f: 0, f_next: 0}), (g, x), "the fall of the potential")
    return holds(
        "k (f_k - f*) + |x_k - x*|^2/(2 lr) never rises for lr <= 1/L, and is |x_0 - x*|^2/(2 lr) at k = 0"
    )


@claim(
    "gd.convex.distance",
    "Gradient descent with a step size up to 2/L never moves away from a minimum of a convex function.",
    statement=r"\lVert \theta_t - \theta^\ast \rVert^2 \le \lVert \theta_{t-1} - \theta^\ast \rVert^2 - \eta"
    r" \left( \frac{2}{L} - \eta \right) \lVert \nabla f(\theta_{t-1}) \rVert^2, \qquad 0 < \eta \le"
    r" \frac{2}{L}",
    scope="every convex f with L-Lipschitz gradient, every minimum, any dimension, full gradients, every lr"
    " <= 2/L, every t",
    sources=[nesterov_book, garrigos_gower],
    rule=about("gd"),
)
def distance(rule: Rule) -> Decision:
    """<g, x - x*> >= |g|^2/L, 2 lr times."""

    def moved_away() -> str | None:
        for rate in (HALF, sp.Integer(1)):
            if found := falsified(rule, smooth_trials([HALF]), 3, {"lr": rate}, distance_above(1)):
                return found
        return falsified(rule, smooth_trials([HALF]), 3, {"lr": HALF}, _little_closer)

    with unless(moved_away):
        made = plain_step(rule)(x, g)
        fall = x**2 - made**2 - lr * (2 / L - lr) * g**2
        show_equal(sp.expand(fall - 2 * lr * (g * x - g**2 / L)), 0, "what the inequality leaves over")
        s = sp.Symbol("s", nonnegative=True)
        show_nonnegative((2 / L - lr).subs(lr, 2 / (L + s)), "2/L - lr")
    return holds("|x - lr g|^2 = |x|^2 - 2 lr <g, x> + lr^2 |g|^2, and <g, x> >= |g|^2/L, with x* = 0")


def _little_closer(trial: Trial, thetas: list[sp.Expr]) -> str | None:
    for k, (a, b) in enumerate(pairwise(thetas), 1):
        before, after = (a - trial.minimum) ** 2, (b - trial.minimum) ** 2
        if after > (limit := before - HALF * HALF * trial.slope(a) ** 2):  # lr (2/L - lr) with L = 2
            return f"the squared distance at update {k} is {after}, more than {limit}"
    return None


@claim(
    "gd.convex.long_steps",
    "With a step above 2/L gradient descent is worse off than with the best constant step size.",
    statement=r"\max_k \eta_k > \frac{2}{L} \quad \Longrightarrow \quad \max_f \, (f(\theta_t) - f^\ast)"
    r" \text{ with } \eta_1, \dots, \eta_t \; \ge \; \min_{\eta} \, \max_f \, (f(\theta_t) - f^\ast) \text{"
    r" with } \eta, \dots, \eta",
    scope="t = 3, every convex f with L-Lipschitz gradient and a minimum at distance R from the start, any"
    " dimension; steps 7/5, 12/5, 3/2 over L against every constant step",
    sources=[long_steps, hedging],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="gd.diverges",
    rule=about("gd"),
)
def steps_above(rule: Rule) -> Decision:
    """A certificate for the long steps; for each constant one a Huber function or a quadratic is worse."""
    with unless(lambda: None):
        LONG.show(rule)
        certified = sp.Rational(LONG.rate(3))
        edge = sp.Rational(67, 40)  # below it the Huber function is bad, above it the quadratic
        step, s = plain_step(rule), sp.Symbol("s", nonnegative=True)
        h = lr * L
        tau = L * R / (6 * h + 1)
        at = R
        for _ in range(3):
            at = step(at, tau)
        on_huber = (tau * at - tau**2 / (2 * L)) / (L * R**2)
        show_equal(on_huber, 1 / (12 * h + 2), "f(theta_3) on the Huber function")
        show_nonnegative((at - tau / L).subs(lr, s / L) / R, "theta_3 where it is linear")
        worse = on_huber - certified
        show_positive(worse.subs(lr, edge / (1 + s) / L), "its excess for lr <= 67/40")
        at = R
        for _ in range(3):
            at = step(at, L * at)
        show_equal(at, (1 - h) ** 3 * R, "theta_3 on the quadratic")
        on_quadratic = (at / R) ** 2 / 2 - certified
        show_positive(sp.expand(on_quadratic.subs(lr, (edge + s) / L)), "its excess for lr >= 67/40")
    long = ", ".join(map(str, LONG_STEPS))
    return refuted(
        f"with L lr = {long} f(theta_3) - f* <= {certified} L R^2, certified; every constant step has a"
        f" function with more:"
        " 1/(12 L lr + 2) >= 10/221 up to L lr = 67/40, (1 - L lr)^6/2 above"
    )
