"""Numbers that rules compute from arrays follow IEEE: NaN stays, what overflows is infinite, 0 divides."""

import numpy as np
import pytest

import optverify as ov
from optverify.steps import _operators

GIVEN = {"polyak_step": {"loss": 1.0, "f_min": 0.0}}


def after(name, gradient, **given):
    """Theta after one update from ones."""
    step = ov.step(name)
    theta = np.ones(len(gradient))
    with np.errstate(all="ignore"):
        return step.step(theta, np.array(gradient), step.init(theta), lr=0.1, **given)


@pytest.mark.parametrize("name", ["clip_by_norm(adam)", "dog", "adagrad_norm", "novograd", "polyak_step"])
def test_a_nan_gradient_is_not_stepped_over(name):
    """Python's max(d, nan) is d: the clipped gradient would let the other coordinates go on."""
    theta, _ = after(name, [np.nan, 1.0, 1.0], **GIVEN.get(name, {}))
    assert np.isnan(theta).all()


def test_a_distance_that_is_nan_stays_so():
    """DoG's r_bar is the largest distance so far; Prodigy's d the largest estimate."""
    for name, field in (("dog", "r_bar"), ("prodigy", "d")):
        step = ov.step(name)
        theta = np.ones(2)
        state = step.init(theta)
        for gradient in ([np.nan, 1.0], [1.0, 1.0]):
            theta, state = step.step(theta, np.array(gradient), state)
        assert np.isnan(getattr(state, field)), name


@pytest.mark.parametrize("name", ["novograd", "dog", "adagrad_norm", "polyak_step"])
def test_a_square_that_overflows_is_infinite(name):
    """The step along g/|g|^2 or g/sqrt(sum |g|^2) vanishes; Python's float ** 2 would raise."""
    theta, _ = after(name, [1e300, -1e300], **GIVEN.get(name, {}))
    assert np.isfinite(theta).all()


def test_a_norm_whose_square_vanishes_divides():
    """Polyak's step with eps = 0: (f - f_min)/0 is infinite, not a ZeroDivisionError."""
    theta, _ = after("polyak_step", [1e-310, 0.0], loss=1.0, f_min=0.0, eps=0.0)
    assert theta[0] == -np.inf
    theta, _ = after("dog", [0.0, 0.0], eps=0.0)
    assert np.isnan(theta).all()


def test_larger_and_smaller():
    nan = float("nan")
    assert (_operators.larger(1.0, 2.0), _operators.smaller(1.0, 2.0)) == (2.0, 1.0)
    for pair in ((nan, 1.0), (1.0, nan)):
        assert np.isnan(_operators.larger(*pair))
        assert np.isnan(_operators.smaller(*pair))
