"""Claims about quadratics and momentum once more, in float64 with the generated steps."""

import inspect

import numpy as np
import pytest

import optverify as ov

RNG_SEED = 4


def trajectory(name, gradient, theta, updates, dialect=None, **settings):
    """theta after each update with the generated step; gradients where the rule asks for them."""
    step = ov.step(name, **(dialect or {}))
    theta = np.atleast_1d(np.asarray(theta, dtype=float))
    state = step.init(theta)
    points = [theta]
    for _ in range(updates):
        at = step.gradient_point(theta, state, **_of(step, settings)) if _ahead(step) else theta
        theta, state = step.step(theta, gradient(at), state, **settings)
        points.append(theta)
        if not np.abs(theta).max() < 1e12:
            break
    return np.array(points)


def _ahead(step):
    return getattr(step, "gradient_point", None) is not None


def _of(step, settings):
    return {k: v for k, v in settings.items() if k in inspect.signature(step.gradient_point).parameters}


def grows(points):
    """Whether a long run ends farther out than it was half way."""
    if not np.abs(points[-1]).max() < 1e12:
        return True
    half = len(points) // 2
    return np.abs(points[half:]).max() > np.abs(points[: len(points) // 4]).max()


THRESHOLDS = [
    ("gd", {"weight_decay_form": "coupled"}, {"weight_decay": 0.5}, lambda lam: 2 / (lam + 0.5)),
    ("sgdw", {}, {"momentum": 0.6, "weight_decay": 0.5}, lambda lam: 3.2 / (lam + 1.6 * 0.5)),
    ("momentum", {"weight_decay_form": "coupled"}, {"momentum": 0.6, "weight_decay": 0.5},
     lambda lam: 3.2 / (lam + 0.5)),
    ("nesterov", {}, {"momentum": 0.9}, lambda lam: 3.8 / 2.8 / lam),
    ("nesterov", {"nesterov": "rewritten", "lr_placement": "outside"}, {"momentum": 0.5},
     lambda lam: 1.5 / lam),
    ("momentum", {"form": "ema"}, {"momentum": 0.9}, lambda lam: 38 / lam),
    ("momentum", {"form": "dampened"}, {"momentum": 0.9, "dampening": 0.5}, lambda lam: 7.6 / lam),
    ("qhm", {}, {"momentum": 0.9, "nu": 0.7}, lambda lam: 3.8 / (1.9 - 1.26) / lam),
    ("aggmo", {}, {"beta1": 0.0, "beta2": 0.9, "beta3": 0.99},
     lambda lam: 6 / (1 + 1 / 1.9 + 1 / 1.99) / lam),
    ("aggmo", {"velocities": "2"}, {"beta1": 0.2, "beta2": 0.8}, lambda lam: 4 / (1 / 1.2 + 1 / 1.8) / lam),
    ("optimistic_gd", {}, {}, lambda lam: 2 / 3 / lam),
    ("schedule_free_sgd", {}, {"momentum": 0.8}, lambda lam: 10 / lam),
    ("lookahead", {}, {"sync_period": 5, "slow_lr": 0.5}, lambda lam: (1 + 3**0.2) / lam),
    ("lookahead", {}, {"sync_period": 4, "slow_lr": 0.5}, lambda lam: 2 / lam),
]  # fmt: skip


@pytest.mark.parametrize(("name", "dialect", "settings", "end"), THRESHOLDS, ids=lambda v: str(v)[:24])
def test_thresholds_by_long_runs(name, dialect, settings, end):
    """A little below the threshold a run of 1500 updates shrinks, a little above it grows."""
    for share, out in ((0.98, False), (1.02, True)):
        points = trajectory(name, lambda x: 7 * x, 1.0, 1500, dialect, lr=share * end(7.0), **settings)
        assert grows(points) == out, share


@pytest.mark.parametrize(("name", "factor"), [("adam", 38.0), ("nadam", 3.8 / (0.1 * 2.8))])
def test_frozen_second_moments(name, factor):
    """With beta2 = 1 - 1e-15 and v preset, v hardly moves; late in the run the threshold is as stated."""
    step = ov.step(name)
    root = 3.0
    for share, out in ((0.97, False), (1.03, True)):
        theta = np.array([1e-6])
        state = step.init(theta)
        size = np.zeros(8001)
        beta2 = 1 - 1e-9
        state = state._replace(t=10**12, v=np.array([root**2]))
        if name == "nadam":
            state = state._replace(mu_product=type(state.mu_product)(0.0))
        for k in range(8001):
            theta, state = step.step(theta, theta, state, lr=share * factor * root, beta2=beta2, eps=0.0)
            size[k] = abs(theta[0])
            if size[k] > 1e-2:
                break
        assert (size[: k + 1].max() > 1e-2) == out, (name, share)


def radius(name, lr, curvature, **settings):
    """The spectral radius of a step, from the generated code on basis vectors."""
    step = ov.step(name)
    columns = []
    for theta, v in ((1.0, 0.0), (0.0, 1.0)):
        state = step.init(np.array([theta]))._replace(v=np.array([v]))
        at = theta + settings["momentum"] * v if name == "nesterov" else theta
        new, state = step.step(np.array([theta]), np.array([curvature * at]), state, lr=lr, **settings)
        columns.append([new[0], state.v[0]])
    return np.abs(np.linalg.eigvals(np.array(columns).T)).max()


@pytest.mark.parametrize("kappa", [2.0, 10.0, 400.0])
def test_best_tunings_and_that_random_ones_are_no_better(kappa):
    rng = np.random.default_rng(RNG_SEED)
    k, n = np.sqrt(kappa), np.sqrt(3 * kappa + 1)
    best = {
        "momentum": (4 / (k + 1) ** 2, ((k - 1) / (k + 1)) ** 2, (k - 1) / (k + 1)),
        "nesterov": (4 / (3 * kappa + 1), (n - 2) / (n + 2), 1 - 2 / n),
    }
    spectrum = np.linspace(1, kappa, 30)
    for name, (lr, beta, rate) in best.items():
        found = max(radius(name, lr, lam, momentum=beta) for lam in spectrum)
        assert abs(found - rate) < 1e-6
        for a, b in zip(rng.uniform(0.01, 3, 100) * lr, rng.uniform(0, 1, 100), strict=True):
            assert max(radius(name, a, lam, momentum=b) for lam in (1, kappa)) > rate - 1e-9
    textbook = max(radius("nesterov", 1 / kappa, lam, momentum=(k - 1) / (k + 1)) for lam in spectrum)
    assert abs(textbook - (1 - 1 / k)) < 1e-6


def test_comparisons_on_random_points():
    """Damping, Nesterov against momentum, critical damping, the floor: as stated, off the borders."""
    rng = np.random.default_rng(RNG_SEED)
    for q, mu in zip(rng.uniform(0.001, 2, 400), rng.uniform(0.01, 0.99, 400), strict=True):
        s = np.sqrt(mu)
        ball, ahead = (radius(name, q, 1.0, momentum=mu) for name in ("momentum", "nesterov"))
        assert ball >= s - 1e-9
        if q > 1:
            assert (ball < q - 1) == (mu < (q - 1) ** 2)
        if q < 2 * (1 + mu) / (1 + 2 * mu):
            low, high = (1 - s) ** 2 / (1 - s + mu), (1 + s) ** 2 / (1 + s + mu)
            assert (ahead < ball) == (low < q < high)
        if q < 1:
            assert ball >= 1 - np.sqrt(q) - 1e-9


def test_the_three_cycle_attracts():
    def slope(x):
        return np.where(x < 1, 25 * x, np.where(x < 2, x + 24, 25 * x - 24))

    points = trajectory("momentum", slope, 3.3, 600, lr=1 / 9, momentum=4 / 9)[:, 0]
    np.testing.assert_allclose(np.sort(points[-3:]), np.array([-2208, 792, 2592]) / 1225, atol=1e-12)


def test_nesterov_runs_near_its_equation():
    """On x^2/2 from 1 the equation x'' + 3/t x' + x = 0 has the solution 2 J_1(t)/t."""
    d = 1e-3
    step = ov.step("nesterov")
    theta = np.array([1.0])
    state = step.init(theta)
    for k in range(1, 4001):
        mu = (k - 1) / (k + 2)
        point = step.gradient_point(theta, state, momentum=mu)
        theta, state = step.step(theta, point, state, lr=d * d, momentum=mu)
    tau = 4000 * d
    angles = np.linspace(0, np.pi, 20001)
    bessel = np.trapezoid(np.cos(angles - tau * np.sin(angles)), angles) / np.pi
    np.testing.assert_allclose(theta[0], 2 * bessel / tau, atol=2e-3)


def test_averages_and_velocities():
    points = trajectory("gd", lambda x: x, 1.0, 10, lr=0.3)[1:, 0]
    step = ov.step("asgd")
    theta = np.array([1.0])
    state = step.init(theta)
    for t in range(1, 11):
        theta, state = step.step(theta, theta, state, lr=0.3)
        np.testing.assert_allclose(state.theta_bar[0], points[:t].mean(), rtol=1e-12)
        np.testing.assert_allclose(state.theta_bar[0], 0.7 * (1 - 0.7**t) / (0.3 * t), rtol=1e-12)
    gradients = np.random.default_rng(RNG_SEED).normal(size=12)
    for form, weight in (("heavy_ball", 1.0), ("ema", 0.2)):
        step = ov.step("momentum", form=form)
        theta = np.zeros(1)
        state = step.init(theta)
        for t, g in enumerate(gradients, 1):
            theta, state = step.step(theta, np.array([g]), state, lr=0.1, momentum=0.8)
            decay = 0.8 ** (t - np.arange(1, t + 1))
            np.testing.assert_allclose(state.v[0], -0.1 * weight * decay @ gradients[:t], rtol=1e-12)


def test_sign_descent_stays_within_a_step():
    points = np.abs(trajectory("signsgd", lambda x: 3 * x, 1.23, 60, lr=0.1)[:, 0])
    stated = np.maximum(1.23 - 0.1 * np.arange(61), 0.1)
    assert (points <= stated + 1e-12).all()
    assert points[-20:].min() > 0.01
