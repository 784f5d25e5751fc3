"""optax: transformations, functions that make them, a learning rate from outside, against plain loops."""

import functools

import numpy as np
import pytest

from optverify.conformance.adapters import drive
from optverify.conformance.protocol import Unsupported
from tests.conformance.adapters.plain import adam, agree, by_hand, momentum, run, start


@pytest.fixture
def optax(library):
    return library("optax")


def test_the_rate_can_be_changed_where_make_takes_it(optax):
    agree(run(optax.adam), by_hand(adam))
    agree(run(functools.partial(optax.adam, eps=1e-3)), by_hand(adam, eps=1e-3))
    agree(run(lambda learning_rate: optax.adam(learning_rate, 0.9)), by_hand(adam))
    agree(run(lambda: optax.inject_hyperparams(optax.adam)(learning_rate=0.5)), by_hand(adam))
    agree(
        run(lambda learning_rate: optax.sgd(learning_rate, 0.9), "optax"), by_hand(momentum, lr_inside=False)
    )


def test_a_rate_inside_cannot_be_changed(optax):
    agree(run(lambda: optax.adam(0.1), rates=None), by_hand(adam, rates=None))
    agree(run(optax.adam(0.1), rates=None), by_hand(adam, rates=None))
    with pytest.raises(Unsupported, match="lambda learning_rate"):
        drive(optax.adam(0.1), start()).set_lr(0.2)


def test_boxes_of_one_make_do_not_share_a_rate_or_a_state(optax):
    one, other = drive(optax.adam, start()), drive(optax.adam, start())
    one.set_lr(0.5)
    for box in (one, other):
        box.update([np.ones_like(p) for p in start()])
    moved = [float((start()[0] - box.params()[0])[0]) for box in (one, other)]
    assert moved == pytest.approx([0.5, 1e-3])


def test_float32_stays_float32(optax):
    run(optax.adam, dtype="float32")
    import jax

    assert not jax.config.jax_enable_x64  # what the user has set is as it was


def test_names_states_and_refusals(optax):
    box = drive(functools.partial(optax.adam, learning_rate=0.25), start())
    box.update([np.full_like(p, 2.0) for p in start()])
    assert box.hyperparameters() == {"learning_rate": 0.25}
    assert box.state()["mu"][0] == pytest.approx([0.2, 0.2, 0.2])
    assert box.state()["count"] == [1]
    with pytest.raises(Unsupported, match="every parameter"):
        box.update([None, np.ones((1, 2))])


def test_a_loss_is_handed_on(optax):
    box = drive(optax.polyak_sgd, [np.array([1.0])])
    box.update([np.array([2.0])], loss=0.5)
    assert box.params()[0] == pytest.approx([1 - 0.5 / 4 * 2])
