"""Optimizers as plain loops over numbers, written from the papers, and how a box is run beside them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from optverify.conformance.adapters import drive

STEPS = 12
RATES = [0.1] * 5 + [0.02] * 4 + [0.3] * 3


def start() -> list[np.ndarray[Any, Any]]:
    """Two parameters of different shape."""
    return [np.array([1.0, -2.0, 0.5]), np.array([[0.3, -0.1]])]


def gradients(steps: int = STEPS) -> list[list[np.ndarray[Any, Any]]]:
    """Of every size, with zeros."""
    rng = np.random.default_rng(0)
    rows = [[rng.normal(size=p.shape) * np.array([1, 1e-3, 10][: p.shape[-1]]) for p in start()]
            for _ in range(steps)]  # fmt: skip
    rows[0][0][2] = 0
    return rows


def run(
    make: Any, adapter: str | None = None, *, dtype: str = "float64", rates: Sequence[float] | None = RATES,
    params: Sequence[Any] | None = None, rows: Any = None,
) -> list[list[np.ndarray[Any, Any]]]:  # fmt: skip
    """The parameters after each update. rates: None leaves the learning rate alone."""
    rows = gradients() if rows is None else rows
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        box = drive(make, [p.astype(dtype) for p in (start() if params is None else params)], adapter)
        found = []
        for k, row in enumerate(rows):
            if rates is not None and (k == 0 or rates[k] != rates[k - 1]):
                box.set_lr(rates[k])
            box.update([np.asarray(g, dtype) for g in row])
            found.append(box.params())
        assert not box.spoiled()
        box.close()
    assert [p.dtype for p in found[-1]] == [np.dtype(dtype)] * len(found[-1])
    return found


def by_hand(
    rule: Callable[..., Iterator[float]],
    rates: Sequence[float] | None = RATES,
    lr: float = 0.1,
    **settings: Any,
) -> list[list[np.ndarray[Any, Any]]]:
    """The same by a loop over the numbers of each coordinate."""
    rows, theta = gradients(), start()
    rates = [lr] * len(rows) if rates is None else rates
    columns = []
    for i, p in enumerate(theta):
        flat = [rule(x, [r[i].ravel()[k] for r in rows], rates, **settings) for k, x in enumerate(p.ravel())]
        columns.append([np.array(values).reshape(p.shape) for values in zip(*flat, strict=True)])
    return [list(row) for row in zip(*columns, strict=True)]


def agree(found: Any, wanted: Any, rtol: float = 1e-12) -> None:
    """Update by update: theta is no measure, for it hides small faults."""
    before = start()
    for a, b in zip(found, wanted, strict=True):
        for x, y, z in zip(a, b, before, strict=True):
            np.testing.assert_allclose(x - y, 0, atol=rtol * np.abs(y - z).max() + 4e-16 * np.abs(y).max())
        before = b


# ---- rules -------------------------------------------------------------------------------------------------


def gd(x: float, gs: list[float], rates: Sequence[float]) -> Iterator[float]:
    for g, lr in zip(gs, rates, strict=True):
        x -= lr * g
        yield x


def momentum(
    x: float, gs: list[float], rates: Sequence[float], mu: float = 0.9, lr_inside: bool = True,
    nesterov: bool = False, weight: float = 1.0,
) -> Iterator[float]:  # fmt: skip
    """nesterov: the rewritten form. weight: of a new gradient."""
    v = 0.0
    for g, lr in zip(gs, rates, strict=True):
        inner, outer = (lr, 1.0) if lr_inside else (1.0, lr)
        v = mu * v + weight * inner * g
        x -= outer * (mu * v + inner * g if nesterov else v)
        yield x


def adam(
    x: float, gs: list[float], rates: Sequence[float], b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8,
    form: str = "outside", correct: bool = True, decay: float = 0.0,
) -> Iterator[float]:  # fmt: skip
    """form: "outside" or "hat", where epsilon stands; decay: decoupled, times lr."""
    m = v = 0.0
    for t, (g, lr) in enumerate(zip(gs, rates, strict=True), 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        c1, c2 = (1 - b1**t, 1 - b2**t) if correct else (1.0, 1.0)
        x -= lr * decay * x
        if form == "hat":
            x -= lr * math.sqrt(c2) / c1 * m / (math.sqrt(v) + eps)
        else:
            x -= lr * (m / c1) / (math.sqrt(v / c2) + eps)
        yield x


def rmsprop(
    x: float, gs: list[float], rates: Sequence[float], rho: float = 0.9, eps: float = 1e-8,
    first: float = 0.0, inside: bool = False,
) -> Iterator[float]:  # fmt: skip
    """first: where the mean square starts. inside: epsilon under the root."""
    v = first
    for g, lr in zip(gs, rates, strict=True):
        v = rho * v + (1 - rho) * g * g
        x -= lr * g / (math.sqrt(v + eps) if inside else math.sqrt(v) + eps)
        yield x


def adagrad(
    x: float, gs: list[float], rates: Sequence[float], eps: float = 1e-8, inside: bool = False
) -> Iterator[float]:
    v = 0.0
    for g, lr in zip(gs, rates, strict=True):
        v += g * g
        x -= lr * g / (math.sqrt(v + eps) if inside else math.sqrt(v) + eps)
        yield x


def lion(
    x: float, gs: list[float], rates: Sequence[float], b1: float = 0.9, b2: float = 0.99
) -> Iterator[float]:
    m = 0.0
    for g, lr in zip(gs, rates, strict=True):
        c = b1 * m + (1 - b1) * g
        x -= lr * float(np.sign(c))
        m = b2 * m + (1 - b2) * g
        yield x
