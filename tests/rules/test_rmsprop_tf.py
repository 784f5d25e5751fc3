"""The RMSProp of TensorFlow is a dialect: a mean square that starts at 1, epsilon under the root."""

import numpy as np
import pytest

from optverify.rules import rule

from .hostile import START, assert_same_updates, lines
from .loops import WEIGHT_DECAY, generated, written

TENSORFLOW = {"epsilon": "inside", "buffer": "lr_inside"}
VALUES = {"rho": 0.9, "momentum": 0.6, "eps": 1e-2, "initial_accumulator": 1.0}


def rmsprop_tf(memory, t, lr, g):
    """The kernel of TensorFlow 1: ms from ones, mom with the step size in it."""
    memory["ms"] = memory.get("ms", np.ones_like(START)) * 0.9 + g * g * (1 - 0.9)
    memory["mom"] = memory.get("mom", 0.0) * 0.6 + lr * g / np.sqrt(memory["ms"] + 1e-2)
    return memory["mom"]


@pytest.mark.parametrize("form", ["none", "coupled", "decoupled"])
def test_rmsprop_tf_is_a_dialect_of_rmsprop(form):
    """Decay as those who ported it have it, coupled or decoupled; TensorFlow itself has none."""
    options = {**TENSORFLOW, "weight_decay_form": form}
    found = generated("rmsprop", options, VALUES | {"weight_decay": WEIGHT_DECAY})
    assert_same_updates(found, written(rmsprop_tf, {}, form))


def test_its_equations():
    assert lines(rule("rmsprop", **TENSORFLOW))[1:] == [
        r"v_t &= \rho v_{t-1} + (1 - \rho) g_t^2",
        r"b_t &= \mu b_{t-1} + \eta\,\frac{g_t}{\sqrt{v_t + \epsilon}}",
        r"\theta_t &= \theta_{t-1} - b_t",
    ]


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_where_the_mean_square_starts_changes_the_first_steps(start):
    """From 1 the first step on g = 1e-3 is lr g, from 0 it is lr/sqrt(1 - rho)."""
    values = {"rho": 0.9, "momentum": 0.0, "eps": 0.0, "initial_accumulator": start}
    first = next(generated("rmsprop", TENSORFLOW, values, np.full((50, 7), 1e-3)))
    wanted = 0.05 * 1e-3 / np.sqrt(0.9 * start + 0.1 * 1e-6)
    np.testing.assert_allclose(START - first, wanted, rtol=1e-9)
