"""The statements once more, in float64 with the generated steps, a road of their own."""

import itertools

import numpy as np
import pytest

import optverify as ov
from optverify.steps import adagrad, adam, gd, momentum, nesterov, rmsprop

RTOL = 1e-12


def descend(gradient, start, lr, updates):
    theta = np.asarray(start, dtype=float)
    state = gd.init(theta)
    for _ in range(updates):
        theta, state = gd.step(theta, gradient(theta), state, lr=lr)
    return theta


def test_rate_on_random_smooth_convex_functions():
    """f(x) = sum of sqrt(1 + (a_i x)^2) - 1 over random a_i, in 3 dimensions; f* = 0 at 0."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        A = rng.normal(size=(6, 3))
        smoothness = np.linalg.norm(A, 2) ** 2
        start = rng.normal(size=3) * 10 ** rng.uniform(-1, 2)
        for t in (0, 1, 2, 5, 20):
            bound = smoothness * (start @ start) / (4 * t + 2)
            x = descend(lambda x, A=A: A.T @ (A @ x / np.sqrt(1 + (A @ x) ** 2)), start, 1 / smoothness, t)
            assert np.sqrt(1 + (A @ x) ** 2).sum() - len(A) <= bound * (1 + RTOL)


@pytest.mark.parametrize("t", [1, 2, 7, 50])
def test_the_huber_function_attains_the_rate(t):
    L, R = 3.0, 2.0
    tau = L * R / (2 * t + 1)
    x = abs(descend(lambda x: np.clip(L * x, -tau, tau), [R], 1 / L, t)[0])
    value = tau * x - tau**2 / (2 * L) if x > tau / L else L * x**2 / 2
    np.testing.assert_allclose(value, L * R**2 / (4 * t + 2), rtol=RTOL)


@pytest.mark.parametrize("excess", [0.01, 0.5, 3])
def test_divergence_past_two_over_L(excess):
    L, t = 4.0, 30
    x = descend(lambda x: L * x, [1.0], (2 + excess) / L, t)[0]
    np.testing.assert_allclose(abs(x), (1 + excess) ** t, rtol=1e-11)


@pytest.mark.parametrize("module", [gd, momentum])
def test_stability_regions_by_long_runs(module):
    """From random lr and momentum off the boundary: 3000 updates end near 0 or far away, as stated."""
    rng = np.random.default_rng(1)
    sides = set()
    for _ in range(40):
        beta = float(rng.uniform(0, 0.9)) if module is momentum else 0.0
        edge = 2 * (1 + beta)
        scaled = float(rng.uniform(0.05, 1.6)) * edge
        if abs(scaled / edge - 1) < 0.02:
            continue
        extra = {"momentum": beta} if module is momentum else {}
        theta = np.array([1.0])
        state = module.init(theta)
        for _ in range(3000):
            if not 1e-9 < np.abs(np.concatenate([theta, *map(np.atleast_1d, state[1:])])).max() < 1e9:
                break
            theta, state = module.step(theta, 2 * theta, state, lr=scaled / 2, **extra)
        sides.add(bool(scaled < edge))
        assert (abs(theta[0]) < 1e-6) == (scaled < edge), (beta, scaled)
    assert sides == {True, False}


def test_terminal_velocity():
    lr, beta, g = 0.1, 0.9, np.array([2.0, -3.0])
    theta = np.zeros(2)
    state = momentum.init(theta)
    for t in range(1, 400):
        before = theta
        theta, state = momentum.step(theta, g, state, lr=lr, momentum=beta)
        np.testing.assert_allclose(theta - before, -lr * g * (1 - beta**t) / (1 - beta), rtol=1e-10)
    np.testing.assert_allclose(theta - before, -lr * g / (1 - beta), rtol=1e-10)


def nesterov_points(lrs, **dialect):
    """The points at which Nesterov momentum takes gradients of sum cosh(x_i), one for each lr."""
    step = ov.step("nesterov", **dialect)
    theta = np.array([1.0, -0.5])
    state, out = step.init(theta), []
    for lr in lrs:
        ahead = dialect.get("nesterov") != "rewritten"
        point = nesterov.gradient_point(theta, state, momentum=0.8) if ahead else theta
        out.append(point)
        theta, state = step.step(theta, np.sinh(point), state, lr=lr, momentum=0.8)
    return np.array(out)


def test_nesterov_forms():
    """The same points under a constant lr; under a schedule with lr inside only."""
    constant, falling = [0.05] * 30, [0.05] * 5 + [0.005] * 5
    outside = {"nesterov": "rewritten", "lr_placement": "outside"}
    np.testing.assert_allclose(nesterov_points(constant), nesterov_points(constant, **outside), rtol=1e-10)
    inside = nesterov_points(falling, nesterov="rewritten")
    np.testing.assert_allclose(nesterov_points(falling), inside, rtol=1e-10)
    gap = np.abs(nesterov_points(falling) - nesterov_points(falling, **outside)).max(axis=1)
    assert gap[:5].max() < 1e-12
    assert gap[6:].min() > 1e-3


def test_effective_rates():
    """AdaGrad's -(change)/gradient never rises on random gradients; RMSProp's rises by sqrt(2) on 2, 1."""
    rng = np.random.default_rng(2)
    theta = np.zeros(50)
    state, last = adagrad.init(theta), np.full(50, np.inf)
    for _ in range(40):
        g = rng.normal(size=50) * 10 ** rng.uniform(-3, 3, 50)
        stepped, state = adagrad.step(theta, g, state, lr=0.1, eps=1e-3)
        rate = -(stepped - theta) / g
        assert (rate <= last * (1 + 1e-12)).all()
        last = rate
    point = np.zeros(1)
    memory, rates = rmsprop.init(point), []
    for g in (2.0, 1.0):
        stepped, memory = rmsprop.step(point, np.array([g]), memory, lr=0.1, rho=0.25, eps=0.0)
        rates.append(-stepped[0] / g)
    np.testing.assert_allclose(rates[1] / rates[0], np.sqrt(2), rtol=RTOL)


def test_bias_correction_by_enumerating_every_sequence():
    """The mean over all sequences of two gradients, up to t = 4, of m/(1-b1^t) and v/(1-b2^t)."""
    values = np.array([3.0, -1.0])
    for t in (1, 2, 3, 4):
        ms, vs = [], []
        for gradients in itertools.product(values, repeat=t):
            theta = np.zeros(1)
            state = adam.init(theta)
            for g in gradients:
                theta, state = adam.step(theta, np.array([g]), state, lr=1.0)
            ms.append(state.m[0])
            vs.append(state.v[0])
        np.testing.assert_allclose(np.mean(ms), (1 - 0.9**t) * values.mean(), rtol=RTOL)
        np.testing.assert_allclose(np.mean(vs), (1 - 0.999**t) * (values**2).mean(), rtol=RTOL)


@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1.0, 1e6])
def test_first_step_of_adam(scale):
    g = scale * np.array([1.0, -2.0, 0.3])
    theta, _ = adam.step(np.zeros(3), g, adam.init(np.zeros(3)), lr=0.01, eps=1e-8)
    np.testing.assert_allclose(theta, -0.01 * g / (np.abs(g) + 1e-8), rtol=1e-12)


@pytest.mark.parametrize(("n", "batch"), [(5, 2), (6, 3), (4, 4)])
def test_mini_batches(n, batch):
    """Mean and variance of a step over all batches, drawn with and without replacement."""
    gradients = np.random.default_rng(n).normal(size=n)
    spread = gradients.var()
    for draws, factor in (
        (itertools.product(gradients, repeat=batch), 1.0),
        (itertools.combinations(gradients, batch), (n - batch) / (n - 1)),
    ):
        ends = [descend(lambda _, b=b: np.array([np.mean(b)]), [1.0], 0.1, 1)[0] for b in draws]
        np.testing.assert_allclose(np.mean(ends), 1 - 0.1 * gradients.mean(), rtol=RTOL)
        np.testing.assert_allclose(np.var(ends), 0.01 * spread / batch * factor, rtol=1e-11, atol=1e-30)


def test_cosine_and_restarts():
    cosine = ov.schedule("cosine", lr=0.3, lr_min=0.01, total=17)
    values = cosine(np.arange(30))
    np.testing.assert_allclose([values[0], *values[17:]], [0.3, *[0.01] * 13], rtol=RTOL)
    for t in range(17):
        factor = (1 + np.cos(np.pi * (t + 1) / 17)) / (1 + np.cos(np.pi * t / 17))
        np.testing.assert_allclose(values[t + 1], 0.01 + (values[t] - 0.01) * factor, rtol=1e-11)
    restarts = ov.schedule("cosine_warm_restarts", lr=0.3, lr_min=0.01, T_0=2, T_mult=3)
    values = restarts(np.arange(300))
    (starts,) = np.nonzero(np.isclose(values, 0.3, rtol=1e-14, atol=0))
    np.testing.assert_array_equal(starts, [0, 2, 8, 26, 80, 242])
