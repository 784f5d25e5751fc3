"""Stationary moments of noisy linear rules, and induction with a power as a symbol."""

import pytest
import sympy as sp

import optverify as ov
from optverify.language import lr, momentum, t
from optverify.proof import NotProved, Refuted
from optverify.proof.moments import noisy_step, show_with_powers

a, b = sp.symbols("a b", positive=True)


@pytest.mark.parametrize("name", ["gd", "momentum", "nesterov", "optimistic_gd"])
def test_the_covariance_solves_its_equation(name):
    step = noisy_step(ov.rule(name), a)
    found = step.covariance(b)
    rest = step.matrix * found * step.matrix.T + b * step.weights * step.weights.T - found
    assert all(sp.cancel(e) == 0 for e in rest)
    assert found == found.T
    assert not any(step.mean())


def test_the_covariance_is_the_limit_of_the_recursion():
    step = noisy_step(ov.rule("momentum"), sp.Integer(1))
    put = {lr: sp.Rational(1, 2), momentum: sp.Rational(1, 3)}
    matrix, weights, limit = (m.subs(put) for m in (step.matrix, step.weights, step.covariance(1)))
    now = sp.zeros(2)
    for _ in range(60):
        now = (matrix * now * matrix.T + weights * weights.T).evalf(30)
    assert abs(now - limit).norm() < sp.Float("1e-12")


def test_an_offset_moves_the_mean():
    rule = ov.rule("gd")
    from optverify.views.mutants import mutants

    moved = next(m.rule for m in mutants(rule) if m.description == "g_t = grad + 1")
    assert noisy_step(moved, a).mean()[0] == -1 / a


@pytest.mark.parametrize("name", ["adam", "signsgd", "adagrad"])
def test_other_rules_are_refused(name):
    with pytest.raises(NotProved, match="not linear"):
        noisy_step(ov.rule(name), a)


def test_the_edge_of_stability_has_no_stationary_state():
    from optverify.views.mutants import mutants

    still = next(m.rule for m in mutants(ov.rule("gd")) if m.description == "theta_t = theta_{t-1}")
    with pytest.raises(NotProved, match="not determined"):
        noisy_step(still, a).covariance(b)


def test_a_step_that_changes_with_time_is_refused():
    with pytest.raises(NotProved, match="changes with time"):
        noisy_step(ov.rule("asgd"), a).covariance(b)


def test_powers():
    def step(y, _):
        return a * y + b

    show_with_powers(step, sp.Integer(0), lambda p, _: b * (1 - p) / (1 - a), a, "y")
    show_with_powers(lambda y, k: y + k, sp.Integer(0), lambda _, k: k * (k + 1) / 2, sp.Integer(1), "sum")
    with pytest.raises(Refuted, match="y at 1"):
        show_with_powers(step, sp.Integer(0), lambda p, _: b * (1 - p), a, "y")
    with pytest.raises(Refuted, match="y at 0"):
        show_with_powers(step, sp.Integer(1), lambda p, _: b * (1 - p) / (1 - a), a, "y")


def test_powers_leave_open_what_runs_do_not_refute():
    """Right for k <= 3 only."""

    def closed(_, k):
        return k * (k - 1) * (k - 2) * (k - 3)

    with pytest.raises(NotProved):
        show_with_powers(lambda y, _: y, sp.Integer(0), closed, a, "y")
    assert closed(a, t).has(t)
