"""What boxes call their hyperparameters."""

import pytest

import optverify as ov
from optverify.conformance.names import ours


@pytest.mark.parametrize(
    ("rule", "theirs", "like", "found"),
    [
        ("adam", {"lr": 0.1, "betas[0]": 0.8, "betas[1]": 0.9, "eps": 1e-3}, None,
         {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3}),
        ("adam", {"learning_rate": 0.1, "beta_1": 0.8, "b2": 0.9, "epsilon": 1e-3, "t": 7.0}, None,
         {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3}),
        ("rmsprop", {"lr": 0.1, "alpha": 0.9}, "torch", {"lr": 0.1, "rho": 0.9}),
        ("rmsprop", {"lr": 0.1, "alpha": 0.9}, None, {"lr": 0.1, "rho": 0.9}),
        ("gd", {"alpha": 0.1}, None, {"lr": 0.1}),
        ("asgd", {"lr": 0.1, "t0": 4.0}, "torch", {"lr": 0.1, "average_start": 5.0}),
        ("adagrad", {"initial_accumulator_value": 0.5}, "keras", {"initial_accumulator": 0.5}),
        ("adam", {}, None, {}),
        ("adam", {"betas.0": 0.8, "betas_1": 0.9}, None, {"beta1": 0.8, "beta2": 0.9}),
        ("adam", {"lr": 0.1}, "no such library", {"lr": 0.1}),
    ],
)  # fmt: skip
def test_our_names(rule, theirs, like, found):
    assert ours(ov.rule(rule), theirs, like) == found
