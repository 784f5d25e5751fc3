r"""Does the objective fall at every step? Gradient descent on smooth functions; methods with momentum.

Upper bound of an L-smooth f: f(y) <= f(x) + <g, y - x> + (L/2) |y - x|^2.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import sympy as sp

from optverify.claims._claim import Decision, about, claim, holds, refuted
from optverify.claims._convex import (
    L,
    Step,
    Trial,
    falsified,
    first_rise,
    plain_step,
    point,
    quadratic,
    smooth_trials,
)
from optverify.claims._convex_sources import (
    acceleration,
    garrigos_gower,
    nesterov_nonsmooth,
    nesterov_smooth,
    polyak_book,
)
from optverify.language import Rule, lr
from optverify.proof import NotProved, domains, show_equal, show_form_nonnegative, show_positive, unless

x, g, f, f_next = sp.symbols("x g f f_next", real=True)
HALF = sp.Rational(1, 2)


def below_parabola(step: Step) -> sp.Expr:
    """What is >= 0 by the upper bound of an L-smooth function between x and the next point."""
    move = step(x, g) - x
    return f + g * move + L * move**2 / 2 - f_next


def show_fall(rule: Rule, rate: Any, amount: sp.Expr) -> None:
    """Show f - f_next >= amount |g|^2 for this lr and every L-smooth f."""
    rest = sp.expand(f - f_next - amount * g**2 - below_parabola(plain_step(rule, rate)))
    show_form_nonnegative(rest, (x, g), "the fall of f beyond what is stated")


def _little_fall(rule: Rule, rate: Any) -> str | None:
    """Look for a smooth f that falls less than lr (1 - lr L/2) |g|^2 in an update; in words."""

    def broken(trial: Trial, thetas: list[sp.Expr]) -> str | None:
        for k, (a, b) in enumerate(pairwise(thetas), 1):
            stated = rate * (1 - rate) * trial.slope(a) ** 2  # L = 2
            if (fall := trial.value(a) - trial.value(b)) < stated:
                return f"f falls by {fall} at update {k}, less than {stated}"
        return None

    concave = Trial("f(x) = -x^2, not convex", -(point**2), sp.Integer(1), sp.Integer(0))
    return falsified(rule, [*smooth_trials(), concave], 2, {"lr": rate}, broken)


@claim(
    "gd.descent",
    "Gradient descent decreases the objective at every step if the step size is below 2/L.",
    statement=r"f(\theta_t) \le f(\theta_{t-1}) - \eta \left(1 - \frac{\eta L}{2}\right) \lVert \nabla"
    r" f(\theta_{t-1}) \rVert^2, \qquad 0 < \eta < \frac{2}{L}",
    scope="every f with L-Lipschitz gradient, convex or not, any dimension, full gradients, every lr < 2/L;"
    " a strict decrease wherever the gradient is not 0",
    sources=[nesterov_smooth, garrigos_gower],
    rule=about("gd"),
)
def descent(rule: Rule) -> Decision:
    """The upper bound at the next point, for symbolic lr."""
    with unless(lambda: _little_fall(rule, sp.Rational(3, 4)) or _little_fall(rule, sp.Rational(1, 4))):
        show_fall(rule, lr, lr * (1 - lr * L / 2))
        s = sp.Symbol("s", positive=True)
        show_positive((lr * (1 - lr * L / 2)).subs(lr, 2 / (L + s)), "the factor of |g|^2 for lr < 2/L")
    return holds("f + <g, y - x> + L/2 |y - x|^2 with y - x = -lr g is f - lr (1 - lr L/2) |g|^2")


@claim(
    "gd.small_gradient",
    "Gradient descent finds a point with a small gradient on any smooth function, convex or not.",
    statement=r"\min_{0 \le k \le t} \lVert \nabla f(\theta_k) \rVert^2 \le \frac{2 L \, (f(\theta_0) -"
    r" f^\ast)}{t + 1}, \qquad \eta = \frac{1}{L}",
    scope="every f with L-Lipschitz gradient that is bounded below by f*, convex or not, any dimension, full"
    " gradients, every t",
    sources=[nesterov_smooth],
    rule=about("gd"),
)
def small_gradient(rule: Rule) -> Decision:
    """Each of the t + 1 gradients lowers f by |g|^2/(2L); the last fall is to a point that is not visited."""
    with unless(lambda: _little_fall(rule, HALF)):
        show_fall(rule, 1 / L, 1 / (2 * L))
    return holds("f falls by |g|^2/(2L) or more at each of t + 1 updates, and by f_0 - f* at most in all")


# ---- methods that do not descend -----------------------------------------------------------------------


def _rises(rule: Rule, trial: Trial, values: Mapping[str, Any], updates: int, why: str) -> Decision:
    found = first_rise(rule, trial, values, updates)
    if found is None:
        raise NotProved(f"f falls at each of the {updates} updates that were tried")
    k, f_values = found
    given = ", ".join(f"{name} = {value}" for name, value in values.items())
    run_of = ", ".join(map(str, f_values[: k + 1]))
    return refuted(
        f"{trial.words} from {trial.start} with {given}: f = {run_of}: it rises at update {k}; {why}"
    )


@claim(
    "momentum.descent",
    "Momentum with a step size of at most 1/L decreases the objective at every step.",
    statement=r"f(\theta_t) \le f(\theta_{t-1}) \quad \text{for every } t, \qquad 0 < \varepsilon \le"
    r" \frac{1}{L}, \quad 0 \le \mu < 1",
    scope="f(x) = x^2/2, dimension 1, L = 1, lr = 1/2, momentum = 1/2",
    sources=[polyak_book],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="momentum.convex.rate",
    rule=about("momentum"),
)
def momentum_descent(rule: Rule) -> Decision:
    """An exact run past the minimum."""
    values = {"lr": HALF, "momentum": HALF}
    return _rises(rule, quadratic(1), values, 6, "the velocity carries theta past the minimum")


@claim(
    "nesterov.descent",
    "Nesterov momentum, unlike the heavy ball, decreases the objective at every step.",
    statement=r"f(\theta_t) \le f(\theta_{t-1}) \quad \text{for every } t, \qquad 0 < \varepsilon \le"
    r" \frac{1}{L}, \quad 0 \le \mu < 1",
    scope="f(x) = x^2/2, dimension 1, L = 1, lr = 1/2, momentum = 3/4",
    sources=[acceleration],
    expected="refuted",
    evidence="exact certificate",
    corrected_by="nesterov.convex.rate",
    rule=about("nesterov"),
)
def nesterov_descent(rule: Rule) -> Decision:
    """An exact run past the minimum."""
    values = {"lr": HALF, "momentum": sp.Rational(3, 4)}
    return _rises(rule, quadratic(1), values, 8, "the look-ahead does not stop the velocity in time")


@claim(
    "gd.subgradient.descent",
    "A small enough step against a subgradient decreases a convex function, like one against a gradient.",
    statement=r"f(\theta - \eta g) \le f(\theta) \quad \text{for convex } f, \; g \in \partial f(\theta),"
    r" \; 0 < \eta < \eta_0(f, \theta)",
    scope="f(x, y) = |x| + 2 |y| in dimension 2, at (1, 0) with the subgradient (1, 2): f rises for every"
    " lr > 0",
    sources=[nesterov_nonsmooth],
    expected="refuted",
    evidence="proved",
    corrected_by="gd.subgradient.best",
    rule=about("gd"),
)
def subgradient_descent(rule: Rule) -> Decision:
    """One step, for symbolic lr: f is at least x - 2 y, which grows."""
    with unless(lambda: None):
        step = plain_step(rule)
        new = step(sp.Integer(1), sp.Integer(1)), step(sp.Integer(0), sp.Integer(2))
        show_equal(new[0], 1 - lr, "x after the step")
        show_equal(new[1], -2 * lr, "y after the step")
        show_positive(sp.expand(new[0] - 2 * new[1] - 1), "the rise of f", domains(rule))
    return refuted(
        "(1, 2) is a subgradient at (1, 0), as |x| + 2 |y| >= x + 2 y with equality there; the step leads to"
        " (1 - lr, -2 lr), where f = |1 - lr| + 4 lr >= 1 + 3 lr > 1, for every lr; lr = 1/8: f = 1, 11/8",
        "proved",
    )
