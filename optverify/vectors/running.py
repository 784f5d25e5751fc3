"""A dialect driven through a probe: what every number is, and how far a float program may be from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from optverify.language import Rule, theta
from optverify.proof.evaluation import UNDEFINED, Misfit, Runner
from optverify.vectors.constants import GIVEN_EACH_TIME
from optverify.vectors.kinds import KINDS, Kind, nearest
from optverify.vectors.matrices import MatrixCompiler
from optverify.vectors.noise import Source
from optverify.vectors.numbers import Exact, Number, rational, stored
from optverify.vectors.probes import Probe, Row

Rows = list[list[Number]]
"""The numbers of an array, row by row, for each update that is told."""
Flat = Mapping[str, list[Any]]
"""The numbers of every array after one update."""
Put = Callable[[Fraction], Any]
"""A number in an arithmetic."""
Driven = Callable[..., Iterator[Flat]]
"""A driver and two ways to put numbers -> the run."""
POINT = "point"
"""The name under which it is told where a gradient is taken."""
MARGIN = 2
"""What algebraically equal forms may add, as a factor on the bound of the form that is written."""
LESS = 1 - 1e-12
"""So that the last digit of a mathematical library never decides between two tolerances."""
SPARE_BITS = 8
"""Bits of the significand that a tolerance must leave for a test to say anything."""
TIGHT = 4096
"""Units up to which a running bound is taken as it is."""
NOISE = {"float64": 2.0**-40, "float32": 2.0**-24}
"""The unit of a noisy run: half a unit in the last place, or what float64 can show of it."""
SAMPLES, FEW, MANY_UPDATES = 8, 4, 100
"""Noisy runs of a short probe, and of one of many updates."""
SAFETY = 16
"""A tolerance as a multiple of the largest deviation of noisy runs."""


class Undecided(Exception):  # noqa: N818 -- an outcome, no error
    """A probe on which this dialect has no value: 0/0, a basis that is not unique."""


@dataclass(frozen=True)
class Result:
    """What comes of a probe.

    before: theta and the states before the first update; after: theta, the states and perhaps POINT, told
    after each update (POINT: before it); end: the states at the end. ulps: float type -> array -> the
    tolerance, None for a type in which the test says nothing; why: the reason; sampled: the types whose
    tolerance comes from noisy runs.
    """

    before: Mapping[str, list[Number]]
    after: Mapping[str, Rows]
    end: Mapping[str, list[Number]]
    ulps: Mapping[str, Mapping[str, int | None] | None]
    why: Mapping[str, str]
    sampled: tuple[str, ...] = ()


class Fed(NamedTuple):
    """What a dialect is given: hyperparameters, a probe, and states to start from if they are not its own."""

    values: Mapping[str, Fraction]
    probe: Probe
    states: Mapping[str, Row] | None


class _Driver(Runner):
    """A rule compiled with the operators of matrices, for an arithmetic."""

    def __init__(self, rule: Rule, arithmetic: Any) -> None:
        self.rule, self.arithmetic, self.one_dimensional = rule, arithmetic, False
        compiled = MatrixCompiler(arithmetic)
        self.lines = [(lhs, compiled(rhs)) for lhs, rhs in rule.assignments]
        self.point = compiled(rule.gradient_point)
        self.first = {s: compiled(sp.sympify(s.initial)) for s in rule.states}
        self.states = (theta, *rule.states)

    def drive(self, fed: Fed, put: Put, hold: Put) -> Iterator[Flat]:
        """The numbers before the first update and after each one; POINT where the rule looks ahead.

        put, hold: a number that is given, and one that a program keeps in its own type, in the arithmetic.
        """
        rule, (values, probe, states) = self.rule, fed
        kept = {h.symbol: hold(values[h.name]) for h in rule.hyperparameters if h.name in values}

        def known(k: int) -> dict[Any, Any]:
            now = dict(kept)
            now |= {s: x * put(probe.rate(k)) for s, x in kept.items() if s.name == "lr"}
            for h in rule.hyperparameters:
                if h.name in GIVEN_EACH_TIME:
                    now[h.symbol] = put(_row(probe, h.name, k)[0])
            for i in rule.inputs:
                row = _row(probe, i.name, k)
                now[i.now] = put(row[0]) if i.scalar else _array(row, probe.shape, put)
            return now

        now = self.start(_array(probe.theta, probe.shape, put), known(1))
        if states is not None:
            shapes = {s: state_shape(rule, s.name, probe.shape) for s in rule.states}
            now |= {
                s.before: put(states[s.name][0]) if s.scalar else _array(states[s.name], shapes[s], put)
                for s in rule.states
            }
        yield self._flat(now)
        for k in range(1, probe.count + 1):
            given = known(k)
            ahead = {POINT: _flat(self.point({**given, **now}))} if looks_ahead(rule) else {}
            now = self.update(now, given, probe.first + k, _array(probe.gradient(k), probe.shape, put))
            yield {**self._flat(now), **ahead}

    def _flat(self, now: Mapping[Any, Any]) -> dict[str, list[Any]]:
        return {s.name: _flat(now[s.before]) for s in self.states}


@lru_cache(maxsize=8)
def _exact_driver(rule: Rule) -> _Driver:
    return _Driver(rule, Exact())


def looks_ahead(rule: Rule) -> bool:
    """True if gradients are not taken at theta[t-1]."""
    return bool(rule.gradient_point != theta.before)


def state_shape(rule: Rule, name: str, shape: Sequence[int]) -> list[int]:
    """The shape of theta, of a point, or of a state, [] for a number."""
    found = {s.name: s for s in rule.states}.get(name)
    if found is None:
        return list(shape)
    if found.scalar:
        return []
    if not found.side:
        return list(shape)
    m, n = shape
    return {"rows": [m, 1], "columns": [1, n], "left": [m, m], "right": [n, n]}[found.side]


def run(
    rule: Rule, values: Mapping[str, Fraction], probe: Probe, states: Mapping[str, Row] | None = None
) -> Result:
    """Drive a dialect through a probe. states: to start from, after `probe.first` updates.

    Raises Undecided where an update has no value.
    """
    driver = _exact_driver(rule)
    driver.arithmetic.turned = set()  # type: ignore[attr-defined]

    def driven(by: _Driver, put: Put, hold: Put) -> Iterator[Flat]:
        return by.drive(Fed(values, probe, states), put, hold)

    try:
        with np.errstate(all="ignore"):  # what is beyond float64 shows in the errors
            history = list(driven(driver, rational, stored))
    except (Misfit, ZeroDivisionError, ValueError) as error:
        raise Undecided(str(error) or "a basis is not unique, or a number is divided by zero") from error
    history = [history[k] for k in (0, *probe.told)]
    after = {name: [row[name] for row in history[1:]] for name in history[-1]}
    turned = driver.arithmetic.turned  # type: ignore[attr-defined]
    ulps: dict[str, Mapping[str, int | None] | None] = {}
    why, sampled = {}, []
    for index, (name, kind) in enumerate(KINDS.items()):
        if name not in probe.dtypes:
            ulps[name], why[name] = None, "its inputs are no numbers of this type"
            continue
        units = _bounds(history, index, kind)
        if any(map(math.isnan, units.values())):
            units = {n: math.inf if math.isnan(u) else u for n, u in units.items()}
        elif name in turned or max(units.values()) * MARGIN > TIGHT:
            noisy = _deviations(driven, rule, probe, history, name)
            if noisy is not None:
                sampled.append(name)
            units = noisy or (dict.fromkeys(units, math.inf) if name in turned else units)
        limit = 2.0 ** (kind.bits - SPARE_BITS)
        found = {
            n: 1 + math.ceil(MARGIN * u * LESS) if MARGIN * u <= limit else None for n, u in units.items()
        }
        ulps[name] = None if found["theta"] is None else found
        if None in found.values():
            why[name] = "a number leaves the range of this type, or rounding may take all digits"
    return Result(history[0], after, history[-1], ulps, why, tuple(n for n in sampled if ulps[n] is not None))


def _scales(history: Sequence[Flat]) -> Iterator[tuple[int, str, int, Number, float]]:
    """(row, array, place, number, its size or that of the one told before) of every result."""
    for k, row in enumerate(history[1:], 1):
        for name, numbers in row.items():
            before = history[k - 1].get(name, numbers)
            for i, (x, old) in enumerate(zip(numbers, before, strict=True)):
                yield k, name, i, x, max(x.size, old.size)


def _bounds(history: Sequence[Flat], index: int, kind: Kind) -> dict[str, float]:
    """The largest bound of each array, in units in the last place of the number or the one before it.

    nan where something leaves the range of the type.
    """
    units = dict.fromkeys(history[-1], 0.0)
    for _, name, _, x, scale in _scales(history):
        error = x.errors[index]
        if scale > kind.top or math.isnan(error):
            units[name] = math.nan
        elif error and not math.isnan(units[name]):
            units[name] = max(units[name], error / kind.spacing(scale))
    return units


def _deviations(
    driven: Driven, rule: Rule, probe: Probe, history: Sequence[Flat], name: str
) -> dict[str, float] | None:
    """SAFETY times the largest deviation of noisy runs, in the same units; None where they are of no use."""
    kind, unit = KINDS[name], NOISE[name]
    exact = {(k, n, i): float(x.fraction()) for k, n, i, x, scale in _scales(history) if scale <= kind.top}
    scales = {(k, n, i): kind.spacing(scale) for k, n, i, _, scale in _scales(history) if scale <= kind.top}
    worst = dict.fromkeys(history[-1], 0.0)
    for seed in range(FEW if probe.count > MANY_UPDATES else SAMPLES):
        source = Source(kind, unit, seed)
        try:
            with np.errstate(all="ignore"):
                runs = list(driven(_Driver(rule, source), source.given, source.given))
            runs = [runs[k] for k in (0, *probe.told)]
        except (Undecided, Misfit, ValueError, ZeroDivisionError, OverflowError):
            return None
        for (k, n, i), x in exact.items():
            gap = abs(runs[k][n][i].value - x) * (kind.unit / 2 / unit)
            worst[n] = max(worst[n], gap / scales[k, n, i])
        if source.out_of_range or len(exact) < sum(len(v) for row in history[1:] for v in row.values()):
            return None
    return {n: _tidy(SAFETY * w / MARGIN) for n, w in worst.items()}


def _tidy(x: float) -> float:
    """Rounded up to two bits: the last digits of a sample are those of a mathematical library."""
    if not x or not math.isfinite(x):
        return x
    unit = math.ldexp(1.0, math.frexp(x)[1] - 2)
    return math.ceil(x / unit) * unit


def _row(probe: Probe, name: str, k: int) -> Row:
    given = probe.given[name]
    return given[(k - 1) % len(given)]


def _array(row: Row, shape: Sequence[int], put: Callable[[Fraction], Any]) -> Any:
    made = np.empty(len(row), dtype=object)
    made[:] = [put(x) for x in row]
    return made.reshape(tuple(shape))


def _flat(value: Any) -> list[Any]:
    numbers = value.ravel().tolist() if isinstance(value, np.ndarray) else [value]
    if any(x is UNDEFINED for x in numbers):
        raise Undecided("a number is divided by zero")
    return numbers


def short(numbers: Sequence[Number], bits: int = 12) -> Row:
    """Numbers of few bits near these, exact in float32."""
    made = []
    for x in numbers:
        value = x.fraction()
        exponent = abs(value).numerator.bit_length() - value.denominator.bit_length()
        unit = Fraction(2) ** max(exponent - bits, -149)
        single = nearest(round(value / unit) * unit, KINDS["float32"])
        if not isinstance(single, Fraction):
            raise Undecided("a state is beyond float32")
        made.append(single)
    return tuple(made)
