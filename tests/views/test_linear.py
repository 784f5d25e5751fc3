"""The step matrix against runs, and the open form against the closed one."""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from optverify.backends import step
from optverify.language import beta2, t, theta
from optverify.proof import vanishes
from optverify.rules import rule
from optverify.views.closed import closed_form
from optverify.views.linear import step_matrix
from optverify.views.open import open_form

VALUES = {"lr": 0.3, "momentum": 0.7}


@pytest.mark.parametrize(
    ("name", "options"),
    [("gd", {}), ("momentum", {}), ("momentum", {"lr_placement": "outside", "form": "ema"}),
     ("nesterov", {}), ("nesterov", {"nesterov": "rewritten"})],
)  # fmt: skip
def test_the_matrix_does_what_the_step_function_does(name, options):
    """Five float64 updates on 2.5 theta^2 against powers of the matrix, to 1e-12."""
    base = rule(name, **options)
    values = {h.symbol: VALUES[h.name] for h in base.hyperparameters}
    matrix = np.array(step_matrix(base, 5).subs(values).tolist(), dtype=float)
    run = step(name, **options)
    point = np.array([1.0])
    state = run.init(point)
    vector = np.array([1.0] + [0.0] * len(base.states))
    for _ in range(5):
        ahead = base.gradient_point != theta.before
        at = run.gradient_point(point, state, momentum=VALUES["momentum"]) if ahead else point
        keep = {h.name: VALUES[h.name] for h in base.hyperparameters}
        point, state = run.step(point, 5 * at, state, **keep)
        vector = matrix @ vector
        np.testing.assert_allclose(point[0], vector[0], rtol=1e-12)


@pytest.mark.parametrize("name", ["adam", "adagrad", "rmsprop"])
def test_a_rule_that_is_not_linear_has_none(name):
    with pytest.raises(ValueError, match="not linear"):
        step_matrix(rule(name), 1)


def test_a_step_with_a_constant_is_not_linear():
    base = rule("gd")
    (first, (lhs, rhs)) = base.assignments
    with pytest.raises(ValueError, match="not linear"):
        step_matrix(replace(base, assignments=(first, (lhs, rhs + 1))), 1)


@pytest.mark.parametrize("name", ["adam", "momentum", "adagrad"])
def test_the_open_form_becomes_the_closed_one(name):
    base = rule(name)
    expressions = open_form(base)
    new = {s.now: expressions[s.now] for s in base.states}
    gap = expressions[theta.now].subs(new) - closed_form(base)["theta"]
    assert vanishes(gap.subs({t: 2, beta2: sp.Rational(1, 2)}))  # SymPy does not know the sign of 1 - beta2^t


def test_the_open_form_keeps_new_states_and_drops_helpers():
    base = rule("adam")
    found = {str(s) for s in open_form(base)[theta.now].free_symbols}
    assert found == {"theta_{t-1}", "m_t", "v_t", "lr", "beta1", "beta2", "eps", "t"}
    assert sp.Symbol("grad", real=True) not in open_form(base)[theta.now].free_symbols
