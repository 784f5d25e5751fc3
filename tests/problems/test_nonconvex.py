"""Nonconvex problems: the number of minima, the stated ones, values known from the literature."""

import math

import numpy as np
import pytest

from optverify.problems import problem


def test_himmelblau_has_four_distinct_minima(hessian):
    p = problem("himmelblau")
    assert len(p.minimum.all) == 4
    assert len({tuple(np.sign(x)) for x in p.minimum.all}) == 4
    for x in p.minimum.all:
        assert np.linalg.eigvalsh(hessian(p, x)).min() > 0


@pytest.mark.parametrize(
    ("name", "theta", "value"),
    [
        ("rosenbrock", [-1.2, 1.0], 24.2),
        ("beale", [1.0, 1.0], 1.5**2 + 2.25**2 + 2.625**2),
        ("himmelblau", [0.0, 0.0], 170.0),
        ("rastrigin", [0.5, 0.5], 40.5),
        ("rastrigin", [1.0, 2.0], 5.0),
        ("ackley", [1.0, 1.0], 20 * (1 - math.exp(-0.2))),
        ("styblinski_tang", [1.0, -1.0], -15.0),
        ("saddle", [2.0, 3.0], -5.0),
        ("three_hump_camel", [1.0, 1.0], 2 - 1.05 + 1 / 6 + 2),
        ("booth", [0.0, 0.0], 74.0),
        ("matyas", [1.0, 1.0], 0.04),
    ],
)
def test_values_worked_out_by_hand(name, theta, value):
    assert math.isclose(problem(name).value(theta), value, rel_tol=1e-13)


def test_rosenbrock_in_four_dimensions_has_a_second_minimum(hessian):
    """A Newton run from (-1, 1, 1, 1) ends in a local minimum that is not (1, 1, 1, 1)."""
    p = problem("rosenbrock", dim=4)
    x = np.array([-1.0, 1.0, 1.0, 1.0])
    for _ in range(20):
        x = x - np.linalg.solve(hessian(p, x), p.gradient(x))
    assert np.abs(p.gradient(x)).max() < 1e-11
    assert np.linalg.eigvalsh(hessian(p, x)).min() > 0
    assert -0.8 < x[0] < -0.7
    assert p.value(x) > 3.0


def test_styblinski_tang_minimum_is_39_166_per_dimension():
    assert math.isclose(
        problem("styblinski_tang", dim=5).minimum.value, 5 * -39.16616570377142, rel_tol=1e-14
    )


def test_saddle_is_stationary_but_no_minimum():
    p = problem("saddle")
    np.testing.assert_array_equal(p.gradient([0.0, 0.0]), [0.0, 0.0])
    assert p.value([0.0, 1.0]) < p.value([0.0, 0.0]) < p.value([1.0, 0.0])
    assert p.start[1] != 0


def test_ackley_gradient_is_zero_at_its_cone_and_steep_beside_it():
    p = problem("ackley")
    np.testing.assert_array_equal(p.gradient([0.0, 0.0]), [0.0, 0.0])
    beside = p.gradient([1e-12, 0.0])[0]
    assert math.isclose(beside, 20 * 0.2 / math.sqrt(2), rel_tol=1e-9)
