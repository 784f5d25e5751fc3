"""The claims about convex functions once more, in float64 with the generated steps, on random functions."""

from itertools import pairwise

import numpy as np
import pytest

from optverify.steps import gd, momentum, nesterov, polyak_step

RTOL = 1e-12


def logcosh(rng, shift=0.0, mu=0.0):
    """sum sqrt(1 + (a_i (x - c))^2) - 1 + mu |x - c|^2/2, with f* = 0: value, gradient, L, c."""
    A = rng.normal(size=(5, 3))
    centre = rng.normal(size=3) * shift

    def value(x):
        r = A @ (x - centre)
        return (np.sqrt(1 + r**2) - 1).sum() + mu * ((x - centre) ** 2).sum() / 2

    def gradient(x):
        r = A @ (x - centre)
        return A.T @ (r / np.sqrt(1 + r**2)) + mu * (x - centre)

    return value, gradient, np.linalg.norm(A, 2) ** 2 + mu, centre


def gd_run(gradient, start, rates):
    theta, state, path = np.array(start, float), gd.init(np.array(start, float)), [np.array(start, float)]
    for lr in rates:
        theta, state = gd.step(theta, gradient(theta), state, lr=float(lr))
        path.append(theta)
    return path


def momentum_run(gradient, start, rates, coefficients):
    theta = np.array(start, float)
    state, path = momentum.init(theta), [theta]
    for lr, b in zip(rates, coefficients, strict=True):
        theta, state = momentum.step(theta, gradient(theta), state, lr=float(lr), momentum=float(b))
        path.append(theta)
    return path


def nesterov_run(gradient, start, lr, coefficients):
    theta = np.array(start, float)
    state, path = nesterov.init(theta), [theta]
    for b in coefficients:
        ahead = theta + b * state.v
        theta, state = nesterov.step(theta, gradient(ahead), state, lr=lr, momentum=float(b))
        path.append(theta)
    return path


SEEDS = range(8)


@pytest.mark.parametrize("seed", SEEDS)
def test_rates_on_smooth_convex_functions(seed):
    rng = np.random.default_rng(seed)
    value, gradient, L, centre = logcosh(rng, shift=5)
    start = centre + rng.normal(size=3) * 10 ** rng.uniform(-1, 2)
    far, updates = ((start - centre) ** 2).sum(), 25
    t = np.arange(1, updates + 1)
    for factor in (1.0, 0.3):  # gd.convex.every_step
        path = gd_run(gradient, start, [factor / L] * updates)
        assert all(value(path[k]) <= far * L / (2 * factor * k) * (1 + RTOL) for k in t)
    fista = [0.0]
    for _ in t:
        fista.append((1 + np.sqrt(1 + 4 * fista[-1] ** 2)) / 2)
    coefficients = [max(fista[k - 1] - 1, 0) / fista[k] for k in t]
    path = nesterov_run(gradient, start, 1 / L, coefficients)
    assert all(value(path[k]) <= L * far / (2 * fista[k] ** 2) * (1 + RTOL) for k in t)
    path = nesterov_run(gradient, start, 1 / L, np.maximum(t - 2, 0) / (t + 1))
    assert all(value(path[k]) <= 2 * L * far / (k + 1) ** 2 * (1 + RTOL) for k in t)
    path = nesterov_run(gradient, start, 1 / L, (t - 1) / (t + 2))
    assert all(value(path[k]) <= 2 * L * far / (k * k + 7 * k + 4) * (1 + RTOL) for k in t[:8])
    path = momentum_run(gradient, start, 1 / (L * (t + 1)), (t - 1) / (t + 1))
    assert all(value(path[k]) <= L * far / (2 * (k + 1)) * (1 + RTOL) for k in t)
    long = gd_run(gradient, start, np.array([1.4, 2.4, 1.5]) / L)
    assert value(long[3]) <= 5 / 116 * L * far


@pytest.mark.parametrize("seed", SEEDS)
def test_descent_and_distance(seed):
    rng = np.random.default_rng(seed)
    value, gradient, L, centre = logcosh(rng, shift=2)
    start = centre + 5 * rng.normal(size=3)
    for scaled in (0.2, 1.0, 1.9):
        path = gd_run(gradient, start, [scaled / L] * 20)
        for a, b in pairwise(path):
            square = (gradient(a) ** 2).sum()
            assert value(b) <= value(a) - scaled / L * (1 - scaled / 2) * square + 1e-12
            closer = ((a - centre) ** 2).sum() - scaled / L * (2 - scaled) / L * square
            assert ((b - centre) ** 2).sum() <= closer + 1e-12


@pytest.mark.parametrize("seed", SEEDS)
def test_linear_rates(seed):
    rng = np.random.default_rng(seed)
    mu = float(rng.uniform(0.05, 0.5))
    value, gradient, L, centre = logcosh(rng, shift=2, mu=mu)
    start = centre + 5 * rng.normal(size=3)
    for lr in (0.5 / L, 2 / (L + mu), 1.95 / L):
        factor = max(abs(1 - lr * mu), abs(1 - lr * L))
        far = [np.linalg.norm(x - centre) for x in gd_run(gradient, start, [lr] * 20)]
        assert all(b <= factor * a * (1 + 1e-10) + 1e-14 for a, b in pairwise(far))
    values = [value(x) for x in gd_run(gradient, start, [1 / L] * 30)]
    assert all(v <= (1 - mu / L) ** k * values[0] * (1 + RTOL) for k, v in enumerate(values))
    q = np.sqrt(mu / L)
    path = nesterov_run(gradient, start, 1 / L, [(1 - q) / (1 + q)] * 40)
    first = value(start) + mu / 2 * ((start - centre) ** 2).sum()
    assert all(value(x) <= (1 - q) ** k * first * (1 + 1e-10) for k, x in enumerate(path))


def test_pl_without_convexity():
    """x^2 + 3 sin^2 x: L = 8, and |f'|^2 >= 2 f/32 (Karimi, Nutini and Schmidt)."""
    f, slope = lambda x: x**2 + 3 * np.sin(x) ** 2, lambda x: 2 * x + 3 * np.sin(2 * x)
    for start in (5.0, -1.7, 2.3):
        values = [f(x)[0] for x in gd_run(slope, [start], [1 / 8] * 60)]
        assert all(v <= (1 - 1 / 256) ** k * values[0] for k, v in enumerate(values))


@pytest.mark.parametrize("n", [1, 3, 10, 40])
def test_huber_functions_attain_the_rates_of_momentum(n):
    L, R, t = 3.0, 2.0, np.arange(1, n + 1)
    for stated, run in (
        (L * R**2 / (2 * n + 2), lambda f: momentum_run(f, [R], 1 / (L * (t + 1)), (t - 1) / (t + 1))),
        (2 * L * R**2 / (n * n + 7 * n + 4), lambda f: nesterov_run(f, [R], 1 / L, (t - 1) / (t + 2))),
    ):
        tau = 2 * stated / R
        x = run(lambda x, tau=tau: np.clip(L * x, -tau, tau))[-1][0]
        np.testing.assert_allclose(tau * x - tau**2 / (2 * L), stated, rtol=RTOL)


def test_line_search():
    """A fine search along each line finds 2/(L + mu), and f falls by ((L - mu)/(L + mu))^2."""
    mu, L = 1.0, 7.0
    curvature = np.array([mu, L])
    f, theta = lambda x: (curvature * x**2).sum() / 2, np.array([L, mu])
    for _ in range(4):
        g = curvature * theta
        best = (g @ g) / (g @ (curvature * g))
        np.testing.assert_allclose(best, 2 / (L + mu), rtol=RTOL)
        after, _ = gd.step(theta, g, gd.init(theta), lr=best)
        np.testing.assert_allclose(f(after) / f(theta), ((L - mu) / (L + mu)) ** 2, rtol=1e-11)
        theta = after


@pytest.mark.parametrize("seed", SEEDS)
def test_subgradients(seed):
    """f(x) = max |a_i (x - c)|, |a_i| <= 1: best and last iterates, regret, Polyak steps."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(6, 3))
    A /= np.linalg.norm(A, axis=1).max()
    centre = rng.normal(size=3) * 3
    f = lambda x: np.abs(A @ (x - centre)).max()  # noqa: E731

    def slope(x):
        r = A @ (x - centre)
        i = np.abs(r).argmax()
        return np.sign(r[i]) * A[i]

    start = centre + rng.normal(size=3) * 2
    far = np.linalg.norm(start - centre)
    for n in (3, 8, 24):
        best = min(map(f, gd_run(slope, start, [far / np.sqrt(n + 1)] * n)))
        assert best <= far / np.sqrt(n + 1) * (1 + RTOL)
        falling = far / np.sqrt(n + 1) * (1 - np.arange(1, n + 1) / (n + 1))
        assert f(gd_run(slope, start, falling)[-1]) <= far / np.sqrt(n + 1) * (1 + RTOL)
        path = gd_run(slope, start, [0.1] * n)
        regret = sum(slope(x) @ (x - centre) for x in path[:-1])
        assert regret <= far**2 / 0.2 + 0.05 * n
    theta, state = start, polyak_step.init(start)
    gaps = []
    for k in range(20):
        gap, g = f(theta), slope(theta)
        gaps.append(gap)
        assert min(gaps) <= far / np.sqrt(k + 1) * (1 + RTOL)
        after, state = polyak_step.step(theta, g, state, loss=gap, f_min=0.0)
        fall = gap**2 / (g @ g)
        assert ((after - centre) ** 2).sum() <= ((theta - centre) ** 2).sum() - fall + 1e-12
        theta = after


@pytest.mark.parametrize("lr", [0.01, 0.3, 2.0])
def test_the_lower_bound_of_subgradient_methods(lr):
    n = 8
    theta, state = np.zeros(n + 1), gd.init(np.zeros(n + 1))
    best = np.inf
    for k in range(n + 1):
        best = min(best, max(theta.max(), -1 / np.sqrt(n + 1)))
        theta, state = gd.step(theta, np.eye(n + 1)[k], state, lr=lr)
    assert best - -1 / np.sqrt(n + 1) == pytest.approx(1 / np.sqrt(n + 1))


def test_what_rises_and_what_cycles():
    square = lambda x: x  # noqa: E731
    for path in (
        momentum_run(square, [1.0], [0.5] * 8, [0.5] * 8),
        nesterov_run(square, [1.0], 0.5, [0.75] * 8),
    ):
        values = np.array([x[0] ** 2 for x in path])
        assert (np.diff(values) > 0).any()
    cycle = [float(x[0]) for x in gd_run(np.sign, [0.25], [0.5] * 6)]
    assert cycle == [0.25, -0.25] * 3 + [0.25]
    away = momentum_run(lambda x: 25 * x, [1.0], [1 / 9], [4 / 9])
    assert away[1][0] ** 2 == pytest.approx(256 / 81)
