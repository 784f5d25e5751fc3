"""Keras 3: instances, classes and functions, against plain loops; what is configured stays."""

import numpy as np
import pytest

from optverify.conformance.adapters import drive
from optverify.conformance.protocol import Unsupported
from tests.conformance.adapters.plain import adam, agree, by_hand, gd, momentum, run, start


@pytest.fixture
def keras(library):
    return library("keras")


def test_adam_has_epsilon_hat(keras):
    agree(run(lambda: keras.optimizers.Adam(0.5, epsilon=1e-3)), by_hand(adam, eps=1e-3, form="hat"))


def test_classes_and_instances(keras):
    agree(run(keras.optimizers.SGD), by_hand(gd))
    agree(run(keras.optimizers.SGD(0.5, momentum=0.9)), by_hand(momentum))
    agree(
        run(lambda: keras.optimizers.SGD(0.5, momentum=0.9, nesterov=True)), by_hand(momentum, nesterov=True)
    )


def test_what_is_configured_stays(keras):
    before = keras.config.floatx()
    run(keras.optimizers.Adam)
    run(keras.optimizers.Adam, dtype="float32")
    assert keras.config.floatx() == before


def test_names_states_and_missing_gradients(keras):
    box = drive(lambda: keras.optimizers.Adam(0.25), start())
    box.update([None, np.full((1, 2), 2.0)])
    assert np.array_equal(box.params()[0], start()[0])
    assert box.hyperparameters()["learning_rate"] == 0.25
    assert box.hyperparameters()["beta_1"] == 0.9
    assert box.state()["momentums"][1] == pytest.approx(np.full((1, 2), 0.2))
    with pytest.raises(Unsupported):
        box.update([None, None])
