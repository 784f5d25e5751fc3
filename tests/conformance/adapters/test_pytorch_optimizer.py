"""pytorch_optimizer against plain loops; it is told from torch itself, whose version is another."""

import pytest

from optverify.conformance.adapters import adapters, chosen
from tests.conformance.adapters.plain import agree, by_hand, lion, momentum, run, start


@pytest.fixture
def collection(library):
    return library("pytorch_optimizer", "pytorch-optimizer")


@pytest.mark.parametrize("foreach", [False, True])
def test_lion(collection, foreach):
    agree(run(lambda params: collection.Lion(params, foreach=foreach)), by_hand(lion))


def test_momentum(collection):
    agree(run(lambda params: collection.SGDW(params, momentum=0.9)), by_hand(momentum, lr_inside=False))


def test_it_is_not_torch(collection):
    assert chosen(collection.Lion, start()).name == "pytorch_optimizer"
    assert chosen(lambda params: collection.Lion(params, lr=1.0), start()).name == "pytorch_optimizer"
    assert adapters()["pytorch_optimizer"].library == "pytorch-optimizer"
