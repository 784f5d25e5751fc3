"""What a run leaves behind: its course as arrays, as a figure, as CSV and JSON."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from optverify.files import replacing, write_text
from optverify.formulas import notebook

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from optverify.language import Rule
    from optverify.problems import Problem

Array = NDArray[np.float64]
Path_ = str | PathLike[str]
SHOWN = 8
"""Rows of a run that a notebook shows."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Trace:
    """The course of a run, a row wherever it was recorded; the first row is the start.

    t: the updates made before each row. theta: shape (rows, *theta.shape), or a list of nested structures
    where theta is one. value, gradient_norm: f and |grad f| (Euclidean) at theta. lr: the learning rate of
    the update that follows. note: why the run stopped early, empty if it did not; then the last row is the
    one at which something was not finite.
    """

    problem: Problem
    rule: Rule
    t: NDArray[np.intp]
    theta: Any
    value: Array
    gradient_norm: Array
    lr: Array
    note: str = ""

    @property
    def diverged(self) -> bool:
        """True when the run stopped early, at a number that was not finite."""
        return bool(self.note)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """Name -> one number a row: t, lr, value, gradient_norm, and the coordinates theta_0, theta_1, ...

        A theta that is a nested structure has no coordinates here.
        """
        columns: dict[str, NDArray[Any]] = {
            "t": self.t,
            "lr": self.lr,
            "value": self.value,
            "gradient_norm": self.gradient_norm,
        }
        if isinstance(self.theta, np.ndarray):
            flat = self.theta.reshape(len(self.t), -1)
            columns |= {f"theta_{i}": flat[:, i] for i in range(flat.shape[1])}
        return columns

    def plot(self) -> Figure:
        """A figure of the run: f - inf f over the updates (f itself where the infimum is not known)."""
        from .figures import plot

        return plot([self])

    def _repr_html_(self) -> str:
        shown = {n: c for n, c in self.columns.items() if not n.startswith("theta_")}
        few = sorted({*np.linspace(0, len(self.t) - 1, SHOWN).astype(int)} if len(self.t) else set())
        rows = [[f"{column[k]:.6g}" for column in shown.values()] for k in few]
        return notebook.block(
            f"{self.rule.title} on {self.problem.title}", self.note, notebook.table(list(shown), rows)
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything but nested thetas, ready for JSON; numbers that are not finite become None."""
        return {
            "problem": self.problem.name,
            "rule": self.rule.name,
            "options": dict(self.rule.options),
            "note": self.note,
            **{name: _plain(column) for name, column in self.columns.items()},
        }

    def to_json(self, path: Path_) -> None:
        """Write `to_dict()` to a file."""
        write_text(fspath(path), json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n")

    def to_csv(self, path: Path_) -> None:
        """Write `columns` to a file, a line a row, numbers in full precision."""
        write_csv(path, self.columns)


@dataclass(frozen=True, eq=False, kw_only=True)
class Training(Trace):
    """A run over epochs: row 0 is the start, then a row after each epoch.

    epoch: epochs completed. seconds: time spent on gradients and updates. train_accuracy, test_accuracy:
    fractions in [0, 1] for a network, NaN for a problem without classes. batch_value: the mean of f_i over
    the batch of each update, at the point where its gradient was taken.
    """

    epoch: NDArray[np.intp]
    seconds: Array
    train_accuracy: Array
    test_accuracy: Array
    batch_value: Array

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """Those of a Trace without theta, with epoch, accuracies and seconds."""
        shared = {k: v for k, v in super().columns.items() if not k.startswith("theta_")}
        return {
            "epoch": self.epoch,
            **shared,
            "train_accuracy": self.train_accuracy,
            "test_accuracy": self.test_accuracy,
            "seconds": self.seconds,
        }


def write_csv(path: Path_, columns: Mapping[str, Any]) -> None:
    """Write columns of equal length, a name each, as CSV."""
    with replacing(fspath(path)) as fresh, fresh.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(np.asarray(c).tolist() for c in columns.values()), strict=True))


def _plain(column: NDArray[Any]) -> list[Any]:
    return [None if isinstance(x, float) and not math.isfinite(x) else x for x in column.tolist()]
