"""MLX against plain loops: in float64 its learning rate is a float32 number."""

import numpy as np
import pytest

from optverify.conformance.adapters import drive
from tests.conformance.adapters.plain import RATES, adam, agree, by_hand, lion, momentum, run, start

HERE = [float(np.float32(r)) for r in RATES]


@pytest.fixture
def optimizers(library):
    return library("mlx.optimizers", "mlx[cpu]")


def test_with_its_learning_rate_in_float32_it_is_exact(optimizers):
    adam_without = {"rates": HERE, "correct": False, "eps": 1e-3}
    agree(run(lambda: optimizers.Adam(0.5, eps=1e-3)), by_hand(adam, **adam_without))
    agree(run(lambda: optimizers.SGD(0.5, momentum=0.9)), by_hand(momentum, rates=HERE, lr_inside=False))
    agree(run(lambda: optimizers.Lion(0.5)), by_hand(lion, rates=HERE))


def test_the_departure_in_a_float64_run(optimizers):
    with pytest.raises(AssertionError):
        agree(run(lambda: optimizers.SGD(0.5, momentum=0.9)), by_hand(momentum, lr_inside=False))


def test_names_and_states(optimizers):
    box = drive(optimizers.Adam(0.25), [p.astype(np.float32) for p in start()])
    assert box.hyperparameters() == {
        "learning_rate": 0.25, "betas[0]": 0.9, "betas[1]": 0.999, "eps": 1e-8,
    }  # fmt: skip
    box.update([np.full_like(p, 2.0, dtype=np.float32) for p in start()])
    assert box.state()["m"][1] == pytest.approx(np.full((1, 2), 0.2))
