"""Exact runs of rules with operators: against the generated steps, and what has no value."""

import inspect

import numpy as np
import pytest
import sympy as sp

import optverify as ov
from optverify.language.operators import Operator, eigenvectors, matmul, norm, orthonormal, power_of
from optverify.rules import registry, rule
from optverify.views.exact import OPERATORS, evaluate, run_matrices
from optverify.views.run import run

START = sp.Matrix([[1, 2], [3, -1]])
GRADIENTS = [sp.Matrix([[2, 1], [-2, 4]]), sp.Matrix([[-2, 1], [1, 1]])]
x = sp.Symbol("x", real=True)


def exact_defaults(r):
    """Its default hyperparameters as the decimals they are written as."""
    return {h.name: sp.Rational(str(h.default if h.default is not None else 1)) for h in r.hyperparameters}


def as_floats(value):
    if isinstance(value, sp.MatrixBase):
        return np.array(value.evalf(30).tolist(), dtype=float)
    return float(value)


def test_every_operator_has_an_exact_form():
    def below(cls):
        return {c.__name__ for c in cls.__subclasses__()}

    assert set(OPERATORS) == below(Operator)


@pytest.mark.parametrize("name", registry.names())
def test_like_the_generated_step(name):
    """Two updates from a 2 x 2 matrix, in exact numbers and in float64."""
    r, step = rule(name), ov.step(name)
    values = exact_defaults(r)
    inputs = {i.name: sp.Integer(2) if i.scalar else sp.Matrix([[1, -1], [2, 1]]) for i in r.inputs}
    gradients = GRADIENTS if name != "muon" else [GRADIENTS[0], 2 * GRADIENTS[0]]  # the norms stay rational

    def those_of(function):
        names = inspect.signature(function).parameters
        return {n: as_floats(v) for n, v in (values | inputs).items() if n in names}

    theta = as_floats(START)
    state = step.init(theta, **those_of(step.init))
    history = run_matrices(r, gradients, START, values | inputs)
    for gradient, expected in zip(gradients, history[1:], strict=True):
        theta, state = step.step(theta, as_floats(gradient), state, **those_of(step.step))
        np.testing.assert_allclose(theta, as_floats(expected["theta"]), rtol=1e-9, atol=1e-12)


def test_like_run_for_rules_that_are_elementwise():
    numbers = [sp.Rational(2, 3), sp.Rational(-5, 7)]
    r = rule("adam")
    exact = run_matrices(
        r, [sp.Matrix([[g]]) for g in numbers], sp.Matrix([[2]]), {"beta2": sp.Rational(1, 3)}
    )
    for mine, scalar in zip(exact, run(r, numbers, 2, {"beta2": sp.Rational(1, 3)}), strict=True):
        for state, value in scalar.items():
            assert sp.simplify(mine[state][0] - value) == 0


def test_gradients_and_hyperparameters_may_be_functions():
    history = run_matrices(
        rule("gd"), [lambda p: 2 * p, lambda p: p], [[1], [2]], {"lr": lambda k: sp.Rational(1, k + 1)}
    )
    assert history[2]["theta"] == sp.Matrix([[0], [0]])
    symbolic = run_matrices(rule("gd"), [sp.Matrix([[x]])], [[0]], tidy=sp.factor)[1]["theta"]
    assert symbolic[0] == -x * sp.Symbol("lr", positive=True)


def test_floats_are_refused():
    with pytest.raises(TypeError, match="floats"):
        run_matrices(rule("gd"), [sp.Matrix([[0.5]])], [[1]])
    with pytest.raises(TypeError, match="floats"):
        run_matrices(rule("gd"), [[[1]]], [[1]], {"lr": 0.1})


A = sp.Symbol("A")


@pytest.mark.parametrize(
    ("e", "value", "message"),
    [
        (matmul(A, A), [[1, 2]], "do not fit a product"),
        (matmul(A, A), 3, "a number where"),
        (power_of(A, -1), [[1, 2], [3, 4]], "not symmetric"),
        (power_of(A, -1), [[x, 0], [0, 1]], "open"),
        (eigenvectors(A), [[1, 0], [0, 1]], "not unique"),
        (orthonormal(A), [[1, 2], [2, 4]], "not unique"),
        (A + matmul(A, A), [[1, 2]], "do not fit"),
    ],
)
def test_what_has_no_value(e, value, message):
    value = sp.Matrix(value) if isinstance(value, list) else sp.sympify(value)
    with pytest.raises(ValueError, match=message):
        evaluate(e, {A: value})


def test_powers_and_eigenvectors():
    turn = sp.Matrix([[3, -4], [4, 3]]) / 5
    root = turn * sp.diag(2, 3) * turn.T
    assert evaluate(power_of(A, sp.Rational(1, 4)), {A: turn * sp.diag(16, 81) * turn.T}) == root
    assert evaluate(power_of(A, sp.Rational(-1, 2)), {A: sp.diag(4, 0)}) == sp.diag(sp.Rational(1, 2), 0)
    three = sp.diag(turn, 1) * sp.diag(4, 9, 9) * sp.diag(turn, 1).T
    assert (
        evaluate(power_of(A, sp.Rational(1, 2)), {A: three})
        == sp.diag(turn, 1) * sp.diag(2, 3, 3) * sp.diag(turn, 1).T
    )
    vectors = evaluate(eigenvectors(A), {A: turn * sp.diag(16, 81) * turn.T})
    assert vectors == sp.Matrix([[4, 3], [-3, 4]]) / 5
    assert evaluate(orthonormal(A), {A: sp.Matrix([[3, 1], [4, 2]])}) == turn
    assert evaluate(norm(A), {A: sp.Matrix([[3], [4]])}) == 5


def test_cases_entry_by_entry():
    e = sp.Piecewise((1 / x, x > 0), (0, True))
    assert evaluate(e, {x: sp.Matrix([[2, 0]])}) == sp.Matrix([[sp.Rational(1, 2), 0]])
    assert evaluate(e, {x: sp.Integer(0)}) == 0
