"""The NumPy equations of a rule as one more program that reads the vectors and computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from optverify.backends.compiled import Compiled, compiled
from optverify.language import Rule
from optverify.vectors.bank import INITIAL, Test
from optverify.vectors.formats import read_exact
from optverify.vectors.running import POINT

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Program:
    """The equations of a rule, mutated or not, ready to run. rule: tells arrays from numbers."""

    rule: Rule
    steps: Compiled

    @classmethod
    def of(cls, rule: Rule) -> Program:
        """The program of a rule."""
        return cls(rule, compiled(rule))

    def compute(self, test: Test, dtype: str = "float64") -> dict[str, list[Array]]:
        """What it makes of a test: array -> a row after each update that is told.

        States are its own where the test begins at t = 0, and given otherwise; at t = 0 they are told under
        their names with INITIAL before them.
        """
        kind = np.dtype(dtype)
        fed = test.input
        theta = _array(fed["theta"]["decimal"][0], fed["shape"], kind)
        at = self.steps.start(theta, self._values(test, 1, kind))
        if test.data["t"]:
            at = {"theta": theta, **self._states(test, kind)}
        started = {} if test.data["t"] else {INITIAL + n: [np.ravel(at[n])] for n in test.data["initial"]}
        rows = {n: list[Array]() for n in test.names}
        for k in range(1, fed["updates"] + 1):
            values = self._values(test, k, kind)
            before = at
            at = self.steps.update(at, _array(_nth(fed["gradients"]["decimal"], k), fed["shape"], kind),
                                   test.data["t"] + k, values)  # fmt: skip
            if k in fed["after"]:
                for name, found in rows.items():
                    found.append(np.ravel(self.steps.point(before, values) if name == POINT else at[name]))
        return rows | started

    def _values(self, test: Test, k: int, kind: np.dtype[Any]) -> dict[str, Any]:
        """Hyperparameters and inputs of an update."""
        fed, arrays = test.input, {i.name for i in self.rule.every_input if not i.scalar}
        values = {n: x["decimal"] for n, x in test.group["hyperparameters"].items()}
        if "lr" in values:
            values["lr"] *= _nth(fed["lr_factors"], k)
        return values | {
            name: _array(row, fed["shape"], kind) if name in arrays else float(row[0])
            for name, rows in fed.get("given", {}).items()
            for row in [_nth(rows["decimal"], k)]
        }

    def _states(self, test: Test, kind: np.dtype[Any]) -> dict[str, Any]:
        made = {}
        for state in self.rule.states:
            row = [float(read_exact(x)) for x in test.data["initial"][state.name]["exact"]]
            made[state.name] = row[0] if state.scalar else _array(row, test.data["shapes"][state.name], kind)
        return made


def _nth(rows: Sequence[Any], k: int) -> Any:
    """The k-th, begun again where there are fewer."""
    return rows[(k - 1) % len(rows)]


def _array(row: Sequence[float], shape: Sequence[int], kind: np.dtype[Any]) -> Array:
    return np.array(row, kind).reshape(tuple(shape))
