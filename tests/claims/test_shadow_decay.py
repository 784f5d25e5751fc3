"""Decay beside the step, rates of RMSProp, a step against a subgradient: float64 with the generated steps."""

import numpy as np
import pytest

from optverify.steps import adam, adamw, gd, momentum, rmsprop, sgdw

RNG = np.random.default_rng(7)


@pytest.mark.parametrize(
    ("decayed", "plain", "given"), [(adamw, adam, {"lr": 0.01}), (sgdw, momentum, {"lr": 0.05})]
)
def test_decoupled_decay_shrinks_beside_the_step(decayed, plain, given):
    decay, one = 0.3, RNG.standard_normal(5)
    two = one.copy()
    first, second = decayed.init(one), plain.init(two)
    for g in RNG.standard_normal((30, 5)) * 10 ** RNG.uniform(-3, 3, (30, 1)):
        old_one, old_two = one, two
        one, first = decayed.step(one, g, first, weight_decay=decay, **given)
        two, second = plain.step(two, g, second, **given)
        stated = (1 - given["lr"] * decay) * old_one + (two - old_two)
        np.testing.assert_allclose(one, stated, rtol=1e-11, atol=1e-13)


def test_the_rate_of_rmsprop_rises_where_the_squared_gradient_is_below_its_mean():
    theta = np.zeros(40)
    state, v, rate = rmsprop.init(theta), np.zeros(40), None
    for k in range(1, 60):
        g = RNG.standard_normal(40)
        moved, state = rmsprop.step(theta, g, state, lr=0.01, rho=0.9, eps=1e-8)
        new = (theta - moved) / g
        if k > 1:
            np.testing.assert_array_equal(new > rate, g**2 < v)
        theta, rate, v = moved, new, 0.9 * v + 0.1 * g**2


@pytest.mark.parametrize("lr", [1e-6, 1e-3, 0.1, 1.0, 30.0])
def test_a_step_against_a_subgradient_that_raises_f(lr):
    def f(point):
        return np.abs(point) @ [1.0, 2.0]

    start, subgradient = np.array([1.0, 0.0]), np.array([1.0, 2.0])
    points = RNG.standard_normal((1000, 2)) * 3
    assert all(f(p) >= f(start) + subgradient @ (p - start) - 1e-12 for p in points)
    theta, _ = gd.step(start, subgradient, gd.init(start), lr=lr)
    assert f(theta) >= 1 + 3 * lr - 1e-12
