"""Statements about adaptive rules once more, in float64 with the generated steps, a road of their own."""

import numpy as np
import pytest

import optverify as ov
from optverify.steps import (
    adabelief,
    adadelta,
    adagrad,
    adam,
    adamax,
    adamw,
    amsgrad,
    gd,
    laprop,
    lion,
    rmsprop,
    rprop,
    sgdw,
    signsgd,
    signum,
    yogi,
)

RTOL = 1e-11


def walk(rule, gradients, start=0.0, **given):
    """The parameters before the first update and after each one; rule: a module of steps or a Step."""
    theta = np.atleast_1d(np.asarray(start, dtype=float))
    accumulator = {k: given.pop(k) for k in ("initial_accumulator",) if k in given}
    state, out = rule.init(theta, **accumulator), [theta]
    for g in gradients:
        gradient = g(theta) if callable(g) else np.full(theta.shape, float(g))
        theta, state = rule.step(theta, gradient, state, **given)
        out.append(theta)
    return np.array(out)


def lengths(*args, **given):
    return np.abs(np.diff(walk(*args, **given), axis=0)).ravel()


def sharp(b1, b2):
    return (1 - b1) / np.sqrt((1 - b2) * (1 - b1**2 / b2))


# ---- the step of Adam ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("b1", "b2", "gradients", "paper"), [(0.25, 0.5, (1, 2, 4), np.sqrt(9 / 8)), (0.5, 0.75, (1, 2), 1.0)]
)
def test_steps_longer_than_the_paper_says(b1, b2, gradients, paper):
    last = lengths(adam, gradients, lr=1.0, beta1=b1, beta2=b2, eps=0.0)[-1]
    assert paper * (1 + 1e-3) < last < sharp(b1, b2)


def test_no_random_or_greedy_gradients_break_the_sharp_bound():
    rng = np.random.default_rng(3)
    for _ in range(30):
        b1 = rng.uniform(0, 0.95)
        b2 = rng.uniform(b1**2 + 1e-3, 0.9999)
        gradients = rng.normal(size=60) * 10 ** rng.uniform(-2, 2, 60)
        for g in (gradients, np.sort(np.abs(gradients)), (b2 / max(b1, 0.1)) ** np.arange(60)):
            steps = lengths(adam, g, lr=1.0, beta1=b1, beta2=b2, eps=0.0)
            assert steps.max() <= sharp(b1, b2) * (1 + 1e-9)


def test_the_sharp_bound_is_approached_with_the_default_decay_rates():
    g = (0.999 / 0.9) ** np.arange(3000.0)
    steps = lengths(adam, g, lr=1.0, beta1=0.9, beta2=0.999, eps=0.0)
    aligned = sharp(0.9, 0.999) * np.sqrt(1 - 0.999**3000.0)
    np.testing.assert_allclose(steps[-1], aligned, rtol=1e-6)
    assert sharp(0.9, 0.999) == pytest.approx(7.2703, abs=1e-4)


def test_steps_grow_without_bound_for_small_beta2():
    steps = lengths(adam, (0.5 / 0.9) ** np.arange(0.0, 200.0), lr=1.0, beta1=0.9, beta2=0.5, eps=0.0)
    t = np.arange(1, 201)
    assert (steps**2 >= 0.1**2 * t * (1 - 1e-9)).all()
    assert steps[-1] > 1e3


def test_equal_betas_keep_every_step_below_lr():
    rng = np.random.default_rng(4)
    g = rng.normal(size=(40, 20)) * 10 ** rng.uniform(-3, 3, (40, 20))
    path = walk(
        adam, [lambda _, row=row: row for row in g], np.zeros(20), lr=1.0, beta1=0.8, beta2=0.8, eps=0.0
    )
    assert np.abs(np.diff(path, axis=0)).max() <= 1 + 1e-12


# ---- other facts about Adam ----------------------------------------------------------------------------


@pytest.mark.parametrize("g", [1e-4, -3.0, 1e5])
def test_constant_gradients(g):
    assert lengths(adam, [g] * 50, lr=0.1, eps=0.0) == pytest.approx(0.1, rel=1e-9)
    belief = lengths(adabelief, [g] * 50, lr=0.1, eps=0.0)
    assert belief[0] == pytest.approx(0.1 / 0.9, rel=1e-9)
    assert (np.diff(belief) > 0).all()


def test_scale_invariance_and_its_end():
    g = np.random.default_rng(5).normal(size=30)
    np.testing.assert_allclose(walk(adam, g, eps=0.0), walk(adam, 1e6 * g, eps=0.0), rtol=1e-9)
    gap = walk(adam, g, lr=1.0, eps=1e-3) - walk(adam, 1e-3 * g, lr=1.0, eps=1e-3)
    assert np.abs(gap).max() > 0.1


def test_both_forms_of_epsilon():
    hat, g = ov.step("adam", epsilon="hat"), np.random.default_rng(6).normal(size=12)
    theta, other = np.zeros(1), np.zeros(1)
    state, memory = adam.init(theta), hat.init(other)
    for t, x in enumerate(g, 1):
        theta, state = adam.step(theta, np.array([x]), state, lr=0.1, eps=0.5)
        other, memory = hat.step(other, np.array([x]), memory, lr=0.1, eps=0.5 * np.sqrt(1 - 0.999**t))
        np.testing.assert_allclose(theta, other, rtol=1e-9)
    ratio = lengths(hat, [1e-12], lr=1.0)[0] / lengths(adam, [1e-12], lr=1.0)[0]
    assert ratio == pytest.approx(np.sqrt(1e-3), rel=1e-3)


def test_the_update_is_biased():
    up, down = (walk(adam, [g], lr=1.0, eps=0.0)[-1, 0] for g in (-1, 4))
    assert 0.75 * -1 + 0.25 * 4 > 0 < 0.75 * up + 0.25 * down


def test_uncorrected_first_step():
    plain = ov.step("adam", bias_correction="none")
    assert lengths(plain, [7.0], lr=1.0, eps=0.0)[0] == pytest.approx(np.sqrt(10), rel=RTOL)


# ---- weight decay --------------------------------------------------------------------------------------


def test_decay_forms():
    lr, decay, g = 0.1, 0.05, [0.3, -0.2, 0.5]
    coupled = ov.step("gd", weight_decay_form="coupled")
    decoupled = ov.step("gd", weight_decay_form="decoupled_without_lr")
    one = walk(coupled, g, 1.0, lr=lr, weight_decay=decay / lr)
    np.testing.assert_allclose(one, walk(decoupled, g, 1.0, lr=lr, weight_decay=decay), rtol=RTOL)
    heavy = ov.step("momentum", weight_decay_form="coupled")
    one = walk(heavy, g, 1.0, lr=lr, weight_decay=decay)
    two = walk(sgdw, g, 1.0, lr=lr, weight_decay=decay)
    np.testing.assert_allclose(one[1], two[1], rtol=RTOL)
    assert abs(one[2] - two[2])[0] > 1e-4
    shrunk = walk(adamw, [0.0] * 5, 1.0, lr=lr, weight_decay=decay).ravel()
    np.testing.assert_allclose(shrunk, (1 - lr * decay) ** np.arange(6), rtol=RTOL)


# ---- AdaGrad -------------------------------------------------------------------------------------------


def test_adagrad_rate_has_a_floor_for_shrinking_gradients():
    theta, rates = np.zeros(1), []
    state = adagrad.init(theta)
    for g in 0.5 ** np.arange(1.0, 60.0):
        stepped, state = adagrad.step(theta, np.array([g]), state, lr=1.0, eps=0.0)
        rates.append(-stepped[0] / g)
    assert rates[-1] == pytest.approx(np.sqrt(3), rel=1e-12)
    assert min(rates) >= np.sqrt(3) * (1 - 1e-12)


def test_adagrad_rate_lemma_and_regret():
    rng = np.random.default_rng(7)
    for _ in range(20):
        lr, g = rng.uniform(0.1, 2), rng.normal(size=80) * 10 ** rng.uniform(-2, 2, 80)
        path = walk(adagrad, g, 1.0, lr=lr, eps=0.0).ravel()
        G = np.cumsum(g**2)
        rates = np.abs(np.diff(path) / g)
        assert (rates <= lr / (np.abs(g).min() * np.sqrt(np.arange(1, 81))) * (1 + 1e-12)).all()
        assert np.sum(g * -np.diff(path)) / lr <= 2 * np.sqrt(G[-1])
        for u in (-1.0, 0.0, 5.0):
            distance = np.abs(path[:-1] - u).max()
            assert np.sum(g * (path[:-1] - u)) <= (distance**2 / (2 * lr) + lr) * np.sqrt(G[-1])


# ---- where they go -------------------------------------------------------------------------------------


@pytest.mark.parametrize("C", [2.5, 3.0, 10.0])
@pytest.mark.parametrize("falling", [False, True])
def test_reddi(C, falling):
    """Adam ends at +1, AMSGrad near -1, from 0."""
    uncorrected = ov.step("adam", bias_correction="none")
    ends = {}
    for name, rule in (("adam", uncorrected), ("amsgrad", amsgrad)):
        theta = np.zeros(1)
        state = rule.init(theta)
        for t in range(1, 4501):
            g = np.array([C if t % 3 == 1 else -1.0])
            lr = 0.2 / np.sqrt(t) if falling else 0.01
            theta, state = rule.step(theta, g, state, lr=lr, beta1=0.0, beta2=1 / (1 + C**2), eps=0.0)
            theta = np.clip(theta, -1, 1)
        ends[name] = theta[0]
    assert ends["adam"] == pytest.approx(1, abs=1e-12)
    assert ends["amsgrad"] < -0.97


@pytest.mark.parametrize("curvature", [0.01, 1.0, 300.0])
@pytest.mark.parametrize("rho", [0.2, 0.9])
def test_rmsprop_ends_in_a_two_cycle(curvature, rho):
    path = walk(rmsprop, [lambda x: curvature * x] * 2000, 0.0123, lr=0.01, rho=rho, eps=0.0).ravel()
    np.testing.assert_allclose(np.abs(path[-10:]), 0.005, rtol=1e-6)
    assert (path[-10:-1] * path[-9:] < 0).all()


@pytest.mark.parametrize("rule", [adagrad, rmsprop, adam])
def test_least_squares_on_the_line_of_signs(rule):
    """X = (1, 2), y = 1: to (1/3, 1/3) or thereabouts, where gradient descent goes to (1/5, 2/5)."""
    X = np.array([1.0, 2.0])
    path = walk(rule, [lambda x: X * (X @ x - 1)] * 3000, np.zeros(2), lr=0.01, eps=0.0)
    np.testing.assert_allclose(path[:, 0], path[:, 1], rtol=1e-9)
    assert path[-1] == pytest.approx(1 / 3, abs=0.02)
    best = walk(gd, [lambda x: X * (X @ x - 1)] * 500, np.zeros(2), lr=0.1)[-1]
    np.testing.assert_allclose(best, [0.2, 0.4], rtol=1e-9)


# ---- bounds of other rules -----------------------------------------------------------------------------


def test_adamax_laprop_and_signs():
    rng = np.random.default_rng(8)
    g = rng.normal(size=200) * 10 ** rng.uniform(-3, 3, 200)
    assert lengths(adamax, (2, 1), lr=1.0, beta1=0.5, beta2=0.5)[-1] == pytest.approx(4 / 3, rel=RTOL)
    bound = 0.1 / (1 - 0.9 / 0.999)
    falling = 0.999 ** np.arange(3000.0)
    for x in (g, falling):
        assert lengths(adamax, x, lr=1.0).max() <= bound * (1 + 1e-12)
    assert lengths(adamax, falling, lr=1.0).max() == pytest.approx(bound, rel=1e-9)
    for b1, b2 in ((0.9, 0.5), (0.9, 0.999), (0.0, 0.9)):
        assert lengths(laprop, g, lr=1.0, beta1=b1, beta2=b2, eps=0.0).max() <= 1 / np.sqrt(1 - b2) + 1e-12
    for rule, extra in ((signsgd, {}), (signum, {}), (lion, {"weight_decay": 0.0})):
        np.testing.assert_allclose(lengths(rule, g, lr=0.25, **extra), 0.25, rtol=RTOL)


def test_lion_stays_in_its_box():
    rng = np.random.default_rng(9)
    g = rng.normal(size=(300, 50)) + 0.3
    path = walk(lion, [lambda _, row=row: row for row in g], np.linspace(-2, 2, 50), lr=0.3, weight_decay=0.5)
    assert np.abs(path).max() <= 2 * (1 + 1e-12)


def test_amsgrad_rates():
    """The rate of v_max falls; with the correction of PyTorch it rises on gradients 1, 0, 0, ..."""
    theta, state, rates = np.zeros(1), amsgrad.init(np.zeros(1)), []
    for g in np.random.default_rng(10).normal(size=50):
        theta, state = amsgrad.step(theta, np.array([g]), state)
        rates.append(1 / (np.sqrt(state.v_max[0]) + 1e-8))
    assert (np.diff(rates) <= 0).all()
    torch_like = ov.step("adam", amsgrad="v")
    theta = np.zeros(1)
    state, rates = torch_like.init(theta), []
    for t in range(1, 6):
        before = theta
        theta, state = torch_like.step(theta, np.array([float(t == 1)]), state, lr=1.0, eps=0.0)
        m_hat = state.m[0] / (1 - 0.9**t)
        rates.append(-(theta - before)[0] / m_hat)
    assert (np.diff(rates) > 0).all()


def test_radam_turns_adaptive_at_the_fifth_and_at_the_sixth_step():
    for threshold, first in (("above_4", 5), ("above_5", 6)):
        step = ov.step("radam", threshold=threshold)
        plain = [k for k, d in enumerate(lengths(step, [3.0] * 8, lr=1.0), 1) if abs(d - 3) < 1e-9]
        assert plain == list(range(1, first))


def test_adadelta_yogi_and_rprop():
    assert lengths(adadelta, [1e9], eps=1e-6)[0] == pytest.approx(np.sqrt(1e-6 / 0.05), rel=1e-6)
    assert not lengths(adadelta, [1.0, -2.0, 3.0], eps=0.0).any()
    rng = np.random.default_rng(11)
    theta, state = np.zeros(1), yogi.init(np.zeros(1))
    for g in rng.normal(size=100) * 10 ** rng.uniform(-2, 2, 100):
        before = state.v[0]
        theta, state = yogi.step(theta, np.array([g]), state)
        assert abs(state.v[0] - before) <= (1 - 0.999) * g**2 + 1e-14 * before
        assert state.v[0] >= 0
    sizes, state = [], rprop.init(np.zeros(1), lr=0.1)
    theta = np.zeros(1)
    for g in rng.choice([-1.0, 1.0, 1.0, 1.0], 300):
        theta, state = rprop.step(theta, np.array([g]), state, min_step=0.05, max_step=0.4)
        sizes.append(state.Delta[0])
    assert 0.05 <= min(sizes) < max(sizes) == 0.4
