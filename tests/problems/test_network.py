"""The multilayer perceptron: formula, gradient, initialisation, accuracy, that it learns."""

import math

import numpy as np
import pytest

from optverify.problems import load, problem
from optverify.problems.points import tree_map


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("hidden", [(), (4,), (8, 6)])
def test_gradient_agrees_with_the_complex_step(hidden, activation, complex_step):
    p = problem("mlp", hidden=hidden, activation=activation)
    batch = np.arange(0, p.n, 7)
    by_autograd = p.batch_gradient(p.start, batch)
    by_step = complex_step(lambda theta: p.batch_value(theta, batch), p.start)
    for layer, other in zip(by_autograd, by_step, strict=True):
        for key in ("W", "b"):
            np.testing.assert_allclose(layer[key], other[key], rtol=1e-12, atol=1e-13)
            assert np.abs(layer[key]).max() > 0


def test_loss_is_minus_the_log_probability_of_the_label():
    """One example by hand, in plain Python floats."""
    p = problem("mlp", hidden=(3,))
    first, last = p.start
    x, label = p.data.train_x[4], int(p.data.train_y[4])
    h = [math.tanh(sum(x[i] * first["W"][i, j] for i in range(2))) for j in range(3)]
    z = [sum(h[j] * last["W"][j, c] for j in range(3)) for c in range(3)]
    expected = math.log(sum(math.exp(value) for value in z)) - z[label]
    assert math.isclose(p.batch_value(p.start, 4), expected, rel_tol=1e-13)


def test_huge_logits_do_not_overflow():
    p = problem("mlp", hidden=())
    theta = tree_map(lambda leaf: 1e6 * (leaf + 1), p.start)
    value, gradient = p.value_and_gradient(theta)
    assert math.isfinite(value)
    assert np.isfinite(gradient[0]["W"]).all()


@pytest.mark.parametrize(("activation", "variance"), [("relu", 2 / 300), ("tanh", 2 / 700)])
def test_initial_weights_have_the_variance_of_he_and_glorot(activation, variance):
    data = load("blobs")
    wide = type(data)(
        np.zeros((6, 300)), np.arange(6) % 3, np.zeros((3, 300)), np.arange(3), 3, "wide", "zeros"
    )
    p = problem("mlp", data=wide, hidden=(400,), activation=activation)
    first, last = p.start
    assert math.isclose(first["W"].var(), variance, rel_tol=0.02)
    assert math.isclose(last["W"].var(), 2 / 403, rel_tol=0.15)
    assert not first["b"].any()
    assert p.dim == 300 * 400 + 400 + 400 * 3 + 3


def test_the_seed_fixes_the_start():
    first, again, other = (problem("mlp", seed=seed).start[0]["W"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_gradient_descent_learns_the_blobs():
    p = problem("mlp")
    theta = p.start
    before = p.value(theta)
    for _ in range(200):
        theta = tree_map(lambda leaf, g: leaf - 0.5 * g, theta, p.gradient(theta))
    assert p.value(theta) < 0.5 * before
    assert p.accuracy(theta, p.data.test_x, p.data.test_y) > 0.85


def test_accuracy_counts_the_right_answers():
    p = problem("mlp", hidden=())
    theta = [{"W": np.zeros((2, 3)), "b": np.array([0.0, 1.0, 0.0])}]
    x = np.zeros((4, 2))
    assert p.accuracy(theta, x, np.array([1, 1, 2, 0])) == 0.5
    assert p.logits(theta, x).shape == (4, 3)


def test_float32_data_give_float32_parameters_gradients_and_logits():
    p = problem("mlp", data=load("blobs", "float32"))
    gradient = p.batch_gradient(p.start, [0, 1])
    assert {leaf.dtype for tree in (p.start, gradient) for layer in tree for leaf in layer.values()} == {
        np.dtype("float32")
    }
    assert p.logits(p.start, p.data.test_x).dtype == np.float32


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"data": "blob"}, ValueError, r"unknown data set 'blob'; did you mean 'blobs'\?"),
        ({"data": 3}, TypeError, "mlp: data must be a DataSet or the name of one, got int"),
        ({"hidden": 64}, TypeError, r"mlp: hidden must be a sequence of layer widths like \(64,\), got 64"),
        ({"hidden": (0,)}, ValueError, "mlp: hidden must be at least 1, got 0"),
        ({"activation": "relo"}, ValueError, r"unknown activation 'relo'; did you mean 'relu'\?"),
        ({"seed": -1}, ValueError, "mlp: seed must be at least 0, got -1"),
    ],
)
def test_wrong_parameters_are_refused(parameters, error, message):
    with pytest.raises(error, match=message):
        problem("mlp", **parameters)


def test_wrong_features_and_labels_are_refused():
    p = problem("mlp")
    with pytest.raises(ValueError, match=r"x of problem 'mlp' must have shape \(examples, 2\), got \(5, 3\)"):
        p.accuracy(p.start, np.zeros((5, 3)), np.zeros(5))
    with pytest.raises(ValueError, match="y of problem 'mlp' must hold one label for each of the 5 rows"):
        p.accuracy(p.start, np.zeros((5, 2)), np.zeros(4))
