"""What a rule makes of a probe, what a black box makes of it, and where the two first part.

Updates over lr are compared, coordinate by coordinate, not parameters: at six digits of theta an Adam with
epsilon-hat passes as Adam.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from optverify.backends.compiled import Compiled, compiled
from optverify.conformance.lines import departing_line
from optverify.conformance.probes import Probe
from optverify.conformance.protocol import Box, Make, Unsupported
from optverify.conformance.returned import Narrowed, WrongResultError, checked
from optverify.conformance.sandbox import message
from optverify.language import Rule

Array = np.ndarray[Any, Any]
Clock = Literal["own", "shared"]

TOLERANCE = {"float64": 1e-12, "float32": 3e-6, "float16": 5e-3}
NEAR = 1e-6
"""Below this, relative, a float64 box keeps some numbers in float32; no dialect is as near as that."""
MATRICES = 100
"""Rounding of matrix products and powers, as a multiple of that of numbers."""
ROUNDINGS = 16
"""What sums, and adding an update to theta, may round away: so many units in the last place."""


@dataclass(frozen=True)
class Run:
    """What came of a probe.

    params, points: for each update, and before the first, an array a parameter: theta, and where the next
    gradient is taken. states: name -> an array a parameter, alike. rates: lr of each update, for each
    parameter. shared: rounding is that of the largest coordinate, as where a norm is taken; matrices: it is
    that of products and powers of matrices besides. spoiled: updates that wrote into a gradient.
    error: what was raised, in update `failed`, or is wrong with what it gave back; unsupported: what the box
    could not do. narrowed: it gives float32 back for float64, and so is driven in float32.
    hyperparameters: those that the box shows, by its own names.
    """

    params: Sequence[Sequence[Array]]
    points: Sequence[Sequence[Array]]
    states: Sequence[Mapping[str, Sequence[Any]]]
    rates: Sequence[Sequence[float]]
    dtype: str = "float64"
    shared: bool = False
    matrices: bool = False
    spoiled: tuple[int, ...] = ()
    error: str = ""
    failed: int = 0
    unsupported: str = ""
    narrowed: bool = False
    hyperparameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The number of updates made."""
        return len(self.params) - 1

    @property
    def complete(self) -> bool:
        """True if every update was made."""
        return self.count == len(self.rates)

    @property
    def tolerance(self) -> float:
        """What an update may be off, relative."""
        return TOLERANCE[self.dtype] * (MATRICES if self.matrices else 1)

    @property
    def nonfinite(self) -> int | None:
        """The first update after which a parameter is not finite, or None."""
        for k, params in enumerate(self.params):
            if not all(np.isfinite(p).all() for p in params):
                return k
        return None

    def theta(self, param: int) -> Array:
        """A parameter before the first update and after each, in float64."""
        return np.array([p[param] for p in self.params], float)

    def updates(self, param: int) -> Array:
        """(theta_k - theta_{k-1})/lr of a parameter, a row an update."""
        with np.errstate(all="ignore"):
            return np.asarray(np.diff(self.theta(param), axis=0) / self._rates(param))

    def offsets(self, param: int) -> Array:
        """How far from theta each gradient is taken, over lr."""
        theta = self.theta(param)[: self.count]
        points = np.array([p[param] for p in self.points[: self.count]], float).reshape(theta.shape)
        with np.errstate(all="ignore"):
            return np.asarray((points - theta) / self._rates(param))

    def _rates(self, param: int) -> Array:
        rates = np.array([r[param] for r in self.rates[: self.count]], float)
        rates[rates == 0] = 1
        return rates.reshape(-1, *(1,) * np.ndim(self.params[0][param]))


@dataclass(frozen=True)
class Departure:
    """Where a box first parts from a rule. expected, got: the coordinate of the update over lr.

    of: "update", or "point" where the gradient is taken elsewhere, "error" where the box stopped (got is
    then nan). line: the first equation whose value departs, where states could be matched. near: all of the
    run is within NEAR, as with hyperparameters in float32.
    """

    step: int
    param: int
    coordinate: tuple[int, ...]
    expected: float
    got: float
    relative_error: float
    line: str | None = None
    of: str = "update"
    near: bool = False


# ---- a rule ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def equations(rule: Rule) -> Compiled:
    """The rule, compiled; kept for the next run."""
    return compiled(rule)


def run_rule(
    rule: Rule,
    values: Mapping[str, float],
    probe: Probe,
    *,
    clock: Clock = "own",
    states: bool = True,
    first: int = 1,
) -> Run:
    """The rule on a probe, in the probe's dtype, every parameter by itself.

    values: hyperparameters; lr, where it is not among them, is the probe's, and one that is missing is the
    rule's default. clock: does the counter of a parameter without a gradient go on? first: the first t.
    Raises ValueError if the rule cannot run on it (a vector for a rule of matrices, an input too few).
    """
    steps = equations(rule)
    known = {**_defaults(rule), **values}
    columns: list[tuple[list[Array], list[Array], list[Mapping[str, Any]]]] = []
    with np.errstate(all="ignore"):
        for i in range(len(probe.params)):
            columns.append(_column(steps, known, probe, i, clock=clock, first=first))
    count = len(probe.steps) + 1
    return Run(
        params=[[c[0][k] for c in columns] for k in range(count)],
        points=[[c[1][k] for c in columns] for k in range(count)],
        states=[{n: [c[2][k][n] for c in columns] for n in steps.names[1:]} for k in range(count)]
        if states
        else [],
        rates=_rates(probe, known.get("lr")),
        dtype=probe.dtype,
        shared=bool(rule.operators),
        matrices=rule.needs_matrix,
    )


@lru_cache(maxsize=8192)
def _defaults(rule: Rule) -> Mapping[str, float]:
    return {h.name: h.default for h in rule.hyperparameters if h.default is not None and h.name != "lr"}


def _rates(probe: Probe, lr: float | None) -> list[list[float]]:
    scale = 1.0 if lr is None else lr / probe.lr
    groups = probe.groups or (1.0,) * len(probe.params)
    return [[rate * scale * factor for factor in groups] for rate in probe.rates]


def _column(
    steps: Compiled, known: Mapping[str, float], probe: Probe, i: int, *, clock: Clock, first: int
) -> tuple[list[Array], list[Array], list[Mapping[str, Any]]]:
    """One parameter: theta, the gradient's point and the states, before the first update and after each."""
    rates = [rate[i] for rate in _rates(probe, known.get("lr"))]
    start = np.asarray(probe.params[i], probe.dtype)
    each = [
        {**known, **_mine(steps, step.inputs, i), "lr": rate}
        for step, rate in zip(probe.steps, rates, strict=True)
    ]
    at = steps.start(start, each[0])
    thetas, points = [start], []
    states: list[Mapping[str, Any]] = [at]
    t = first - 1
    for step, given in zip(probe.steps, each, strict=True):
        grad = step.grads[i]
        t += clock == "shared" or grad is not None
        points.append(steps.point(at, given))
        if grad is not None:
            at = steps.update(at, grad, t, given)
        elif clock == "shared":  # so are numbers that all parameters have in common
            after = steps.update(at, np.zeros_like(start), t, given)
            at = {n: after[n] if steps.sides.get(n) == "number" else x for n, x in at.items()}
        thetas.append(at["theta"])
        states.append(at)
    points.append(steps.point(at, each[-1]))
    return thetas, points, states


def _mine(steps: Compiled, inputs: Mapping[str, Any], i: int) -> dict[str, Any]:
    """What an update of this parameter is given besides its gradient."""
    if missing := [name for name in steps.inputs if name not in inputs]:
        raise ValueError(f"the probe gives no {', '.join(missing)}")
    return {n: x if isinstance(x, float) else x[i] for n, x in inputs.items()}


# ---- a box -------------------------------------------------------------------------------------------------


def run_box(make: Make, probe: Probe, adapter: str | None = None, *, states: bool = True) -> Run:
    """A black box on a probe; what an update raises is recorded, not raised. See Run.

    Each update is handed fresh copies of the gradients. Raises what `make` raises, and TypeError if no
    adapter fits.
    """
    from optverify.conformance.adapters import drive

    box: Box | None = None
    try:
        box = _started(drive, make, probe, adapter)
        return _driven(box, probe, states)
    except Unsupported as refusal:
        return _nothing(probe, unsupported=str(refusal) or "it cannot be driven so")
    except WrongResultError as error:
        return _nothing(probe, error=str(error))
    finally:
        if box is not None:
            with suppress(Exception):
                box.close()


def _started(drive: Callable[..., Box], make: Make, probe: Probe, adapter: str | None) -> Box:
    copies = [np.array(p, probe.dtype) for p in probe.params]
    if probe.groups and len(set(probe.groups)) > 1:
        try:
            return drive(make, copies, adapter, groups=[probe.lr * factor for factor in probe.groups])
        except TypeError as error:
            raise Unsupported(f"groups of parameters: {error}") from error
    return drive(make, copies, adapter)


def _nothing(probe: Probe, **said: Any) -> Run:
    start = [np.array(p, probe.dtype) for p in probe.params]
    return Run([start], [start], [], _rates(probe, None), probe.dtype, **said)


def _driven(box: Box, probe: Probe, keep: bool) -> Run:
    start = [np.asarray(p, probe.dtype) for p in probe.params]
    params, points = [checked(box.params(), start)], [_points(box, start)]
    states = [_states(box)] if keep else []
    spoiled: list[int] = []
    said: dict[str, Any] = {}
    for k, step in enumerate(probe.steps, 1):
        grads = [None if g is None else np.array(g) for g in step.grads]
        try:
            if step.lr is not None:
                box.set_lr(step.lr)
                points[-1] = _points(box, start)
            box.update(grads, **_inputs(step.inputs))
            after = checked(box.params(), start)
        except Unsupported as refusal:
            said = {"unsupported": str(refusal) or "it cannot be driven so", "failed": k}
            said["narrowed"] = isinstance(refusal, Narrowed)
            break
        except WrongResultError as error:
            said = {"error": str(error), "failed": k}
            break
        except Exception as error:
            said = {"error": message(error), "failed": k}
            break
        params.append(after)
        points.append(_points(box, start))
        if keep:
            states.append(_states(box))
        if _changed(grads, step.grads) or box.spoiled():
            spoiled.append(k)
    hyperparameters: Mapping[str, float] = {}
    with suppress(Exception):
        hyperparameters = dict(box.hyperparameters())
    return Run(
        params, points, states, _rates(probe, None), probe.dtype,
        spoiled=tuple(spoiled), hyperparameters=hyperparameters, **said,
    )  # fmt: skip


def _inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {n: x if isinstance(x, float) else [np.array(a) for a in x] for n, x in inputs.items()}


def _points(box: Box, start: Sequence[Array]) -> list[Array]:
    try:
        return checked(box.points(), start)
    except (Unsupported, WrongResultError):
        return box.params()


def _states(box: Box) -> Mapping[str, list[Array]]:
    with suppress(Exception):
        return {name: [np.array(a) for a in arrays] for name, arrays in box.state().items()}
    return {}


def _changed(after: Sequence[Array | None], before: Sequence[Array | None]) -> bool:
    pairs = zip(after, before, strict=True)
    return any(a is not None and b is not None and not np.array_equal(a, b, equal_nan=True) for a, b in pairs)


# ---- comparison --------------------------------------------------------------------------------------------


def compare(
    box: Run, expected: Run, tolerance: float | None = None, *, rule: Rule | None = None
) -> Departure | None:
    """The first coordinate in which a box parts from a rule; None if it never does.

    tolerance: relative, of an update; by default that of the dtype. Rounding of theta is never a departure.
    rule: names the line at fault, where the box shows its state.
    """
    tolerance = expected.tolerance if tolerance is None else tolerance
    found = _first(box, expected, tolerance)
    if found is None:
        return None
    near = found.of != "error" and tolerance < NEAR and _first(box, expected, NEAR) is None
    line = None if rule is None or found.of != "update" else departing_line(box, expected, found, rule)
    return Departure(**{**found.__dict__, "near": near, "line": line})


def matches(box: Run, expected: Run, tolerance: float | None = None) -> bool:
    """True if the box nowhere parts from the rule."""
    tolerance = expected.tolerance if tolerance is None else tolerance
    return _first(box, expected, tolerance) is None


def largest_ulps(box: Run, expected: Run) -> float:
    """The largest difference of an update, in units in the last place of theta or of the step."""
    worst = 0.0
    precision = float(np.finfo(expected.dtype).eps)
    for i, count in _common(box, expected):
        ours, theirs = expected.theta(i)[: count + 1], box.theta(i)[: count + 1]
        with np.errstate(all="ignore"):
            gap = np.abs(np.diff(theirs, axis=0) - np.diff(ours, axis=0))
            unit = precision * np.maximum(np.abs(ours[1:]), np.abs(ours[:-1]))
            ratio = np.where(gap > 0, gap / np.maximum(unit, np.finfo(float).tiny), 0)
        worst = max(worst, float(np.max(ratio[np.isfinite(ratio)], initial=0)))
    return worst


def largest_relative(box: Run, expected: Run) -> float:
    """The largest relative error of an update over lr that rounding does not explain; 0 if there is none."""
    worst = 0.0
    for i, count in _common(box, expected):
        ours, theirs = expected.updates(i)[:count], box.updates(i)[:count]
        size, rounding = scale(expected, i, ours)
        with np.errstate(all="ignore"):
            excess = np.maximum(np.abs(theirs - ours) - rounding, 0)
            ratio = np.where(excess > 0, excess / size, 0)
        worst = max(worst, float(np.max(np.nan_to_num(ratio, nan=np.inf, posinf=np.inf), initial=0)))
    return worst


def _common(box: Run, expected: Run) -> Iterator[tuple[int, int]]:
    """Each parameter, and the updates that both made."""
    for i in range(len(expected.params[0])):
        yield i, min(box.count, expected.count)


def scale(expected: Run, i: int, ours: Array) -> tuple[Array, Array]:
    """For each of these numbers of parameter i: what an error is relative to, and what rounding explains."""
    size = np.abs(ours)
    if expected.shared and size.ndim > 1 and size.size:
        size = np.broadcast_to(size.max(axis=tuple(range(1, size.ndim)), keepdims=True), size.shape)
    theta, rates = np.abs(expected.theta(i)), expected._rates(i)
    with np.errstate(all="ignore"):
        reached = np.maximum.accumulate(np.nan_to_num(size, nan=0, posinf=0), axis=0)
        moved = np.maximum(theta[1:], theta[:-1])[: len(ours)] / rates[: len(ours)]
        rounding = ROUNDINGS * float(np.finfo(expected.dtype).eps) * (reached + moved)
    return size, np.nan_to_num(rounding, nan=0, posinf=0)


def _first(box: Run, expected: Run, tolerance: float) -> Departure | None:
    """The first departure, whatever its line."""
    found: Departure | None = None
    for of in ("point", "update"):
        for i, count in _common(box, expected):
            here = _departed(box, expected, i, count, of=of, tolerance=tolerance)
            if here is not None and (found is None or here.step < found.step):
                found = here
    if found is None and box.count < expected.count and not box.unsupported:
        return Departure(box.count + 1, 0, (), float("nan"), float("nan"), float("inf"), of="error")
    return found


def _departed(box: Run, expected: Run, i: int, count: int, *, of: str, tolerance: float) -> Departure | None:
    read = Run.updates if of == "update" else Run.offsets
    if of == "point" and not (len(box.points) >= count and len(expected.points) >= count):
        return None
    ours, theirs = read(expected, i)[:count], read(box, i)[:count]
    if ours.shape != theirs.shape:
        return Departure(1, i, (), float("nan"), float("nan"), float("inf"), of=of)
    size, rounding = scale(expected, i, ours)
    with np.errstate(all="ignore"):
        gap = np.abs(theirs - ours)
        alike = (theirs == ours) | (np.isnan(theirs) & np.isnan(ours)) | (gap <= tolerance * size + rounding)
    places = np.argwhere(~alike)
    if not len(places):
        return None
    places = places[places[:, 0] == places[0, 0]]
    worst = max(places, key=lambda p: _worth(gap[tuple(p)], size[tuple(p)]))
    at = tuple(int(x) for x in worst)
    error = _worth(gap[at], size[at])
    return Departure(at[0] + 1, i, at[1:], float(ours[at]), float(theirs[at]), error, of=of)


def _worth(gap: float, size: float) -> float:
    """The relative error; infinite where nothing, or no number, was expected."""
    return float(gap / size) if size > 0 and np.isfinite(gap) and np.isfinite(size) else float("inf")
