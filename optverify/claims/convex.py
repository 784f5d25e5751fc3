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

from collections.abc import Callable, Iterator
from typing import Any

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, trial_in_words, trial_values
from optverify.language import Rule, Source, grad, lr, theta
from optverify.proof import (
    STAR,
    Interpolation,
    NotProved,
    show_by_induction,
    show_certificate,
    show_equal,
    show_form_nonnegative,
    show_nonnegative,
    show_positive,
    unless,
)
from optverify.views.closed import closed_form
from optverify.views.linear import step_matrix
from optverify.views.run import run

drori_teboulle = Source(
    "Drori and Teboulle",
    2014,
    "Performance of first-order methods for smooth convex minimization: a novel approach",
    "Theorem 3.1; Theorem 3.2 for the Huber function",
    "Mathematical Programming 145",
    arxiv="1206.3209",
)
teboulle_vaisbourd = Source(
    "Teboulle and Vaisbourd",
    2023,
    "An elementary approach to tight worst case complexity analysis of gradient based methods",
    "the gradient method, by hand",
    "Mathematical Programming 201",
    url="https://doi.org/10.1007/s10107-022-01899-0",
)
nesterov_book = Source(
    "Nesterov",
    2018,
    "Lectures on convex optimization",
    "Theorem 2.1.5, the inequalities of smooth convex functions",
    "Springer",
    url="https://doi.org/10.1007/978-3-319-91578-4",
)
polyak_book = Source(
    "Polyak",
    1987,
    "Introduction to optimization",
    "section 1.4, the gradient method",
    "Optimization Software",
)

L = sp.Symbol("L", positive=True)
R = sp.Symbol("R", positive=True)
HORIZONS = range(1, 9)


def memoryless_step(rule: Rule) -> Callable[[Any, Any], sp.Expr]:
    """theta_t as a function of theta_{t-1} and the gradient there, for lr = 1/L."""
    if rule.states or rule.gradient_point != theta.before:
        raise NotProved("the proof is for rules without states, with the gradient at theta_{t-1}")
    if others := [h.name for h in rule.hyperparameters if h.symbol != lr]:
        raise NotProved(f"the proof is for rules with lr alone, not with {', '.join(others)}")
    step = closed_form(rule)["theta"].subs(lr, 1 / L)
    return lambda x, g: step.subs({theta.before: x, grad: g}, simultaneous=True)


# ---- counterexamples, for rules the proofs do not fit --------------------------------------------------

point = sp.Symbol("x", real=True)


def huber(smoothness: Any, slope: Any) -> sp.Expr:
    """The Huber function of x: curvature smoothness near 0, this slope from slope/smoothness on."""
    near = smoothness * point**2 / 2
    far = slope * sp.Abs(point) - slope**2 / (2 * smoothness)
    return sp.Piecewise((near, sp.Abs(point) <= slope / smoothness), (far, True))


def _trials() -> Iterator[tuple[str, sp.Expr, int]]:
    """Convex functions with L = 2 and f* = 0, in words and in x, and starts at distance 1."""
    for curvature in (2, 1):
        for centre in (0, 3):
            f = sp.Rational(curvature, 2) * (point - centre) ** 2
            yield f"f(x) = {f}", f, centre + 1
    for n in (1, 2):
        slope = sp.Rational(2, 2 * n + 1)
        yield f"the Huber function with L = 2 and slope {slope}", huber(2, slope), 1


def values_along(rule: Rule, f: sp.Expr, start: Any, updates: int) -> list[sp.Expr]:
    """f at theta_0, theta_1, ... for lr = 1/L = 1/2: numbers, as all hyperparameters are."""
    slope = sp.diff(f, point)
    gradient = lambda x: slope.subs(point, x)  # noqa: E731
    history = run(rule, [gradient] * updates, start=start, values=trial_values(rule))
    return [f.subs(point, state["theta"]) for state in history]


def broken_rate(rule: Rule) -> str | None:
    """Look for a function on which a rule with lr = 1/L breaks the rate within 3 updates; in words."""
    for words, f, start in _trials():
        for k, value in enumerate(values_along(rule, f, start, 3)):
            bound = sp.Rational(2, 4 * k + 2)
            if value > bound:
                given = f"from x_0 = {start} with L = 2, {trial_in_words(rule)}"
                return f"on {words}, {given}, f(x_{k}) = {value} > {bound}"
    return None


# ---- the rate ------------------------------------------------------------------------------------------


@claim(
    "gd.convex.rate",
    "With step size 1/L, gradient descent closes the gap to the minimum like 1/t.",
    statement=r"f(\theta_t) - f^\ast \le \frac{L \, \lVert \theta_0 - \theta^\ast \rVert^2}{4 t + 2},"
    r" \qquad \eta = \frac{1}{L}, \quad t = 0, 1, 2, \dots",
    scope="every convex f with L-Lipschitz gradient and a minimum, any dimension, full gradients, every t",
    sources=[drori_teboulle, teboulle_vaisbourd, nesterov_book],
    rule=about("gd"),
)
def rate(rule: Rule) -> Decision:
    """The potential of this module, its step derived from the rule, for symbolic k < N."""
    with unless(lambda: broken_rate(rule)):
        _potential_proof(memoryless_step(rule))
    return holds(
        "a potential that weighs the gap of f by k/(2t+1-k) and the squared distance to the minimum by L"
        " (2t+1-2k)/(2(2t+1-k)^2) never rises in k = 0, ..., t: what a step leaves over is a square"
    )


def _a(k: sp.Expr, horizon: sp.Expr) -> sp.Expr:
    return (k + 1) / (2 * horizon - k)


def _v(k: sp.Expr, horizon: sp.Expr) -> sp.Expr:
    return (2 * horizon + 1 - 2 * k) / (2 * (2 * horizon + 1 - k) ** 2)


def _potential_proof(step: Callable[[Any, Any], sp.Expr]) -> None:
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
    statement=r"f(\theta_t) - f^\ast \le \frac{L \, \lVert \theta_0 - \theta^\ast \rVert^2}{4 t + 2},"
    r" \qquad \eta = \frac{1}{L}, \quad t = 1, \dots, 8",
    scope="every convex f with L-Lipschitz gradient and a minimum, any dimension, full gradients, t <= 8",
    sources=[drori_teboulle, nesterov_book],
    evidence="exact certificate",
    rule=about("gd"),
)
def rate_dual(rule: Rule) -> Decision:
    """Dual multipliers for each horizon, over Gram matrices obtained by running the rule on symbols."""
    with unless(lambda: broken_rate(rule)):
        memoryless_step(rule)
        for n in HORIZONS:
            known = Interpolation.of(rule, n, L, {"lr": 1 / L})
            show_certificate(known, multipliers(n), L / (4 * n + 2), f"the certificate for t = {n}")
    return holds(
        "multipliers (k+1)/(2t-k) between consecutive points, and their differences between the minimum"
        " and each point, leave a positive semidefinite Gram matrix (exact LDL) for each t = 1, ..., 8",
        "exact certificate",
    )


def multipliers(n: int) -> dict[tuple[int, int], sp.Rational]:
    """Drori and Teboulle's dual solution for lr = 1/L and n updates."""
    a = [sp.Rational(k + 1, 2 * n - k) for k in range(n)]
    between = {(k, k + 1): a[k] for k in range(n)}
    to_star = [a[0], *(a[k] - a[k - 1] for k in range(1, n)), 1 - a[-1]]
    return between | {(STAR, k): weight for k, weight in enumerate(to_star)}


# ---- the Huber function --------------------------------------------------------------------------------


@claim(
    "gd.convex.tight",
    "No better rate than L R^2/(4t + 2) can be promised: a Huber function attains it.",
    statement=r"f(\theta_t) - f^\ast = \frac{L \, (\theta_0 - \theta^\ast)^2}{4 t + 2}, \qquad \eta ="
    r" \frac{1}{L}, \quad f(x) = \begin{cases} \frac{L}{2} x^2 & \lvert x \rvert \le \tau/L \\ \tau"
    r" \lvert x \rvert - \frac{\tau^2}{2L} & \lvert x \rvert > \tau/L \end{cases}, \quad \tau = \frac{L"
    r" \, \lvert \theta_0 \rvert}{2 t + 1}",
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
        next_point = memoryless_step(rule)(visited(k, horizon), slope_there)
        show_equal(next_point, visited(k + 1, horizon), "x_{k+1}")
        reached = linear.subs(point, visited(k, horizon)).subs(j, 0).subs(k, n)
        show_equal(reached, L * R**2 / (4 * n + 2), "f at the horizon")
    return holds(
        "by induction x_k = R (2t+1-k)/(2t+1) for k <= t, all where f has slope tau; f(x_t) = L R^2/(4t+2)"
    )


def _huber_missed(rule: Rule) -> str | None:
    for n in (1, 2, 3):
        reached = values_along(rule, huber(2, sp.Rational(2, 2 * n + 1)), 1, n)[-1]
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
