"""A rule for many values of its hyperparameters at once, held against what a box did.

Each update is predicted from where the box was before it, so that an error does not grow with time and a
wrong constant shows where it acts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from optverify.conformance.batch import Batched
from optverify.language import Rule

Array = np.ndarray[Any, Any]
Values = dict[str, float]

GOOD: Mapping[str, float] = {"float64": 2e-9, "float32": 2e-5}
"""A fit is one when no update departs further, relative to the largest of its coordinate."""


# ---- what a box did ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """One parameter of a box on a probe.

    theta: before the first update and after each; grads: what it was given; rates: lr where it was set from
    outside, NaN where it is the box's own; clock: t of each update; inputs: what else it was given.
    dtype: in which it computes. after: theta after each update, where that is not the next theta.
    """

    name: str
    theta: Array
    grads: Array
    rates: Array
    clock: Array
    inputs: tuple[Mapping[str, Any], ...] = ()
    dtype: str = "float64"
    after: Array | None = None

    @cached_property
    def moves(self) -> Array:
        """The updates."""
        return np.diff(self.theta, axis=0) if self.after is None else self.after - self.theta

    @cached_property
    def scale(self) -> Array:
        """What a residual of each number is measured in: its coordinate's updates, and what rounding hides."""  # noqa: E501
        sizes = np.abs(np.where(np.isfinite(self.moves), self.moves, 0))
        largest = np.broadcast_to(sizes.max(axis=0), sizes.shape)
        before = self.theta[: len(self.moves)]
        shown = 2 * np.abs(before) + np.abs(self.moves)
        hidden = (
            4 * float(np.finfo(self.dtype).eps) / GOOD[self.dtype] * np.where(np.isfinite(shown), shown, 0)
        )
        return np.maximum(largest + hidden, 1e-300)

    def first(self, count: int) -> Record:
        """Its first updates alone."""
        return replace(self, theta=self.theta[: count + 1], grads=self.grads[:count],
                       rates=self.rates[:count], clock=self.clock[:count],
                       inputs=self.inputs[:count])  # fmt: skip


# ---- a model: a rule, and what may be wrong with the way it is run -----------------------------------------


@dataclass(frozen=True)
class Twist:
    """A way to run a rule that its equations do not say; the plain one does nothing.

    clock: from a record to the t of each update. gradients: from a record to what the rule sees. rate: from
    the lr that was fitted and the one that was set (NaN if none was) to the lr that acts. kept: from the
    states before, all names after, the gradient and the number of the update to the states that are kept.
    moved: from theta before, theta after, and the gradient to theta after. repeat: updates at each call.
    whole: from all predicted updates and the record to the updates.
    """

    clock: Callable[[Record], Array] | None = None
    gradients: Callable[[Record], Array] | None = None
    rate: Callable[[Any, Array, int], Any] | None = None
    kept: Callable[[Mapping[str, Any], Mapping[str, Any], Array, int], dict[str, Any]] | None = None
    moved: Callable[[Array, Array, Array], Array] | None = None
    repeat: int = 1
    whole: Callable[[Array, Record], Array] | None = None


PLAIN = Twist()
GIVEN = frozenset({"loss"})
"""Hyperparameters that are given anew with each update."""
COUPLED, FLAT = ("_coupled",), ("_flat",)
OUTER = ("_decoupled", "_alone", "_after")
SHRINK = (*COUPLED, *OUTER, *FLAT)
"""Weight decay of any form beside a rule without: times theta, added to the gradient; lr times a share of
theta; a share of theta; lr times a share of theta after the step; lr times a number (a fault).
"""
SIZES = (0.1, 0.01, 1e-3, 1.0, -0.1)
"""Where the size of coupled decay starts."""


@dataclass(frozen=True)
class Model:
    """A rule to be fitted.

    sign: -1 if it is handed the gradient's opposite; shrinks: those of SHRINK that it has; share: what the
    outer one of them takes in each update, where it was seen.
    """

    rule: Rule
    steps: Batched
    sign: int = 1
    shrinks: tuple[str, ...] = ()
    twist: Twist = PLAIN
    share: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """What is fitted."""
        own = (h.name for h in self.rule.hyperparameters if h.name not in GIVEN)
        return (*own, *self.shrinks)

    def moves(self, record: Record, values: Mapping[str, Array]) -> Array:
        """The predicted updates: (rows of values, updates, *shape)."""
        return self.every_move([record], values)[0]

    def every_move(self, records: Sequence[Record], values: Mapping[str, Array]) -> list[Array]:
        """The predicted updates of each record; records of one shape are run beside each other."""
        made: dict[int, Array] = {}
        for shape in dict.fromkeys(r.theta.shape[1:] for r in records):
            places = [i for i, r in enumerate(records) if r.theta.shape[1:] == shape]
            made |= zip(places, self._together([records[i] for i in places], values), strict=True)
        return [made[i] for i in range(len(records))]

    def _together(self, records: Sequence[Record], values: Mapping[str, Array]) -> list[Array]:
        width, shape = len(records), records[0].theta.shape[1:]
        count = len(next(iter(values.values()))) if values else 1
        rows: dict[str, Any] = {
            n: np.repeat(x, width).reshape(count * width, *(1,) * len(shape)) for n, x in values.items()
        }
        given = {n: x for n, x in rows.items() if n not in SHRINK}
        given |= {h.name: math.nan for h in self.rule.hyperparameters if h.name in GIVEN}
        steps = max(len(r.grads) for r in records)
        theta = _beside([r.theta for r in records], steps + 1, count)
        twist = self.twist
        seen = [r.grads if twist.gradients is None else twist.gradients(r) for r in records]
        grads = self.sign * _beside(seen, steps, count)
        clock = _clock(
            [r.clock if twist.clock is None else twist.clock(r) for r in records],
            steps,
            count,
            theta.ndim - 1,
        )
        made = np.empty((steps, count * width, *shape))
        with np.errstate(all="ignore"):
            at = self.steps.start(theta[0].copy(), given)
            for k in range(steps):
                at = {**at, "theta": theta[k]}
                now = self._given(records, k, given, count)
                for _ in range(twist.repeat):
                    at = self._step(at, grads[k], clock[k], now, rows, k)
                if np.iscomplexobj(at["theta"]):
                    raise ValueError("theta is complex")
                made[k] = at["theta"] - theta[k]
        each = [made[: len(r.grads), i::width].swapaxes(0, 1) for i, r in enumerate(records)]
        if twist.whole is None:
            return each
        with np.errstate(all="ignore"):
            return [twist.whole(x, r) for x, r in zip(each, records, strict=True)]

    def _given(
        self, records: Sequence[Record], k: int, given: Mapping[str, Any], count: int
    ) -> dict[str, Any]:
        """Hyperparameters and inputs of one update."""
        now, width = dict(given), len(records)
        if "lr" in now:
            rates = [r.rates[min(k, len(r.rates) - 1)] for r in records]
            if self.twist.rate is not None or not all(math.isnan(x) for x in rates):
                now["lr"] = now["lr"].copy()
            for i, (rate, r) in enumerate(zip(rates, records, strict=True)):
                if self.twist.rate is not None:
                    now["lr"][i::width] = self.twist.rate(
                        now["lr"][i::width], r.rates, min(k, len(r.rates) - 1)
                    )
                elif not math.isnan(rate):
                    now["lr"][i::width] = rate
        known = {n for r in records for n in (r.inputs[0] if r.inputs else ())}
        for name in known & {*self.steps.steps.inputs, *now}:
            parts = [np.asarray(r.inputs[min(k, len(r.inputs) - 1)][name], float) for r in records]
            now[name] = _row(_beside([p[None] for p in parts], 1, count)[0], records[0].theta.ndim)
        return now

    def _step(  # noqa: PLR0917
        self, at: dict[str, Any], grad: Array, t: Any, now: dict[str, Any], rows: dict[str, Any], k: int
    ) -> dict[str, Any]:
        twist, before = self.twist, at["theta"]
        if "_coupled" in rows:
            grad = grad + rows["_coupled"] * before
        if twist.kept is None:
            after = self.steps.update(at, grad, t, now)
        else:
            every = self.steps.everything(at, grad, t, now)
            after = {n: every.get(n, at[n]) for n in at}
            after = {**after, **twist.kept(at, {**now, **at, **every}, grad, k), "theta": after["theta"]}
        if self.shrinks and not {"_coupled"} & rows.keys():
            after["theta"] = after["theta"] - _taken(rows, before, after["theta"], now.get("lr", 1.0))
        if twist.moved is not None:
            after["theta"] = twist.moved(before, after["theta"], grad)
        return after


def _taken(rows: Mapping[str, Any], before: Array, after: Array, rate: Any) -> Any:
    """What outer decay takes off."""
    decay = rows.get("_decoupled", 0.0) * before + rows.get("_after", 0.0) * after + rows.get("_flat", 0.0)
    return decay * rate + rows.get("_alone", 0.0) * before


def _beside(parts: Sequence[Array], length: int, count: int) -> Array:
    """(length, count * parts, *shape): the parts beside each other, count times; the last value goes on."""
    shape = np.shape(parts[0])[1:]
    made = np.empty((length, count, len(parts), *shape))
    for i, part in enumerate(parts):
        made[: len(part), :, i] = part[:length, None]
        made[len(part) :, :, i] = part[-1]
    return made.reshape(length, count * len(parts), *shape)


def _clock(parts: Sequence[Array], length: int, count: int, ndim: int) -> list[Any]:
    """t of each update: a number where it is one for all, else for each row and coordinate."""
    if all(p.ndim == 1 for p in parts):
        longest = max(parts, key=len)
        if all(np.array_equal(p, longest[: len(p)]) for p in parts):
            return [int(t) for t in longest]
    return [_row(t, ndim) for t in _beside(parts, length, count)]


def _row(x: Array, ndim: int) -> Array:
    """A row of numbers, ready to be multiplied with arrays."""
    return x.reshape(-1, *(1,) * (ndim - 1)) if x.ndim == 1 else x
