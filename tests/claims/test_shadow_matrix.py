"""Claims on matrix rules, layers and wrappers once more, in float64 with the generated steps."""

import numpy as np
import pytest

import optverify as ov
from optverify.steps import (
    adafactor,
    adagrad_norm,
    adam,
    gd,
    lamb,
    lars,
    muon,
    novograd,
    sam,
    shampoo,
    signsgd,
    soap,
)

RNG = np.random.default_rng


def rotation(rng, n):
    q, r = np.linalg.qr(rng.normal(size=(n, n)))
    return q * np.sign(np.diag(r))


def first_step(module, gradient, theta=None, init=None, **values):
    """theta_1 - theta_0."""
    theta = np.zeros_like(gradient) if theta is None else theta
    after, _ = module.step(theta, gradient, module.init(theta, **(init or {})), **values)
    return after - theta


@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (6, 4)])
def test_shampoo_gives_the_orthogonal_factor(shape):
    G = RNG(0).normal(size=shape)
    U, s, Vt = np.linalg.svd(G, full_matrices=False)
    eps = 1e-3
    expected = -0.1 * (U * (s / np.sqrt(s**2 + eps))) @ Vt
    np.testing.assert_allclose(
        first_step(shampoo, G, init={"eps": eps}, lr=0.1), expected, rtol=1e-9, atol=1e-12
    )
    half = ov.step("shampoo", exponent="half")
    step = half.step(np.zeros(shape), G, half.init(np.zeros(shape), eps=eps), lr=0.1)[0]
    np.testing.assert_allclose(step, -0.1 * (U * (s / (s**2 + eps))) @ Vt, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("module", [muon, shampoo])
def test_turning_the_matrix_turns_the_steps(module):
    rng = RNG(1)
    U, V = rotation(rng, 4), rotation(rng, 3)
    plain, turned = np.ones((4, 3)), U @ np.ones((4, 3)) @ V.T
    states = module.init(plain), module.init(turned)
    for _ in range(3):
        g = rng.normal(size=(4, 3))
        plain, a = module.step(plain, g, states[0])
        turned, b = module.step(turned, U @ g @ V.T, states[1])
        states = a, b
    np.testing.assert_allclose(turned, U @ plain @ V.T, rtol=1e-6, atol=1e-9)


def singular_values_of_muon(s, **values):
    """What five iterations make of these singular values over their norm; turned at random."""
    rng = RNG(2)
    n = len(s)
    G = rotation(rng, n) @ np.diag(s) @ rotation(rng, n).T
    return np.sort(np.linalg.svd(first_step(muon, G, lr=1.0, eps=0.0, **values), compute_uv=False))


def test_muon_brings_singular_values_near_one():
    rng = RNG(3)
    seen = []
    for _ in range(300):
        s = np.exp(rng.uniform(np.log(0.02), 0, size=4))
        s = np.maximum(s, 0.0101 * np.linalg.norm(s))
        seen.append(singular_values_of_muon(s))
    assert 0.68 <= np.min(seen) < 0.72
    assert 1.10 < np.max(seen) <= 1.14
    assert abs(singular_values_of_muon([1.0, 0.0])[-1] - 1) > 0.01  # 1 is no fixed point


def test_no_step_of_muon_is_longer_than_stated():
    rng = RNG(4)
    longest = 0.0
    for _ in range(400):
        s = np.exp(rng.uniform(-9, 0, size=3))
        longest = max(longest, singular_values_of_muon(s)[-1])
    assert 1.18 < longest <= 1.21


def test_the_classical_coefficients_lead_to_the_orthogonal_factor():
    G = RNG(5).normal(size=(3, 3)) + 3 * np.eye(3)
    U, _, Vt = np.linalg.svd(G)
    step = first_step(muon, G, lr=1.0, eps=0.0, ns_a=15 / 8, ns_b=-5 / 4, ns_c=3 / 8)
    np.testing.assert_allclose(step, -U @ Vt, atol=1e-3)


def test_soap_is_adam_until_its_basis_is_renewed():
    rng = RNG(6)
    numbers = {"lr": 0.1, "beta1": 0.9, "beta2": 0.95, "eps": 1e-8}
    x = y = rng.normal(size=(3, 4))
    one, other = soap.init(x), adam.init(y)
    for t in range(1, 7):
        g = rng.normal(size=(3, 4))
        x, one = soap.step(x, g, one, precondition_frequency=5.0, **numbers)
        y, other = adam.step(y, g, other, **numbers)
        assert np.allclose(x, y, rtol=1e-10) == (t <= 5)


def test_soap_depends_on_the_basis():
    rng = RNG(7)
    G, U = rng.normal(size=(3, 3)), rotation(rng, 3)
    assert np.abs(first_step(soap, U @ G) - U @ first_step(soap, G)).max() > 1e-4


# ---- factored second moments -----------------------------------------------------------------------------


def test_adafactor_keeps_sums_and_is_the_best_rank_one_matrix():
    rng = RNG(8)
    theta, full = np.zeros((3, 4)), np.zeros((3, 4))
    state = adafactor.init(theta)
    for t in range(1, 6):
        g = rng.normal(size=(3, 4))
        beta = 1 - t**-0.8
        full = beta * full + (1 - beta) * (g**2 + 1e-30)
        theta, state = adafactor.step(theta, g, state)
    factored = state.R * state.C / state.R.mean()
    np.testing.assert_allclose(factored.sum(0), full.sum(0), rtol=1e-10)
    np.testing.assert_allclose(factored.sum(1), full.sum(1), rtol=1e-10)

    def divergence(W):
        return np.sum(full * np.log(full / W) - full + W)

    best = divergence(factored)
    for _ in range(200):
        scale = np.exp(0.1 * rng.normal(size=(3, 1))) * np.exp(0.1 * rng.normal(size=(1, 4)))
        assert divergence(factored * scale) > best
    assert np.abs(factored - full).max() > 0.01


def test_adafactor_clips_the_root_mean_square():
    """Large gradients after small ones: the step is as long as the threshold says."""
    step = ov.step("adafactor", relative_step=False, parameter_scale=False)
    theta = np.zeros((3, 3))
    state, sizes = step.init(theta), []
    for scale in (1e-3, 1.0, 1e3, 1e-3):
        after, state = step.step(
            theta, scale * RNG(9).normal(size=(3, 3)), state, lr=0.5, clip_threshold=0.25
        )
        sizes.append(np.sqrt(np.mean((after - theta) ** 2)))
        theta = after
    assert max(sizes) <= 0.125 * (1 + 1e-12)
    assert min(sizes) < 0.1


def test_sm3_covers_adagrad_and_the_second_version_is_tighter():
    rng = RNG(10)
    steps = [ov.step("sm3", version=v) for v in ("II", "I")]
    thetas = [np.zeros((4, 5)) for _ in steps]
    states, total = [s.init(x) for s, x in zip(steps, thetas, strict=True)], np.zeros((4, 5))
    for _ in range(10):
        g = rng.normal(size=(4, 5)) * (rng.random((4, 5)) < 0.4)
        total += g**2
        nus = []
        for i, s in enumerate(steps):
            after, states[i] = s.step(thetas[i], g, states[i], lr=1.0)
            moved = g != 0
            nus.append((g[moved] / (thetas[i] - after)[moved]) ** 2)
            thetas[i] = after
        assert (nus[0] >= total[moved] * (1 - 1e-9)).all()
        assert (nus[0] <= nus[1] * (1 + 1e-9)).all()


# ---- lengths ---------------------------------------------------------------------------------------------


def test_lengths_of_steps():
    rng = RNG(11)
    theta = rng.normal(size=(4, 3))
    state = lamb.init(theta)
    for _ in range(5):
        after, state = lamb.step(theta, rng.normal(size=(4, 3)), state, lr=0.1)
        np.testing.assert_allclose(np.linalg.norm(after - theta), 0.1 * np.linalg.norm(theta), rtol=1e-10)
        theta = after
    g = rng.normal(size=(4, 3))
    exact = 0.1 * 0.5 * np.linalg.norm(theta)
    plain = first_step(lars, g, theta, lr=0.1, trust_coefficient=0.5, weight_decay=0.0)
    np.testing.assert_allclose(np.linalg.norm(plain), exact, rtol=1e-10)
    assert np.linalg.norm(first_step(lars, g, theta, lr=0.1, trust_coefficient=0.5, weight_decay=0.3)) < exact


def test_novograd_under_a_constant_gradient():
    g, theta = np.array([3.0, -4.0]), np.zeros(2)
    state = novograd.init(theta)
    for t in range(1, 8):
        after, state = novograd.step(theta, g, state, lr=0.1, beta1=0.9, eps=0.0, weight_decay=0.0)
        np.testing.assert_allclose(after - theta, -0.1 * (1 - 0.9**t) / 0.1 * g / 5, rtol=1e-10)
        theta = after


def test_adagrad_norm():
    rng = RNG(12)
    theta, total = np.zeros(4), 0.01
    state = adagrad_norm.init(theta, b0=0.1)
    for _ in range(6):
        g = rng.normal(size=4)
        total += g @ g
        after, state = adagrad_norm.step(theta, g, state, lr=0.3)
        np.testing.assert_allclose(after - theta, -0.3 * g / np.sqrt(total), rtol=1e-10)
        theta = after


def test_steepest_descent_against_random_steps_of_the_same_norm():
    rng = RNG(13)
    G = rng.normal(size=(3, 4))
    for step, norm in (
        (first_step(signsgd, G, lr=0.1), lambda d: np.abs(d).max()),
        (first_step(adagrad_norm, G, init={"b0": 1e-9}, lr=0.1), np.linalg.norm),
        (first_step(shampoo, G, init={"eps": 1e-12}, lr=0.1), lambda d: np.linalg.norm(d, 2)),
    ):
        np.testing.assert_allclose(norm(step), 0.1, rtol=1e-6)
        for _ in range(500):
            d = step + 0.3 * rng.normal() * rng.normal(size=G.shape) * 0.1
            assert np.sum(G * d) * 0.1 / norm(d) >= np.sum(G * step) * (1 + 1e-9)


def scale_free_gradient(theta, rng):
    """Of length 2/|theta|, orthogonal to theta."""
    d = rng.normal(size=theta.shape)
    d -= (d @ theta) / (theta @ theta) * theta
    return d / np.linalg.norm(d) * 2 / np.linalg.norm(theta)


def test_weights_whose_scale_does_not_matter():
    rng = RNG(14)
    theta = rng.normal(size=5)
    for _ in range(10):
        g = scale_free_gradient(theta, rng)
        after, _ = gd.step(theta, g, gd.init(theta), lr=0.3)
        np.testing.assert_allclose(after @ after, theta @ theta + 0.09 * (g @ g), rtol=1e-10)
        theta = after
    decayed = ov.step("gd", weight_decay_form="coupled")
    for _ in range(400):
        before = theta
        g = scale_free_gradient(theta, rng)
        theta, _ = decayed.step(theta, g, decayed.init(theta), lr=0.2, weight_decay=0.25)
    share = 0.2 * 0.25
    np.testing.assert_allclose((theta @ theta) ** 2, 0.2 * 4 / (0.25 * (2 - share)), rtol=1e-6)
    relative = 0.2 * np.linalg.norm(g) / np.linalg.norm(before)
    np.testing.assert_allclose(relative, np.sqrt(share * (2 - share)), rtol=1e-6)


# ---- wrappers --------------------------------------------------------------------------------------------


def follow(name, gradients, start, **values):
    """The points of a rule, from its generated step."""
    step = ov.step(name)
    theta = np.array(start, dtype=float)
    state, path = step.init(theta), [theta]
    for g in gradients:
        value = g(theta) if callable(g) else np.asarray(g, dtype=float)
        theta, state = step.step(theta, value, state, **values)
        path.append(theta)
    return path


def test_lookahead_with_slow_step_one_and_its_steps():
    gradients = RNG(15).normal(size=(12, 3))
    inner = follow("adam", gradients, np.ones(3), lr=0.1)
    wrapped = follow("lookahead(adam)", gradients, np.ones(3), lr=0.1, sync_period=4.0, slow_lr=1.0)
    np.testing.assert_allclose(wrapped, inner, rtol=1e-12)
    path = follow("lookahead(gd)", gradients, np.ones(3), lr=0.1, sync_period=4.0, slow_lr=0.5)
    np.testing.assert_allclose(path[8], 1 - 0.05 * gradients[:8].sum(0), rtol=1e-10)


def test_lookahead_variance_of_many_chains():
    rng, chains, lr, lam, alpha, k = RNG(16), 40_000, 0.2, 1.0, 0.5, 5
    gradients = [lambda x: lam * x + rng.normal(size=x.shape)] * (k * 30)
    values = {"lr": lr, "sync_period": float(k), "slow_lr": alpha}
    slow = follow("lookahead(gd)", gradients, np.zeros(chains), **values)[-1]
    A = 1 - lr * lam
    above = alpha**2 * (1 - A ** (2 * k))
    ratio = above / (above + 2 * alpha * (1 - alpha) * (1 - A**k))
    np.testing.assert_allclose(slow.var(), ratio * lr**2 / (1 - A**2), rtol=0.03)


def test_clipping():
    rng = RNG(17)
    for _ in range(200):
        g, h = rng.normal(size=(2, 3)) * np.exp(rng.normal(size=(2, 1)))
        for name, key in (("clip_by_norm(gd)", "max_norm"), ("clip_by_value(gd)", "clip_value")):
            a, b = (-follow(name, [x], np.zeros(3), lr=1.0, **{key: 0.7})[1] for x in (g, h))
            assert np.linalg.norm(a - b) <= np.linalg.norm(g - h) * (1 + 1e-12)
            if key == "max_norm":
                np.testing.assert_allclose(a, g * min(1, 0.7 / np.linalg.norm(g)), rtol=1e-12)
    np.testing.assert_array_equal(
        follow("clip_by_value(gd)", [[1, 4]], [0, 0], lr=1.0, clip_value=1.0)[1], [-1, -1]
    )


def test_accumulated_gradients_and_averaged_parameters():
    gradients = RNG(18).normal(size=(9, 2))
    inner = follow("adam", gradients.reshape(3, 3, 2).mean(1), np.ones(2), lr=0.1)
    wrapped = follow("accumulated(adam)", gradients, np.ones(2), lr=0.1, accumulate=3.0)
    np.testing.assert_allclose(wrapped[::3], inner, rtol=1e-10)
    step, beta = ov.step("averaged(adam)"), 0.8
    theta = np.ones(2)
    state, points = step.init(theta), [theta]
    for g in gradients:
        theta, state = step.step(theta, g, state, lr=0.1, ema_decay=beta)
        points.append(theta)
    weights = (1 - beta) * beta ** np.arange(9)[::-1]
    expected = beta**9 * points[0] + sum(w * p for w, p in zip(weights, points[1:], strict=True))
    np.testing.assert_allclose(state.theta_bar, expected, rtol=1e-12)


@pytest.mark.parametrize(("lam", "lr", "rho", "start"), [(1.0, 0.5, 3.0, 7.0), (2.0, 0.2, 0.1, -0.3)])
def test_sam_ends_going_back_and_forth(lam, lr, rho, start):
    theta = np.array([start])
    state, ends = sam.init(theta), []
    for _ in range(400):
        theta, state = sam.step(theta, lam * theta, state, lr=lr, sam_rho=rho)
        ends.append(theta[0])
    amplitude = lr * lam * rho / (2 - lr * lam)
    np.testing.assert_allclose(np.abs(ends[-1]), amplitude, rtol=1e-8)
    np.testing.assert_allclose(ends[-3], -ends[-1], rtol=1e-8)
