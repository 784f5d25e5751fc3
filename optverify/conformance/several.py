"""Several parameters: what goes right with one can go wrong with two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optverify.conformance.adapters import drive
from optverify.conformance.candidates import couples
from optverify.conformance.fit import Fit, fit, made
from optverify.conformance.looking import Seen, record
from optverify.conformance.model import Record, Values
from optverify.conformance.probes import Probe, Step
from optverify.conformance.protocol import Make
from optverify.conformance.reference import Run, run_box

Array = np.ndarray[Any, Any]


TOGETHER = "norms over all"


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with several parameters: a kind and a sentence."""

    kind: str
    text: str


def pair(seen: Seen, lr: float) -> Probe:
    """Two parameters of the same shape with gradients of their own."""
    rng = np.random.default_rng(11)
    shape = seen.shape
    thetas = tuple((rng.normal(size=shape) + 0.5).astype(seen.dtype) for _ in range(2))
    steps = tuple(
        Step(tuple(np.asarray(rng.normal(size=shape) * (1 + 2 * i)).astype(seen.dtype) for i in range(2)))
        for _ in range(8)
    )
    return Probe("pair", thetas, steps, lr, seen.dtype)


def several(make: Make, adapter: str | None, seen: Seen, found: Fit) -> Iterator[Trouble]:
    """Two parameters at once; then two of different types."""
    probe = pair(seen, found.values.get("lr", 0.05))
    run = run_box(make, probe, adapter, states=False)
    if run.count == len(probe.steps):
        yield from _together(probe, run, found)
    yield from _mixed(make, adapter, seen, found)


def _fits(found: Fit, records: Sequence[Record]) -> bool:
    return made(found.model, records, found.values).matches


def _together(probe: Probe, run: Run, found: Fit) -> Iterator[Trouble]:
    records = [record(probe, run, i) for i in range(2)]
    if _fits(found, records):
        return
    for kind, text, changed in _ways(records):
        if _fits(found, changed):
            yield Trouble(kind, text)
            return
    if couples(found.model.rule) and not found.model.rule.needs_matrix and _fits(found, [_joined(records)]):
        yield Trouble(TOGETHER, "norms run over all parameters together, not over each by itself")
        return
    again = fit(found.model, records, found.values, rounds=12)
    if again.matches:
        yield Trouble("constants change", f"with two parameters {_changes(found.values, again.values)}")
        return
    yield Trouble(
        "several parameters",
        "a single parameter conforms, and with two parameters it departs: they are not updated each by itself",  # noqa: E501
    )


def _ways(records: Sequence[Record]) -> Iterator[tuple[str, str, list[Record]]]:
    first, second = records
    for pace in (2,):
        clocks = [replace(r, clock=pace * (r.clock - 1) + 1 + i) for i, r in enumerate(records)]
        yield (
            "counter per parameter",
            "the counter advances once per parameter: a single parameter conforms, and with 2 parameters t advances by "  # noqa: E501
            "the number of parameters in each update (the first parameter sees t = 1, 3, 5, ..., the second "
            "t = 2, 4, 6, ...)",
            clocks,
        )
    yield (
        "wrong gradient",
        "every parameter gets the gradient of the first parameter: the index of the gradient is not advanced",
        [first, replace(second, grads=first.grads)],
    )
    yield (
        "wrong gradient",
        "every parameter gets the gradient of the last parameter",
        [replace(first, grads=second.grads), second],
    )
    yield (
        "wrong gradient",
        "every parameter gets the gradient of another parameter: they are in the wrong order",
        [replace(first, grads=second.grads), replace(second, grads=first.grads)],
    )
    for words, grads in (("sum", first.grads + second.grads), ("mean", (first.grads + second.grads) / 2)):
        yield ("wrong gradient", f"every parameter gets the {words} of all gradients",
               [replace(r, grads=grads) for r in records])  # fmt: skip
    for words, clock in (("the counter too", None), ("not the counter", np.repeat(first.clock, 2))):
        yield (
            "shared state",
            f"the parameters share one state ({words}): what one leaves behind, the next takes up",
            [_interleaved(records, clock)],
        )
    if not np.any(second.moves):
        yield ("one parameter alone", "only the first parameter is updated", [first])
    if not np.any(first.moves):
        yield ("one parameter alone", "only the last parameter is updated", [second])


def _interleaved(records: Sequence[Record], clock: Array | None) -> Record:
    """One state that sees the parameters in turn."""
    first, second = records
    before = np.stack([first.theta[:-1], second.theta[:-1]], axis=1)
    after = np.stack([first.theta[1:], second.theta[1:]], axis=1)
    count = 2 * len(first.grads)
    shape = first.theta.shape[1:]
    return replace(
        first,
        theta=before.reshape(count, *shape),
        after=after.reshape(count, *shape),
        grads=np.stack([first.grads, second.grads], axis=1).reshape(count, *shape),
        rates=np.repeat(first.rates, 2),
        clock=np.arange(1, count + 1) if clock is None else clock,
        inputs=tuple(x for x in first.inputs for _ in range(2)),
    )


def _joined(records: Sequence[Record]) -> Record:
    """One long vector."""
    flat = [r.theta.reshape(len(r.theta), -1) for r in records]
    grads = [r.grads.reshape(len(r.grads), -1) for r in records]
    return replace(records[0], theta=np.concatenate(flat, axis=1), grads=np.concatenate(grads, axis=1))


def _changes(old: Values, new: Values) -> str:
    parts = [
        f"{n} acts as {new[n]:.6g}, not {v:.6g} (a factor {new[n] / v:.4g})"
        for n, v in old.items()
        if v and abs(new[n] - v) > 1e-6 * abs(v)
    ]
    return ", ".join(parts) or "other constants fit"


# ---- parameters of different types -------------------------------------------------------------------------


def _mixed(make: Make, adapter: str | None, seen: Seen, found: Fit) -> Iterator[Trouble]:
    """One parameter of float32 beside one of float64."""
    if seen.dtype != "float64":
        return
    records = _driven(make, adapter, seen)
    if records is None or _fits(found, records):
        return
    alone = _driven(make, adapter, seen, ("float64", "float64"))
    if alone is None or not _fits(found, alone):
        return
    shrinks = found.values.get("weight_decay")
    again = fit(found.model, records[1:], found.values, rounds=12)
    if again.matches:
        decay = " (decay is applied once per group of a type)" if shrinks else ""
        yield Trouble(
            "groups of a type",
            "with parameters of two types (dtype groups float32 and float64) "
            f"{_changes(found.values, again.values)}{decay}",
        )
        return
    if not made(found.model, records[1:], found.values).matches:
        yield Trouble(
            "groups of a type", "with parameters of two types (dtype float32 beside float64) it departs"
        )


def _driven(
    make: Make, adapter: str | None, seen: Seen, types: tuple[str, str] = ("float32", "float64")
) -> list[Record] | None:
    """The records of a parameter of each type; None if the box does not take them."""
    rng = np.random.default_rng(13)
    theta = [(rng.normal(size=seen.shape) + 1.5).astype(dtype) for dtype in types]
    grads = [[np.asarray(rng.normal(size=seen.shape)).astype(d) for d in types] for _ in range(4)]
    try:
        box = drive(make, theta, adapter)
        rows = [box.params()]
        for row in grads:
            box.update([g.copy() for g in row])
            rows.append(box.params())
        box.close()
    except Exception:  # of the user's code, or an answer: such parameters are not for it
        return None
    count = len(grads)
    return [
        Record("mixed", np.array([r[i] for r in rows], float), np.array([g[i] for g in grads], float),
               np.full(count, np.nan), np.arange(1, count + 1), ({"loss": 0.5},) * count, dtype)
        for i, dtype in enumerate(types)
    ]  # fmt: skip
