"""Rules that are not elementwise: sides, numbers, norms and choices by value, run on whole arrays."""

import numpy as np
import pytest
import sympy as sp

from optverify.backends.numpy import numpy_module
from optverify.language import (
    Hyperparameter,
    Source,
    State,
    Variable,
    beta1,
    column_mean,
    g,
    gradient,
    lr,
    matmul,
    maximize,
    norm,
    positive,
    power_of,
    row_mean,
    rule,
    t,
    theta,
    transpose,
    unit,
    weight_decay_form,
)

R = State("R", nonnegative=True, side="rows", meaning="mean square of each row")
C = State("C", nonnegative=True, side="columns", meaning="mean square of each column")
L = State("L", side="left", initial=sp.Integer(2), meaning="left products")
p = State("p", scalar=True, initial=sp.Integer(1), meaning="product of the decay rates")
r = Variable("r", scalar=True)


def make(write, states):
    """A rule for tests of the given lines."""

    def lines(d):
        """A sentence."""
        yield g[t], gradient(d, at=theta[t - 1])
        yield from write()

    return rule(
        "toy",
        title="Toy",
        sources=[Source("Nobody", 2000, "A rule for tests", "equation (1)")],
        hyperparameters=[
            Hyperparameter(lr, r"\alpha", 0.1, positive, "step size"),
            Hyperparameter(beta1, r"\beta", 0.5, unit, "decay rate"),
        ],
        states=states,
        axes=[weight_decay_form.only("none"), maximize.only(False)],
    )(lines)


def factored():
    yield R[t], beta1 * R[t - 1] + (1 - beta1) * row_mean(g[t] ** 2)
    yield C[t], beta1 * C[t - 1] + (1 - beta1) * column_mean(g[t] ** 2)
    yield p[t], p[t - 1] * beta1
    yield r[t], norm(theta[t - 1]) / (1 - p[t])
    yield theta[t], theta[t - 1] - lr * r[t] * g[t] / sp.sqrt(R[t] * C[t])


FACTORED = numpy_module(make(factored, [R, C, p]))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_sides_and_numbers_follow_the_recurrence(dtype):
    """Against plain NumPy, twice; types are kept, arguments are left alone."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 2)).astype(dtype)
    state = FACTORED.init(x)
    assert (state.R.shape, state.C.shape, state.p) == ((3, 1), (1, 2), 1.0)
    rows, columns, product, y = np.zeros((3, 1)), np.zeros((1, 2)), 1.0, x.astype(float)
    for _ in range(2):
        slope = rng.normal(size=(3, 2)).astype(dtype)
        before = x.copy(), slope.copy()
        x, state = FACTORED.step(x, slope, state)
        s = slope.astype(float)
        rows = 0.5 * rows + 0.5 * (s**2).mean(axis=1, keepdims=True)
        columns = 0.5 * columns + 0.5 * (s**2).mean(axis=0, keepdims=True)
        product *= 0.5
        y = y - 0.1 * np.linalg.norm(y) / (1 - product) * s / np.sqrt(rows * columns)
        assert np.array_equal(before[1], slope)
    tolerance = {"float16": 2e-2, "float32": 1e-5}.get(dtype, 1e-12)
    assert np.allclose(x.astype(float), y, rtol=tolerance, atol=tolerance)
    assert x.dtype == state.R.dtype == np.dtype(dtype)
    assert type(state.p) is float
    assert state.p == 0.25


def test_in_place_is_the_same_update():
    x = np.random.default_rng(1).normal(size=(4, 3))
    slope, y = np.ones((4, 3)), x.copy()
    pure, after = FACTORED.step(x, slope, FACTORED.init(x))
    kept = FACTORED.update(y, slope, FACTORED.init(y))
    assert np.array_equal(pure, y)
    assert np.array_equal(after.R, kept.R)
    assert (after.t, after.p) == (kept.t, kept.p) == (1, 0.5)


@pytest.mark.parametrize(
    ("theta_0", "error", "message"),
    [
        (np.ones(3), ValueError, r"theta has shape \(3,\), and this rule is for matrices"),
        (np.ones((2, 2), complex), TypeError, "theta is complex, and this rule is for reals"),
        (np.ones((2, 2), int), TypeError, "theta has dtype int64"),
    ],
)
def test_what_it_cannot_take_is_said(theta_0, error, message):
    with pytest.raises(error, match=message):
        FACTORED.init(theta_0)


def test_nothing_is_written_when_an_argument_is_refused():
    x = np.ones((2, 2))
    state = FACTORED.init(x)
    with pytest.raises(ValueError, match="grad has shape"):
        FACTORED.update(x, np.ones((2, 3)), state)
    with pytest.raises(ValueError, match="beta1 = 1"):
        FACTORED.update(x, np.ones((2, 2)), state, beta1=1)
    with pytest.raises(ValueError, match=r"state\.R does not fit theta of shape \(3, 2\)"):
        FACTORED.update(np.ones((3, 2)), np.ones((3, 2)), state)
    assert np.array_equal(x, np.ones((2, 2)))
    assert not state.R.any()


def test_matrix_products_and_powers():
    """L starts as 2 I; the step is L^(-1/2) g."""

    def shampooed():
        yield L[t], L[t - 1] + matmul(g[t], transpose(g[t]))
        yield theta[t], theta[t - 1] - lr * matmul(power_of(L[t], sp.Rational(-1, 2)), g[t])

    steps = numpy_module(make(shampooed, [L]))
    slope = np.array([[3.0, 0.0], [0.0, 4.0]])
    x, state = steps.step(np.zeros((2, 2)), slope, steps.init(np.zeros((2, 2))))
    assert np.allclose(state.L, np.diag([11.0, 18.0]), rtol=1e-14)
    assert np.allclose(x, -0.1 * np.diag([3 / np.sqrt(11), 4 / np.sqrt(18)]), rtol=1e-13)


def test_a_choice_may_depend_on_the_values():
    def signed():
        yield theta[t], theta[t - 1] - lr * sp.Piecewise((1, g[t] > 0), (-2, True))

    toy = make(signed, [])
    assert not toy.elementwise
    steps = numpy_module(toy)
    x, _ = steps.step(np.zeros(3), np.array([5.0, -5.0, 0.0]), steps.init(np.zeros(3)))
    assert np.allclose(x, [-0.1, 0.2, 0.2])


def test_a_choice_by_a_number_keeps_blocks():
    def warming():
        yield r[t], 1 - beta1**t
        yield theta[t], sp.Piecewise((theta[t - 1], r[t] < 0.6), (theta[t - 1] - lr * g[t], True))

    toy = make(warming, [])
    assert toy.elementwise
    steps = numpy_module(toy)
    x, state = steps.step(np.zeros(2), np.ones(2), steps.init(np.zeros(2)))
    assert x.tolist() == [0.0, 0.0]
    x, state = steps.step(x, np.ones(2), state)
    assert np.allclose(x, -0.1)


def test_norms_are_scaled():
    """Squares of 1e200 overflow and those of 1e-200 vanish; the norm does neither."""
    from optverify.steps._operators import norm as numpy_norm

    assert numpy_norm(np.array([3e200, 4e200])) == pytest.approx(5e200, rel=1e-15)
    assert numpy_norm(np.array([3e-200, 4e-200])) == pytest.approx(5e-200, rel=1e-15, abs=0)
    assert numpy_norm(np.zeros(2)) == 0.0
    assert numpy_norm(np.array([])) == 0.0
