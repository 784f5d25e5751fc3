"""The statements about noise once more, in float64 with the generated steps, a road of their own."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

import optverify as ov
from optverify.claims.variance_reduction import svrg_converges
from optverify.steps import (
    adam,
    asgd,
    gd,
    lookahead,
    momentum,
    nesterov,
    optimistic_gd,
    sam,
    schedule_free_sgd,
    signsgd,
    svrg,
)

RTOL = 1e-9


def impulse(step, curvature, updates, **hyper):
    """theta after each update on curvature theta^2/2 from 0, if the first gradient alone has a noise of 1."""
    theta = np.zeros(1)
    state, out = step.init(theta), []
    for k in range(updates):
        ahead = step is nesterov
        at = step.gradient_point(theta, state, momentum=hyper["momentum"]) if ahead else theta
        theta, state = step.step(theta, curvature * at + (k == 0), state, **hyper)
        out.append((theta[0], state))
    return out


def spread(step, curvature, updates=3000, **hyper):
    """The stationary variance for noise of variance 1: the energy of the impulse response."""
    return sum(x**2 for x, _ in impulse(step, curvature, updates, **hyper))


CASES = [(0.3, 0.7, 0.0), (0.3, 1.5, 0.5), (0.05, 2.0, 0.9), (1.2, 1.0, 0.8)]


@pytest.mark.parametrize(("lr", "c", "b"), CASES)
def test_where_noisy_rules_settle(lr, c, b):
    x = lr * c
    sgd = lr / (c * (2 - x))
    heavy = lr * (1 + b) / (c * (1 - b) * (2 * (1 + b) - x))
    np.testing.assert_allclose(spread(gd, c, lr=lr), sgd, rtol=RTOL)
    np.testing.assert_allclose(spread(momentum, c, lr=lr, momentum=b), heavy, rtol=RTOL)
    ema = ov.step("momentum", form="ema")
    wanted = lr * (1 + b) / (c * (2 * (1 + b) - (1 - b) * x))
    np.testing.assert_allclose(spread(ema, c, lr=lr, momentum=b), wanted, rtol=RTOL)
    below = c * (1 - b + b * x) * (2 * (1 + b) - (1 + 2 * b) * x)
    np.testing.assert_allclose(
        spread(nesterov, c, lr=lr, momentum=b), lr * (1 + b - b * x) / below, rtol=RTOL
    )
    if 3 * x < 2:
        wanted = lr * (1 + 3 * x) / (c * (1 + x) * (2 - 3 * x))
        np.testing.assert_allclose(spread(optimistic_gd, c, lr=lr), wanted, rtol=RTOL)
    slower = spread(momentum, c, lr=lr * (1 - b), momentum=b)
    np.testing.assert_allclose(slower / sgd, 1 - 2 * b * x / (2 * (1 + b) - (1 - b) * x), rtol=RTOL)


def test_averaged_parameters():
    lr, c, decay = 0.3, 1.5, 0.8
    step = ov.step("averaged(gd)")
    q, sgd = 1 - lr * c, lr / (c * (2 - lr * c))
    found = sum(s.theta_bar[0] ** 2 for _, s in impulse(step, c, 2000, lr=lr, ema_decay=decay))
    wanted = (1 - decay) * (1 + decay * q) / ((1 + decay) * (1 - decay * q)) * sgd
    np.testing.assert_allclose(found, wanted, rtol=RTOL)


@pytest.mark.parametrize("k", [1, 2, 4, 5])
def test_lookahead_settles(k):
    """Noise at each place of a cycle, theta read at the ends of cycles."""
    lr, c, slow = 0.3, 1.5, 0.4
    total = 0.0
    for place in range(k):
        theta = np.zeros(1)
        state = lookahead.init(theta)
        for now in range(400 * k):
            noise = float(now == place)
            theta, state = lookahead.step(theta, c * theta + noise, state, lr=lr, sync_period=k, slow_lr=slow)
            if (now + 1) % k == 0:
                total += theta[0] ** 2
    q, sgd = 1 - lr * c, lr / (c * (2 - lr * c))
    fast = slow**2 * (1 - q ** (2 * k))
    wanted = fast / (fast + 2 * slow * (1 - slow) * (1 - q**k)) * sgd
    np.testing.assert_allclose(total, wanted, rtol=RTOL)


@pytest.mark.parametrize("t", [1, 2, 7, 60])
def test_average_of_the_iterates(t):
    """The weight of each noise in theta_bar_t, one at a time."""
    lr, c = 0.3, 1.5
    total = 0.0
    for place in range(t):
        theta = np.zeros(1)
        state = asgd.init(theta)
        for now in range(t):
            theta, state = asgd.step(theta, c * theta + float(now == place), state, lr=lr)
        total += state.theta_bar[0] ** 2
    q = 1 - lr * c
    bounded = -2 * q * (1 - q**t) / (1 - q) + q**2 * (1 - q ** (2 * t)) / (1 - q**2)
    np.testing.assert_allclose(total, (t + bounded) / (c * t) ** 2, rtol=RTOL)


def test_a_rate_of_one_over_t():
    """Each theta_t is minus the mean of the noises so far over the curvature: variance 1/(c^2 t)."""
    c, rate = 2.5, ov.schedule("inverse_time", lr=0.4, decay_rate=1.0)
    for t in (1, 2, 9):
        total = 0.0
        for place in range(t):
            theta = np.zeros(1)
            state = gd.init(theta)
            for now in range(t):
                theta, state = gd.step(theta, c * theta + float(now == place), state, lr=float(rate(now)))
            total += theta[0] ** 2
        np.testing.assert_allclose(total, 1 / (c**2 * t), rtol=RTOL)


def test_one_over_t_can_be_slow():
    theta = np.ones(1)
    state, rate = gd.init(theta), ov.schedule("inverse_time", lr=1.0, decay_rate=1.0)
    for t in range(1, 20001):
        theta, state = gd.step(theta, theta / 5, state, lr=float(rate(t - 1)))
        assert theta[0] >= 0.8 * t**-0.2 * (1 - 1e-12)


def test_sums_of_rates():
    """Sum of lr grows and sum of lr^2 settles for 1/t; the latter grows for 1/sqrt(t)."""
    t = np.arange(2**20)
    inverse = ov.schedule("inverse_time", lr=0.1, decay_rate=0.5)(t)
    root = ov.schedule("inverse_sqrt", lr=0.1, warmup=10)(t)
    half = len(t) // 2
    assert inverse[half:].sum() > 0.13  # about lr/decay_rate log 2, however far one goes
    assert (inverse[half:] ** 2).sum() < 1e-6
    np.testing.assert_allclose((root[half:] ** 2).sum(), 0.1**2 * 10 * np.log(2), rtol=1e-5)


def test_schedule_free_ends():
    """beta near 0: the mean of the SGD run; beta near 1: momentum (t-2)/t and lr/t."""
    rng = np.random.default_rng(0)
    noise, lr = rng.normal(size=(30, 3)), 0.2
    tiny = 1e-12
    theta = np.ones(3)
    state, plain, past = schedule_free_sgd.init(theta), np.ones(3), []
    for xi in noise:
        point = schedule_free_sgd.gradient_point(theta, state, momentum=tiny)
        theta, state = schedule_free_sgd.step(theta, point + xi, state, lr=lr, momentum=tiny)
        plain = plain - lr * (plain + xi)
        past.append(plain)
        np.testing.assert_allclose(theta, np.mean(past, axis=0), atol=1e-9)
    theta = heavy = np.ones(3)
    state, moving = schedule_free_sgd.init(theta), momentum.init(heavy)
    for t, xi in enumerate(noise, 1):
        point = schedule_free_sgd.gradient_point(theta, state, momentum=1 - tiny)
        theta, state = schedule_free_sgd.step(theta, point + xi, state, lr=lr, momentum=1 - tiny)
        heavy, moving = momentum.step(heavy, heavy + xi, moving, lr=lr / t, momentum=max(t - 2, 0) / t)
        np.testing.assert_allclose(theta, heavy, atol=1e-9)


def test_decaying_mean_of_gradients():
    """The weights of the gradients in m_t of Adam: their squares sum to (1-b)/(1+b) (1 - b^(2t))."""
    b = 0.9
    for t in (1, 3, 20):
        total = 0.0
        for place in range(t):
            theta = np.zeros(1)
            state = adam.init(theta)
            for now in range(t):
                theta, state = adam.step(theta, np.array([float(now == place)]), state, lr=1e-9, beta1=b)
            total += state.m[0] ** 2
        np.testing.assert_allclose(total, (1 - b) / (1 + b) * (1 - b ** (2 * t)), rtol=1e-9)


def test_contraction_under_interpolation():
    """Random curvatures between mu and L in 4 dimensions, another one at each step, one minimum."""
    rng = np.random.default_rng(1)
    mu, smooth = 0.5, 3.0
    for lr in (0.1, 2 / (mu + smooth), 0.6):
        factor = max(1 - lr * mu, lr * smooth - 1)
        theta = rng.normal(size=4)
        state = gd.init(theta)
        for _ in range(30):
            basis, _ = np.linalg.qr(rng.normal(size=(4, 4)))
            hessian = basis @ np.diag(rng.uniform(mu, smooth, 4)) @ basis.T
            after, state = gd.step(theta, hessian @ theta, state, lr=lr)
            assert np.linalg.norm(after) <= factor * np.linalg.norm(theta) * (1 + 1e-12)
            theta = after


def clipped(g, lr=1.0):
    step = ov.step("clip_by_norm(gd)")
    theta = np.zeros(1)
    return step.step(theta, np.array([g]), step.init(theta), lr=lr, max_norm=1.0)[0][0]


def signed(g):
    return signsgd.step(np.zeros(1), np.array([g]), signsgd.init(np.zeros(1)), lr=1.0)[0][0]


@pytest.mark.parametrize("move", [clipped, signed])
def test_skewed_and_symmetric_noise(move):
    """Mean gradient 1/2, mean step up; symmetric pairs never do that."""
    assert move(5.0) / 4 + 3 * move(-1.0) / 4 > 0
    rng = np.random.default_rng(2)
    for m, a in rng.normal(size=(200, 2)) * 3:
        assert (move(m + a) + move(m - a)) * m <= 0


def well(x):
    return x if x < 1 else x - 3


def test_escape_from_the_shallow_well():
    """Every path of 12 steps for noise 3/2: most have escaped, none has come back; for 1/2 none escapes."""
    for size, expected in ((1.5, True), (0.5, False)):
        alive, seen = [0.0], 0.0
        for _ in range(12):
            alive = [
                gd.step(np.array([x]), np.array([well(x) + s * size]), gd.init(np.zeros(1)), lr=0.5)[0][0]
                for x in set(alive)
                for s in (-1, 1)
                if x < 1 or not expected
            ] or alive
            seen = max(seen, *alive)
        assert (seen >= 1) == expected
    x = {2.999}
    for _ in range(10):  # from the deep well: within its walls
        x = {0.5 * v + 0.5 * (3 + s * 1.5) for v in x for s in (-1, 1)}
        assert min(x) > 1


def test_sam_bounces():
    theta = np.array([1 / 3])
    state, points = sam.init(theta), []
    for _ in range(8):
        theta, state = sam.step(theta, theta, state, lr=0.5, sam_rho=1.0)
        points.append(theta[0])
    np.testing.assert_allclose(points, [4 / 3, -1 / 3, -4 / 3, 1 / 3] * 2, rtol=1e-12)


def test_accumulated_adam():
    rng = np.random.default_rng(3)
    step, gradients = ov.step("accumulated(adam)"), rng.normal(size=(12, 5))
    theta = plain = np.ones(5)
    state, memory = step.init(theta), adam.init(plain)
    for k, g in enumerate(gradients, 1):
        theta, state = step.step(theta, g, state, lr=0.1, accumulate=3)
        if k % 3 == 0:
            plain, memory = adam.step(plain, gradients[k - 3 : k].mean(axis=0), memory, lr=0.1)
        np.testing.assert_allclose(theta, plain, rtol=1e-12)


def test_svrg_converges_where_sgd_stays():
    """The mean over all 8 sequences of a period, by numbers."""
    curvatures, slopes = (1.0, 3.0), (-1.0, 1.0)
    squares = []
    for draws in itertools.product((0, 1), repeat=3):
        theta = np.ones(1)
        state = svrg.init(theta)
        for i in draws:
            held = state.theta_tilde
            theta, state = svrg.step(
                theta, curvatures[i] * theta + slopes[i], state, lr=0.25, period=3,
                snapshot_grad=curvatures[i] * held + slopes[i], full_grad=2 * held,
            )  # fmt: skip
        squares.append(state.theta_tilde[0] ** 2)
    shown = svrg_converges.decide().detail
    rho = Fraction(shown.split("rho = ")[1].split(" ")[0])
    np.testing.assert_allclose(np.mean(squares), float(rho), rtol=1e-12)
    assert rho < 1


@pytest.mark.parametrize("lr", [0.1, 0.5, 0.9])
def test_shuffled_epochs(lr):
    """The map of an epoch, by numbers: its factor and what it adds."""

    def end(x, order):
        theta = np.array([x])
        for a in order:
            theta, _ = gd.step(theta, theta - a, gd.init(theta), lr=lr)
        return theta[0]

    q = 1 - lr
    shuffled = [end(0.0, o) ** 2 for o in ((1, -1), (-1, 1))]
    drawn = [end(0.0, o) ** 2 for o in itertools.product((1, -1), repeat=2)]
    np.testing.assert_allclose(np.mean(shuffled), lr**4, rtol=1e-12)
    np.testing.assert_allclose(np.mean(drawn), lr**2 * (1 + q**2), rtol=1e-12)
    assert np.mean(shuffled) < np.mean(drawn)


def test_schedule_free_sgd_without_momentum_is_a_weighted_mean():
    """The points of SGD, weighted with the squares of rates that rise and fall."""
    rates, noise = (0.5, 0.2, 0.7, 0.1, 0.3), (1.0, -2.0, 0.5, 3.0, -1.0)
    mean, point, points = np.ones(1), np.ones(1), []
    state = schedule_free_sgd.init(mean)
    for lr, xi in zip(rates, noise, strict=True):
        mean, state = schedule_free_sgd.step(mean, 2 * point + xi, state, lr=lr, momentum=1e-12)
        point, _ = gd.step(point, 2 * point + xi, gd.init(point), lr=lr)
        points.append(point[0])
        weights = np.square(rates[: len(points)])
        np.testing.assert_allclose(mean[0], np.dot(weights, points) / weights.sum(), rtol=RTOL)
