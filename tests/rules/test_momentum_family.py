"""signSGD, Signum, QHM, AggMo, SGDW, optimistic gradient descent: against loops written from the papers."""

import numpy as np
import pytest

from optverify.rules import rule

from .hostile import assert_same_updates, lines
from .loops import WEIGHT_DECAY, generated, path_of, written


def signsgd(memory, t, lr, g):
    """Bernstein et al. (2018), Algorithm 1."""
    return lr * np.sign(g)


def signum(memory, t, lr, g, *, beta, weight):
    """Bernstein et al. (2018), Algorithm 2."""
    memory["m"] = beta * memory.get("m", 0.0) + weight * g
    return lr * np.sign(memory["m"])


def qhm(memory, t, lr, g, *, beta, nu):
    """Ma and Yarats (2019): the buffer is a mean, the step a mean of the gradient and it."""
    memory["buffer"] = memory.get("buffer", 0.0) * beta + g * (1 - beta)
    return lr * (1 - nu) * g + lr * nu * memory["buffer"]


def aggmo(memory, t, lr, g, *, betas):
    """Lucas et al. (2019): velocities of their own damping, their mean moves theta."""
    velocities = [b * v - g for b, v in zip(betas, memory.get("v", [0.0] * len(betas)), strict=True)]
    memory["v"] = velocities
    return -lr * sum(velocities) / len(betas)


def sgdw(memory, t, lr, g, *, beta):
    """Loshchilov and Hutter (2019), Algorithm 1, line 8; the decay is that of the loop."""
    memory["m"] = beta * memory.get("m", 0.0) + lr * g
    return memory["m"]


def optimistic(memory, t, lr, g, *, alpha=1.0, beta=1.0, first=0.0):
    """Daskalakis et al. (2018): w - 2 eta g_t + eta g_{t-1}."""
    last = memory.get("last", first * g)
    memory["last"] = g
    return lr * (alpha + beta) * g - lr * beta * last


M = {"momentum": 0.8}
TWO, FOUR = {"beta1": 0.5, "beta2": 0.8}, {"beta1": 0.1, "beta2": 0.5, "beta3": 0.8, "beta4": 0.95}
SUM, GENERAL, FIRST = {"form": "heavy_ball"}, {"weights": "generalized"}, {"first_guess": "gradient"}
AB = {"alpha": 1.5, "beta": 0.4}

CASES = [  # rule, options, hyperparameters; the loop and its settings
    ("signsgd", {}, {}, signsgd, {}),
    ("signum", {}, M, signum, {"beta": 0.8, "weight": 1 - 0.8}),
    ("signum", SUM, M, signum, {"beta": 0.8, "weight": 1.0}),
    ("qhm", {}, M | {"nu": 0.6}, qhm, {"beta": 0.8, "nu": 0.6}),
    ("qhm", {}, {}, qhm, {"beta": 0.999, "nu": 0.7}),
    ("aggmo", {}, {}, aggmo, {"betas": (0.0, 0.9, 0.99)}),
    ("aggmo", {"velocities": "2"}, TWO, aggmo, {"betas": (0.5, 0.8)}),
    ("aggmo", {"velocities": "4"}, FOUR, aggmo, {"betas": (0.1, 0.5, 0.8, 0.95)}),
    ("sgdw", {"weight_decay_form": "none"}, M, sgdw, {"beta": 0.8}),
    ("optimistic_gd", {}, {}, optimistic, {}),
    ("optimistic_gd", FIRST, {}, optimistic, {"first": 1.0}),
    ("optimistic_gd", GENERAL, AB, optimistic, AB),
    ("optimistic_gd", GENERAL | FIRST, AB, optimistic, AB | {"first": 1.0}),
]
FORMS = ["none", "coupled", "decoupled", "decoupled_without_lr", "after_step"]
ONE_EACH = [case for case in CASES if case[1] in ({}, {"weight_decay_form": "none"}, GENERAL | FIRST)]


@pytest.mark.parametrize(("name", "options", "values", "move", "settings"), CASES)
def test_a_loop_written_from_the_paper_gives_the_same_updates(name, options, values, move, settings):
    assert_same_updates(generated(name, options, values), written(move, settings))


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", ONE_EACH, ids=lambda case: case[0])
def test_every_form_of_weight_decay_and_maximizing(case, form, maximize):
    name, options, values, move, settings = case
    options = options | {"weight_decay_form": form, "maximize": maximize}
    values = values | {"weight_decay": WEIGHT_DECAY}
    assert_same_updates(generated(name, options, values), written(move, settings, form, maximize))


GOLDEN = {
    "signsgd": [r"\theta_t &= \theta_{t-1} - \delta \mathrm{sign}(g_t)"],
    "signum": [
        r"m_t &= \beta m_{t-1} + (1 - \beta) g_t",
        r"\theta_t &= \theta_{t-1} - \delta \mathrm{sign}(m_t)",
    ],
    "qhm": [
        r"m_t &= \beta m_{t-1} + (1 - \beta) g_t",
        r"\theta_t &= \theta_{t-1} - \alpha (\nu m_t + (1 - \nu) g_t)",
    ],
    "aggmo": [
        *(rf"v^{{({i})}}_t &= \beta^{{({i})}} v^{{({i})}}_{{t-1}} - g_t" for i in (1, 2, 3)),
        r"\theta_t &= \theta_{t-1} + \frac{1}{3} \gamma (v^{(1)}_t + v^{(2)}_t + v^{(3)}_t)",
    ],
    "sgdw": [
        r"v_t &= \mu v_{t-1} - \varepsilon g_t",
        r"\theta_t &= (1 - \varepsilon \lambda) \theta_{t-1} + v_t",
    ],
    "optimistic_gd": [
        r"\theta_t &= \theta_{t-1} + \eta M_{t-1} - 2 \eta g_t",
        r"M_t &= g_t",
    ],
}


@pytest.mark.parametrize("name", GOLDEN)
def test_default_dialect_is_the_papers(name):
    assert lines(rule(name)) == [r"g_t &= \nabla f_t(\theta_{t-1})", *GOLDEN[name]]


def test_sg_05_the_sign_of_signum_is_that_of_the_buffer():
    """pytorch_optimizer PR #516: with a buffer that is lost, the second and third step differ."""
    for form in ("ema", "heavy_ball"):
        path = path_of("signum", [1, -0.05, 0], options={"form": form}, momentum=0.9)
        np.testing.assert_allclose(path, [-0.1, -0.2, -0.3], rtol=1e-15)


def test_nothing_moves_where_the_sign_is_zero():
    assert path_of("signsgd", [0.0, 2.0, 0.0], start=1.0) == [1.0, 0.9, 0.9]


def test_the_sum_and_the_mean_have_the_same_sign():
    mean, total = (list(generated("signum", {"form": form}, M)) for form in ("ema", "heavy_ball"))
    assert np.array_equal(mean, total)


def test_qhm_is_gradient_descent_at_nu_0_and_momentum_at_nu_1():
    assert_same_updates(generated("qhm", {}, M | {"nu": 0.0}), generated("gd", {}, {}))
    ema = {"form": "ema", "lr_placement": "outside"}
    assert_same_updates(generated("qhm", {}, M | {"nu": 1.0}), generated("momentum", ema, M))


def test_aggmo_with_equal_dampings_is_momentum():
    equal = {"beta1": 0.8, "beta2": 0.8, "beta3": 0.8}
    assert_same_updates(generated("aggmo", {}, equal), generated("momentum", {"lr_placement": "outside"}, M))


def test_optimistic_gradients_settle_a_game_that_plain_ones_spiral_out_of():
    """min over x, max over y of x y, Daskalakis et al., section 1: the gradients are y and -x."""
    from optverify.steps import gd, optimistic_gd

    distance = {}
    for steps in (gd, optimistic_gd):
        point, state = np.array([1.0, 1.0]), steps.init(np.zeros(2))
        for _ in range(500):
            point, state = steps.step(point, np.array([point[1], -point[0]]), state, lr=0.1)
        distance[steps] = np.linalg.norm(point)
    assert distance[gd] > 10
    assert distance[optimistic_gd] < 0.2
