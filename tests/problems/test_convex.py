"""Convex problems: conditioning, rotation, kinks, Huber's worst case."""

import math

import numpy as np
import pytest

from optverify.problems import problem


@pytest.mark.parametrize(("dim", "condition"), [(1, 1.0), (2, 100.0), (5, 10.0), (10, 1e4), (50, 1000.0)])
def test_quadratic_has_exactly_the_asked_conditioning(dim, condition, hessian):
    p = problem("quadratic", dim=dim, condition=condition, smoothness=4.0)
    eigenvalues = np.linalg.eigvalsh(hessian(p, p.start))
    np.testing.assert_allclose(eigenvalues, 4.0 * np.geomspace(1 / condition, 1.0, dim), rtol=1e-15 * 1e4)
    assert p.smoothness == 4.0
    assert p.strong_convexity == 4.0 / condition


@pytest.mark.parametrize("dim", [2, 5, 10, 50])
def test_axes_give_no_help(dim, hessian):
    """Rescaling the coordinates to a unit diagonal leaves at least 0.4 of the condition number."""
    H = hessian(problem("quadratic", dim=dim, condition=100.0), np.ones(dim))
    scale = 1 / np.sqrt(np.diag(H))
    eigenvalues = np.linalg.eigvalsh(scale[:, None] * H * scale)
    assert eigenvalues[-1] / eigenvalues[0] > 40.0


def test_quadratic_start_excites_every_eigenvector(hessian):
    p = problem("quadratic", dim=10)
    _, vectors = np.linalg.eigh(hessian(p, p.start))
    assert np.abs(vectors.T @ p.start).min() > 0.05


def test_absolute_value_takes_the_subgradient_zero_at_zero():
    p = problem("absolute_value", dim=3)
    np.testing.assert_array_equal(p.gradient([-2.0, 0.0, 0.5]), [-1.0, 0.0, 1.0])


def test_huber_is_quadratic_inside_and_linear_outside():
    p = problem("huber", dim=5, delta=0.5)
    x = np.array([-3.0, -0.5, 0.25, 0.5, 2.0])
    np.testing.assert_array_equal(p.gradient(x), [-0.5, -0.5, 0.25, 0.5, 0.5])
    assert p.value(x) == 1.375 + 0.125 + 0.03125 + 0.125 + 0.875


@pytest.mark.parametrize("N", [1, 2, 5, 10])
def test_gradient_descent_attains_the_worst_case_on_huber(N):
    """f(x_N) = L R^2/(4N + 2) from x_0 = R with lr = 1/L and delta = R/(2N + 1)."""
    p = problem("huber", delta=1 / (2 * N + 1))
    x = np.ones(1)
    for _ in range(N):
        x = x - p.gradient(x) / p.smoothness
    assert math.isclose(p.value(x), 1 / (4 * N + 2), rel_tol=1e-12)
