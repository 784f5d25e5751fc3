"""Schedules of real libraries as black boxes."""

import functools
import math

import pytest

from optverify.conformance.adapters.schedules import as_schedule, schedule_adapters
from optverify.conformance.schedules.driving import record

STEP = [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001]


def rates(schedule, count=8, **settings):
    return record(as_schedule(schedule, **settings), count).rates.tolist()


def test_torch(library):
    schedulers = library("torch").optim.lr_scheduler
    for make in (
        lambda optimizer: schedulers.StepLR(optimizer, 3),
        functools.partial(schedulers.StepLR, step_size=3),
    ):
        assert rates(make) == pytest.approx(STEP)
    assert rates(functools.partial(schedulers.StepLR, step_size=3), lr=1.0) == pytest.approx(
        [10 * x for x in STEP]
    )
    found = record(as_schedule(lambda optimizer: schedulers.CosineAnnealingLR(optimizer, 5)), 12)
    assert not found.remarks  # what it says is what it uses, and resuming changes nothing
    plateau = functools.partial(schedulers.ReduceLROnPlateau, patience=2)
    assert rates(plateau, 5) == pytest.approx([0.1] * 4 + [0.01])


def test_transformers(library):
    module = library("transformers")
    library("torch")
    warm = functools.partial(module.get_linear_schedule_with_warmup, num_warmup_steps=2, num_training_steps=6)
    assert rates(warm, 7) == pytest.approx([0, 0.05, 0.1, 0.075, 0.05, 0.025, 0])
    assert schedule_adapters()["transformers"].fits(warm)
    assert rates(warm, 7, adapter="transformers") == rates(warm, 7)


def test_optax(library):
    optax = library("optax")
    wanted = [0.1 * (1 + math.cos(math.pi * t / 4)) / 2 for t in range(5)]
    assert rates(optax.cosine_decay_schedule(0.1, 4), 5) == pytest.approx(wanted, rel=1e-12)


def test_keras(library):
    keras = library("keras")
    decay = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5, staircase=True)
    assert rates(decay, 5) == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.025], rel=1e-12)


def test_what_is_of_no_library_stays_as_it_is():
    def mine(t):
        return 0.1 / (1 + t)

    assert as_schedule(mine) is mine
    with pytest.raises(ValueError, match="optax"):
        as_schedule(mine, "opax")
