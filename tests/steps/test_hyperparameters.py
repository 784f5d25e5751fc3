"""Hyperparameters out of range are refused in one sentence; schedules are asked with the updates made."""

import numpy as np
import pytest

from optverify.schedules import schedule
from optverify.steps import adagrad, adam, momentum, nesterov

THETA = np.array([1.0, -2.0])


@pytest.mark.parametrize(
    ("name", "value", "demand"),
    [
        ("lr", 0, "> 0"),
        ("lr", -0.1, "> 0"),
        ("lr", float("nan"), "> 0"),
        ("lr", float("inf"), "> 0"),
        ("beta1", 1, "in [0, 1)"),
        ("beta1", -1e-9, "in [0, 1)"),
        ("beta2", float("nan"), "in [0, 1)"),
        ("beta2", 1.5, "in [0, 1)"),
        ("eps", -1e-8, ">= 0"),
        ("eps", float("inf"), ">= 0"),
    ],
)
@pytest.mark.parametrize("way", ["step", "update"])
def test_a_value_out_of_range_is_named_with_its_range(way, name, value, demand):
    theta = THETA.copy()
    with pytest.raises(ValueError, match="is out of range") as caught:
        getattr(adam, way)(theta, THETA, adam.init(THETA), **{name: value})
    assert str(caught.value) == f"{name} = {value!r} is out of range: {name} must be a finite number {demand}"
    assert np.array_equal(theta, THETA)


@pytest.mark.parametrize("value", ["0.9", None, [0.9], np.array([0.9, 0.9]), 1j])
@pytest.mark.parametrize("name", ["lr", "beta1", "eps"])
def test_a_value_that_is_no_number_is_refused(name, value):
    with pytest.raises(TypeError, match=f"^{name} = .* is not a number: {name} must be a finite number"):
        adam.step(THETA, THETA, adam.init(THETA), **{name: value})


@pytest.mark.parametrize("value", [np.float32(0.5), np.float64(0.5), np.array(0.5), np.longdouble(0.5)])
def test_numbers_of_numpy_do_not_change_the_dtype(value):
    theta = THETA.astype("f")
    new, state = adam.step(theta, theta, adam.init(theta), lr=value, beta1=value)
    expected, _ = adam.step(theta, theta, adam.init(theta), lr=0.5, beta1=0.5)
    assert new.dtype == state.m.dtype == np.float32
    assert np.array_equal(new, expected)


def test_initial_values_are_checked_too():
    with pytest.raises(ValueError, match=r"initial_accumulator = -1 is out of range: .* >= 0"):
        adagrad.init(THETA, initial_accumulator=-1)


def test_a_schedule_is_asked_with_the_number_of_updates_made():
    asked = []

    def lr(t):
        asked.append(t)
        return 0.1 / (1 + t)

    theta, state = THETA, momentum.init(THETA)
    other, other_state = THETA, momentum.init(THETA)
    for t in range(4):
        theta, state = momentum.step(theta, THETA, state, lr=lr)
        other, other_state = momentum.step(other, THETA, other_state, lr=0.1 / (1 + t))
    assert asked == [0, 1, 2, 3]
    assert np.array_equal(theta, other)


def test_a_schedule_of_the_project_works_and_may_touch_zero():
    warmup = schedule("linear_warmup", lr=0.1, warmup=2, form="t/W")
    theta, state = momentum.step(THETA, THETA, momentum.init(THETA), lr=warmup)
    assert np.array_equal(theta, THETA)
    theta, state = momentum.step(theta, THETA, state, lr=warmup)
    assert np.array_equal(theta, momentum.step(THETA, THETA, momentum.init(THETA), lr=0.05)[0])


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_a_schedule_that_goes_wrong_says_when(value):
    with pytest.raises(
        ValueError, match=r"the schedule gave lr = .* at t = 1: lr must be a finite number >= 0"
    ):
        adam.step(THETA, THETA, adam.init(THETA)._replace(t=1), lr=lambda t: value)


def test_a_bad_value_is_refused_at_the_look_ahead_point_too():
    with pytest.raises(ValueError, match="momentum = 1 is out of range"):
        nesterov.gradient_point(THETA, nesterov.init(THETA), momentum=1)


def test_many_values_do_not_pile_up():
    """Scalars are kept per set of hyperparameters, and old ones are forgotten."""
    from optverify.steps import _engine

    for k in range(1000):
        adam.step(THETA, THETA, adam.init(THETA), lr=0.1 + k / 1e4)
    assert _engine._fixed.cache_info().currsize <= 256


@pytest.mark.parametrize("t", [-1, 1.5, True, None])
def test_the_count_of_updates_is_checked(t):
    from optverify.steps import adam

    theta = np.ones(3)
    with pytest.raises(ValueError, match=r"state\.t = .* is not a number of updates"):
        adam.step(theta, theta, adam.init(theta)._replace(t=t))


def test_centered_rmsprop_can_lose_its_variance_to_rounding():
    """The hazard its axis names: v - g_bar^2 of a gradient that does not change. PyTorch has it, too."""
    from optverify.backends import step

    theta, gradient = np.ones(1000), np.linspace(0.1, 1, 1000)
    lost = {}
    for epsilon in ("outside", "inside"):
        steps = step("rmsprop", centered=True, epsilon=epsilon)
        x, state = theta, steps.init(theta)
        with np.errstate(invalid="ignore"):
            for _ in range(500):
                x, state = steps.step(x, gradient, state)
        lost[epsilon] = np.isnan(x).mean()
    assert lost["outside"] > 0
    assert lost["inside"] == 0
