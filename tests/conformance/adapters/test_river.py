"""river on features and on arrays, against plain loops."""

import numpy as np
import pytest

from optverify.conformance.adapters import drive
from optverify.conformance.protocol import Unsupported
from tests.conformance.adapters.plain import adagrad, adam, agree, by_hand, gd, momentum, rmsprop, run, start


@pytest.fixture
def optim(library):
    return library("river.optim", "river")


def test_on_features(optim):
    agree(run(optim.Adam), by_hand(adam, form="hat"))
    agree(run(lambda: optim.SGD(0.5)), by_hand(gd))
    agree(run(optim.Momentum(0.5)), by_hand(momentum))
    agree(run(optim.RMSProp), by_hand(rmsprop, inside=True))
    agree(run(optim.AdaGrad), by_hand(adagrad, inside=True))


def test_on_arrays(optim):
    agree(run(optim.Adam, "river_vector"), by_hand(adam, form="hat"))
    agree(run(optim.RMSProp, "river_vector"), by_hand(rmsprop, inside=True))


def test_a_look_ahead_shows_where_the_gradient_is_wanted(optim):
    box = drive(lambda: optim.NesterovMomentum(0.1, 0.9), [np.zeros(1)])
    assert box.points()[0] == pytest.approx([0.0])
    box.update([np.ones(1)])
    assert box.params()[0] == pytest.approx([-0.1])
    assert box.points()[0] == pytest.approx([-0.19])


def test_names_missing_gradients_and_refusals(optim):
    box = drive(lambda: optim.Adam(0.25), start())
    assert box.hyperparameters() == {"lr": 0.25, "beta_1": 0.9, "beta_2": 0.999, "eps": 1e-8}
    box.update([None, np.ones((1, 2))])
    assert np.array_equal(box.params()[0], start()[0])
    with pytest.raises(Unsupported, match="learning rate"):
        drive(optim.AdaDelta, start()).set_lr(0.1)
    with pytest.raises(Unsupported, match="float64"):
        drive(optim.Adam, [np.zeros(2, np.float32)])
