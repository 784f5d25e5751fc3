"""Functions and objects of no library, in the forms that people write."""

import functools

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad as gradient_of

from optverify.conformance.adapters import adapters, chosen, drive
from optverify.conformance.protocol import Unsupported
from tests.conformance.adapters.plain import RATES, agree, by_hand, gd, gradients, momentum, run, start

ONE = [np.array([1.0, -2.0])]


def descend(theta, grad, lr=0.1):
    return theta - lr * grad


def stateful(mu=0.9):
    state = {"v": 0.0, "t": 0}

    def step(theta, grad):
        state["v"] = mu * state["v"] + 0.1 * grad
        state["t"] += 1
        return theta - state["v"]

    return step


def of_lists(params, lr=0.1):
    v = [np.zeros_like(p) for p in params]

    def step(params, grads):
        for i, g in enumerate(grads):
            v[i] = 0.9 * v[i] + lr * g
        return [p - u for p, u in zip(params, v, strict=True)]

    return step


class Object:
    """update(params, grads) in place."""

    def __init__(self, params, lr=0.1):
        self.lr, self.t = lr, 0
        self.v = [np.zeros_like(p) for p in params]

    def update(self, params, grads):
        self.t += 1
        for v, p, g in zip(self.v, params, grads, strict=True):
            v[...] = 0.9 * v + self.lr * g
            p -= v


class Swapped(Object):
    """apply_gradients(grads, params), which returns new ones."""

    update = None

    def apply_gradients(self, grads, params):
        return [p - self.lr * g for p, g in zip(params, grads, strict=True)]


class Stepping:
    """step() over p.grad, as micro-libraries have it."""

    def __init__(self, params, lr=0.1):
        self.params, self.lr = params, lr

    def step(self):
        for p in self.params:
            p.data -= self.lr * p.grad


class Rebinding:
    """step(grads) that makes new arrays."""

    def __init__(self, params, lr=0.1):
        self.params, self.lr = list(params), lr

    def step(self, grads):
        self.params = [p - self.lr * g for p, g in zip(self.params, grads, strict=True)]


class OfLoss:
    """step(loss, theta), which differentiates by itself, at a look-ahead."""

    def __init__(self, lr=0.1, mu=0.9):
        self.lr, self.mu, self.v = lr, mu, 0.0

    def step(self, loss, theta):
        g = gradient_of(lambda x: anp.sum(loss(x)))(theta + self.mu * self.v)
        self.v = self.mu * self.v - self.lr * g
        return theta + self.v


def test_a_function_is_driven_for_one_array():
    box = drive(descend, ONE)
    box.update([np.array([1.0, 1.0])])
    assert box.params()[0] == pytest.approx([0.9, -2.1])
    box.set_lr(0.5)
    box.update([np.array([1.0, 1.0])])
    assert box.params()[0] == pytest.approx([0.4, -2.6])
    assert box.hyperparameters() == {"lr": 0.1}
    with pytest.raises(Unsupported, match="one array"):
        drive(descend, start())
    agree(run(lambda: descend), by_hand(gd))  # a step of its own for each


def test_a_function_made_anew_has_a_state_of_its_own():
    agree(run(stateful, rates=None), by_hand(momentum, rates=None))
    box = drive(stateful, start())
    box.update([np.ones_like(p) for p in start()])
    assert box.hyperparameters() == {"mu": 0.9, "t": 0.0}
    assert box.state()["v"][1] == pytest.approx(np.full((1, 2), 0.1))
    assert box.state()["t"] == [1, 1]
    with pytest.raises(Unsupported, match="set_lr"):
        box.set_lr(0.1)


def test_make_of_params_steps_over_lists():
    agree(run(of_lists, rates=None), by_hand(momentum, rates=None))


def test_make_of_params_that_steps_over_arrays_is_driven_for_one():
    def make(params):
        return lambda theta, grad: theta - 0.1 * np.sign(grad)

    box = drive(make, ONE)
    box.update([np.array([3.0, -3.0])])
    assert box.params()[0] == pytest.approx([0.9, -1.9])
    with pytest.raises(Unsupported, match="one array at a time"):
        drive(make, start())


@pytest.mark.parametrize("make", [Swapped, Stepping, Rebinding, lambda params: Stepping(params, 0.2)])
def test_objects(make):
    assert chosen(make, start()).name == "object"
    agree(run(make), by_hand(gd))


def test_an_object_in_place_and_what_it_shows():
    agree(run(Object), by_hand(momentum))
    agree(run(functools.partial(Object, lr=3.0)), by_hand(momentum))
    box = drive(Object, start())
    box.update([np.ones_like(p) for p in start()])
    assert box.hyperparameters() == {"lr": 0.1, "t": 0.0}
    assert box.state()["v"][0] == pytest.approx([0.1] * 3)
    assert box.state()["t"] == [1]


def test_an_object_that_takes_a_loss_and_looks_ahead():
    box = drive(OfLoss, ONE)
    for g in ([1.0, 1.0], [2.0, -1.0]):
        box.update([np.array(g)])
    assert box.params()[0] == pytest.approx([1 - 0.1 - 0.09 - 0.2, -2 - 0.1 - 0.09 + 0.1])
    ahead = box.points()[0] - box.params()[0]
    assert ahead == pytest.approx([0.9 * -0.29, 0.9 * 0.01])
    agree(run(OfLoss), by_hand(momentum))


def test_gradients_that_are_written_into_are_noticed_and_not_shared():
    def make():
        def step(theta, grad):
            grad *= 2
            return theta - 0.1 * grad

        return step

    box, given = drive(make, ONE), np.ones(2)
    box.update([given])
    assert box.spoiled()
    assert given.tolist() == [1, 1]


def test_a_missing_gradient():
    box = drive(stateful, start())
    box.update([None, np.ones((1, 2))])
    assert np.array_equal(box.params()[0], start()[0])
    with pytest.raises(Unsupported, match="gradient for every parameter"):
        drive(Object, start()).update([None, np.ones((1, 2))])


def test_a_fault_of_the_users_code_is_raised_in_the_update_not_before():
    def make():
        t = [0]

        def step(theta, grad):
            step_size = 0.1 / (1 - 0.9 ** t[0])
            t[0] += 1
            return theta - step_size * grad

        return step

    box = drive(make, ONE)
    with pytest.raises(ZeroDivisionError):
        box.update([np.ones(2)])


@pytest.mark.parametrize("thing", [3, None, lambda: 3, lambda params: "x", lambda: lambda: None])
def test_what_cannot_be_driven_is_refused_with_the_way_out(thing):
    with pytest.raises(TypeError, match='adapter="callable"'):
        drive(thing, ONE)


def test_an_unknown_adapter_is_named_with_the_nearest():
    with pytest.raises(ValueError, match="optax"):
        drive(descend, ONE, "opax")
    named = "torch optax keras sklearn autograd jax river pennylane tinygrad mlx pytorch_optimizer process"
    assert {*named.split(), "callable", "object", "optverify"} <= adapters().keys()


def test_groups_are_refused_where_there_are_none():
    with pytest.raises(Unsupported, match="groups"):
        drive(stateful, start(), groups=[0.1, 0.2])


def test_scalars_and_float32():
    box = drive(descend, [np.array(1.0)])
    box.update([np.array(2.0)])
    assert box.params()[0].shape == ()
    assert run(Object, dtype="float32")[-1][0].dtype == np.float32


# ---- dictionaries, and memory that is handed round ---------------------------------------------------------


class Named:
    """Momentum over dictionaries, as homework has it."""

    def __init__(self, params, lr=0.1, momentum=0.8):
        self.lr, self.momentum = lr, momentum
        self.v = {key: np.zeros_like(p) for key, p in params.items()}

    def update(self, params, grads):
        for key in params.keys():  # noqa: SIM118 -- what a list does not have
            if key in grads:
                self.v[key] = self.momentum * self.v[key] - self.lr * grads[key]
                params[key] += self.v[key]


def test_dictionaries():
    agree(run(Named), by_hand(momentum, mu=0.8))
    box = drive(Named, start())
    assert box.hyperparameters() == {"lr": 0.1, "momentum": 0.8}
    box.update([np.ones_like(start()[0]), None])
    assert np.array_equal(box.params()[1], start()[1])
    assert np.array_equal(box.state()["v"][1], np.zeros_like(start()[1]))


def handed_round(w, dw, config=None):
    """Momentum that hands its memory round in config."""
    config = {} if config is None else config
    config.setdefault("learning_rate", 0.1)
    config.setdefault("momentum", 0.8)
    config["t"] = config.get("t", 0) + 1
    config["velocity"] = config["momentum"] * config.get("velocity", 0) - config["learning_rate"] * dw
    return w + config["velocity"], config


def test_memory_is_handed_back():
    box, rows = drive(handed_round, start()[:1]), []
    for k, grads in enumerate(gradients()):
        if k:  # before the first update there is no memory
            box.set_lr(RATES[k])
        box.update(grads[:1])
        rows.append(box.params())
    for found, wanted in zip(rows, by_hand(momentum, mu=0.8), strict=True):
        assert np.allclose(found[0], wanted[0], rtol=1e-13, atol=1e-13)
    assert box.hyperparameters() == {"learning_rate": 0.1, "momentum": 0.8}


def test_memory_that_it_does_not_take_back_is_refused_in_a_sentence():
    box = drive(lambda theta, grad: (theta - 0.1 * grad, {"t": 1}), [np.ones(2)])
    with pytest.raises(TypeError, match=r"it returns a tuple \(ndarray, dict\): let it return theta alone"):
        box.update([np.ones(2)])
