"""jax.example_libraries.optimizers against plain loops."""

import numpy as np
import pytest

from optverify.conformance.adapters import drive
from optverify.conformance.protocol import Unsupported
from tests.conformance.adapters.plain import adam, agree, by_hand, gd, momentum, rmsprop, run, start


@pytest.fixture
def optimizers(library):
    return library("jax.example_libraries.optimizers", "jax")


def test_the_rate_can_be_changed_where_make_takes_it(optimizers):
    agree(run(optimizers.adam), by_hand(adam))
    agree(run(optimizers.sgd), by_hand(gd))
    agree(run(lambda step_size: optimizers.momentum(step_size, 0.9)), by_hand(momentum, lr_inside=False))
    agree(run(lambda step_size: optimizers.rmsprop(step_size, 0.9)), by_hand(rmsprop, inside=True))


def test_three_functions_have_a_rate_inside(optimizers):
    agree(run(optimizers.adam(0.1), rates=None), by_hand(adam, rates=None))
    agree(run(lambda: optimizers.adam(0.1), rates=None), by_hand(adam, rates=None))
    with pytest.raises(Unsupported, match="step_size"):
        drive(optimizers.adam(0.1), start()).set_lr(0.2)


def test_states_are_numbered(optimizers):
    box = drive(lambda step_size=0.25: optimizers.adam(step_size), start())
    box.update([np.full_like(p, 2.0) for p in start()])
    assert box.hyperparameters() == {"step_size": 0.25}
    assert box.state()["state1"][1] == pytest.approx(np.full((1, 2), 0.2))
    with pytest.raises(Unsupported):
        box.update([None, None])
