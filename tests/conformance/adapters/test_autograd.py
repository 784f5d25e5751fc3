"""autograd.misc.optimizers, whose loops run in a thread, against plain loops."""

import functools
import threading

import numpy as np
import pytest

from optverify.conformance.adapters import drive
from optverify.conformance.protocol import Unsupported
from tests.conformance.adapters.plain import adam, agree, by_hand, momentum, rmsprop, run, start


@pytest.fixture
def optimizers(library):
    return library("autograd.misc.optimizers")


def test_the_three(optimizers):
    run_at = functools.partial(run, rates=None)
    agree(run_at(functools.partial(optimizers.adam, step_size=0.1)), by_hand(adam, rates=None))
    agree(run_at(lambda: optimizers.rmsprop), by_hand(rmsprop, rates=None, first=1.0))
    agree(run_at(optimizers.sgd), by_hand(momentum, rates=None, weight=0.1))


def test_more_updates_than_the_loop_makes_by_default(optimizers):
    box = drive(optimizers.adam, [np.zeros(1)])
    for _ in range(150):
        box.update([np.ones(1)])
    assert box.params()[0] == pytest.approx([-0.15], rel=1e-6)
    box.close()


def test_a_loop_of_ones_own_by_name(optimizers):
    def descend(grad, x, rate=0.1):
        for i in range(1000):
            x = [p - rate * g for p, g in zip(x, grad(x, i), strict=True)]

    box = drive(descend, [np.zeros(2)], "autograd")
    box.update([np.array([1.0, -2.0])])
    assert box.params()[0] == pytest.approx([-0.1, 0.2])
    assert box.hyperparameters() == {"rate": 0.1}


def test_what_a_loop_raises_is_raised(optimizers):
    def fails(grad, x):
        grad(x, 0)
        raise ZeroDivisionError("float division by zero")

    box = drive(fails, [np.zeros(2)], "autograd")
    with pytest.raises(ZeroDivisionError):
        box.update([np.ones(2)])


def test_threads_end_with_the_box_and_rates_stay(optimizers):
    before = threading.active_count()
    box = drive(optimizers.adam, start())
    assert box.hyperparameters() == {"step_size": 0.001, "b1": 0.9, "b2": 0.999, "eps": 1e-8}
    with pytest.raises(Unsupported):
        box.set_lr(0.2)
    box.close()
    assert threading.active_count() == before
