"""The closed form and exact runs agree with each other and with hand calculation."""

import pytest
import sympy as sp

from optverify.language import beta1, beta2, eps, grad, lr, momentum, t, theta
from optverify.rules import registry, rule
from optverify.views.closed import closed_form
from optverify.views.run import run

half = sp.Rational(1, 2)


def test_closed_form_of_adam():
    form = closed_form(rule("adam"))
    adam = rule("adam")
    m, v = adam.state("m").before, adam.state("v").before
    assert form["m"] == beta1 * m + (1 - beta1) * grad
    assert form["v"] == beta2 * v + (1 - beta2) * grad**2
    m_hat, v_hat = form["m"] / (1 - beta1**t), form["v"] / (1 - beta2**t)
    assert sp.simplify(form["theta"] - (theta.before - lr * m_hat / (sp.sqrt(v_hat) + eps))) == 0


def symbols(expression):
    """Its symbols; a part that stands in many places is walked once (Muon's products nest five deep)."""
    seen, left = set(), [expression]
    while left:
        part = left.pop()
        if part not in seen:
            seen.add(part)
            left += part.args
    return {part for part in seen if part.is_Symbol}


@pytest.mark.parametrize("name", registry.names())
def test_a_closed_form_holds_old_values_only(name):
    """No symbol of this update is left: old states, grad, t, inputs and hyperparameters."""
    for dialect in rule(name).dialects(1):
        allowed = {grad, t, theta.before, *(s.before for s in dialect.states)}
        allowed |= {i.now for i in dialect.inputs}
        allowed |= {h.symbol for h in dialect.hyperparameters}
        for expression in closed_form(dialect).values():
            assert symbols(expression) <= allowed


def test_exact_momentum_on_a_quadratic():
    """theta: 1, then v = -1/2 and 1/2, then v = -1/4 - 1/4 and 0."""
    history = run(rule("momentum"), [lambda x: x] * 2, start=1, values={"lr": half, "momentum": half})
    assert [s["theta"] for s in history] == [1, half, 0]
    assert [s["v"] for s in history] == [0, -half, -half]


def test_look_ahead_gradients_are_taken_ahead():
    points = []
    run(rule("nesterov"), [lambda x: points.append(x) or 1] * 3, start=0, values={"lr": 1, "momentum": half})
    assert points == [0, -1 - half, -1 - 3 * half - sp.Rational(3, 4)]


def test_symbols_stay_symbols():
    x = sp.Symbol("x", positive=True)
    last = run(rule("gd"), [lambda p: x * p] * 3)[-1]["theta"]
    assert last == 0
    last = run(rule("gd"), [lambda p: x * p] * 3, start=1)[-1]["theta"]
    assert sp.expand(last - (1 - lr * x) ** 3) == 0


def test_a_hyperparameter_may_follow_time():
    values = {"lr": lambda step: sp.Rational(1, step), "momentum": 0}
    assert run(rule("momentum"), [1, 1, 1], values=values)[-1]["theta"] == -1 - half - sp.Rational(1, 3)


def test_floats_are_refused():
    with pytest.raises(TypeError, match=r"lr = 0\.1 is a float: give an exact run a sympy\.Rational"):
        run(rule("gd"), [1], values={"lr": 0.1})


def test_a_state_may_start_from_theta():
    """MADGRAD: lambda = lr, s = nu = lr g, z = x_0 - s/nu^(1/3) with g = lr = 1."""
    history = run(rule("madgrad"), [1], start=5, values={"lr": 1, "eps": 0, "momentum": half})
    assert [s["x0"] for s in history] == [5, 5]
    assert history[1]["theta"] == half * 5 + half * 4


def test_initial_accumulators_enter():
    history = run(rule("adagrad"), [3], values={"lr": 1, "eps": 0, "initial_accumulator": 16})
    assert history[0]["G"] == 16
    assert history[1]["theta"] == -sp.Rational(3, 5)
    assert momentum not in history[1]["theta"].free_symbols
