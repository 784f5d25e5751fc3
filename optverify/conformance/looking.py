"""What a box does with the probes of the search: gradients of all sizes, from elsewhere, and none at all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from optverify.conformance import names
from optverify.conformance.model import Record
from optverify.conformance.probes import LR, Probe, Step
from optverify.conformance.protocol import Make
from optverify.conformance.reference import Run, run_box

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
MATRIX, VECTOR = (4, 6), (24,)


# ---- probes of the search ----------------------------------------------------------------------------------


def ladder(shape: Shape, dtype: str = "float64", count: int = 12) -> Probe:
    """Gradients of all sizes from theta = 0: each coordinate has its own, one always near epsilon."""
    rng = np.random.default_rng(5)
    size = math.prod(shape)
    sizes = 10.0 ** np.linspace(-10 if dtype == "float64" else -6, 2, size)[rng.permutation(size)]
    g = rng.normal(size=(count, size))
    g = (g + 0.2 * np.sign(g)) * sizes
    fading = rng.random(size) < 0.3
    g *= np.where(fading, 10.0 ** (-np.arange(count)[:, None] / 4), 1)
    g[3:5, ::5] = 0
    g[0, ::7] = 0
    return _probe("ladder", np.zeros(shape), g.reshape(count, *shape), dtype)


def placed(shape: Shape, dtype: str = "float64", lr: float = LR, count: int = 12, change: int = 8) -> Probe:
    """Gradients of about 1 away from zero, some of them zero from the start; lr changes late."""
    rng = np.random.default_rng(6)
    size = math.prod(shape)
    theta = rng.normal(size=size)
    g = rng.normal(size=(count, size))
    if size > 1:
        g[:, ::6] = 0
        g[:3, 1::6] = 0
    rates = {change: 0.3 * lr, change + 2: 2.0 * lr}
    theta = (theta + 0.2 * np.sign(theta)).reshape(shape)
    return _probe("placed", theta, g.reshape(count, *shape), dtype, lr, rates)


def silent(shape: Shape, dtype: str = "float64") -> Probe:
    """No gradient at all, and then some: decay alone, and what it leaves behind."""
    rng = np.random.default_rng(7)
    theta = rng.normal(size=shape)
    g = rng.normal(size=(5, *shape))
    g[:4] = 0
    return _probe("silent", theta + 0.3 * np.sign(theta), g, dtype)


def _probe(  # noqa: PLR0917
    name: str, theta: Array, g: Array, dtype: str, lr: float = LR, rates: Mapping[int, float] | None = None
) -> Probe:
    steps = tuple(
        Step((x.astype(dtype),), (rates or {}).get(k), {"loss": 0.5 + 0.4 * math.cos(k)})
        for k, x in enumerate(g)
    )
    return Probe(name, (theta.astype(dtype),), steps, lr, dtype)


# ---- what the box did --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """A box as the search sees it.

    records: what it did; shown: its hyperparameters by its own names; shape: of the parameter it was given;
    coupled: does a coordinate's gradient move others (None: not known); settable: lr can be changed;
    runs: the probes, and what came of them.
    """

    records: tuple[Record, ...]
    shown: Mapping[str, float]
    shape: Shape
    dtype: str
    coupled: bool | None
    settable: bool
    runs: tuple[tuple[Probe, Run], ...] = field(default=(), repr=False)
    library: str | None = None


def look(make: Make, adapter: str | None = None, library: str | None = None) -> Seen:
    """Drive a box through the probes of the search. TypeError if nothing can drive it."""
    shape, dtype, first = _way(make, adapter)
    lr = _rate(first.hyperparameters) or _usual_move(first)
    probes = [ladder(shape, dtype), placed(shape, dtype, lr), silent(shape, dtype)]
    runs = [run_whole(make, p, adapter) for p in probes]
    coupled = None
    if shape and runs[1].count:
        coupled = _coupled(make, probes[1], runs[1], adapter)
    records = tuple(record(p, r) for p, r in zip(probes, runs, strict=True) if r.count)
    settable = not runs[1].unsupported
    pairs = tuple(zip(probes, runs, strict=True))
    return Seen(records, first.hyperparameters, shape, dtype, coupled, settable, pairs, library)


def _way(make: Make, adapter: str | None) -> tuple[Shape, str, Run]:
    """The shape and type of parameters that the box takes, the richest first, and its first updates."""
    tried: list[tuple[Shape, str, Run]] = []
    for dtype in ("float64", "float32"):
        for shape in (MATRIX, VECTOR, ()):
            run = run_whole(make, placed(shape, dtype).first(2), adapter)
            if run.count:
                return shape, dtype, run
            tried.append((shape, dtype, run))
    return tried[0]


def run_whole(make: Make, probe: Probe, adapter: str | None) -> Run:
    """The probe, as far as it gives arrays of the shape it was given."""
    run = run_box(make, probe, adapter, states=False)
    for k, params in enumerate(run.params):
        if any(np.shape(p) != np.shape(q) for p, q in zip(params, probe.params, strict=True)):
            text = (
                f"update {k} gives no array of shape {probe.params[0].shape}: return the new parameters alone"
            )
            return replace(run, params=run.params[:1], points=run.points[:1], error=text)
    return run


def record(probe: Probe, run: Run, param: int = 0) -> Record:
    """What became of one parameter, up to where the box stopped."""
    kept = [k for k in range(run.count) if probe.steps[k].grads[param] is not None]
    theta = run.theta(param)
    rates = np.full(run.count, math.nan)
    now = math.nan
    for k in range(run.count):
        now = now if probe.steps[k].lr is None else float(probe.steps[k].lr or 0)
        rates[k] = now
    return Record(
        probe.name,
        np.concatenate([theta[[k]] for k in kept] + [theta[[kept[-1] + 1]]]) if kept else theta[:1],
        np.array([probe.steps[k].grads[param] for k in kept], float),
        rates[kept],
        np.arange(1, len(kept) + 1),
        tuple(probe.steps[k].inputs for k in kept),
        probe.dtype if probe.dtype in ("float64", "float32") else "float32",
    )


def _rate(shown: Mapping[str, float]) -> float | None:
    for name in ("lr", *names.USUAL["lr"]):
        if name in shown and 0 < shown[name] < 1e6:
            return shown[name]
    return None


def _usual_move(run: Run) -> float:
    """The size of an update, which is about lr where the gradients are about 1; to one digit."""
    if not run.count:
        return LR
    size = float(np.median(np.abs(np.nan_to_num(np.diff(run.theta(0), axis=0)))))
    return float(f"{size:.0e}") if 1e-9 < size < 1e3 else LR


def _coupled(make: Make, probe: Probe, run: Run, adapter: str | None) -> bool:
    """Do the first three updates of a coordinate change when the gradients of the others do?"""
    few = probe.first(3)
    steps = []
    for step in few.steps:
        (g,) = step.grads
        assert g is not None
        changed = 3.7 * g + 0.3
        changed.reshape(-1)[0], changed.reshape(-1)[5] = g.reshape(-1)[0], g.reshape(-1)[5]
        steps.append(replace(step, grads=(changed,)))
    other = run_box(make, replace(few, steps=tuple(steps)), adapter, states=False)
    places = [0, 5]
    a = np.array([p[0].reshape(-1)[places] for p in run.params[:4]], float)
    b = np.array([p[0].reshape(-1)[places] for p in other.params[:4]], float)
    return a.shape != b.shape or not np.allclose(a, b, rtol=1e-9, atol=1e-300, equal_nan=True)


def direction(records: Sequence[Record]) -> int:
    """1 if the first updates go against the gradient, -1 if along."""
    votes = 0.0
    for r in records:
        if len(r.grads):
            with np.errstate(all="ignore"):
                votes -= float(np.nansum(np.sign(r.moves[0]) * np.sign(r.grads[0])))
    return -1 if votes < 0 else 1
