"""Against loops written from the papers, a number at a time, with nothing but Python's floats."""

import math

import numpy as np
import pytest

from optverify.backends import step

GRADIENTS = [0.3, -1.7, 0.0, 2.5, 2.5, -0.04, 1e-3, 60.0]
RATES = [0.1, 0.1, 0.1, 0.02, 0.02, 0.3, 0.3, 0.1]
START = 1.5


def gd(x, rates, gradients):
    for lr, g in zip(rates, gradients, strict=True):
        x = x - lr * g
        yield x


def momentum(x, rates, gradients, *, mu, outside=False, weight=1.0, first=False):
    """Sutskever et al. (2013), equations (1) and (2); lr outside and the first buffer as in PyTorch."""
    v = 0.0
    for t, (lr, g) in enumerate(zip(rates, gradients, strict=True)):
        new = 1.0 if first and t == 0 else weight
        if outside:
            v = mu * v + new * g
            x = x - lr * v
        else:
            v = mu * v - lr * new * g
            x = x + v
        yield x


def nesterov(x, rates, gradients, *, mu):
    """Sutskever et al. (2013), equations (3) and (4), the gradients given where they are asked for."""
    v = 0.0
    for lr, g in zip(rates, gradients, strict=True):
        v = mu * v - lr * g
        x = x + v
        yield x


def rewritten(x, rates, gradients, *, mu, outside=False):
    """Bengio et al. (2013), equation (7): x + mu v_t - lr g; outside: PyTorch's x - lr (g + mu b)."""
    v = 0.0
    for lr, g in zip(rates, gradients, strict=True):
        if outside:
            v = mu * v + g
            x = x - lr * (g + mu * v)
        else:
            v = mu * v - lr * g
            x = x + mu * v - lr * g
        yield x


def adagrad(x, rates, gradients, *, eps, start=0.0, inside=False, decay=0.0):
    """Duchi et al. (2011), Figure 1, diagonal."""
    total = start
    for t, (lr, g) in enumerate(zip(rates, gradients, strict=True)):
        total += g * g
        root = math.sqrt(total + eps) if inside else math.sqrt(total) + eps
        x = x - lr / (1 + t * decay) * g / root
        yield x


def rmsprop(
    x, rates, gradients, *, rho, eps, start=0.0, inside=False, centered=False, mu=None, outside=False
):
    """Tieleman and Hinton (2012); Graves (2013), equations (38) to (41)."""
    v, mean, buffer = start, 0.0, 0.0
    for lr, g in zip(rates, gradients, strict=True):
        v = rho * v + (1 - rho) * g * g
        mean = rho * mean + (1 - rho) * g
        spread = v - mean * mean if centered else v
        move = g / (math.sqrt(spread + eps) if inside else math.sqrt(spread) + eps)
        if mu is None:
            x = x - lr * move
        elif outside:
            buffer = mu * buffer + move
            x = x - lr * buffer
        else:
            buffer = mu * buffer + lr * move
            x = x - buffer
        yield x


def adam(x, rates, gradients, *, form="outside", correct="both", decay=None, ams=None):
    """Kingma and Ba (2015), Algorithm 1 and the end of section 2; Reddi et al.; Loshchilov and Hutter."""
    m = v = largest = 0.0
    b1, b2, eps, wd = 0.8, 0.95, 1e-2, 0.4
    for t, (lr, gradient) in enumerate(zip(rates, gradients, strict=True), 1):
        g = gradient + wd * x if decay == "coupled" else gradient
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        c1 = 1 - b1**t if correct in ("both", "first") else 1.0
        c2 = 1 - b2**t if correct in ("both", "second") else 1.0
        second = v / c2
        if ams == "v":
            largest = max(largest, v)
            second = largest / c2
        elif ams == "v_hat":
            largest = max(largest, second)
            second = largest
        if form == "hat":
            move = lr * math.sqrt(c2) / c1 * m / (math.sqrt(second * c2) + eps)
        elif form == "inside":
            move = lr * (m / c1) / math.sqrt(second + eps)
        else:
            move = lr * (m / c1) / (math.sqrt(second) + eps)
        if decay == "decoupled":
            x = x - lr * wd * x - move
        elif decay == "decoupled_without_lr":
            x = x - wd * x - move
        elif decay == "after_step":
            x = x - move
            x = x - lr * wd * x
        else:
            x = x - move
        yield x


OUTSIDE, GRADIENT = {"lr_placement": "outside"}, {"first_buffer": "gradient"}
INSIDE, HAT, DAMPENED = {"epsilon": "inside"}, {"epsilon": "hat"}, {"form": "dampened"}
M = {"momentum": 0.7}
MD = M | {"dampening": 0.3}
R = {"rho": 0.85, "eps": 1e-2}
E = {"eps": 1e-2}
A = {"beta1": 0.8, "beta2": 0.95, "eps": 1e-2}
AW = A | {"weight_decay": 0.4}

CASES = [  # rule, options, hyperparameters; the loop and its settings
    ("gd", {}, {}, gd, {}),
    ("momentum", {}, M, momentum, {"mu": 0.7}),
    ("momentum", OUTSIDE, M, momentum, {"mu": 0.7, "outside": True}),
    ("momentum", {"form": "ema"}, M, momentum, {"mu": 0.7, "weight": 1 - 0.7}),
    ("momentum", {"form": "ema"} | OUTSIDE, M, momentum, {"mu": 0.7, "weight": 1 - 0.7, "outside": True}),
    ("momentum", DAMPENED, MD, momentum, {"mu": 0.7, "weight": 0.7}),
    ("momentum", DAMPENED | OUTSIDE | GRADIENT, MD, momentum,
     {"mu": 0.7, "weight": 0.7, "outside": True, "first": True}),
    ("nesterov", {}, M, nesterov, {"mu": 0.7}),
    ("nesterov", {"nesterov": "rewritten"}, M, rewritten, {"mu": 0.7}),
    ("nesterov", {"nesterov": "rewritten"} | OUTSIDE, M, rewritten, {"mu": 0.7, "outside": True}),
    ("adagrad", {}, E, adagrad, E),
    ("adagrad", INSIDE, E, adagrad, E | {"inside": True}),
    ("adagrad", {}, E | {"initial_accumulator": 0.2}, adagrad, E | {"start": 0.2}),
    ("adagrad", {"lr_schedule": "inverse_time"}, E | {"lr_decay": 0.5}, adagrad, E | {"decay": 0.5}),
    ("rmsprop", {}, R, rmsprop, R),
    ("rmsprop", INSIDE, R | {"initial_accumulator": 1.0}, rmsprop, R | {"start": 1.0, "inside": True}),
    ("rmsprop", {"centered": True}, R, rmsprop, R | {"centered": True}),
    ("rmsprop", {"buffer": "lr_inside"}, R | M, rmsprop, R | {"mu": 0.7}),
    ("rmsprop", {"buffer": "lr_outside", "centered": True} | INSIDE, R | M, rmsprop,
     R | {"mu": 0.7, "outside": True, "centered": True, "inside": True}),
    ("adam", {}, A, adam, {}),
    ("adam", HAT, A, adam, {"form": "hat"}),
    ("adam", INSIDE, A, adam, {"form": "inside"}),
    *(("adam", {"bias_correction": c}, A, adam, {"correct": c}) for c in ("none", "first", "second")),
    *(("adam", HAT | {"bias_correction": c}, A, adam, {"form": "hat", "correct": c})
      for c in ("none", "first", "second")),
    *(("adam", {"weight_decay_form": d}, AW, adam, {"decay": d})
      for d in ("coupled", "decoupled", "decoupled_without_lr", "after_step")),
    *(("adam", {"amsgrad": a}, A, adam, {"ams": a}) for a in ("v", "v_hat")),
    ("adam", HAT | {"amsgrad": "v"}, A, adam, {"ams": "v", "form": "hat"}),
]  # fmt: skip


def trajectory(name, options, values, gradients):
    """Theta after each update of one number."""
    module = step(name, **options)
    initial = {k: v for k, v in values.items() if k == "initial_accumulator"}
    given = {k: v for k, v in values.items() if k != "initial_accumulator"}
    theta, state = START, module.init(START, **initial)
    for lr, g in zip(RATES, gradients, strict=True):
        theta, state = module.step(theta, g, state, lr=lr, **given)
        yield float(theta)


@pytest.mark.parametrize(("name", "options", "values", "loop", "settings"), CASES)
def test_a_loop_written_from_the_paper_gives_the_same_updates(name, options, values, loop, settings):
    found = list(trajectory(name, options, values, GRADIENTS))
    expected = list(loop(START, RATES, GRADIENTS, **settings))
    updates = np.diff([START, *found]) / RATES
    wanted = np.diff([START, *expected]) / RATES
    np.testing.assert_allclose(updates, wanted, rtol=1e-12, atol=8 * 2.0**-52 / min(RATES))


@pytest.mark.parametrize("name", ["gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"])
def test_maximizing_is_minimizing_with_the_gradient_turned_round(name):
    up = list(trajectory(name, {"maximize": True}, {}, GRADIENTS))
    down = list(trajectory(name, {}, {}, [-g for g in GRADIENTS]))
    assert up == down


@pytest.mark.parametrize("name", ["gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"])
@pytest.mark.parametrize("form", ["coupled", "decoupled", "decoupled_without_lr", "after_step"])
def test_maximizing_does_not_turn_the_weight_decay_round(name, form):
    decay = {"weight_decay": 0.4}
    options = {"weight_decay_form": form}
    up = list(trajectory(name, options | {"maximize": True}, decay, GRADIENTS))
    down = list(trajectory(name, options, decay, [-g for g in GRADIENTS]))
    assert up == down


def test_the_look_ahead_point_is_where_the_velocity_is_about_to_carry_theta():
    for options, expected in (({}, 1.0 + 0.7 * 0.5), ({"lr_placement": "outside"}, 1.0 - 0.1 * 0.7 * 0.5)):
        module = step("nesterov", **options)
        state = module.init(1.0)._replace(v=np.array(0.5))
        given = {"momentum": 0.7} | ({"lr": 0.1} if options else {})
        assert module.gradient_point(1.0, state, **given) == pytest.approx(expected, rel=1e-15)
    assert step("adam").gradient_point(1.0, None) == 1.0
