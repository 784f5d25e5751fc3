"""Least squares and logistic regression: data, seeds, minimizers."""

import math

import numpy as np
import pytest

from optverify.problems import problem


@pytest.mark.parametrize(
    "name", ["least_squares", "logistic_regression", "separable_logistic", "sparse_features"]
)
def test_the_seed_fixes_the_data(name):
    values = [problem(name, seed=seed).value(problem(name).start + 1.0) for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]


def _examples(p):
    """The rows b_i a_i of a logistic problem: at 0 the gradient of example i is -b_i a_i / 2."""
    return np.array([-2 * p.batch_gradient(np.zeros(p.dim), i) for i in range(p.n)])


@pytest.mark.parametrize("seed", range(3))
def test_separable_data_are_separable(seed):
    """The perceptron finds a direction with all margins positive; along it the loss goes to its infimum 0."""
    p = problem("separable_logistic", seed=seed)
    rows = _examples(p)
    direction = rows.sum(axis=0)
    for _ in range(1000):
        wrong = np.flatnonzero(rows @ direction <= 0)
        if not wrong.size:
            break
        direction = direction + rows[wrong[0]]
    assert (rows @ direction).min() > 0
    losses = [p.value(scale * direction) for scale in (1.0, 10.0, 100.0, 1e5)]
    assert losses == sorted(losses, reverse=True)
    assert 0 <= losses[-1] < 1e-12


def test_margin_is_as_asked():
    """Best margin over directions (dim 2, fine grid) is at least the asked one, whatever the labels."""
    p = problem("separable_logistic", margin=0.8)
    angles = np.linspace(0, 2 * np.pi, 2001)
    margins = _examples(p) @ np.stack([np.cos(angles), np.sin(angles)])
    assert margins.min(axis=0).max() > 0.79


def test_logistic_regression_is_not_separable_and_its_labels_are_mixed():
    p = problem("logistic_regression")
    assert p.minimum.value > 0.1
    assert (_examples(p) @ p.minimum.theta < 0).any()


def test_batch_loss_is_the_textbook_formula():
    """log(1 + exp(-b a.x)) + ridge/2 |x|^2, ridge in every example."""
    p = problem("logistic_regression", ridge=0.5)
    x = np.linspace(-1, 1, p.dim)
    rows = np.array([-2 * p.batch_gradient(np.zeros(p.dim), i) for i in range(3)])
    for i in range(3):
        expected = math.log1p(math.exp(-rows[i] @ x)) + 0.25 * (x @ x)
        assert math.isclose(p.batch_value(x, i), expected, rel_tol=1e-13)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("logistic_regression", {"n": 5, "dim": 8, "ridge": 1e-6}),  # separable: the minimizer is far out
        ("logistic_regression", {"n": 200, "dim": 20, "ridge": 1e-9, "seed": 5}),  # Newton needs damping
        ("sparse_features", {"n": 60, "dim": 5, "ridge": 1e-9, "seed": 3}),  # here too
        ("sparse_features", {"n": 3, "dim": 1, "ridge": 1e-9}),
    ],
)
def test_logistic_minimum_is_found_with_a_tiny_ridge(name, parameters):
    p = problem(name, **parameters)
    assert np.abs(p.gradient(p.minimum.theta)).max() < 1e-14


def test_sparse_features_are_word_counts_after_zipf():
    """Counts: whole numbers, as many in every document, mostly zero, word k about 1/k as frequent."""
    p = problem("sparse_features", n=400)
    counts = np.abs(_examples(p))
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-12)
    np.testing.assert_allclose(counts.sum(axis=1), 20.0, rtol=1e-12)
    assert (counts < 0.5).mean() > 0.6
    mean = counts.mean(axis=0)
    np.testing.assert_allclose(mean[:10] * np.arange(1, 11), mean[0], rtol=0.2)


def test_least_squares_minimizer_solves_the_normal_equations():
    p = problem("least_squares", noise=0.3)
    gradients = np.array([p.batch_gradient(p.minimum.theta, i) for i in range(p.n)])
    assert np.abs(gradients).max() > 0.01
    assert np.abs(gradients.mean(axis=0)).max() < 1e-14
