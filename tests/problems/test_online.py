"""Reddi's counterexample: its losses, its optimum, regret, and that Adam indeed fails on it."""

import math

import numpy as np
import pytest

from optverify.problems import problem


def test_losses_repeat_with_period_three():
    p = problem("reddi", C=5.0)
    assert [float(p.online_gradient([0.3], t)[0]) for t in range(1, 8)] == [5, -1, -1, 5, -1, -1, 5]
    assert [p.online_value([0.5], t) for t in (1, 2, 3)] == [2.5, -0.5, -0.5]


def test_online_gradient_agrees_with_the_complex_step(complex_step):
    for name in ("reddi", "reddi_stochastic"):
        p = problem(name)
        for t in range(1, 6):
            x = np.array([0.3])
            np.testing.assert_allclose(
                p.online_gradient(x, t), complex_step(lambda z, p=p, t=t: p.online_value(z, t), x), rtol=1e-15
            )


@pytest.mark.parametrize("name", ["reddi", "reddi_stochastic"])
def test_smoothness_of_linear_losses_is_zero(name):
    """The gradient is the same everywhere."""
    p = problem(name)
    assert p.smoothness == 0.0
    assert p.gradient([-0.7]) == p.gradient([0.4]) > 0


def test_value_is_the_mean_over_a_period():
    p = problem("reddi")
    for x in ([-1.0], [0.25]):
        assert math.isclose(p.value(x), sum(p.online_value(x, t) for t in (1, 2, 3)) / 3, rel_tol=1e-15)


@pytest.mark.parametrize("C", [2.001, 3.0, 100.0])
def test_comparator_is_best_in_hindsight_at_every_time(C):
    """For every T the sum f_1 + ... + f_T, linear in x, is least at x = -1: its slope is positive."""
    p = problem("reddi", C=C)
    np.testing.assert_array_equal(p.comparator, [-1.0])
    slope = 0.0
    for t in range(1, 40):
        slope += p.online_value([1.0], t)
        assert slope > 0


def test_regret_of_the_wrong_corner_grows_linearly():
    """At x = +1 a period costs 2(C - 2) more than at -1; the comparator has no regret."""
    p = problem("reddi", C=3.0)
    assert p.regret([[1.0]] * 300) == 200.0
    assert p.regret([p.comparator] * 300) == 0.0
    assert p.regret([]) == 0.0


def test_project_clips_to_the_box_and_keeps_the_dtype():
    p = problem("reddi")
    assert p.project([3.0]) == 1.0
    assert p.project([-3.0]) == -1.0
    inside = p.project(np.array([0.25], np.float32))
    assert inside.dtype == np.float32
    assert inside == 0.25


def test_adam_goes_to_the_worst_point_and_descent_to_the_best():
    """Theorem 1: beta1 = 0, beta2 = 1/(1 + C^2), lr_t = lr/sqrt(t); plain projected descent does converge."""
    C = 3.0
    p = problem("reddi", C=C)
    beta2 = 1 / (1 + C**2)
    adam, descent, v = np.zeros(1), np.zeros(1), 0.0
    for t in range(1, 3001):
        g = p.online_gradient(adam, t)
        v = beta2 * v + (1 - beta2) * g**2
        adam = p.project(adam - 0.5 / math.sqrt(t) * g / np.sqrt(v))
        descent = p.project(descent - 0.5 / math.sqrt(t) * p.online_gradient(descent, t))
    assert adam[0] > 0.95
    assert descent[0] < -0.95


def test_stochastic_losses_depend_on_seed_and_time_alone():
    p, again, other = (problem("reddi_stochastic", C=4.0, delta=0.5, seed=seed) for seed in (0, 0, 1))
    slopes = [float(p.online_gradient([0.0], t)[0]) for t in range(1, 2001)]
    assert slopes == [float(again.online_gradient([0.0], t)[0]) for t in range(1, 2001)]
    assert slopes[:50] != [float(other.online_gradient([0.0], t)[0]) for t in range(1, 51)]
    assert set(slopes) == {4.0, -1.0}
    assert abs(slopes.count(4.0) / 2000 - 0.3) < 0.03  # p = (1 + 0.5)/(4 + 1)
    assert p.gradient([0.0]) == 0.5


@pytest.mark.parametrize(
    ("t", "error"), [(0, ValueError), (-3, ValueError), (1.0, TypeError), (None, TypeError)]
)
def test_time_is_an_integer_from_one(t, error):
    with pytest.raises(error, match=f"problem 'reddi': t must be (at least 1|an integer), got {t}"):
        problem("reddi").online_gradient([0.0], t)
