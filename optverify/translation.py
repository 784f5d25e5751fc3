"""Carry hyperparameters from one library to another: exactly where a map exists, measured where none does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optverify.backends.numpy import numpy_module
from optverify.language import Rule
from optverify.language.messages import unknown
from optverify.libraries import Entry, library
from optverify.optimizers.dialects import keywords
from optverify.rules import rule

Values = dict[str, float]
EXACT = 1e-11
"""Two runs whose updates differ by less, relative to the largest update, differ by rounding alone."""


@dataclass(frozen=True)
class Map:
    """Options of one axis between which hyperparameters can be carried.

    axis, source, target: the options. carry: the values, changed; None where these values cannot be carried.
    condition: under which it is exact. rules: the rules it is for, all that have the axis if empty.
    """

    axis: str
    source: str | bool
    target: str | bool
    carry: Callable[[Values], Values | None]
    condition: str = ""
    rules: tuple[str, ...] = ()


CONSTANT = "while lr is constant"


def _same(values: Values) -> Values:
    return values


def _if_zero(name: str) -> Callable[[Values], Values | None]:
    return lambda values: values if values.get(name, 0.0) == 0 else None


def _scaled(name: str, factor: Callable[[Values], float]) -> Callable[[Values], Values | None]:
    def carry(values: Values) -> Values | None:
        by = factor(values)
        return {**values, name: values[name] * by} if by > 0 else None

    return carry


def _with(name: str, value: float) -> Callable[[Values], Values]:
    return lambda values: {**values, name: value}


MAPS = (
    Map("lr_placement", "inside", "outside", _same, CONSTANT),
    Map("lr_placement", "outside", "inside", _same, CONSTANT),
    Map("form", "heavy_ball", "dampened", _with("dampening", 0.0)),
    Map("form", "dampened", "heavy_ball", _scaled("lr", lambda v: 1 - v["dampening"])),
    Map("form", "heavy_ball", "ema", _scaled("lr", lambda v: 1 / (1 - v["momentum"]))),
    Map("form", "ema", "heavy_ball", _scaled("lr", lambda v: 1 - v["momentum"])),
    Map("first_buffer", "zero", "gradient", _if_zero("dampening")),
    Map("first_buffer", "gradient", "zero", _if_zero("dampening")),
    Map("buffer", "lr_inside", "lr_outside", _same, CONSTANT),
    Map("buffer", "lr_outside", "lr_inside", _same, CONSTANT),
    Map("buffer", "lr_outside", "none", _if_zero("momentum")),
    Map("buffer", "lr_inside", "none", _if_zero("momentum")),
    Map("buffer", "none", "lr_inside", _with("momentum", 0.0)),
    Map("buffer", "none", "lr_outside", _with("momentum", 0.0)),
    Map("lr_schedule", "inverse_time", "constant", _if_zero("lr_decay")),
    Map("lr_schedule", "constant", "inverse_time", _with("lr_decay", 0.0)),
    Map("weight_decay_form", "coupled", "decoupled", _same, rules=("gd",)),
    Map("weight_decay_form", "decoupled", "coupled", _same, rules=("gd",)),
    Map("weight_decay_form", "decoupled", "decoupled_without_lr",
        _scaled("weight_decay", lambda v: v["lr"]), CONSTANT),
    Map("weight_decay_form", "decoupled_without_lr", "decoupled",
        _scaled("weight_decay", lambda v: 1 / v["lr"]), CONSTANT),
    *(
        Map("epsilon", a, b, _if_zero("eps"))
        for a in ("outside", "inside", "hat")
        for b in ("outside", "inside", "hat")
        if a != b
    ),
    *(
        Map("weight_decay_form", a, b, _if_zero("weight_decay"))
        for a in ("coupled", "decoupled", "decoupled_without_lr", "after_step")
        for b in ("none", "coupled", "decoupled", "decoupled_without_lr", "after_step")
        if a != b
    ),
    *(
        Map("weight_decay_form", "none", b, _with("weight_decay", 0.0))
        for b in ("coupled", "decoupled", "decoupled_without_lr", "after_step")
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Translation:
    """Hyperparameters carried from one library to another.

    source, target: the classes. values: their argument -> value, for the target. switches: further arguments
    of the target that bring it nearest. carried: True if the target then computes the same numbers.
    conditions: under which. lost: what could not be carried, in sentences. difference: the largest
    difference of an update over the largest update, in a run of both. notes: what else a user of one of the
    classes should know; that of a class which keeps numbers in float32 is not in the difference.
    """

    source: str
    target: str
    values: Mapping[str, float]
    switches: tuple[str, ...]
    carried: bool
    conditions: tuple[str, ...]
    lost: tuple[str, ...]
    difference: float
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "source": self.source, "target": self.target, "values": dict(self.values),
            "switches": list(self.switches), "exact": self.carried, "conditions": list(self.conditions),
            "lost": list(self.lost), "difference": self.difference,
            "notes": list(self.notes),
        }  # fmt: skip


def translate(name: str, source: str, target: str, values: Mapping[str, Any] | None = None) -> Translation:
    """Carry hyperparameters of a rule from one library to another.

    values: by our names or by those of the source library; what is left out has the source's default.
    Raises ValueError or TypeError for an unknown rule, library or hyperparameter, or a value out of range.
    """
    there, here = library(target).entry(name), library(source).entry(name)
    flags = {f"{n}={v}" for n, v in (values or {}).items()} & here.switches.keys()
    old = rule(name, like=source, **_options(here, flags))
    numbers = {n: v for n, v in (values or {}).items() if f"{n}={v}" not in flags}
    given = old.check(_ours(here, old, numbers))
    sizes = range(len(there.switches) + 1)
    subsets = itertools.chain(*(itertools.combinations(there.switches, k) for k in sizes))
    run = _moves(old, given)
    tried = [
        _onto(rule(name, like=target, **_options(there, s)), there, s, old, here, given, run) for s in subsets
    ]
    return min(tried, key=lambda t: (max(t.difference, EXACT), len(t.lost), len(t.switches)))


def _options(entry: Entry, switches: Iterable[str]) -> dict[str, Any]:
    return {axis: option for s in switches for axis, option in entry.switches[s].items()}


def _onto(  # noqa: PLR0917
    new: Rule,
    there: Entry,
    switches: tuple[str, ...],
    old: Rule,
    here: Entry,
    given: Values,
    run: NDArray[np.float64],
) -> Translation:
    """Carry the values of the old dialect onto the new one, with these switches; run: of the old."""
    carried, conditions, lost = _carry(old, new, dict(given))
    wanted = {h.name: carried.get(h.name, h.default) for h in new.hyperparameters}
    for h in new.hyperparameters:
        if h.default is not None and h.name not in there.names and wanted[h.name] != h.default:
            lost.append(f"{there.spelled} fixes {h.name} at {h.default:g}, not {wanted[h.name]:g}")
            wanted[h.name] = h.default
    lost += [
        f"{there.spelled} has no {here.names.get(n, n)}, which is {v:g}"
        for n, v in carried.items()
        if n not in wanted and v != 0
    ]
    checked = new.check(wanted)
    difference = _difference(run, _moves(new, checked))
    exact = difference <= EXACT
    return Translation(
        source=here.spelled,
        target=there.spelled,
        values={there.argument(n): there.to_theirs(n, v) for n, v in checked.items() if n in there.names},
        switches=switches,
        carried=exact,
        conditions=tuple(conditions) if exact else (),
        lost=() if exact else tuple(lost),
        difference=difference,
        notes=tuple(dict.fromkeys(f"{e.spelled}: {e.note}" for e in (here, there) if e.note)),
    )


def _ours(entry: Entry, rule: Rule, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values under our names."""
    back = {entry.argument(ours): ours for ours in entry.names}
    known = [h.name for h in rule.hyperparameters]
    for name in values:
        if name not in known and name not in back:
            raise ValueError(f"{entry.spelled}: {unknown('hyperparameter', name, {*known, *back})}")
    return {
        back.get(name, name): entry.to_ours(back[name], float(value)) if name in back else float(value)
        for name, value in values.items()
    }


def _carry(old: Rule, new: Rule, values: Values) -> tuple[Values, list[str], list[str]]:
    """Follow the maps of the axes on which the dialects differ."""
    conditions: list[str] = []
    lost: list[str] = []
    for axis in old.axes:
        a, b = old.options[axis.name], new.options[axis.name]
        if a == b:
            continue
        for m in MAPS:
            if (m.axis, m.source, m.target) != (axis.name, a, b) or (m.rules and old.name not in m.rules):
                continue
            if (changed := m.carry(values)) is not None:
                values = changed
                conditions += [m.condition] if m.condition and m.condition not in conditions else []
                break
        else:
            lost.append(f"{axis.name} is {a!r} there and {b!r} here, and no values make them the same")
    return values, conditions, lost


def _moves(dialect: Rule, values: Values) -> NDArray[np.float64]:
    """The updates of a run of 100 on hostile gradients, the same for every dialect."""
    steps, noise, shape = numpy_module(dialect), np.random.default_rng(1), (3, 4)
    scales = 10.0 ** np.random.default_rng(0).integers(-4, 2, size=shape)
    first = {n: v for n, v in values.items() if n in keywords(steps.init)}
    each = {n: v for n, v in values.items() if n in keywords(steps.step)}
    theta = noise.normal(size=shape)
    state, moves = steps.init(theta, **first), []
    for _ in range(100):
        after, state = steps.step(theta, noise.normal(size=shape) * scales, state, **each)
        moves.append(after - theta)
        theta = after
    return np.array(moves)


def _difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """The largest difference between two runs, over the largest update of the first."""
    return float(np.max(np.abs(a - b)) / max(np.max(np.abs(a)), np.finfo(float).tiny))
