"""tinygrad against plain loops; what it keeps is float32, whatever the parameters are."""

import numpy as np
import pytest

from optverify.conformance.adapters import drive
from tests.conformance.adapters.plain import adam, by_hand, gradients, momentum, run, start


@pytest.fixture
def optim(library):
    return library("tinygrad.nn.optim", "tinygrad")


@pytest.mark.parametrize("dtype", ["float32"])
def test_adam_and_sgd(optim, dtype):
    rows, rates = gradients(4), [0.1, 0.1, 0.02, 0.02]
    found = run(optim.Adam, dtype=dtype, rows=rows, rates=rates)
    wanted = by_hand(adam, rates=[*rates, *[0.1] * 8])[:4]
    np.testing.assert_allclose(found[-1][0], wanted[-1][0], rtol=1e-5)
    found = run(lambda params: optim.SGD(params, momentum=0.9), dtype=dtype, rows=rows, rates=rates)
    wanted = by_hand(momentum, rates=[*rates, *[0.1] * 8], lr_inside=False)[:4]
    np.testing.assert_allclose(found[-1][0], wanted[-1][0], rtol=1e-5)


def test_names_and_states(optim):
    box = drive(lambda params: optim.Adam(params, lr=0.25), [p.astype(np.float32) for p in start()])
    assert box.hyperparameters() == {"lr": 0.25, "b1": 0.9, "b2": 0.999, "eps": 1e-8, "wd": 0.0}
    box.update([np.full_like(p, 2.0, dtype=np.float32) for p in start()])
    assert box.state()["m"][1] == pytest.approx(np.full((1, 2), 0.2))
