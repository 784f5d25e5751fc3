"""What claims about convex functions share: the step as a function, functions to try, exact runs on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from optverify.claims._claim import trial_values
from optverify.language import Rule, grad, lr, theta
from optverify.proof import NotProved, show_polynomial
from optverify.views.closed import closed_form
from optverify.views.run import run

point = sp.Symbol("x", real=True)
L = sp.Symbol("L", positive=True)
R = sp.Symbol("R", positive=True)

Step = Callable[[Any, Any], sp.Expr]


def plain_step(rule: Rule, rate: Any = lr) -> Step:
    """theta_t as a function of theta_{t-1} and the gradient there, for this lr."""
    if rule.states or rule.gradient_point != theta.before:
        raise NotProved("the proof is for rules without states, with the gradient at theta_{t-1}")
    if others := [h.name for h in rule.hyperparameters if h.symbol != lr]:
        raise NotProved(f"the proof is for rules with lr alone, not with {', '.join(others)}")
    show_polynomial(rule)
    step = closed_form(rule)["theta"].subs(lr, rate)
    if step.diff(theta.before) != 1:
        raise NotProved("the step depends on theta: theta* = 0 is a special case")
    return lambda x, g: step.subs({theta.before: x, grad: g}, simultaneous=True)


@dataclass(frozen=True)
class MomentumStep:
    """A step of a rule with a velocity v: the point of its gradient, and the new theta and v."""

    point: sp.Expr
    theta: sp.Expr
    v: sp.Expr

    @classmethod
    def of(cls, rule: Rule, given: Mapping[str, Any], x: Any, v: Any, g: Any) -> MomentumStep:
        """The step from theta = x and velocity v with the gradient g; given: hyperparameter -> expression."""
        if [s.name for s in rule.states] != ["v"]:
            raise NotProved("the proof is for rules with a velocity and no other state")
        if others := [h.name for h in rule.hyperparameters if h.name not in given]:
            raise NotProved(f"the proof is for rules without {', '.join(others)}")
        velocity = rule.state("v").before
        values = {h.symbol: sp.sympify(given[h.name]) for h in rule.hyperparameters}
        at = values | {theta.before: x, velocity: v, grad: g}
        show_polynomial(rule)
        form = closed_form(rule)
        moves = (rule.gradient_point, 1), (form["theta"], 1), (form["v"], 0)
        if any(e.diff(theta.before) != amount for e, amount in moves):
            raise NotProved("the step depends on theta: theta* = 0 is a special case")
        made = (rule.gradient_point, form["theta"], form["v"])
        return cls(*(sp.expand(e.subs(at, simultaneous=True)) for e in made))


def show_rest(rule: Rule) -> None:
    """Show that the velocity starts at 0."""
    if any(sp.sympify(s.initial) != 0 for s in rule.states):
        raise NotProved("the velocity does not start at 0")


# ---- functions to try ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """A function of one variable with f* = 0, its minimum, and where to start; in words and in `point`."""

    words: str
    f: sp.Expr
    start: sp.Expr
    minimum: sp.Expr

    @property
    def far(self) -> sp.Expr:
        """The squared distance from the start to the minimum."""
        return (self.start - self.minimum) ** 2

    def slope(self, x: sp.Expr) -> sp.Expr:
        """The gradient at x."""
        return sp.diff(self.f, point).subs(point, x)

    def value(self, x: sp.Expr) -> sp.Expr:
        """f at x."""
        return self.f.subs(point, x)


def quadratic(curvature: Any, centre: Any = 0, start: Any = None) -> Trial:
    """Curvature (x - centre)^2/2, from distance 1."""
    f = sp.Rational(curvature) / 2 * (point - centre) ** 2
    return Trial(f"f(x) = {f}", f, sp.Rational(centre + 1 if start is None else start), sp.Integer(centre))


def huber(smoothness: Any, slope: Any) -> sp.Expr:
    """The Huber function of x: curvature smoothness near 0, this slope from slope/smoothness on."""
    near = smoothness * point**2 / 2
    far = slope * sp.Abs(point) - slope**2 / (2 * smoothness)
    return sp.Piecewise((near, sp.Abs(point) <= slope / smoothness), (far, True))


def huber_trial(slope: Any) -> Trial:
    """The Huber function with L = 2, from 1."""
    words = f"the Huber function with L = 2 and slope {slope}"
    return Trial(words, huber(2, slope), sp.Integer(1), sp.Integer(0))


def smooth_trials(slopes: Iterable[Any] = (), curvatures: Sequence[Any] = (2, 1)) -> Iterator[Trial]:
    """Convex functions with L = 2, from distance 1 or the minimum: quadratics, Huber functions."""
    for curvature in curvatures:
        for centre, start in ((0, 1), (3, 4), (0, 0), (0, -1)):
            yield quadratic(curvature, centre, start)
    for slope in slopes:
        yield huber_trial(sp.Rational(slope))


def kinked(slope: Any = 1, centre: Any = 0, start: Any = None) -> Trial:
    """Slope |x - centre|, from distance 1; its subgradient at the kink is 0."""
    f = sp.Rational(slope) * sp.Abs(point - centre)
    return Trial(f"f(x) = {f}", f, sp.Rational(centre + 1 if start is None else start), sp.Integer(centre))


Broken = Callable[[Trial, list[sp.Expr]], str | None]
"""(function, theta_0, theta_1, ...) -> in words, what is not as stated; None if all is."""


def exact_run(rule: Rule, gradients: Sequence[Any], start: Any, values: Mapping[str, Any]) -> list[sp.Expr]:
    """theta_0, theta_1, ... as rational numbers. Raises NotProved where they are none."""
    show_polynomial(rule)
    try:
        thetas = [
            s["theta"] for s in run(rule, gradients, start=start, values={**trial_values(rule), **values})
        ]
    except ValueError:  # 0/0 inside a maximum cannot be compared
        raise NotProved(f"a run of {rule.name!r} is not defined") from None
    if any(not theta.is_Rational for theta in thetas):
        raise NotProved(f"a run of {rule.name!r} reaches {thetas[-1]}")
    return thetas


def falsified(
    rule: Rule, trials: Iterable[Trial], updates: int, values: Mapping[str, Any], broken: Broken
) -> str | None:
    """Look for a function on which a run is not as stated; in words. Other values are trial values."""
    at = {**trial_values(rule), **values}
    given = ", ".join(f"{h.name} = {_in_words(at[h.name], updates)}" for h in rule.hyperparameters)
    for trial in trials:
        thetas = exact_run(rule, [trial.slope] * updates, trial.start, at)
        if (found := broken(trial, thetas)) is not None:
            return f"on {trial.words} from theta_0 = {trial.start} with {given}, {found}"
    return None


def _in_words(value: Any, updates: int) -> str:
    if callable(value) and not isinstance(value, sp.Basic):
        return ", ".join(str(value(k)) for k in range(1, updates + 1))
    return str(value)


def gap_above(bound: Callable[[int, Trial], Any]) -> Broken:
    """Broken where f(theta_k) - f* > bound(k, trial)."""

    def broken(trial: Trial, thetas: list[sp.Expr]) -> str | None:
        for k, x in enumerate(thetas):
            if trial.value(x) > (limit := bound(k, trial)):
                return f"f(theta_{k}) - f* = {trial.value(x)} > {limit}"
        return None

    return broken


def distance_above(factor: Any) -> Broken:
    """Broken where the squared distance to the minimum grows by more than the factor in an update."""

    def broken(trial: Trial, thetas: list[sp.Expr]) -> str | None:
        far = [(x - trial.minimum) ** 2 for x in thetas]
        for k in range(1, len(far)):
            if far[k] > factor * far[k - 1]:
                return f"the squared distance goes from {far[k - 1]} to {far[k]} at update {k}"
        return None

    return broken


def first_rise(
    rule: Rule, trial: Trial, values: Mapping[str, Any], updates: int
) -> tuple[int, list[sp.Expr]] | None:
    """The first update after which f is larger than before it, and all values; None if f never rises."""
    f = [trial.value(x) for x in exact_run(rule, [trial.slope] * updates, trial.start, values)]
    for k in range(1, len(f)):
        if f[k] > f[k - 1]:
            return k, f
    return None
