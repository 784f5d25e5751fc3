"""A theta that does not fit is refused with one sentence that names problem, place and value."""

import numpy as np
import pytest

from optverify.problems import problem
from optverify.problems.points import checked, size, tree_map


@pytest.mark.parametrize(
    ("theta", "error", "message"),
    [
        (np.zeros(3), ValueError, r"theta of problem 'beale' must have shape \(2,\), got \(3,\)"),
        (np.zeros((2, 1)), ValueError, r"must have shape \(2,\), got \(2, 1\)"),
        (1.0, ValueError, r"must have shape \(2,\), got \(\)"),
        (np.array([1, 2]), TypeError, "must hold real .*floating-point numbers, got dtype int64; convert it"),
        ([True, False], TypeError, "got dtype bool"),
        ([1.0, None], TypeError, "got dtype object"),
        ([np.nan, 0.0], ValueError, r"theta of problem 'beale' must be finite, got nan at \[0\]"),
        ([0.0, -np.inf], ValueError, r"must be finite, got -inf at \[1\]; did the run diverge\?"),
        ([[1.0], [1.0, 2.0]], ValueError, r"must be an array of shape \(2,\), got parts of unequal lengths"),
        ({"x": 1.0}, TypeError, r"must be an array of shape \(2,\), got a dict"),
    ],
)
def test_wrong_array_is_refused(theta, error, message):
    p = problem("beale")
    for call in (p.value, p.gradient):
        with pytest.raises(error, match=message):
            call(theta)


def test_gradient_refuses_complex_points_and_value_takes_them():
    p = problem("beale")
    assert isinstance(p.value(np.array([1.0 + 0j, 1.0])), complex)
    with pytest.raises(TypeError, match="must hold real floating-point numbers, got dtype complex128"):
        p.gradient(np.array([1.0 + 0j, 1.0]))


def test_a_list_of_floats_is_a_point():
    assert problem("booth").value([1.0, 3.0]) == 0.0


def _broken(change):
    theta = problem("mlp").start
    return change(theta) or theta


@pytest.mark.parametrize(
    ("theta", "error", "message"),
    [
        (np.zeros(99), TypeError, "theta of problem 'mlp' must be a list of length 2, got ndarray"),
        (_broken(lambda t: t[:1]), ValueError, "theta of problem 'mlp' must have length 2, got 1"),
        (
            _broken(lambda t: t.__setitem__(1, [])),
            TypeError,
            r"theta\[1\] of problem 'mlp' must be a dict with",
        ),
        (
            _broken(lambda t: t[0].pop("b") is None),
            ValueError,
            r"theta\[0\].* the keys \['W', 'b'\], got \['W'\]",
        ),
        (
            _broken(lambda t: t[1].update(W=np.zeros((2, 2)))),
            ValueError,
            r"theta\[1\]\['W'\] of problem 'mlp' must have shape \(16, 3\), got \(2, 2\)",
        ),
        (
            _broken(lambda t: t[0]["W"].__setitem__((1, 2), np.nan)),
            ValueError,
            r"theta\[0\]\['W'\] of problem 'mlp' must be finite, got nan at \[1, 2\]",
        ),
    ],
)
def test_wrong_tree_is_refused_at_its_place(theta, error, message):
    with pytest.raises(error, match=message):
        problem("mlp").gradient(theta)


def test_trees_of_tuples_keep_their_kind():
    tree = (np.ones(2), [np.ones((2, 3))])
    assert size(tree) == 8
    doubled = tree_map(lambda a, b: a + b, tree, tree)
    assert isinstance(doubled, tuple)
    assert isinstance(doubled[1], list)
    np.testing.assert_array_equal(doubled[1][0], np.full((2, 3), 2.0))
    assert isinstance(checked([[1.0, 2.0], [np.ones((2, 3))]], tree, "a pair"), tuple)
