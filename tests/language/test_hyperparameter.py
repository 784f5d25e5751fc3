"""Hyperparameters refuse what is outside their domain, and say name, value and range."""

import numpy as np
import pytest

from optverify.language import Hyperparameter, beta1, eps, lr, nonnegative, positive, unit

LR = Hyperparameter(lr, r"\alpha", 1e-3, positive, "step size")
BETA = Hyperparameter(beta1, r"\beta_1", 0.9, unit, "decay rate")
EPS = Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "epsilon")


@pytest.mark.parametrize("value", [0, -1, -1e-300, float("nan"), float("inf"), -float("inf")])
def test_a_learning_rate_is_positive_and_finite(value):
    with pytest.raises(
        ValueError, match=rf"^lr = {value!r} is out of range: lr must be a finite number > 0$"
    ):
        LR.check(value)


@pytest.mark.parametrize("value", [1, 1.0, 1.5, -0.1, float("nan")])
def test_a_decay_rate_lies_in_zero_to_one(value):
    with pytest.raises(
        ValueError, match=r"beta1 = .* out of range: beta1 must be a finite number in \[0, 1\)"
    ):
        BETA.check(value)


@pytest.mark.parametrize("value", ["0.1", None, True, [0.1], np.array([0.1]), 1j])
def test_only_numbers_are_numbers(value):
    with pytest.raises(TypeError, match=r"lr = .* is not a number: lr must be a finite number > 0"):
        LR.check(value)


@pytest.mark.parametrize("value", [1e-3, np.float32(0.5), np.float64(2), np.array(0.25), 1])
def test_every_real_number_becomes_a_python_float(value):
    """A NumPy float64 would promote float32 arrays."""
    assert type(LR.check(value)) is float
    assert LR.check(value) == float(value)


def test_borders_belong_where_the_domain_says():
    assert BETA.check(0) == 0.0
    assert EPS.check(0) == 0.0
    assert str(unit) == "in [0, 1)"
    assert str(positive) == "> 0"
    assert str(nonnegative) == ">= 0"
