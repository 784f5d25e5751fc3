"""The words of formulas: no overflow, and the stated subgradients at kinks."""

import math

import numpy as np
import pytest
from autograd import grad

from optverify.problems.functions import numeric, symbolic

CASES = {
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x), [0.25, 3.0]),
    "abs": (np.abs, np.sign, [-2.0, 0.5]),
    "softplus": (lambda x: np.logaddexp(0, x), lambda x: 1 / (1 + np.exp(-x)), [-3.0, 0.0, 2.0]),
    "log_cosh": (lambda x: np.log(np.cosh(x)), np.tanh, [-2.0, 0.7]),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name):
    function, derivative, at = CASES[name]
    own = getattr(numeric(), name)
    for x in at:
        assert math.isclose(own(x), function(x), rel_tol=1e-14)
        assert math.isclose(grad(own)(x), derivative(x), rel_tol=1e-14)
        exact = getattr(symbolic(), name)(symbolic().array(x))
        assert math.isclose(float(exact), function(x), rel_tol=1e-14)


def test_no_overflow_far_out():
    xp = numeric()
    z = np.array([-1e4, 1e4])
    np.testing.assert_array_equal(xp.softplus(z), [0.0, 1e4])
    np.testing.assert_array_equal(grad(lambda z: xp.sum(xp.softplus(z)))(z), [0.0, 1.0])
    np.testing.assert_array_equal(grad(lambda z: xp.sum(xp.log_cosh(z)))(z), [-1.0, 1.0])


@pytest.mark.parametrize("name", ["abs", "sqrt", "log_cosh"])
def test_derivative_zero_at_the_kink(name):
    """abs'(0) = sqrt'(0) = 0 by choice, log cosh'(0) = 0 in truth; never nan."""
    assert grad(getattr(numeric(), name))(0.0) == 0.0


def test_constants_become_exact_rationals():
    third = symbolic().array(np.array([1 / 3]))[0]
    assert (third.p, third.q) == (1 / 3).as_integer_ratio()
