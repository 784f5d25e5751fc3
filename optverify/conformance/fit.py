"""Constants from updates: which values of its hyperparameters bring a rule nearest to what a box did.

A grid of usual values, then damped Gauss-Newton from the best of them,
then round numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from optverify.conformance.model import (
    COUPLED,
    GIVEN,
    GOOD,
    SIZES,
    Array,
    Model,
    Record,
    Values,
)
from optverify.language import Hyperparameter
from optverify.language.hyperparameter import positive, real, unit

FAR = 1e3
"""What a residual counts where a rule gives no number."""


# ---- coordinates in which constants are fitted -------------------------------------------------------------


USUAL: Mapping[str, tuple[float, ...]] = {
    "lr": (1e-2,), "beta1": (0.9, 0.5, 0.99), "beta2": (0.999, 0.99, 0.9), "beta3": (0.999, 0.9),
    "beta4": (0.999,), "eps": (1e-8, 1e-5, 1e-2, 0.5), "momentum": (0.9, 0.5, 0.99), "dampening": (0.0, 0.9),
    "rho": (0.9, 0.99, 0.95), "initial_accumulator": (0.0, 0.1, 1.0), "eps1": (1e-30, 1e-8, 1e-2),
    "eps2": (1e-3, 1e-1), "eps_root": (1e-16, 1e-8, 1e-3), "nu": (0.7, 0.9), "nu1": (0.7, 0.9),
    "nu2": (1.0, 0.9), "sync_period": (5.0, 2.0, 3.0, 4.0, 6.0, 10.0),
    "precondition_frequency": (1.0, 2.0, 3.0, 5.0, 10.0), "partial": (0.125, 0.25), "alpha": (1.0, 5.0, 8.0),
    "weight_decay": (0.01, 0.1), "phi_max": (10.0, 1.0), "lr_decay": (0.0, 0.1), "clip_threshold": (1.0,),
    "trust_coefficient": (1e-3, 1.0), "b0": (0.1, 1.0), "average_start": (1e6,), "d0": (1e-6, 1e-3),
    "optimism": (1.0, 0.5), "final_lr": (0.1, 0.01), "max_step": (50.0, 0.1), "min_step": (1e-6,),
    "max_norm": (1.0, 0.1, 5.0), "clip_eps": (1e-6,),
    "momentum_decay": (0.004, 1.0), "beta": (1.0, 0.0), "decay_rate": (0.8,), "slow_lr": (0.5, 0.8),
}  # fmt: skip
"""Where a fit starts, besides at a rule's own defaults and at what was passed."""
WHOLE = frozenset({"sync_period", "precondition_frequency", "average_start", "period", "warmup"})
"""Numbers of updates: chosen among starts, not fitted."""
STARTS = 72


@dataclass(frozen=True)
class Coordinate:
    """How a constant is varied: by its logarithm, that of its odds, or as it is."""

    name: str
    kind: str

    def inward(self, x: Array) -> Array:
        """From values to coordinates."""
        if self.kind == "log":
            return np.log(np.maximum(x, 1e-300))
        if self.kind == "odds":
            x = np.clip(x, 1e-12, 1 - 1e-15)
            return np.log(x) - np.log1p(-x)  # type: ignore[no-any-return]
        return x

    def outward(self, y: Array) -> Array:
        """From coordinates to values."""
        with np.errstate(all="ignore"):
            if self.kind == "log":
                return np.exp(np.clip(y, -690, 690))  # type: ignore[no-any-return]
            return 1 / (1 + np.exp(-y)) if self.kind == "odds" else y


def coordinates(model: Model, start: Mapping[str, float]) -> tuple[Coordinate, ...]:
    """The coordinates of a fit that starts there. What is 0 and cannot be less stays 0."""
    likes = {h.name: h for h in model.rule.hyperparameters}

    def moves(name: str) -> bool:
        h = likes.get(name)
        return name in start and name not in WHOLE and (h is None or h.domain is real or start[name] != 0)

    return tuple(Coordinate(n, _kind(likes.get(n), start[n])) for n in model.names if moves(n))


def _kind(h: Hyperparameter | None, start: float) -> str:
    if h is None or h.domain is real or start == 0:
        return "plain"
    if h.domain is unit:
        return "odds"
    return "log" if start > 0 else "plain"


def starts(model: Model, known: Mapping[str, float], size: int = STARTS) -> list[Values]:
    """Where to look first: known values with the usual ones of the others, most likely first."""
    choices: list[tuple[str, tuple[float, ...]]] = []
    for h in model.rule.hyperparameters:
        if h.name in GIVEN:
            continue
        usual = (known[h.name],) if h.name in known else _usual(h)
        choices.append((h.name, usual))
    total = math.prod(len(c) for _, c in choices)
    rng = np.random.default_rng(0)
    picks = (
        range(total) if total <= size else [0, *sorted(rng.choice(total, size - 1, replace=False).tolist())]
    )
    made = []
    for pick in dict.fromkeys(picks):
        values, rest = {}, pick
        for name, usual in choices:
            rest, place = divmod(rest, len(usual))
            values[name] = usual[place]
        made += [values | decay for decay in _shrunk(model, values, known.get("weight_decay"))]
    return made


def _shrunk(model: Model, values: Values, told: float | None) -> Iterator[Values]:
    """Where decay beside the rule starts: from what was seen of it, or at what was passed."""
    for name in model.shrinks:
        if name in COUPLED:
            yield from ({name: x} for x in ((told,) if told else SIZES))
        else:
            yield {name: model.share / (1.0 if name == "_alone" else values.get("lr", 1.0))}
    if not model.shrinks:
        yield {}


def _usual(h: Hyperparameter) -> tuple[float, ...]:
    own = () if h.default is None else (h.default,)
    return tuple(dict.fromkeys((*own, *USUAL.get(h.name, ())))) or (0.5,)


# ---- the fit -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fit:
    """A rule with constants. worst: its largest residual; rank: the mean logarithm of the residuals, small for a
    good fit, even if a few are large; exact: the share of updates it gives; spread: how far a constant may be off and still fit; infinite where it does not matter.
    good: below which residuals are none.
    """  # noqa: E501

    model: Model
    values: Values
    worst: float
    rank: float
    exact: float
    spread: Mapping[str, float] = field(default_factory=dict)
    good: float = GOOD["float64"]

    @property
    def matches(self) -> bool:
        """True if it gives every update."""
        return self.worst <= self.good


def residuals(model: Model, records: Sequence[Record], values: Mapping[str, Array]) -> Array:
    """(rows of values, all numbers of all records): predicted less seen, relative; FAR where not a number."""
    parts = []
    for record, moves in zip(records, model.every_move(records, values), strict=True):
        with np.errstate(all="ignore"):
            part = (moves - record.moves) / record.scale
        part[:, ~np.isfinite(record.moves)] = 0
        parts.append(part.reshape(len(part), -1))
    r = np.concatenate(parts, axis=1)
    return np.where(np.isfinite(r), np.clip(r, -FAR, FAR), FAR)


def stacked(values: Sequence[Values]) -> dict[str, Array]:
    """Rows of values."""
    return {n: np.array([v[n] for v in values]) for n in values[0]} if values else {}


def cost(r: Array) -> Array:
    """One number a row, in which a few wild residuals do not drown the others."""
    return np.asarray(np.mean(np.log1p((r / 1e-3) ** 2), axis=1))


def screened(  # noqa: PLR0917
    model: Model,
    records: Sequence[Record],
    known: Mapping[str, float],
    size: int = STARTS,
    seeds: Sequence[Values] = (),
    wide: bool = True,
) -> list[tuple[float, Values]]:
    """Starts with their cost, the best first; lr scaled to the size of the updates.

    seeds: starts of another dialect, with which what they do not know is filled in. wide: look elsewhere
    than at the known values, too.
    """
    tried = starts(model, known, size)
    if known and wide:
        tried += starts(model, {}, max(size // 3, 8))
    tried += [{n: seed.get(n, v) for n, v in tried[0].items()} for seed in seeds]
    values = stacked(tried)
    if not values:
        return [(float(cost(residuals(model, records, {}))[0]), {})]
    if "lr" in values and ("lr" not in known or np.any(values["lr"] != known["lr"])):
        free = np.ones(len(tried)) if "lr" not in known else (values["lr"] != known["lr"]) * 1.0
        for _ in range(2):
            stretch = _stretch(model, records[0], values) ** free
            values["lr"] = values["lr"] * stretch
            for name in {"_decoupled", "_after", "_flat"} & values.keys():
                values[name] = values[name] / stretch
    costs = cost(residuals(model, records, values))
    order = np.argsort(costs, kind="stable")
    return [(float(costs[i]), {n: float(x[i]) for n, x in values.items()}) for i in order]


SPREAD = (1e-6, 1e-4, 1e-3, 1e-2, 0.1, 0.3, 3.0, 10.0, 1e2, 1e3, 1e4, 1e6)
ODDS = (0.0, 0.1, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999)


def improved(
    model: Model, records: Sequence[Record], values: Values, fixed: Iterable[str] = (), rounds: int = 2
) -> Values:
    """Values of less cost, one constant changed at a time, over many sizes."""
    held = set(fixed)
    best = dict(values)
    for _ in range(rounds):
        tried = [best]
        for h in model.rule.hyperparameters:
            if h.name not in held and h.name in best:
                tried += [{**best, h.name: x} for x in other_values(h, best[h.name])]
        costs = cost(residuals(model, records, stacked(tried)))
        place = int(np.argmin(costs))
        if place == 0:
            break
        best = tried[place]
    return best


def other_values(h: Hyperparameter, value: float) -> list[float]:
    """Other values to be tried for a constant."""
    if h.name in WHOLE:
        return [x for x in USUAL.get(h.name, ()) if x != value]
    if h.domain is unit:
        return [x for x in ODDS if x != value]
    zero = [0.0] if value != 0 and h.domain is not positive else []
    if value == 0:
        return [1e-10, 1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 0.1, 1.0]
    return zero + [value * x for x in SPREAD]


def stretched(model: Model, records: Sequence[Record], values: Values) -> Values:
    """The values with the lr that gives updates of the right size."""
    factor = float(_stretch(model, records[0], stacked([values]))[0])
    return {**values, "lr": values["lr"] * factor}


def _stretch(model: Model, record: Record, values: Mapping[str, Array]) -> Array:
    """By how much the updates of each row are too small: the median of the ratios."""
    moves = model.moves(record, values)
    with np.errstate(all="ignore"):
        ratios = np.abs(record.moves[None] / moves)
    usable = np.isfinite(ratios) & (ratios > 0) & (record.moves[None] != 0)
    flat = np.where(usable, ratios, np.nan).reshape(len(moves), -1)
    with np.errstate(all="ignore"):
        enough = usable.reshape(len(moves), -1).any(axis=1)
        middle = np.ones(len(moves))
        middle[enough] = np.nanmedian(flat[enough], axis=1)
    return np.clip(middle, 1e-12, 1e12)


def fit(  # noqa: PLR0917
    model: Model,
    records: Sequence[Record],
    start: Mapping[str, float],
    fixed: Iterable[str] = (),
    rounds: int = 30,
    robust: bool = False,
) -> Fit:
    """Damped Gauss-Newton from one start. robust: updates that do not fit at all are to count less."""
    held = {n: v for n, v in start.items() if n in set(fixed)}
    axes = [c for c in coordinates(model, start) if c.name not in held]
    rest = {n: v for n, v in start.items() if n not in {c.name for c in axes}}

    def seen(points: Array) -> Array:
        values = {c.name: c.outward(points[:, i]) for i, c in enumerate(axes)}
        return residuals(model, records, values | {n: np.full(len(points), v) for n, v in rest.items()})

    x = np.array([float(c.inward(np.array(start[c.name]))) for c in axes])
    r = seen(x[None])[0]
    jacobian = np.zeros((len(r), 0))
    if axes:
        x, r, jacobian = _descend(seen, x, r, rounds, robust)
        if np.abs(r).max() < 1e-3:
            x = _polished(seen, x, r, jacobian)
    values = {c.name: float(c.outward(x[i])) for i, c in enumerate(axes)} | rest
    ordered = {n: values[n] for n in start}
    return made(model, records, ordered, _spread(axes, x, jacobian))


def made(
    model: Model, records: Sequence[Record], values: Values, spread: Mapping[str, float] | None = None
) -> Fit:
    """A Fit with these values."""
    good = max(GOOD[r.dtype] for r in records)
    size = np.abs(residuals(model, records, stacked([values]))[0])
    exact = float(np.mean(size <= good)) if size.size else 1.0
    rank = float(np.mean(np.log10(np.clip(size, good / 10, 10)))) if size.size else -math.inf
    return Fit(model, values, float(size.max(initial=0)), rank, exact, spread or {}, good)


def _descend(
    seen: Callable[[Array], Array], x: Array, r: Array, rounds: int, robust: bool
) -> tuple[Array, Array, Array]:
    """Gauss-Newton with several dampings tried at once; stops when nothing is gained."""
    count, damping, stuck = len(x), 1e-3, 0
    jacobian = np.zeros((len(r), count))
    for k in range(rounds):
        if k == 5 and not robust and np.abs(r).max() > 0.03 and np.mean(np.abs(r) > 0.01) > 0.3:
            break  # what fits is nearly there by now
        widths = np.full(count, 1e-7)
        around = seen(x[None] + np.diag(widths))
        jacobian = (around - r[None]).T / widths
        jacobian[~np.isfinite(jacobian)] = 0
        if np.abs(r).max() <= 1e-14:
            break
        width = _width(r, robust)
        weights = 1 / (1 + (r / width) ** 2)
        lengths = np.sqrt(weights @ jacobian**2)
        lengths[lengths == 0] = 1
        scaled = jacobian / lengths
        normal, slope = (scaled * weights[:, None]).T @ scaled, (scaled * weights[:, None]).T @ r
        tries = np.array([0.0, damping * 1e-3, damping, damping * 30, 1.0, 30.0])
        steps = np.array([_solved(normal, slope, d) for d in tries]) / lengths
        steps = np.clip(steps, -3, 3)
        trial = seen(x[None] - steps)
        costs = _loss(trial, width)
        best = int(np.argmin(costs))
        before = _loss(r[None], width)[0]
        if not costs[best] < before:
            break
        stuck = stuck + 1 if costs[best] > before * 0.999 else 0
        x, r = x - steps[best], trial[best]
        damping = min(max(tries[best], 1e-9), 1.0)
        if stuck >= 3:
            break
    return x, r, jacobian


def _polished(seen: Callable[[Array], Array], x: Array, r: Array, jacobian: Array) -> Array:
    """The last digits: steps of least squares without squaring the condition."""
    for _ in range(4):
        lengths = np.linalg.norm(jacobian, axis=0)
        lengths[lengths == 0] = 1
        step = np.linalg.lstsq(jacobian / lengths, r, rcond=1e-13)[0] / lengths
        new = seen((x - step)[None])[0]
        if not np.abs(new).max() < np.abs(r).max():
            break
        x, r = x - step, new
        if np.abs(r).max() < 1e-14:
            break
        jacobian = (seen(x[None] + 1e-7 * np.eye(len(x))) - r[None]).T / 1e-7
    return x


def _width(r: Array, robust: bool) -> float:
    """Above which a residual counts less: none for a plain fit, ten times the usual one for a robust one."""
    if not robust:
        return math.inf
    size = np.abs(r)
    shown = size[size > 0]
    return max(10 * float(np.median(shown)), 1e-13) if shown.size else math.inf


def _loss(r: Array, width: float) -> Array:
    if math.isinf(width):
        return np.asarray(np.sum(r**2, axis=1))
    return np.asarray(np.sum(np.log1p((r / width) ** 2), axis=1))


def _solved(normal: Array, slope: Array, damping: float) -> Array:
    try:
        return np.linalg.solve(normal + (damping + 1e-15) * np.eye(len(slope)), slope)
    except np.linalg.LinAlgError:
        return np.zeros_like(slope)


def _spread(axes: Sequence[Coordinate], x: Array, jacobian: Array) -> dict[str, float]:
    """How far each coordinate moves the value while every residual stays below GOOD; inf if it never shows."""  # noqa: E501
    made = {}
    if not axes:
        return {}
    largest = np.abs(jacobian).max(axis=0)
    for i, c in enumerate(axes):
        if largest[i] < 1e-9:
            made[c.name] = math.inf
            continue
        value = float(c.outward(x[i]))
        slope = {"log": abs(value), "odds": value * (1 - value), "plain": 1.0}[c.kind]
        others = np.delete(jacobian, i, axis=1)
        own = jacobian[:, i]
        if others.size:
            own = own - others @ np.linalg.lstsq(others, own, rcond=1e-10)[0]
        made[c.name] = slope * 1e-13 / max(float(np.linalg.norm(own)), 1e-300) * math.sqrt(len(own))
    return made


def without(found: Fit, records: Sequence[Record], fixed: Iterable[str] = ()) -> Fit:
    """The fit, or a better one in which a constant that fades away is exactly zero."""
    likes = {h.name: h for h in found.model.rule.hyperparameters}
    for name, value in found.values.items():
        h = likes.get(name)
        if found.matches or h is None or value == 0 or h.domain is positive or name in fixed:
            continue
        if name == "lr" or abs(value) > 1e-3:
            continue
        tried = fit(found.model, records, {**found.values, name: 0.0}, (*fixed, name), rounds=15)
        found = min(found, tried, key=lambda f: f.worst)
    return found


def solve(
    model: Model,
    records: Sequence[Record],
    known: Mapping[str, float],
    *,
    tries: int = 1,
    size: int = STARTS,
    enough: float = math.inf,
) -> Fit:
    """The best fit that can be found: known values first as they are, then as a start.

    tries: how many starts are followed; enough: give up where the cheapest start costs more.
    """
    ranked = screened(model, records, known, size)
    if ranked[0][0] > enough:
        values = ranked[0][1]
        return made(model, records, values)
    best: Fit | None = None
    for _, values in _diverse(ranked, tries):
        found = without(fit(model, records, improved(model, records, values), rounds=15), records)
        best = found if best is None or found.rank < best.rank else best
        if best.matches:
            break
    assert best is not None
    return best


def _diverse(ranked: Sequence[tuple[float, Values]], count: int) -> list[tuple[float, Values]]:
    """The cheapest starts, first of each pattern of zeros."""
    patterns: dict[tuple[bool, ...], tuple[float, Values]] = {}
    for start in ranked:
        patterns.setdefault(tuple(v == 0 for v in start[1].values()), start)
    first = sorted(patterns.values(), key=lambda s: s[0])
    rest = [s for s in ranked if s not in first]
    return [*first, *rest][:count]
