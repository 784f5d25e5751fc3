"""What claims about linear rules on quadratics share: matrices of a step, and where their roots lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp

from optverify.claims._claim import trial_in_words, trial_values
from optverify.language import Domain, Rule, grad, lr, t, theta
from optverify.proof import NotProved, Refuted, is_schur, show_nonnegative
from optverify.proof.signs import has_sign
from optverify.views.closed import closed_form
from optverify.views.linear import step_matrix
from optverify.views.open import open_form

curvature = sp.Symbol("lambda", positive=True)
rate = sp.Symbol("lr", real=True)
"""The step size, of any sign: that it must be positive is part of what is shown."""
z = sp.Symbol("z")


def any_rate_matrix(rule: Rule) -> sp.Matrix:
    """The step matrix of a rule on curvature/2 theta^2, for a step size of any sign."""
    return matrix_of(rule).subs(lr, rate)


def matrix_of(rule: Rule) -> sp.Matrix:
    """The step matrix of a rule on curvature/2 theta^2. Raises NotProved if it has none."""
    if rule.operators or rule.inputs or bends(rule):
        raise NotProved(f"rule {rule.name!r} is not linear on a quadratic, so it has no step matrix")
    try:
        return step_matrix(rule, curvature)
    except ValueError as failed:
        raise NotProved(str(failed)) from None


def in_states(rule: Rule, *names: str) -> None:
    """Raise NotProved for a rule with other states than the statement is about."""
    if {s.name for s in rule.states} != set(names) or rule.operators or rule.inputs:
        raise NotProved(f"the statement is about a rule with the states {', '.join(names) or 'none'} alone")


def bends(rule: Rule) -> bool:
    """True if the new state is not affine in state and gradient at one point: a quick way out."""
    at = {h.symbol: value for h, value in zip(rule.hyperparameters, trial_values(rule).values(), strict=True)}
    once = {s.before: sp.Rational(k + 1, 3) for k, s in enumerate((theta, *rule.states))}
    once[grad] = sp.Integer(1)
    rest = {s: sp.Integer(0) for s in once}
    twice = {s: 2 * value for s, value in once.items()}
    for e in closed_form(rule).values():
        put = e.subs(at).subs(t, 2)
        zero, one, two = (sp.N(put.subs(point)) for point in (rest, once, twice))
        if not (zero.is_finite and one.is_finite and two.is_finite):
            return True
        if abs(two - 2 * one + zero) > (1 + abs(one)) / 10**6:
            return True
    return False


def leaves_minimum(rule: Rule, held: Mapping[str, Any] | None = None) -> str | None:
    """That the minimum with states of 0 is no fixed point of a step, which no convergence survives; in words.

    held: name of a state -> what it is instead of 0; such a state may move.
    """
    if rule.operators:
        return None
    held = held or {}
    rest = {s.before: sp.sympify(held.get(s.name, 0)) for s in (theta, *rule.states)}
    at = {h.symbol: value for h, value in zip(rule.hyperparameters, trial_values(rule).values(), strict=True)}
    for name, e in closed_form(rule).items():
        moved = e.subs(grad, curvature * rule.gradient_point).subs({**rest, **at, t: 2, curvature: 1})
        if name not in held and moved.is_comparable and moved != 0:
            given = f"with lambda = 1, {trial_in_words(rule)}"
            return f"{given} a step from theta = 0 with states at rest gives {name} = {moved}: 0 is no fixed"
            " point"
    return None


def show_fixed_point(rule: Rule) -> None:
    """Raise Refuted if a step leaves the minimum: a statement of convergence is false then."""
    if found := leaves_minimum(rule):
        raise Refuted(found)


def characteristic(rule: Rule, values: Mapping[sp.Symbol, Any], states: int = 2) -> sp.Poly:
    """The characteristic polynomial of a step at these values of symbols, in z, of degree `states`."""
    matrix = matrix_of(rule)
    if matrix.has(t) or matrix.rows != states:
        raise NotProved(f"the step {matrix} is no constant matrix of {states} rows")
    return sp.Poly(matrix.charpoly(z).as_expr().subs(values, simultaneous=True), z)


def jury_conditions(p: sp.Poly, radius: Any) -> list[sp.Expr]:
    """Three numbers, all > 0 iff both roots of the monic real quadratic p are smaller than radius > 0.

    All >= 0 iff both are at most radius.
    """
    radius = sp.sympify(radius)
    return [p.eval(radius), p.eval(-radius), radius**2 - p.eval(0)]


def rate_of(p: sp.Poly, radius: Any) -> int:
    """-1, 0 or 1: the largest modulus of the roots of a quadratic p of numbers is below, at, above radius."""
    conditions = jury_conditions(p, radius)
    if any(c.is_negative for c in conditions):
        return 1
    return 0 if any(c.is_zero for c in conditions) else -1


def show_within(p: sp.Poly, radius: Any, what: str, within: Mapping[sp.Symbol, Domain] | None = None) -> None:
    """Show that both roots of p are at most radius in modulus, for all values of its symbols."""
    for k, condition in enumerate(jury_conditions(p, radius), 1):
        show_nonnegative(sp.factor(condition), f"{what}: condition {k}", within)


def off_radius(
    rule: Rule, values: Mapping[sp.Symbol, Any], curvatures: Iterable[Any], radius: Any
) -> str | None:
    """A curvature among these at which a root is larger than radius; or that none is as large; in words."""
    if off := leaves_minimum(rule):
        return off
    found = []
    for value in curvatures:
        p = characteristic(rule, {**values, curvature: sp.sympify(value)})
        if p.free_symbols - {z}:
            return None
        found.append(rate_of(p, radius))
        if found[-1] > 0:
            return f"at {_given(values)}, lambda = {value} the step has a root larger than {radius}:"
            f" {p.as_expr()}"
    if max(found) < 0:
        return f"at {_given(values)} all roots are smaller than {radius}"
    return None


def _given(values: Mapping[sp.Symbol, Any]) -> str:
    return ", ".join(f"{s} = {v}" for s, v in values.items())


def stable_at(rule: Rule, values: Mapping[sp.Symbol, Any]) -> bool | None:
    """Whether the step at these numbers tends to 0 from every start; None if a symbol is left."""
    matrix = matrix_of(rule).subs(values)
    return None if matrix.free_symbols else is_schur(matrix.charpoly(z))


# ---- time-varying factors that die out ---------------------------------------------------------------------


def late(e: sp.Expr, within: Mapping[sp.Symbol, Domain]) -> sp.Expr:
    """The limit of e as t grows, where t stands in exponents of bases in [0, 1) only: those powers vanish."""
    powers = [p for p in e.atoms(sp.Pow) if p.exp.has(t)]
    for power in powers:
        growth = sp.diff(power.exp, t)
        if not (
            has_sign(growth, within, strict=True)
            and has_sign(1 - power.base, within, strict=True)
            and has_sign(power.base, within, strict=False)
        ):
            raise NotProved(f"{power} is not shown to vanish as t grows")
    limit = e.xreplace(dict.fromkeys(powers, sp.Integer(0)))
    if limit.has(t):
        raise NotProved(f"no limit for growing t was found of {e}")
    return limit


def frozen_matrix(rule: Rule, held: Mapping[str, Any], within: Mapping[sp.Symbol, Domain]) -> sp.Matrix:
    """The late step of an adaptive rule on curvature/2 theta^2 while some states are held at these values.

    held: name of a state -> expression. t goes to infinity in corrections. A state that only shrinks, by a
    factor below 1, is 0.
    """
    if missing := held.keys() - {s.name for s in rule.states}:
        raise NotProved(f"rule {rule.name!r} has no state {', '.join(missing)}")
    expressions = open_form(rule)
    fixed = {s: sp.sympify(e) for n, e in held.items() for s in (rule.state(n).before, rule.state(n).now)}
    moving = [theta]
    for state in rule.states:
        if state.name in held:
            continue
        factor = sp.cancel(late(expressions[state.now].xreplace(fixed), within) / state.before)
        if not factor.has(state.before, grad, theta.before) and has_sign(1 - factor, within, strict=True):
            show_nonnegative(factor, f"the factor of {state.name}", within)
            fixed |= {state.now: sp.Integer(0), state.before: sp.Integer(0)}
        else:
            moving.append(state)
    new = {s.now: late(expressions[s.now].xreplace(fixed), within) for s in moving}
    stepped = [new[s.now].xreplace(new) for s in moving]
    before = [s.before for s in moving]
    gradient = curvature * rule.gradient_point
    step = sp.Matrix([sp.expand(e.xreplace({grad: gradient})) for e in stepped])
    matrix = step.jacobian(before)
    if matrix.has(*before, sp.Piecewise) or any(step.subs(dict.fromkeys(before, 0))):
        raise NotProved(f"the step of {rule.name} is not linear while {', '.join(held)} is held")
    return matrix


def cycle_matrix(rule: Rule, period: int, values: Mapping[sp.Symbol, Any]) -> sp.Matrix:
    """The matrix of `period` steps, t = 1, ..., period, on curvature/2 theta^2 over (theta, *states)."""
    before = [s.before for s in (theta, *rule.states)]
    form = [closed_form(rule)[s.name] for s in (theta, *rule.states)]
    product = sp.eye(len(before))
    for k in range(1, period + 1):
        here = {**values, t: sp.Integer(k)}
        gradient = (curvature * rule.gradient_point).subs(here)
        step = sp.Matrix([sp.expand(e.subs(here).xreplace({grad: gradient})) for e in form])
        matrix = step.jacobian(before)
        if matrix.has(*before, t, sp.Piecewise) or any(step.subs(dict.fromkeys(before, 0))):
            raise NotProved(f"step {k} of {rule.name} is not linear")
        product = (matrix * product).applyfunc(sp.expand)
    return product
