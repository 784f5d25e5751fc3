r"""Linear rates: gradient descent and Nesterov's method on strongly convex functions.

With x* = 0 and f* = 0, a mu-strongly convex f with L-Lipschitz gradient satisfies <g - mu x, L x - g> >= 0
(the sum of the two interpolation inequalities between x and the minimum, times L - mu).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import sympy as sp

from optverify.claims._certificates import GD_STRONG, POLYAK, POLYAK_LR, POLYAK_MOMENTUM
from optverify.claims._claim import Decision, about, claim, holds, refuted
from optverify.claims._convex import (
    L,
    MomentumStep,
    Trial,
    distance_above,
    falsified,
    gap_above,
    plain_step,
    quadratic,
    show_rest,
    smooth_trials,
)
from optverify.claims._convex_sources import (
    acceleration,
    garrigos_gower,
    karimi,
    lessard,
    line_search,
    nesterov_book,
    polyak_book,
    taylor_interpolation,
)
from optverify.language import Rule, lr
from optverify.proof import show_equal, show_form_nonnegative, show_nonnegative, unless
from optverify.proof.outcome import NotProved

x, g, f, f_next = sp.symbols("x g f f_next", real=True)
mu = sp.Symbol("mu", positive=True)
d = sp.Symbol("d", positive=True)  # L - mu
s = sp.Symbol("s", nonnegative=True)
HALF, QUARTER = sp.Rational(1, 2), sp.Rational(1, 4)
CURVATURES = (1, 2)
"""mu and L of the functions that are tried."""


def _trials() -> list[Trial]:
    return list(smooth_trials(curvatures=CURVATURES))


# ---- gradient descent ----------------------------------------------------------------------------------


@claim(
    "gd.strongly_convex.rate",
    "On strongly convex functions gradient descent converges linearly, at a rate set by the flattest and the"
    " steepest direction.",
    statement=r"\lVert \theta_t - \theta^\ast \rVert \le \max(\lvert 1 - \eta \mu \rvert, \lvert 1 - \eta L"
    r" \rvert)^t \, \lVert \theta_0 - \theta^\ast \rVert, \qquad \eta > 0",
    scope="every mu-strongly convex f with L-Lipschitz gradient, 0 < mu < L, any dimension, full gradients,"
    " every lr > 0, every t; attained by the quadratics of curvature mu and L",
    sources=[polyak_book, nesterov_book, taylor_interpolation],
    rule=about("gd"),
)
def strongly_convex_rate(rule: Rule) -> Decision:
    """A step costs a multiple of <g - mu x, L x - g>, and a square is left; two cases of lr."""
    with unless(_slow_contraction(rule)):
        step, steep, twice = plain_step(rule), mu + d, 2 * mu + d
        known = (g - mu * x) * (steep * x - g)
        for curvature, sign, rate in ((mu, 1, 2 / (twice + s)), (steep, -1, 2 / twice + s)):
            weight = sign * 2 * lr * (1 - lr * curvature) / d
            square = sign * lr * (2 - lr * twice) / d
            rest = (1 - lr * curvature) ** 2 * x**2 - step(x, g) ** 2 - weight * known
            show_equal(rest, square * (g - curvature * x) ** 2, "what the multiplier leaves over")
            show_nonnegative(weight.subs(lr, rate), "the multiplier")
            show_nonnegative(square.subs(lr, rate), "the factor of the square")
            show_equal(step(x, curvature * x), (1 - lr * curvature) * x, "the step on the quadratic")
    return holds(
        "|theta - theta*|^2 times the squared factor exceeds that after a step by 2 lr |1 - lr c|/(L - mu) <g"
        " - mu x, L x - g> and a square, c = mu for lr <= 2/(L + mu), c = L above"
    )


def _slow_contraction(rule: Rule) -> Callable[[], str | None]:
    def find() -> str | None:
        for rate in (HALF, sp.Rational(5, 6)):
            factor = max(abs(1 - rate * c) for c in CURVATURES) ** 2
            if found := falsified(rule, _trials(), 2, {"lr": rate}, distance_above(factor)):
                return found
        return None

    return find


@claim(
    "gd.strongly_convex.dual",
    "With step size 2/(L + mu) gradient descent shrinks the distance to the minimum by (L - mu)/(L + mu) a"
    " step.",
    statement=r"\lVert \theta_t - \theta^\ast \rVert^2 \le \left( \frac{L - \mu}{L + \mu} \right)^{2 t}"
    r" \lVert \theta_0 - \theta^\ast \rVert^2, \qquad \eta = \frac{2}{L + \mu}, \quad \frac{L}{\mu} = 10,"
    r" \quad t = 1, \dots, 4",
    scope="every mu-strongly convex f with L-Lipschitz gradient, L = 10 mu, any dimension, full gradients, t"
    " <= 4",
    sources=[taylor_interpolation, polyak_book],
    evidence="exact certificate",
    rule=about("gd"),
)
def strongly_convex_dual(rule: Rule) -> Decision:
    """Stored multipliers over the Gram matrices of the rule's own points."""
    at = {"lr": sp.Rational(10, 11)}
    trials = [quadratic(c, centre) for c in (sp.Rational(1, 5), 2) for centre in (0, 3)]
    with unless(lambda: falsified(rule, trials, 2, at, distance_above(sp.Rational(81, 121)))):
        GD_STRONG.show(rule)
    return holds(
        "for each t <= 4 nonnegative multipliers leave a positive semidefinite Gram matrix (exact LDL); the"
        " quadratics of curvature mu and L attain the rate",
        "exact certificate",
    )


def _slow_bound(rate: sp.Rational, k: int, trial: Trial) -> sp.Expr:
    return (1 - rate) ** k * trial.value(trial.start)  # mu = 1


@claim(
    "gd.pl.rate",
    "Gradient descent converges linearly without convexity if the Polyak-Lojasiewicz inequality holds.",
    statement=r"f(\theta_t) - f^\ast \le (1 - \eta \mu)^t \, (f(\theta_0) - f^\ast) \quad \text{if} \quad"
    r" \lVert \nabla f \rVert^2 \ge 2 \mu \, (f - f^\ast), \qquad 0 < \eta \le \frac{1}{L}",
    scope="every f with L-Lipschitz gradient that satisfies the inequality, convex or not, any dimension,"
    " full gradients, every lr <= 1/L, every t",
    sources=[karimi, garrigos_gower],
    rule=about("gd"),
)
def pl_rate(rule: Rule) -> Decision:
    """The upper bound at the next point and lr/2 times the inequality, for symbolic lr = 1/(L + s)."""

    def too_slow() -> str | None:
        for rate in (HALF, QUARTER):
            above = gap_above(partial(_slow_bound, rate))
            if found := falsified(rule, _trials(), 2, {"lr": rate}, above):
                return found
        return None

    with unless(too_slow):
        rate = 1 / (L + s)
        move = plain_step(rule, rate)(x, g) - x
        upper = f + g * move + L * move**2 / 2 - f_next
        rest = (1 - rate * mu) * f - f_next - upper - rate / 2 * (g**2 - 2 * mu * f)
        rest = sp.expand(rest)
        show_equal(sp.cancel(rest.coeff(f)), 0, "what is left of f")
        form = sp.expand(rest - rest.coeff(f) * f)
        show_form_nonnegative(form, (x, g), "what the inequalities leave over")
    return holds(
        "f_next <= f - lr (1 - lr L/2) |g|^2 <= f - lr/2 |g|^2 <= (1 - lr mu) f, for lr <= 1/L and f* = 0"
    )


@claim(
    "gd.line_search",
    "Exact line search makes gradient descent faster than the best constant step, in the worst case too.",
    statement=r"f(\theta_t) - f^\ast \le q^t \, (f(\theta_0) - f^\ast), \quad q < \left( \frac{L - \mu}{L +"
    r" \mu} \right)^2, \qquad \eta_t = \arg\min_\eta f(\theta_{t-1} - \eta \nabla f(\theta_{t-1}))",
    scope="f(x, y) = (mu x^2 + L y^2)/2 from (L, mu), every 0 < mu < L, every t: the line search attains the"
    " factor of the constant step 2/(L + mu)",
    sources=[line_search, nesterov_book],
    expected="refuted",
    evidence="proved",
    corrected_by="gd.strongly_convex.rate",
    rule=about("gd"),
)
def exact_line_search(rule: Rule) -> Decision:
    """Two coordinates, each with its curvature; the new gradient is orthogonal to the one before."""
    steep, ratio = mu + d, d / (2 * mu + d)
    with unless(lambda: None):  # a step that is not as expected refutes nothing
        step = plain_step(rule, 2 / (mu + steep))
        for side in (1, -1):
            flat, sharp = steep, side * mu
            new = (step(flat, mu * flat), step(sharp, steep * sharp))
            along = mu * new[0] * mu * flat + steep * new[1] * steep * sharp
            show_equal(along, 0, "the slope along the line after the step")
            show_equal(new[0], ratio * flat, "the flat coordinate after a step")
            show_equal(new[1], -ratio * sharp, "the steep coordinate after a step")
    return refuted(
        "from (L, mu) line search chooses lr = 2/(L + mu), reaches (L - mu)/(L + mu) (L, -mu), then the"
        " mirror image of that: f falls by exactly ((L - mu)/(L + mu))^2 at every step. With mu = 1, L = 3:"
        " (3, 1), (3/2, -1/2), (3/4, 1/4), f = 6, 3/2, 3/8",
        "proved",
    )


# ---- momentum ------------------------------------------------------------------------------------------


@claim(
    "nesterov.strongly_convex.rate",
    "On strongly convex functions the number of steps that Nesterov momentum needs grows like the root of the"
    " condition number.",
    statement=r"f(\theta_t) - f^\ast \le \left( 1 - \sqrt{\frac{m}{L}} \right)^t \left( f(\theta_0) - f^\ast"
    r" + \frac{m}{2} \lVert \theta_0 - \theta^\ast \rVert^2 \right), \qquad \varepsilon = \frac{1}{L}, \quad"
    r" \mu = \frac{\sqrt{L} - \sqrt{m}}{\sqrt{L} + \sqrt{m}}",
    scope="every m-strongly convex f with L-Lipschitz gradient, 0 < m < L, any dimension, full gradients,"
    " every t",
    sources=[nesterov_book, acceleration],
    rule=about("nesterov"),
)
def nesterov_rate(rule: Rule) -> Decision:
    """The potential f - f* + m/2 |theta + (1/q - 1) v - theta*|^2 with q = sqrt(m/L), for symbolic q."""
    at = {"lr": HALF, "momentum": sp.Rational(1, 3)}  # L = 2, m = 1/2, q = 1/2
    above = gap_above(lambda k, trial: HALF**k * (trial.value(trial.start) + QUARTER * trial.far))
    trials = [*smooth_trials(curvatures=(HALF, 2, 1))]
    with unless(lambda: falsified(rule, trials, 6, at, above)):
        _nesterov_potential(rule)
    return holds(
        "with q = sqrt(m/L) the potential f - f* + m/2 |theta + (1/q - 1) v - theta*|^2 shrinks by 1 - q a"
        " step"
    )


def _nesterov_potential(rule: Rule) -> None:
    p = sp.Symbol("p", positive=True)
    q, v = 1 / (1 + p), sp.Symbol("v", real=True)
    m = q**2 * L
    show_rest(rule)
    made = MomentumStep.of(rule, {"lr": 1 / L, "momentum": p / (2 + p)}, x, v, g)
    show_equal(p / (2 + p), (1 - q) / (1 + q), "the momentum")
    y, f_y = made.point, sp.Symbol("f_y", real=True)
    move = made.theta - y
    upper = f_y + g * move + L * move**2 / 2 - f_next
    to_last = f - f_y - g * (x - y) - m / 2 * (x - y) ** 2
    to_minimum = -f_y + g * y - m / 2 * y**2

    def potential(value: Any, at: Any, velocity: Any) -> sp.Expr:
        return value + m / 2 * (at + (1 / q - 1) * velocity) ** 2

    fall = (1 - q) * potential(f, x, v) - potential(f_next, made.theta, made.v)
    rest = sp.expand(fall - upper - (1 - q) * to_last - q * to_minimum)
    for value in (f, f_y, f_next):
        show_equal(sp.cancel(rest.coeff(value)), 0, f"what is left of {value}")
    form = sp.expand(rest.subs({f: 0, f_y: 0, f_next: 0}))
    show_form_nonnegative(form, (g, v, x), "the fall of the potential")


@claim(
    "momentum.strongly_convex.distance",
    "Polyak's momentum with its best tuning never moves away from the minimum of a strongly convex function.",
    statement=r"\lVert \theta_t - \theta^\ast \rVert \le \lVert \theta_0 - \theta^\ast \rVert, \qquad"
    r" \varepsilon = \frac{4}{(\sqrt{L} + \sqrt{m})^2}, \quad \mu = \left( \frac{\sqrt{L} -"
    r" \sqrt{m}}{\sqrt{L} + \sqrt{m}} \right)^2",
    scope="L = 25 m, tuning that is best on quadratics, t <= 3: the squared distance can grow 256/81 times"
    " in the first update, and no more than 7.924 and 10.262 times in two and three, over all such f in any"
    " dimension",
    sources=[lessard, taylor_interpolation],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="nesterov.strongly_convex.rate",
    rule=about("momentum"),
)
def polyak_moves_away(rule: Rule) -> Decision:
    """The steepest quadratic, run exactly, and certificates that bound how bad it gets."""
    with unless(lambda: None):  # without the certificate nothing is known of the other functions
        POLYAK.show(rule)
    values: Mapping[str, Any] = {"lr": sp.Rational(POLYAK_LR) / 2, "momentum": sp.Rational(POLYAK_MOMENTUM)}
    found = falsified(rule, [quadratic(2)], 1, values, distance_above(1))
    if found is None:
        raise NotProved("the distance does not grow on the steepest quadratic")
    return refuted(f"{found}; certificates bound the growth over all functions for t <= 3")
