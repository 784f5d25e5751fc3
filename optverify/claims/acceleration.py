r"""Momentum with varying coefficients on smooth convex functions: rates, and functions that attain them.

With x* = 0 and f* = 0. On the linear piece of a Huber function every gradient is tau, so theta_t = R - c_t
tau/L for numbers c_t of the rule alone; with tau = L R/(2 c_t + 1) it gives f(theta_t) = L R^2/(4 c_t + 2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy as sp

from optverify.claims._certificates import HEAVY_BALL, NESTEROV
from optverify.claims._claim import Decision, about, claim, holds
from optverify.claims._convex import (
    L,
    MomentumStep,
    R,
    Trial,
    falsified,
    gap_above,
    huber_trial,
    show_rest,
    smooth_trials,
)
from optverify.claims._convex_sources import (
    acceleration,
    drori_teboulle,
    fista,
    ghadimi,
    nesterov_book,
    pepit,
    quadratic_upper,
)
from optverify.language import Rule
from optverify.proof import (
    NotProved,
    show_by_induction,
    show_equal,
    show_form_nonnegative,
    show_nonnegative,
    show_positive,
    unless,
)

x, v, g, f, f_last, f_next = sp.symbols("x v g f f_last f_next", real=True)
k, j = sp.symbols("k j", integer=True, nonnegative=True)
HALF = sp.Rational(1, 2)
SLOPES = tuple(sp.Rational(2, n) for n in (2, 3, 4, 5, 6, 9))

Schedule = Callable[[Any], Any]


def _faster(rule: Rule, momentum: Schedule, bound: Schedule, rate: Schedule = lambda t: HALF) -> str | None:
    """Look for a smooth convex f with L = 2 on which the gap exceeds the bound; in words."""
    values = {"lr": rate, "momentum": momentum}
    above = gap_above(lambda t, trial: bound(t) * trial.far)
    return falsified(rule, smooth_trials(SLOPES), 6, values, above) or falsified(
        rule, [huber_trial(sp.Rational(2, 33))], 16, values, above
    )


# ---- Nesterov's method ---------------------------------------------------------------------------------


def _show_potential(rule: Rule, before: sp.Expr, after: sp.Expr, slack: sp.Expr) -> None:
    """Show that 2 T^2 (f - f*)/L + |theta + (T - 1) v - theta*|^2 does not rise as T goes from before to
    after.

    lr = 1/L, momentum = (before - 1)/after; slack = before^2 - after (after - 1) >= 0 must be shown
    elsewhere.
    """
    show_rest(rule)
    made = MomentumStep.of(rule, {"lr": 1 / L, "momentum": (before - 1) / after}, x, v, g)
    y, f_y = made.point, sp.Symbol("f_y", real=True)
    move = made.theta - y
    upper = f_y + g * move + L * move**2 / 2 - f_next
    to_last, to_minimum = f - f_y - g * (x - y), -f_y + g * y

    def potential(T: sp.Expr, value: Any, at: Any, velocity: Any) -> sp.Expr:
        return 2 * T**2 * value / L + (at + (T - 1) * velocity) ** 2

    fall = potential(before, f, x, v) - potential(after, f_next, made.theta, made.v)
    weights = (after**2 * upper, (after**2 - after) * to_last, after * to_minimum, slack * f)
    rest = sp.expand(fall - 2 / L * sum(weights))
    for value in (f, f_y, f_next):
        show_equal(sp.cancel(rest.coeff(value)), 0, f"what is left of {value}")
    form = sp.expand(rest.subs({f: 0, f_y: 0, f_next: 0}))
    show_form_nonnegative(form, (g, v, x), "the fall of the potential")


@claim(
    "nesterov.convex.fista",
    "Nesterov momentum with the sequence of FISTA closes the gap to the minimum like 1/t^2.",
    statement=r"f(\theta_t) - f^\ast \le \frac{L \, \lVert \theta_0 - \theta^\ast \rVert^2}{2 T_t^2} \le"
    r" \frac{2 L \, \lVert \theta_0 - \theta^\ast \rVert^2}{(t + 1)^2}, \qquad \varepsilon = \frac{1}{L},"
    r" \quad \mu_t = \frac{T_{t-1} - 1}{T_t}, \quad T_t = \frac{1 + \sqrt{1 + 4 T_{t-1}^2}}{2}, \quad T_0 ="
    r" 0",
    scope="every convex f with L-Lipschitz gradient and a minimum, any dimension, full gradients, every t;"
    " mu_1 = -1 acts on v_0 = 0, so any other number does; also for any T_t >= 1 with T_1 = 1 and T_t (T_t -"
    " 1) <= T_{t-1}^2, where the first bound holds",
    sources=[fista, nesterov_book, acceleration],
    rule=about("nesterov"),
)
def nesterov_fista(rule: Rule) -> Decision:
    """A potential for symbolic T_{t-1} and T_t; T_t >= (t + 1)/2 as T_t - T_{t-1} > 1/2."""
    before = sp.Symbol("T_0", nonnegative=True)
    after = sp.Symbol("T_1", positive=True)
    with unless(lambda: _faster(rule, _standard, lambda t: sp.Rational(4, (t + 1) ** 2))):
        _show_potential(rule, before, after, before**2 - after**2 + after)
        root = sp.sqrt(1 + 4 * before**2)
        show_equal(((1 + root) / 2) ** 2 - (1 + root) / 2, before**2, "T_t (T_t - 1) of the sequence")
        show_positive(sp.expand(root**2 - (2 * before) ** 2), "T_t - T_{t-1} - 1/2 is positive with this")
    return holds(
        "2 T_t^2 (f - f*)/L + |theta_t + (T_t - 1) v_t - theta*|^2 never rises where T_t (T_t - 1) <="
        " T_{t-1}^2, and is |theta_0 - theta*|^2 at first, since T_0 = 0 and v_0 = 0"
    )


def _standard(t: Any) -> sp.Expr:
    return sp.Rational(max(t - 2, 0), t + 1)


@claim(
    "nesterov.convex.rate",
    "Nesterov momentum with coefficient (t - 2)/(t + 1) closes the gap to the minimum like 1/t^2.",
    statement=r"f(\theta_t) - f^\ast \le \frac{2 L \, \lVert \theta_0 - \theta^\ast \rVert^2}{(t + 1)^2},"
    r" \qquad \varepsilon = \frac{1}{L}, \quad \mu_t = \frac{t - 2}{t + 1}, \quad t = 1, 2, \dots",
    scope="every convex f with L-Lipschitz gradient and a minimum, any dimension, full gradients, every t;"
    " mu_1 acts on v_0 = 0 and may be 0",
    sources=[nesterov_book, acceleration],
    rule=about("nesterov"),
)
def nesterov_rate(rule: Rule) -> Decision:
    """The potential with T_t = (t + 1)/2, for symbolic t."""
    with unless(lambda: _faster(rule, _standard, lambda t: sp.Rational(4, (t + 1) ** 2))):
        before, after = (k + 1) / 2, (k + 2) / 2  # t = k + 1
        show_equal((before - 1) / after, ((k + 1) - 2) / ((k + 1) + 1), "the momentum of the statement")
        slack = sp.expand(before**2 - after**2 + after)
        show_nonnegative(slack, "T_{t-1}^2 - T_t (T_t - 1)")
        _show_potential(rule, before, after, slack)
        first = MomentumStep.of(rule, {"lr": 1 / L, "momentum": 0}, x, 0, g)
        _show_first(first)
    return holds(
        "(t + 1)^2 (f - f*)/(2 L) + |theta_t + (t - 1)/2 v_t - theta*|^2 never rises from t = 1 on, and is at"
        " most |theta_0 - theta*|^2 there"
    )


def _show_first(made: MomentumStep) -> None:
    """Show 2 (f(theta_1) - f*)/L + |theta_1 - theta*|^2 <= |theta_0 - theta*|^2."""
    move = made.theta - x
    upper = f + g * move + L * move**2 / 2 - f_next
    rest = sp.expand(x**2 - 2 * f_next / L - made.theta**2 - 2 / L * (upper - f + g * x))
    for value in (f, f_next):
        show_equal(sp.cancel(rest.coeff(value)), 0, f"what is left of {value} at first")
    show_form_nonnegative(rest.subs({f: 0, f_next: 0}), (g, x), "the first fall of the potential")


@claim(
    "nesterov.convex.dual",
    "The exact worst case of Nesterov momentum with coefficient (t - 1)/(t + 2) is 2 L R^2/(t^2 + 7 t + 4).",
    statement=r"\max_f \, (f(\theta_t) - f^\ast) = \frac{2 L \, \lVert \theta_0 - \theta^\ast \rVert^2}{t^2"
    r" + 7 t + 4}, \qquad \varepsilon = \frac{1}{L}, \quad \mu_t = \frac{t - 1}{t + 2}, \quad t = 1, \dots,"
    r" 8",
    scope="every convex f with L-Lipschitz gradient and a minimum, any dimension, full gradients, t <= 8;"
    " attained by the Huber function of nesterov.convex.tight",
    sources=[drori_teboulle, pepit],
    evidence="exact certificate",
    rule=about("nesterov"),
)
def nesterov_dual(rule: Rule) -> Decision:
    """Stored multipliers over the Gram matrices of the rule's own points."""
    with unless(lambda: _faster(rule, _late, _late_rate)):
        NESTEROV.show(rule)
        missed = _missed(rule, {"lr": HALF, "momentum": _late}, _late_rate, NESTEROV.horizons)()
        if missed:
            raise NotProved(f"the rate is not attained: {missed}")
    return holds(
        "for each t <= 8 multipliers between consecutive points, and from the minimum to each, leave a"
        " positive semidefinite Gram matrix (exact LDL); exact runs on the Huber function reach the rate",
        "exact certificate",
    )


def _late(t: Any) -> sp.Expr:
    return sp.Rational(t - 1, t + 2)


def _late_rate(n: Any) -> sp.Expr:
    """The worst case for L = 2, R = 1."""
    return sp.Rational(4, n * n + 7 * n + 4)


# ---- the heavy ball ------------------------------------------------------------------------------------


@claim(
    "momentum.convex.rate",
    "The last iterate of the heavy ball closes the gap to the minimum like 1/t if its coefficients vary.",
    statement=r"f(\theta_t) - f^\ast \le \frac{L \, \lVert \theta_0 - \theta^\ast \rVert^2}{2 (t + 1)},"
    r" \qquad \varepsilon_t = \frac{1}{L (t + 1)}, \quad \mu_t = \frac{t - 1}{t + 1}, \quad t = 1, 2, \dots",
    scope="every convex f with L-Lipschitz gradient and a minimum, any dimension, full gradients, every t",
    sources=[quadratic_upper, ghadimi],
    rule=about("momentum"),
)
def heavy_ball_rate(rule: Rule) -> Decision:
    """The potential t (f(theta_{t-1}) - f*) + L/2 |theta_t + t v_t - theta*|^2, for symbolic t."""
    with unless(lambda: _faster(rule, _ball, lambda t: sp.Rational(1, t + 1), lambda t: HALF / (t + 1))):
        show_rest(rule)
        t = k + 1
        made = MomentumStep.of(rule, {"lr": 1 / (L * (t + 1)), "momentum": k / (t + 1)}, x, v, g)
        show_equal(made.point, x, "the gradient point")
        show_equal(made.v, made.theta - x, "the velocity as the last change of theta")

        def potential(t: Any, value: Any, at: Any, velocity: Any) -> sp.Expr:
            return t * value + L / 2 * (at + t * velocity) ** 2

        fall = potential(k, f_last, x, v) - potential(t, f, made.theta, made.v)
        to_last = f_last - f + g * v  # theta_{t-1} - theta_t = -v
        to_minimum = -f + g * x - g**2 / (2 * L)
        rest = sp.expand(fall - k * to_last - to_minimum)
        for value in (f, f_last):
            show_equal(sp.cancel(rest.coeff(value)), 0, f"what is left of {value}")
        form = sp.expand(rest.subs({f: 0, f_last: 0}))
        show_form_nonnegative(form, (g, v, x), "the fall of the potential")
    return holds(
        "t (f(theta_{t-1}) - f*) + L/2 |theta_t + t v_t - theta*|^2 never rises; it is L/2 |theta_0 -"
        " theta*|^2 at t = 0"
    )


def _ball(t: Any) -> sp.Expr:
    return sp.Rational(t - 1, t + 1)


@claim(
    "momentum.convex.dual",
    "The 1/t rate of the heavy ball follows from finitely many inequalities between the points it visits.",
    statement=r"f(\theta_t) - f^\ast \le \frac{L \, \lVert \theta_0 - \theta^\ast \rVert^2}{2 (t + 1)},"
    r" \qquad \varepsilon_t = \frac{1}{L (t + 1)}, \quad \mu_t = \frac{t - 1}{t + 1}, \quad t = 1, \dots, 6",
    scope="every convex f with L-Lipschitz gradient and a minimum, any dimension, full gradients, t <= 6",
    sources=[quadratic_upper, pepit],
    evidence="exact certificate",
    rule=about("momentum"),
)
def heavy_ball_dual(rule: Rule) -> Decision:
    """Stored multipliers over the Gram matrices of the rule's own points."""
    with unless(lambda: _faster(rule, _ball, lambda t: sp.Rational(1, t + 1), lambda t: HALF / (t + 1))):
        HEAVY_BALL.show(rule)
    return holds(
        "multipliers k/(t+1) between consecutive points and 1/(t+1) from the minimum leave a positive"
        " semidefinite Gram matrix (exact LDL) for each t <= 6",
        "exact certificate",
    )


# ---- functions that attain the rates -------------------------------------------------------------------


def _show_attained(
    rule: Rule,
    given: Callable[[Any], Mapping[str, Any]],
    velocity: Schedule,
    moved: Schedule,
    attained: Schedule,
) -> None:
    """Show theta_k = R - moved(k) tau/L, with all gradients taken where the Huber function is linear.

    velocity: t >= 1 -> -L v_t/tau. given: t -> hyperparameters. attained: t -> f(theta_t), which is R tau/2.
    """
    show_rest(rule)
    tau = sp.Symbol("tau", positive=True)

    def v_next(speed: Any, t: Any) -> sp.Expr:
        return MomentumStep.of(rule, given(t), x, speed, tau).v

    show_by_induction(
        lambda speed, n: v_next(speed, n + 1),
        v_next(sp.Integer(0), sp.Integer(1)),
        lambda n: -velocity(n + 1) * tau / L,
        "the velocity after the first one",
    )
    at = R - moved(k) * tau / L
    first = MomentumStep.of(rule, given(1), R, 0, tau)
    show_equal(first.theta, R - moved(1) * tau / L, "theta_1")
    t = k + 2
    made = MomentumStep.of(rule, given(t), R - moved(t - 1) * tau / L, -velocity(t - 1) * tau / L, tau)
    show_equal(made.theta, R - moved(t) * tau / L, "theta_t")
    show_equal(moved(0), 0, "theta_0")
    # for a horizon k + j, where x_k is on the linear piece if x_k >= tau/L
    tuned = L * R / (2 * moved(k + j) + 1)
    show_nonnegative(sp.factor((at - tau / L).subs(tau, tuned)), "theta_k lies where f is linear")
    between = sp.factor((made.point - made.theta).subs(tau, tuned))
    show_nonnegative(between, "the gradient is taken before theta_t")
    show_equal(first.point, R, "the first point of a gradient")
    reached = (tau * at - tau**2 / (2 * L)).subs(tau, L * R / (2 * moved(k) + 1))
    show_equal(reached, attained(k), "f at the horizon")
    show_equal(R * tuned / 2, attained(k + j), "R tau/2")


def _missed(
    rule: Rule, values: Mapping[str, Any], attained: Schedule, horizons: Iterable[int] = (1, 2, 3, 4)
) -> Callable[[], str | None]:
    """Look for a horizon at which the Huber function with L = 2, R = 1 does not give the value; in words."""

    def find() -> str | None:
        for n in horizons:
            stated = attained(n)

            def broken(trial: Trial, thetas: list[sp.Expr], n: int = n, stated: Any = stated) -> str | None:
                value = trial.value(thetas[n])
                return None if value == stated else f"f(theta_{n}) = {value}, not {stated}"

            # f = L R^2/(4c + 2) = R tau/2
            if found := falsified(rule, [huber_trial(2 * stated)], n, values, broken):
                return found
        return None

    return find


@claim(
    "momentum.convex.tight",
    "No better rate than L R^2/(2t + 2) can be promised for the heavy ball with these coefficients.",
    statement=r"f(\theta_t) - f^\ast = \frac{L \, (\theta_0 - \theta^\ast)^2}{2 (t + 1)}, \qquad"
    r" \varepsilon_t = \frac{1}{L (t + 1)}, \quad \mu_t = \frac{t - 1}{t + 1}, \quad f(x) = \begin{cases}"
    r" \frac{L}{2} x^2 & \lvert x \rvert \le \tau/L \\ \tau \lvert x \rvert - \frac{\tau^2}{2L} & \lvert x"
    r" \rvert > \tau/L \end{cases}, \quad \tau = \frac{L \, \lvert \theta_0 \rvert}{t + 1}",
    scope="one function for each horizon t >= 1, dimension 1, every t; it is convex with L-Lipschitz"
    " gradient",
    sources=[quadratic_upper, drori_teboulle],
    rule=about("momentum"),
)
def heavy_ball_tight(rule: Rule) -> Decision:
    """Every point lies where the function is linear, so the velocity is -tau/(2 L): induction."""
    values = {"lr": lambda t: HALF / (t + 1), "momentum": _ball}
    with unless(_missed(rule, values, lambda n: sp.Rational(1, n + 1))):
        _show_attained(
            rule,
            lambda t: {"lr": 1 / (L * (t + 1)), "momentum": sp.sympify(t - 1) / (t + 1)},
            lambda t: HALF,
            lambda t: sp.sympify(t) / 2,
            lambda t: L * R**2 / (2 * (t + 1)),
        )
    return holds("by induction v_k = -tau/(2L) and theta_k = R - k tau/(2L) >= tau/L for k <= t")


@claim(
    "nesterov.convex.tight",
    "No better rate than 2 L R^2/(t^2 + 7 t + 4) can be promised for Nesterov momentum with coefficient (t -"
    " 1)/(t + 2).",
    statement=r"f(\theta_t) - f^\ast = \frac{2 L \, (\theta_0 - \theta^\ast)^2}{t^2 + 7 t + 4}, \qquad"
    r" \varepsilon = \frac{1}{L}, \quad \mu_t = \frac{t - 1}{t + 2}, \quad f(x) = \begin{cases} \frac{L}{2}"
    r" x^2 & \lvert x \rvert \le \tau/L \\ \tau \lvert x \rvert - \frac{\tau^2}{2L} & \lvert x \rvert >"
    r" \tau/L \end{cases}, \quad \tau = \frac{4 L \, \lvert \theta_0 \rvert}{t^2 + 7 t + 4}",
    scope="one function for each horizon t >= 1, dimension 1, every t; it is convex with L-Lipschitz"
    " gradient",
    sources=[drori_teboulle, pepit],
    rule=about("nesterov"),
)
def nesterov_tight(rule: Rule) -> Decision:
    """Every point lies where the function is linear, so the velocity is -(k+3) tau/(4 L): induction."""
    values = {"lr": HALF, "momentum": _late}
    with unless(_missed(rule, values, _late_rate)):
        _show_attained(
            rule,
            lambda t: {"lr": 1 / L, "momentum": sp.sympify(t - 1) / (t + 2)},
            lambda t: sp.sympify(t + 3) / 4,
            lambda t: sp.sympify(t) * (t + 7) / 8,
            lambda t: 2 * L * R**2 / (t**2 + 7 * t + 4),
        )
    return holds("by induction v_k = -(k+3) tau/(4L) and theta_k = R - k (k+7) tau/(8L) >= tau/L for k <= t")
