"""Faults that people met in real optimizers, as small numbers: the right value of each.

A scalar from 0, gradients fed in, lr = 0.1 and the defaults of the papers unless said otherwise; ten digits
as reported. The ids in the names are those of the collection: AD Adam, WD weight decay, SG momentum,
AG AdaGrad and RMSProp, SP sparse gradients.
"""

import numpy as np
import pytest

from optverify.backends import step
from optverify.steps import adam, gd

DIGITS = 6e-11


def run(name, gradients, start=0.0, *, lr=0.1, options=None, initial=None, **values):
    """Theta after each update; lr a number or one for each."""
    module = step(name, **(options or {}))
    theta, state = start, module.init(start, **(initial or {}))
    rates = lr if isinstance(lr, list) else [lr] * len(gradients)
    path = []
    for rate, g in zip(rates, gradients, strict=True):
        theta, state = module.step(theta, g, state, lr=rate, **values)
        path.append(float(theta))
    return path


def assert_path(path, expected):
    np.testing.assert_allclose(path, expected, rtol=0, atol=DIGITS)


HAT, INSIDE = {"epsilon": "hat"}, {"epsilon": "inside"}
SMALL = [0.01, 0.01, -0.02]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [-0.0909090909, -0.1818181818, -0.1747527269]),
        (HAT, [-0.0240253073, -0.0549216676, -0.0516201024]),
        (INSIDE, [-0.0301511345, -0.0603022689, -0.0572132542]),
    ],
)
def test_ad_01_ad_03_where_epsilon_stands(options, expected):
    assert_path(run("adam", SMALL, options=options, eps=1e-3), expected)


def test_ad_01_the_two_epsilons_agree_when_epsilon_hat_is_scaled_by_the_second_correction():
    eps, beta2, (theta, state) = 1e-3, 0.999, (0.0, adam.init(0.0))
    hat = step("adam", **HAT)
    theta_hat, state_hat = 0.0, hat.init(0.0)
    for t, g in enumerate(SMALL, 1):
        theta, state = adam.step(theta, g, state, lr=0.1, eps=eps)
        theta_hat, state_hat = hat.step(theta_hat, g, state_hat, lr=0.1, eps=eps * (1 - beta2**t) ** 0.5)
        assert theta_hat == pytest.approx(theta, rel=1e-12)


def test_ad_02_a_gradient_of_the_size_of_epsilon():
    assert run("adam", [1e-8], lr=1e-3) == [pytest.approx(-5e-4, rel=1e-12)]
    assert run("adam", [1e-8], lr=1e-3, options=HAT) == [pytest.approx(-3.0653430e-5, rel=1e-7)]


def test_ad_05_the_first_update_is_t_1():
    assert_path(run("adam", [1, 1]), [-0.099999999, -0.199999998])


def test_ad_07_without_bias_correction_the_first_step_is_3_16_lr():
    path = run("adam", [1, 1, 1], options={"bias_correction": "none"})
    assert_path(path, [-0.3162276660, -0.7411867398, -1.2362101841])


def test_ad_08_the_state_keeps_the_raw_moments():
    assert_path(run("adam", [1, 2, 3]), [-0.0999999990, -0.1965182010, -0.2923183229])
    _, state = adam.step(0.0, 1.0, adam.init(0.0))
    assert (float(state.m), float(state.v)) == (pytest.approx(0.1), pytest.approx(0.001))


def test_ad_22_a_complex_number_is_two_reals():
    theta, state = adam.step(np.array([0j]), np.array([3 + 4j]), adam.init(np.array([0j])), lr=0.1)
    assert theta[0] == pytest.approx(-0.1 - 0.1j, rel=1e-8)
    assert state.v[0] == pytest.approx(0.009 + 0.016j, rel=1e-12)


@pytest.mark.parametrize("name", ["gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"])
@pytest.mark.parametrize("dtype", ["e", "f", "d", "g", "F", "D", "G"])
def test_ad_23_a_zero_gradient_moves_nothing_in_any_dtype(name, dtype):
    module = step(name)
    theta = np.array([1, -2], dtype)
    new, _ = module.step(theta, np.zeros_like(theta), module.init(theta))
    assert np.array_equal(new, theta)
    assert new.dtype == theta.dtype


def test_ad_26_amsgrad_goes_downhill_where_epsilon_dominates():
    options = {"amsgrad": "v"} | HAT
    assert_path(run("adam", [0.01], options=options, eps=1e-3), [-0.0240253073])


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("decoupled", [0.99, 0.9801]),
        ("decoupled_without_lr", [0.9, 0.81]),
        ("coupled", [0.9000000100, 0.8004122481]),
    ],
)
def test_wd_02_wd_03_the_forms_of_weight_decay(form, expected):
    options = {"weight_decay_form": form}
    assert_path(run("adam", [0, 0], 1.0, options=options, weight_decay=0.1), expected)


def test_wd_04_decay_shrinks_in_proportion():
    options = {"weight_decay_form": "decoupled"}
    assert_path(run("adam", [0], 1.0, options=options, weight_decay=0.1), [0.99])
    assert_path(run("adam", [0], 2.0, options=options, weight_decay=0.1), [1.98])


@pytest.mark.parametrize(("decay", "expected"), [(0.01, 0.99999), (10, 0.99)])
def test_wd_05_a_small_decay_is_not_ignored(decay, expected):
    options = {"weight_decay_form": "decoupled"}
    path = run("adam", [0], 1.0, lr=1e-3, options=options, weight_decay=decay)
    assert path == [pytest.approx(expected, rel=1e-15)]


def test_wd_07_maximize_goes_up():
    for name in ("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"):
        assert run(name, [1.0], options={"maximize": True})[0] > 0


def test_wd_08_the_gradient_of_the_caller_is_read_only_to_the_rule():
    module, grad = step("gd", weight_decay_form="coupled"), np.array([1.0])
    theta, state = np.array([1.0]), module.init(np.array([1.0]))
    path = []
    for _ in range(3):
        theta, state = module.step(theta, grad, state, lr=0.1, weight_decay=0.1)
        path.append(theta[0])
    assert_path(path, [0.89, 0.7811, 0.673289])
    assert grad[0] == 1.0


def test_sg_01_dampening_on_the_first_step():
    options = {"form": "dampened", "lr_placement": "outside"}
    given = {"momentum": 0.9, "dampening": 0.9}
    torch = options | {"first_buffer": "gradient"}
    assert_path(run("momentum", [1, 1, 1], options=torch, **given), [-0.1, -0.2, -0.3])
    assert_path(run("momentum", [1, 1, 1], options=options, **given), [-0.01, -0.029, -0.0561])


@pytest.mark.parametrize(
    ("name", "options", "outside", "inside"),
    [
        ("momentum", {}, [-0.1, -0.119, -0.1461], [-0.1, -0.2, -0.3]),
        ("nesterov", {"nesterov": "rewritten"}, [-0.19, -0.2171, -0.25149], [-0.19, -0.29, -0.39]),
    ],
)
def test_sg_02_lr_inside_or_outside_the_velocity(name, options, outside, inside):
    lr = [0.1, 0.01, 0.01]
    assert_path(run(name, [1, 1, 1], lr=lr, options=options | {"lr_placement": "outside"}), outside)
    assert_path(run(name, [1, 1, 1], lr=lr, options=options | {"lr_placement": "inside"}), inside)


def test_sg_03_momentum_as_a_mean_or_a_sum():
    ema = {"form": "ema"}
    assert_path(run("momentum", [1, 1, 1], options=ema, momentum=0.9), [-0.01, -0.029, -0.0561])
    assert_path(run("momentum", [1, 1, 1], momentum=0.9), [-0.1, -0.29, -0.561])


def test_sg_04_the_look_ahead_term_points_downhill():
    path = run("nesterov", [1, 1, 1], options={"nesterov": "rewritten"}, momentum=0.9)
    assert_path(path, [-0.19, -0.461, -0.8049])


def test_ag_01_rmsprop_with_a_large_epsilon():
    given = {"eps": 1, "rho": 0.9}
    assert_path(run("rmsprop", [1, 1], **given), [-0.0759746927, -0.1456179156])
    assert_path(run("rmsprop", [1, 1], options=INSIDE, **given), [-0.0953462589, -0.1870161086])


@pytest.mark.parametrize(
    ("start", "expected"),
    [(0, [-0.3162267660, -0.5456419736]), (1, [-0.0010540867, -0.0021651848])],
)
def test_ag_02_where_the_accumulator_of_rmsprop_starts(start, expected):
    path = run("rmsprop", [0.01, 0.01], initial={"initial_accumulator": start}, rho=0.9)
    assert_path(path, expected)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (0, [-0.099999999, -0.1707106766]),
        (0.1, [-0.0031606977, -0.0063198178]),
        (1, [-0.0009999500, -0.0019998500]),
    ],
)
def test_ag_04_where_the_accumulator_of_adagrad_starts(start, expected):
    assert_path(run("adagrad", [0.01, 0.01], initial={"initial_accumulator": start}), expected)


def test_sp_01_dense_adam_goes_on_where_the_gradient_is_zero():
    path = run("adam", [1, 0, 0, 1])
    assert_path(path, [-0.0999999990, -0.1670058235, -0.2188015198, -0.2899028459])


def test_tc_08_no_constant_promotes_float32():
    hat = step("adam", **HAT)
    theta = np.ones(3, np.float32)
    new, state = hat.step(theta, theta, hat.init(theta))
    assert {new.dtype, state.m.dtype, state.v.dtype} == {np.dtype(np.float32)}


def test_tc_11_integer_parameters_are_refused_and_not_truncated():
    with pytest.raises(TypeError, match=r"theta has dtype int64: .* theta\.astype\(float\)"):
        gd.init(np.array([3]))
    with pytest.raises(TypeError, match="theta has dtype int64"):
        gd.step(np.array([3]), np.array([0.1]), gd.init(np.array([3.0])))
