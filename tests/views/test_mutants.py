"""Mutants: every kind of slip, each once, none equal to the rule."""

import pytest
import sympy as sp

from optverify.language import eps, g, grad, lr, momentum, t, theta
from optverify.rules import registry, rule
from optverify.views.closed import closed_form
from optverify.views.mutants import expression_mutants, mutants


def _parts(r):
    return (*r.assignments, r.gradient_point, *(s.initial for s in r.states))


@pytest.mark.parametrize("name", registry.names())
def test_each_mutant_differs_in_one_line_and_none_twice(name):
    base = rule(name)
    descriptions = set()
    for mutant in mutants(base):
        differences = sum(a != b for a, b in zip(_parts(base), _parts(mutant.rule), strict=True))
        assert differences == 1, mutant.description
        assert mutant.description not in descriptions
        descriptions.add(mutant.description)
        assert "theta" in closed_form(mutant.rule)


def test_gradient_descent_has_these():
    now = {m.description for m in mutants(rule("gd"))}
    before, step = theta.before, lr * g.now
    lines = [before, -step, before + step, -before - step, before - g.now, before - lr, before - step + 1]
    expected = {f"theta_t = {e}" for e in (*lines, step - before)}
    assert now == expected | {f"g_t = {e}" for e in (-grad, grad + 1)}


def test_slips_of_every_kind():
    a, b, v = sp.symbols("a b v", positive=True)
    swaps = {a: (b,), b: (a,)}

    def of(e):
        return set(expression_mutants(e, swaps))

    assert {b * v, a, v} <= of(a * v)
    assert {sp.Min(a, v), sp.Max(b, v)} <= of(sp.Max(a, v))
    assert {a, a ** (t + 1), a ** (t - 1), b**t} <= of(a**t)
    assert {v, sp.sqrt(v) + 1} <= of(sp.sqrt(v))
    assert sp.sqrt(v + eps) in of(sp.sqrt(v) + eps)
    assert {a, v} <= of(sp.Piecewise((a, sp.Eq(t, 1)), (v, True)))
    assert {grad, abs(grad) + 1} <= of(abs(grad))


def test_a_look_ahead_and_an_initial_state_are_mutated_too():
    descriptions = {m.description for m in mutants(rule("nesterov"))}
    v = rule("nesterov").state("v")
    assert "v starts at 1" in descriptions
    assert f"gradient at {theta.before}" in descriptions
    assert f"gradient at {theta.before - momentum * v.before}" in descriptions


def test_the_old_state_for_the_new():
    v = rule("momentum").state("v")
    assert f"theta_t = {theta.before + v.before}" in {m.description for m in mutants(rule("momentum"))}
