"""Independent derivatives, and the problems by kind."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from optverify.problems.points import tree_map

H = 1e-200  # a complex step has no cancellation: it may be this small


@pytest.fixture
def complex_step() -> Callable[..., Any]:
    """complex_step(value, theta): the gradient by f(theta + ih e_i).imag / h, of an array or a tree."""

    def gradient(value: Callable[[Any], complex], theta: Any) -> Any:
        point = tree_map(lambda leaf: leaf.astype(complex), theta)

        def of_leaf(leaf: Any) -> Any:
            result = np.empty(leaf.shape)
            for index in np.ndindex(leaf.shape):
                before = leaf[index]
                leaf[index] = before + 1j * H
                result[index] = value(point).imag / H
                leaf[index] = before
            return result

        return tree_map(of_leaf, point)

    return gradient


@pytest.fixture
def hessian() -> Callable[..., Any]:
    """hessian(problem, x): the matrix of second derivatives, by autograd twice."""
    from autograd import hessian as of

    from optverify.problems.functions import numeric

    return lambda problem, x: of(lambda point: problem.function(point, numeric()))(x)
