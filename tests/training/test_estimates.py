"""minimize() with estimated gradients, and watched."""

import numpy as np
import pytest

from optverify.problems import problem
from optverify.training import BatchGradients, MiniBatch, Noise, minimize, train


def test_noise_is_added_to_what_the_rule_is_given_and_to_nothing_else():
    """Gradient descent by hand: theta_t = theta_{t-1} - lr (grad f(theta_{t-1}) + 0.5 z_t)."""
    f, rng = problem("rosenbrock"), np.random.default_rng(7)
    trace = minimize(f, "gd", steps=20, lr=1e-3, estimate=Noise(0.5, seed=7))
    theta = f.start
    for t in range(1, 21):
        theta = theta - 1e-3 * (f.gradient(theta) + 0.5 * rng.standard_normal(2))
        np.testing.assert_allclose(trace.theta[t], theta, rtol=1e-12)
        assert trace.value[t] == f.value(trace.theta[t])
        assert trace.gradient_norm[t] == pytest.approx(np.linalg.norm(f.gradient(trace.theta[t])))


def test_noise_keeps_structure_and_dtype():
    point = {"w": np.zeros((2, 3), np.float32), "b": [np.zeros(2)]}
    noisy = Noise(1.0)(point, point, 1)
    assert noisy["w"].dtype == np.float32
    assert noisy["w"].shape == (2, 3)
    assert (noisy["b"][0] != 0).all()


@pytest.mark.parametrize("deviation", [0.0, -1.0, float("nan"), "much"])
def test_a_deviation_that_is_none_is_refused(deviation):
    with pytest.raises((ValueError, TypeError), match="Noise: deviation must be"):
        Noise(deviation)


def test_gradients_on_batches_are_those_of_train():
    """Nesterov, so that the point is the look-ahead."""
    f = problem("least_squares")
    epochs = train(f, "nesterov", 3, MiniBatch(20, seed=4), lr=0.01)
    steps = minimize(f, "nesterov", 9, lr=0.01, estimate=BatchGradients(f, MiniBatch(20, seed=4)))
    np.testing.assert_array_equal(steps.theta[::3], epochs.theta)
    np.testing.assert_array_equal(steps.value[::3], epochs.value)


def test_an_estimate_is_told_where_and_when():
    told = []

    def exact(point, gradient, t):
        told.append((point.copy(), gradient.copy(), t))
        return gradient

    f = problem("booth")
    trace = minimize(f, "nesterov", 5, lr=0.01, estimate=exact)
    np.testing.assert_array_equal(trace.theta, minimize(f, "nesterov", 5, lr=0.01).theta)
    assert [t for *_, t in told] == [1, 2, 3, 4, 5]
    for point, gradient, _ in told:
        np.testing.assert_array_equal(gradient, f.gradient(point))


def test_an_estimate_that_is_not_finite_ends_the_run():
    trace = minimize("booth", "gd", 5, lr=0.01, estimate=lambda point, gradient, t: gradient * np.nan)
    assert trace.note.startswith("diverged: the gradient is not finite after 0 updates")


def test_watch_sees_every_value_whatever_is_recorded():
    seen = []
    minimize("booth", "adam", 7, record=7, watch=lambda t, value: seen.append((t, value)))
    whole = minimize("booth", "adam", 7)
    assert seen == list(zip(range(8), whole.value, strict=True))


def test_watch_may_end_a_run():
    def stop(t, value):
        if t == 3:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        minimize("booth", "adam", 7, watch=stop)
