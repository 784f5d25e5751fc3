"""FTRL-Proximal, MADGRAD, averaged SGD and Schedule-Free against loops written from their papers."""

import math

import numpy as np
import pytest

from optverify.backends import step
from optverify.rules import rule

from .hostile import HOSTILE, START, assert_same_updates, lines, trajectory

EPS, WD = 1e-2, 0.07


def pairs(stream):
    """Learning rate and gradient of each update."""
    return list(zip(stream.rates.tolist(), stream.gradients, strict=True))


def ftrl(beta, l1, l2, *, power=0.5, start=0.0, shrinkage=0.0, decay=None, stream=HOSTILE):
    """McMahan et al. (2013), Algorithm 1, with its case distinction; then as in Keras."""
    x = stream.start.copy()
    z, n = np.zeros(len(x)), np.full(len(x), start)
    for lr, gradient in pairs(stream):
        g = gradient + WD * x if decay == "coupled" else gradient
        seen = (1 - lr * WD) * x if decay == "before_step" else x
        sigma = ((n + g * g) ** power - n**power) / lr
        z = z + g + shrinkage * seen - sigma * seen
        n = n + g * g
        below = (beta + n**power) / lr + l2
        x = np.array(
            [0.0 if abs(a) <= l1 else -(a - math.copysign(l1, a)) / b for a, b in zip(z, below, strict=True)]
        )
        if decay == "after_step":
            x = x - lr * WD * x
        yield x


def madgrad(momentum, shifted=False, decay=None, stream=HOSTILE):
    """Defazio and Jelassi (2022), Algorithm 1."""
    x, s, nu = stream.start.copy(), 0.0, 0.0
    for k, (lr, gradient) in enumerate(pairs(stream)):
        g = gradient + WD * x if decay == "coupled" else gradient
        weight = (lr + EPS if shifted else lr) * math.sqrt(k + 1)
        s = s + weight * g
        nu = nu + weight * g * g
        new = momentum * x + (1 - momentum) * (stream.start - s / (np.cbrt(nu) + EPS))
        x = decayed(new, x, lr, decay)
        yield x


def decayed(new, x, lr, decay):
    forms = {
        "decoupled": new - lr * WD * x,
        "decoupled_without_lr": new - WD * x,
        "after_step": new - lr * WD * new,
    }
    return forms.get(decay, new)


def asgd(
    *, fall=False, late=False, begin=0, result="theta", decay=None, lambd=0.3, power=0.6, stream=HOSTILE
):
    """The step sizes of Bottou; late: as PyTorch keeps them, made from lr at the end of the update before."""
    x, kept, points = stream.start.copy(), float(stream.rates[0]), []
    for t, (lr, gradient) in enumerate(pairs(stream), 1):
        g = gradient + WD * x if decay == "coupled" else gradient
        eta = (kept if late else lr / (1 + lambd * lr * (t - 1)) ** power) if fall else lr
        new = (1 - lambd * eta) * x - eta * g if fall else x - eta * g
        kept = lr / (1 + lambd * lr * t) ** power
        x = decayed(new, x, lr, decay)
        points = [*points, x] if t > begin + 1 or not points else [x]
        yield x if result == "theta" else sum(points) / len(points)


def schedule_free(
    beta, *, weights="step_size", at="average", adam=None, hat=True, decay=None, stream=HOSTILE
):
    """Defazio et al. (2024), Algorithm 1; all three sequences are kept, y recomputed from them."""
    x, z, v = stream.start.copy(), stream.start.copy(), 0.0
    sizes = []
    for t, (lr, gradient) in enumerate(pairs(stream), 1):
        y = (1 - beta) * z + beta * x
        g = gradient + WD * y if decay == "coupled" else gradient
        gamma, move = lr, g
        if adam is not None:
            v = adam * v + (1 - adam) * g * g
            if hat:
                gamma, move = lr * math.sqrt(1 - adam**t), g / (np.sqrt(v) + EPS)
            else:
                move = g / (np.sqrt(v / (1 - adam**t)) + EPS)
        if decay == "decoupled":
            move = move + WD * y
        z = z - gamma * move
        sizes.append(gamma if weights == "step_size" else max([gamma, *sizes]))
        total = math.fsum(a * a for a in sizes)
        c = 1 / t if weights == "equal" else sizes[-1] ** 2 / total if total else 0.0
        x = (1 - c) * x + c * z
        yield x if at == "average" else (1 - beta) * z + beta * x


F = {"beta": 0.4, "lambda1": 0.5, "lambda2": 0.2}
FTRL = {"beta": 0.4, "l1": 0.5, "l2": 0.2}
M = {"momentum": 0.7, "eps": EPS}
P = {"lambd": 0.3, "power": 0.6}
Y, MOST, EQUAL = {"parameters": "gradient_point"}, {"weighting": "largest"}, {"weighting": "equal"}
NONE = {"weight_decay_form": "none"}
SGD, ADAM = {"momentum": 0.8}, {"beta1": 0.8, "beta2": 0.95, "eps": EPS}
SF = {"beta": 0.8}
SFA = {"beta": 0.8, "adam": 0.95}
CASES = [  # rule, options, hyperparameters; the loop and its settings
    ("ftrl", {}, F, ftrl, FTRL),
    ("ftrl", {"rate": "power"}, F | {"lr_power": 0.7}, ftrl, FTRL | {"power": 0.7}),
    ("ftrl", {"l2_shrinkage": True}, F | {"shrinkage": 0.3}, ftrl, FTRL | {"shrinkage": 0.3}),
    *(("ftrl", {"weight_decay_form": d}, F | {"weight_decay": WD}, ftrl, FTRL | {"decay": d})
      for d in ("coupled", "after_step", "before_step")),
    ("madgrad", {}, M, madgrad, {"momentum": 0.7}),
    ("madgrad", {"lr_shift": True}, M, madgrad, {"momentum": 0.7, "shifted": True}),
    *(("madgrad", {"weight_decay_form": d}, M | {"weight_decay": WD}, madgrad, {"momentum": 0.7, "decay": d})
      for d in ("coupled", "decoupled", "decoupled_without_lr", "after_step")),
    ("asgd", {}, {}, asgd, {}),
    ("asgd", {"step_size": "falling"}, P, asgd, {"fall": True}),
    ("asgd", {"step_size": "falling_late"}, P, asgd, {"fall": True, "late": True}),
    *(("asgd", {"step_size": "falling", "weight_decay_form": d}, P | {"weight_decay": WD}, asgd,
       {"fall": True, "decay": d}) for d in ("coupled", "decoupled", "decoupled_without_lr", "after_step")),
    ("schedule_free_sgd", {}, SGD, schedule_free, SF),
    ("schedule_free_sgd", MOST, SGD, schedule_free, SF | {"weights": "largest"}),
    ("schedule_free_sgd", EQUAL, SGD, schedule_free, SF | {"weights": "equal"}),
    ("schedule_free_sgd", Y, SGD, schedule_free, SF | {"at": "y"}),
    ("schedule_free_sgd", {"weight_decay_form": "coupled"}, SGD | {"weight_decay": WD}, schedule_free,
     SF | {"decay": "coupled"}),
    ("schedule_free_adamw", {}, ADAM | {"weight_decay": WD}, schedule_free, SFA | {"decay": "decoupled"}),
    ("schedule_free_adamw", Y, ADAM | {"weight_decay": WD}, schedule_free,
     SFA | {"decay": "decoupled", "at": "y"}),
    ("schedule_free_adamw", MOST | NONE, ADAM, schedule_free, SFA | {"weights": "largest"}),
    ("schedule_free_adamw", EQUAL | NONE, ADAM, schedule_free, SFA | {"weights": "equal"}),
    ("schedule_free_adamw", {"epsilon": "outside"} | NONE, ADAM, schedule_free, SFA | {"hat": False}),
    ("schedule_free_adamw", {"weight_decay_form": "coupled"}, ADAM | {"weight_decay": WD}, schedule_free,
     SFA | {"decay": "coupled"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "values", "loop", "settings"), CASES)
def test_a_loop_written_from_the_paper_gives_the_same_updates(name, options, values, loop, settings):
    assert_same_updates(trajectory(name, options, values), loop(**settings))


def test_ftrl_from_an_accumulator_that_is_not_zero():
    found = trajectory("ftrl", {}, F, initial={"initial_accumulator": 0.1})
    assert_same_updates(found, ftrl(**FTRL, start=0.1))


def test_ftrl_leaves_exact_zeros():
    found = np.array(list(trajectory("ftrl", {}, F | {"lambda1": 30.0})))
    assert (found[-1] == 0).any()
    assert (found[-1] != 0).any()


@pytest.mark.parametrize("begin", [0, 7])
def test_the_average_of_asgd_is_the_mean_of_the_points_after_its_start(begin):
    values = P | {"average_start": float(begin)}
    found = np.array(list(trajectory("asgd", {"step_size": "falling"}, values, result="theta_bar")))
    wanted = np.array(list(asgd(fall=True, begin=begin, result="average")))
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)


def test_step_size_of_averaged_sgd():
    """lr = 1, lambda = 0.1, after ten updates: lr/(1 + lambda lr t)^0.75, not lr/(1 + lambda lr t^0.75)."""
    module = step("asgd", step_size="falling")
    state = module.init(0.0)._replace(t=10)
    theta, _ = module.step(0.0, 1.0, state, lr=1.0, lambd=0.1, power=0.75)
    assert -theta == pytest.approx(0.5946035575, abs=1e-10)


def test_the_gradient_of_schedule_free_is_taken_between_average_and_z():
    for name, share in (("schedule_free_sgd", {"momentum": 0.8}), ("schedule_free_adamw", {"beta1": 0.8})):
        module = step(name)
        state = module.init(np.array([1.0]))._replace(z=np.array([2.0]))
        assert module.gradient_point(np.array([1.0]), state, **share) == pytest.approx(
            0.8 + 0.2 * 2, rel=1e-15
        )
        assert step(name, parameters="gradient_point").gradient_point(1.0, None) == 1.0


@pytest.mark.parametrize("name", ["schedule_free_sgd", "schedule_free_adamw"])
def test_a_warm_up_may_begin_at_zero(name):
    """A first step of size 0 has weight 0 in the average, and is no division by zero."""
    module = step(name)
    theta, state = module.step(START, np.ones(len(START)), module.init(START), lr=lambda t: 0.1 * t)
    assert (theta == START).all()
    theta, _ = module.step(theta, np.ones(len(START)), state, lr=lambda t: 0.1 * t)
    assert (theta != START).all()


GOLDEN = {
    "ftrl": [
        r"g_t &= \nabla f_t(\theta_{t-1})",
        r"n_t &= n_{t-1} + g_t^2",
        r"\sigma_t &= \frac{\sqrt{n_t} - \sqrt{n_{t-1}}}{\alpha}",
        r"z_t &= z_{t-1} + g_t - \sigma_t \theta_{t-1}",
        r"\theta_t &= - \frac{\mathrm{sign}(z_t) \max(0, \lvert z_t \rvert - \lambda_1)}"
        r"{\lambda_2 + \frac{\beta + \sqrt{n_t}}{\alpha}}",
    ],
    "madgrad": [
        r"\lambda_t &= \gamma \sqrt{t}",
        r"s_t &= s_{t-1} + \lambda_t g_t",
        r"\nu_t &= \nu_{t-1} + \lambda_t g_t^2",
        r"z_t &= x_{0,t} - \frac{s_t}{\sqrt[3]{\nu_t} + \epsilon}",
        r"\theta_t &= \beta \theta_{t-1} + (1 - \beta) z_t",
    ],
    "asgd": [
        r"\theta_t &= \theta_{t-1} - \gamma g_t",
        r"\bar{\theta}_t &= \bar{\theta}_{t-1} + \mu_t (\theta_t - \bar{\theta}_{t-1})",
    ],
    "schedule_free_sgd": [
        r"g_t &= \nabla f_t(\beta \theta_{t-1} + (1 - \beta) z_{t-1})",
        r"z_t &= z_{t-1} - \gamma g_t",
        r"\theta_t &= (1 - c_t) \theta_{t-1} + c_t z_t",
    ],
    "schedule_free_adamw": [
        r"g_t &= \nabla f_t(\beta_1 \theta_{t-1} + (1 - \beta_1) z_{t-1})",
        r"\gamma_t &= \gamma \sqrt{1 - \beta_2^t}",
        r"\theta_t &= (1 - c_t) \theta_{t-1} + c_t z_t",
    ],
}


@pytest.mark.parametrize("name", GOLDEN)
def test_default_dialect_is_the_papers(name):
    assert [line for line in lines(rule(name)) if line in GOLDEN[name]] == GOLDEN[name]
