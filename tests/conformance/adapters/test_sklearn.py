"""scikit-learn's two optimizers against plain loops."""

import pytest

from optverify.conformance.adapters import drive
from optverify.conformance.protocol import Unsupported
from tests.conformance.adapters.plain import adam, agree, by_hand, momentum, run, start


@pytest.fixture
def optimizers(library):
    return library("sklearn.neural_network._stochastic_optimizers", "scikit-learn")


def test_adam_has_epsilon_hat(optimizers):
    agree(run(optimizers.AdamOptimizer), by_hand(adam, form="hat"))
    agree(
        run(lambda params: optimizers.AdamOptimizer(params, epsilon=1e-3)),
        by_hand(adam, form="hat", eps=1e-3),
    )


def test_sgd(optimizers):
    agree(run(lambda params: optimizers.SGDOptimizer(params, nesterov=False)), by_hand(momentum))
    agree(run(optimizers.SGDOptimizer, "sklearn"), by_hand(momentum, nesterov=True))


def test_names_states_and_refusals(optimizers):
    box = drive(optimizers.AdamOptimizer, start())
    assert box.hyperparameters() == {
        "learning_rate_init": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8,
    }  # fmt: skip
    assert set(box.state()) == {"ms", "vs"}
    with pytest.raises(Unsupported):
        box.update([None, None])
