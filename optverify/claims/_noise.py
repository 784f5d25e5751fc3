"""What the claims about noise share: a quadratic whose gradients have noise added, and where runs settle."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy as sp

from optverify.language import Rule, Source, grad, lr, theta
from optverify.proof import NotProved, is_schur, show_equal, show_stable_iff, unless
from optverify.proof.moments import NoisyStep, noise, noisy_step
from optverify.proof.points import Domains, in_words
from optverify.proof.stability import z
from optverify.views.closed import closed_form
from optverify.views.run import run as exact_run

History = list[dict[str, sp.Expr]]
curvature, sigma = sp.symbols("lambda sigma", positive=True)
white = {1: 0, 2: sigma**2}
"""E[xi], E[xi^2]."""

ROUND = (
    "f = lambda theta^2/2 with lambda > 0, in d dimensions along each eigenvector of the Hessian; the"
    " gradient has noise of mean 0 and variance sigma^2 added, independent from step to step and the same"
    " everywhere"
)

mandt = Source(
    "Mandt, Hoffman and Blei",
    2017,
    "Stochastic gradient descent as approximate Bayesian inference",
    "the stationary distribution of constant SGD, with and without momentum",
    "JMLR 18",
    arxiv="1704.04289",
)
garrigos = Source(
    "Garrigos and Gower",
    2023,
    "Handbook of convergence theorems for (stochastic) gradient methods",
    "the sections on stochastic gradient descent: strongly convex functions, and interpolation",
    arxiv="2301.11235",
)
bottou_curtis = Source(
    "Bottou, Curtis and Nocedal",
    2018,
    "Optimization methods for large-scale machine learning",
    "section 4: strongly convex objectives, fixed and diminishing stepsizes",
    "SIAM Review 60",
    arxiv="1606.04838",
)


def show_settles(rule: Rule, edge: sp.Expr, variance: sp.Expr, state: str = "theta") -> None:
    """Show that E[state] -> 0 and E[state^2] -> variance from every start if and only if lr < edge.

    The moments of a linear step with a stable matrix tend to its only stationary ones.
    """
    step, within = noisy_step(rule, curvature), ranges(rule)
    spoken = (edge.free_symbols | variance.free_symbols) - {lr, curvature, sigma}
    if state not in step.names or not spoken <= set(within):
        raise NotProved(f"rule {rule.name!r} has not what the statement speaks of")
    at = step.names.index(state)
    with unless(lambda: _settles_elsewhere(rule, step, at, edge, variance)):
        show_stable_iff(step.matrix, [edge - lr], "the step", within)
        show_equal(step.mean()[at], 0, "the stationary mean", within)
        found = step.covariance(sigma**2)[at, at]
        show_equal(found, variance, "the stationary variance", within)


def _settles_elsewhere(rule: Rule, step: NoisyStep, at: int, edge: sp.Expr, variance: sp.Expr) -> str | None:
    """Look for a stable step, lr < edge, of other stationary moments, or one that is not stable; in words."""
    put = {h.symbol: sp.Rational(1, k) for k, h in enumerate(rule.every_hyperparameter, 2)}
    put |= {curvature: sp.Integer(1), sigma: sp.Integer(1)}
    used = (lr, *(s for s in put if (step.matrix.has(s) or variance.has(s)) and s != lr))
    for part in map(sp.Rational, ("1/2", "1/3", "9/10")):
        put[lr] = part * edge.subs(put)
        numbers = NoisyStep(step.names, *(m.subs(put) for m in (step.matrix, step.weights, step.offset)))
        if not all(e.is_Rational for e in (*numbers.matrix, *numbers.weights, *numbers.offset)):
            return None
        given = f"at {in_words({symbol: put[symbol] for symbol in used})}"
        if not is_schur(numbers.matrix.charpoly(z)):
            return f"the step is not stable {given}"
        found = numbers.mean()[at], numbers.covariance(1)[at, at]
        if found != (0, stated := variance.subs(put)):
            return (
                f"{given} the stationary mean and variance are {found[0]} and {found[1]}, not 0 and {stated}"
            )
    return None


def ranges(rule: Rule) -> Domains:
    """The domain of every hyperparameter of the rule, used in this dialect or not."""
    return {h.symbol: h.domain for h in rule.every_hyperparameter}


def rational(e: Any) -> sp.Rational:
    """The number e is. Raises NotProved if it is none, as with a rule of another shape."""
    number = sp.sympify(e)
    if not number.is_Rational:
        raise NotProved(f"{number} is no number where one was expected")
    return number


def run(rule: Rule, gradients: Iterable[Any], start: Any, values: Mapping[str, Any]) -> History:
    """An exact run of one number. Raises NotProved for a rule that has none, as one for matrices."""
    try:
        return exact_run(rule, gradients, start, values)
    except (TypeError, ValueError) as failed:  # SymPy has no maximum of 1/0
        raise NotProved(f"rule {rule.name!r} has no run of numbers here: {failed}") from None


def memoryless(rule: Rule) -> sp.Expr:
    """theta_t as a function of theta_{t-1} and the gradient. Raises NotProved for a rule with more to it."""
    if rule.states or rule.inputs:
        raise NotProved(f"rule {rule.name!r} has states: its step depends on more than this gradient")
    return closed_form(rule)["theta"]


def noisy_move(rule: Rule) -> sp.Expr:
    """theta_t on the quadratic, as a function of theta_{t-1} and the noise."""
    return sp.expand(memoryless(rule).subs(grad, curvature * theta.before + noise))


def mean_over_signs(
    rule: Rule,
    steps: int,
    slope: Callable[[sp.Expr], Any],
    *,
    start: Any,
    values: Mapping[str, Any],
    of: Callable[[sp.Expr], sp.Expr] = lambda theta_k: theta_k,
    size: Any = 1,
) -> sp.Expr:
    """E[of(theta)] after so many steps along slope(theta) +- size: the mean over every sequence of signs."""
    total = sp.Integer(0)
    for signs in itertools.product((-size, size), repeat=steps):
        gradients = [lambda point, s=s: slope(point) + s for s in signs]
        total += of(run(rule, gradients, start=start, values=values)[-1][theta.name])
    return rational(sp.expand(total / sp.Integer(2) ** steps))


def gd_variance(rate: sp.Expr = lr, variance: sp.Expr = sigma**2) -> sp.Expr:
    """lr sigma^2/(lambda (2 - lr lambda)): where gradient descent settles."""
    return rate * variance / (curvature * (2 - rate * curvature))
