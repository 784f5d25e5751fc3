"""Claims on schedules once more, from the numbers that schedules give in float64."""

import math

import numpy as np
import pytest

import optverify as ov


def rates(name, until, **arguments):
    return ov.schedule(name, **arguments)(np.arange(until))


def test_cosine_falls_and_averages_to_the_middle():
    for T in (1, 2, 7, 30):
        values = rates("cosine", T + 5, lr=0.3, lr_min=0.02, total=T)
        assert (np.diff(values) <= 0).all()
        np.testing.assert_allclose(values[: T + 1].mean(), 0.16, rtol=1e-12)
        np.testing.assert_allclose(values[:T].mean(), 0.16 + 0.28 / (2 * T), rtol=1e-12)
        linear = rates("linear", T + 1, lr=0.3, lr_end=0.02, total=T)
        np.testing.assert_allclose(linear.sum(), values[: T + 1].sum(), rtol=1e-12)
        np.testing.assert_allclose(
            rates("cosine_power", T + 5, lr=0.3, lr_min=0.02, total=T, exponent=1.0), values
        )


def test_the_recursion_of_cosine_is_zero_over_zero_at_the_end():
    values = rates("cosine", 13, lr=0.3, total=10)
    above, below = (1 + np.cos(np.pi * t / 10) for t in (11, 10))
    assert values[10] == 0
    assert below == 0
    assert above > 0


def test_the_floating_index_of_restarts():
    """As PyTorch computes it: the first wrong one is at t = 121."""
    first = None
    for T_0 in range(1, 6):
        for T_mult in (2, 3, 4):
            values = rates("cosine_warm_restarts", 201, lr=1.0, T_0=T_0, T_mult=T_mult)
            (restarts,) = np.nonzero(values == 1.0)
            for t in range(201):
                exact = int(np.sum(restarts <= t)) - 1
                floated = int(math.log(t / T_0 * (T_mult - 1) + 1, T_mult))
                if floated != exact and first is None:
                    first = T_0, T_mult, t, floated, exact
    assert first == (1, 3, 121, 4, 5)


def test_sums_of_rates():
    values = rates("exponential", 4000, lr=0.5, gamma=0.9, decay_steps=3)
    ratio = 0.9 ** (1 / 3)
    np.testing.assert_allclose(values.sum(), 0.5 / (1 - ratio), rtol=1e-10)
    np.testing.assert_allclose(values[1:] / values[:-1], ratio, rtol=1e-12)
    inverse = rates("inverse_time", 100_000, lr=0.5, decay_rate=0.3, decay_steps=2)
    assert np.sum(inverse**2) <= 0.25 * (1 + 2 / 0.3)
    assert inverse.sum() - inverse[:1000].sum() > 10
    root = rates("inverse_sqrt", 100_000, lr=0.5, warmup=10)
    np.testing.assert_allclose(np.sum(root[10:] ** 2), 2.5 * np.sum(1 / np.arange(10, 100_000)), rtol=1e-10)


def test_which_schedule_is_which():
    t = np.arange(60)
    polynomial = rates("polynomial", 60, lr=0.3, lr_end=0.1, total=40, power=1.0)
    np.testing.assert_allclose(polynomial, rates("linear", 60, lr=0.3, lr_end=0.1, total=40), rtol=1e-12)
    step = rates("step", 60, lr=0.3, gamma=0.5, step_size=7)
    exponential = ov.schedule("exponential", lr=0.3, gamma=0.5, decay_steps=7)
    np.testing.assert_allclose(step, exponential(t // 7 * 7), rtol=1e-12)
    np.testing.assert_allclose(
        step, rates("multi_step", 60, lr=0.3, gamma=0.5, milestones=list(range(7, 60, 7)))
    )
    trapezoid = rates("trapezoidal", 60, lr=0.3, total=40, warmup=8, decay_steps=12)
    wsd = rates("wsd", 60, lr=0.3, total=40, warmup=8, decay_steps=12)
    np.testing.assert_allclose(trapezoid, wsd, rtol=1e-12, atol=1e-15)
    above = rates("rex", 60, lr=0.3, lr_min=0.1, total=40) - rates("linear", 60, lr=0.3, lr_end=0.1, total=40)
    z = 1 - np.minimum(t, 40) / 40
    np.testing.assert_allclose(above, 0.2 * z * (1 - z) / (1 + z), rtol=1e-9, atol=1e-15)


def test_the_transformer():
    values = rates("noam", 5000, lr=2.0, d_model=64, warmup=300)
    assert np.argmax(values) == 299
    np.testing.assert_allclose(values.max(), 2 / np.sqrt(64 * 300), rtol=1e-12)
    ramp = ov.schedule("linear_warmup", lr=1.0, warmup=300)
    root = ov.schedule("inverse_sqrt", lr=2 / np.sqrt(64 * 300), warmup=300)
    np.testing.assert_allclose((ramp * root).shifted(1)(np.arange(5000)), values, rtol=1e-12)


def test_warm_up():
    ramp = rates("linear_warmup", 30, lr=0.4, warmup=10)
    np.testing.assert_allclose(np.diff(ramp), [0.04] * 10 + [0] * 19, atol=1e-15)
    exponential = rates("exponential_warmup", 30, lr=0.4, warmup=10)
    np.testing.assert_allclose(exponential[9], 0.4 * (1 - 1 / math.e), rtol=1e-12)
    np.testing.assert_allclose((0.4 - exponential[1:]) / (0.4 - exponential[:-1]), math.exp(-0.1), rtol=1e-10)


def test_no_jumps_in_wsd():
    values = rates("wsd", 1200, lr=0.4, lr_min=0.1, total=1000, warmup=200, decay_steps=300)
    assert np.abs(np.diff(values)).max() <= 0.4 / 200 + 1e-12


@pytest.mark.parametrize("T", [10, 50, 1000])
def test_one_cycle(T):
    values = rates(
        "one_cycle", T + 10, lr=0.4, total=T, pct_start=0.3, div_factor=25.0, final_div_factor=100.0
    )
    top = round(0.3 * T) - 1
    assert np.argmax(values) == top
    np.testing.assert_allclose(values[[0, top, T - 1, T + 9]], [0.016, 0.4, 0.00016, 0.00016], rtol=1e-10)


def test_cyclic():
    values = rates("cyclic", 42, lr=0.5, lr_min=0.1, step_size_up=5, step_size_down=9)
    np.testing.assert_allclose(values[14:], values[:-14], rtol=1e-12)
    np.testing.assert_allclose(values[:14].mean(), 0.3, rtol=1e-12)
    np.testing.assert_allclose([values.min(), values.max(), values[5]], [0.1, 0.5, 0.5], rtol=1e-12)


def test_clocks_of_a_join():
    ramp, cosine = ov.schedule("linear_warmup", lr=0.4, warmup=10), ov.schedule("cosine", lr=0.4, total=40)
    own, common = (ramp.then(cosine, clock=c)(np.arange(60)) for c in ("own", "common"))
    assert own[10] == own.max() == 0.4
    assert common.max() < 0.37
