"""PennyLane, whose optimizers differentiate a loss themselves, against plain loops."""

import numpy as np
import pytest

from optverify.conformance.adapters import drive
from optverify.conformance.protocol import Unsupported
from tests.conformance.adapters.plain import adagrad, adam, agree, by_hand, gd, momentum, rmsprop, run, start


@pytest.fixture
def qml(library):
    return library("pennylane")


def test_against_plain_loops(qml):
    agree(run(qml.GradientDescentOptimizer), by_hand(gd))
    agree(run(qml.AdamOptimizer), by_hand(adam, b2=0.99, form="hat"))
    agree(run(lambda: qml.MomentumOptimizer(0.5)), by_hand(momentum))
    agree(run(qml.RMSPropOptimizer()), by_hand(rmsprop, inside=True))
    agree(run(qml.AdagradOptimizer, "pennylane"), by_hand(adagrad, inside=True))


def test_one_parameter(qml):
    box = drive(qml.GradientDescentOptimizer, [np.array([1.0, 2.0])])
    box.update([np.array([1.0, -1.0])])
    assert box.params()[0] == pytest.approx([0.99, 2.01])


def test_a_look_ahead_shows_where_the_gradient_is_wanted(qml):
    box = drive(lambda: qml.NesterovMomentumOptimizer(0.1, 0.9), [np.zeros(1)])
    box.update([np.ones(1)])
    assert box.params()[0] == pytest.approx([-0.1])
    assert box.points()[0] == pytest.approx([-0.19])


def test_names_states_and_refusals(qml):
    box = drive(qml.AdamOptimizer, start())
    assert box.hyperparameters() == {"stepsize": 0.01, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8}
    box.update([np.full_like(p, 2.0) for p in start()])
    assert box.state()["fm"][0] == pytest.approx([0.2, 0.2, 0.2])
    with pytest.raises(Unsupported):
        box.update([None, None])
