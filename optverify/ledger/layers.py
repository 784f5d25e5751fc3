"""What the other two layers of the tests catch of a slip in a rule: golden values, and the committed steps.

Both run the equations that the NumPy backend prints for the rule at hand. The golden values come from loops
written from the papers (`tests/golden`), which know nothing of the recurrences; they say whether the
parameters are right. The committed step of `optverify.steps` is what the recurrence said when the steps were
generated; against it the states are compared too. Neither proves anything: what both let pass may still be
wrong for other numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from optverify.backends.compiled import Compiled, compiled
from optverify.language import Rule
from optverify.optimizers.dialects import defaults, keywords

Array = np.ndarray[Any, Any]

FORMAT, VERSION = "optverify golden values", 1
GOLDEN = Path(__file__).with_name("golden.json")
ULPS = 16 * 2.0**-52
"""What adding an update to theta may round away, relative."""


# ---- runs --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """A rule on a stream, and what should come out.

    start: theta before; rates: lr of each update; gradients, given: what each update takes; values: the
    hyperparameters; expected: result -> an array a row an update; tolerance: of an update, relative to its
    coordinate or, with shared, to its largest.
    """

    start: Array
    rates: Array
    gradients: Array
    values: Mapping[str, float]
    given: Mapping[str, Array]
    expected: Mapping[str, Array]
    tolerance: float = 1e-12
    shared: bool = False

    def updates(self) -> Iterator[tuple[int, Array, dict[str, Any]]]:
        """(t, gradient, hyperparameters and inputs) of each update."""
        for k, (lr, gradient) in enumerate(zip(self.rates.tolist(), self.gradients, strict=True)):
            more = {n: x[k] if x[k].ndim else float(x[k]) for n, x in self.given.items()}
            yield k + 1, gradient, {**self.values, "lr": lr, **more}

    def by(self, steps: Compiled) -> dict[str, Array]:
        """The results that are expected, by these equations."""
        first = next(self.updates())[2]
        at, rows = steps.start(self.start, {**first, **self.values}), []
        for t, gradient, given in self.updates():
            point = steps.point(at, given) if "point" in self.expected else None
            at = steps.update(at, gradient, t, given)
            rows.append({"point": point, **at})
        return {name: np.array([row[name] for row in rows]) for name in self.expected}

    def departure(self, found: Mapping[str, Array]) -> str | None:
        """The first place where a result departs, in words; None if none does."""
        first: tuple[int, str] | None = None
        for name, wanted in self.expected.items():
            beside = found[name]
            places = np.argwhere(~self._close(name, beside, wanted))
            if len(places) and (first is None or places[0][0] < first[0]):
                k, *at = places[0].tolist()
                where = name + (str(at) if at else "")
                numbers = f"{beside[k, *at]:.17g}, not {wanted[k, *at]:.17g}"
                first = (
                    k,
                    (
                        f"the gradient of update {k + 1} is taken at theta{at} = {numbers}"
                        if name == "point"
                        else f"after update {k + 1}, {where} is {numbers}"
                    ),
                )
        return first and first[1]

    def _close(self, name: str, found: Array, wanted: Array) -> Array:
        """Where changes agree to the tolerance, but for what adding them to theta rounds away."""
        parameters = name in ("theta", "point")
        origin = self.start[None] if parameters else np.zeros_like(wanted[:1])
        changes, moves = np.diff(found, axis=0, prepend=origin), np.diff(wanted, axis=0, prepend=origin)
        size = np.abs(moves)
        if self.shared:
            size = size.max(axis=tuple(range(1, size.ndim)), keepdims=True)
        rounding = ULPS * (np.abs(wanted) + parameters)
        alike = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
        return np.asarray(alike | (np.abs(changes - moves) <= self.tolerance * size + rounding))


def _caught(rule: Rule, runs: tuple[Run, ...], by: str) -> str | None:
    try:
        with np.errstate(all="ignore"):
            steps = compiled(rule)
            for run in runs:
                if departure := run.departure(run.by(steps)):
                    return f"{by}: {departure}"
    except Exception as error:  # whatever a slip makes a rule raise, the tests would see it
        return f"{by}: raises {type(error).__name__}: {error}"
    return None


# ---- golden values -----------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def golden() -> dict[str, tuple[Run, ...]]:
    """Rule -> its golden runs, from golden.json; ValueError for a file of another format or version."""
    data = json.loads(GOLDEN.read_text("utf-8"))
    if (data.get("format"), data.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"{GOLDEN} is not a file of {FORMAT}, version {VERSION}: write it anew")
    runs: dict[str, tuple[Run, ...]] = {}
    for saved in data["runs"]:
        stream = data["streams"][saved["stream"]]
        shape = stream["shape"]
        run = Run(
            start=_numbers(stream["start"]).reshape(shape),
            rates=_numbers(stream["rates"]),
            gradients=_rows(stream["gradients"], shape),
            values={name: float.fromhex(x) for name, x in saved["hyperparameters"].items()},
            given={name: _rows(x, shape) for name, x in saved["given"].items()},
            expected={name: _rows(x, shape) for name, x in saved["expected"].items()},
            tolerance=saved["tolerance"],
            shared=saved["relative_to"] != "each coordinate",
        )
        runs[saved["rule"]] = (*runs.get(saved["rule"], ()), run)
    return runs


def _numbers(line: str) -> Array:
    return np.array([float.fromhex(x) for x in line.split()])


def _rows(lines: list[str], shape: list[int]) -> Array:
    """An array of this shape, or a number, for each update."""
    numbers = np.array([_numbers(line) for line in lines])
    return numbers[:, 0] if numbers.shape[1] == 1 else numbers.reshape(-1, *shape)


def _runs(name: str) -> tuple[Run, ...]:
    if name not in golden():
        raise ValueError(f"no golden values for rule {name!r}: add a loop to tests/golden/catalogue.py")
    return golden()[name]


def golden_catches(rule: Rule) -> str | None:
    """What the golden values of its name say against a rule in its default dialect, or None.

    A sentence on the first departure, or on what was raised. Raises ValueError for a name without values.
    """
    return _caught(rule, _runs(rule.name), "golden values")


# ---- committed steps ---------------------------------------------------------------------------------------


def hostile(size: int, huge: float) -> Array:
    """A gradient an update: plain, a spike, zeros, flips of sign, tiny, huge, all zero, mixed; again."""
    k = np.arange(6)
    columns = [
        0.5 + 0.25 * k,
        np.where(k == 1, huge, 1.0),
        np.where(k % 2, 0.0, 3.0),
        (-1.0) ** k * (1 + k),
        (k + 1) / huge,
        huge / (k + 1),
        np.zeros(6),
        np.where(k == 2, -1 / huge, -2.0),
    ]
    return np.stack([columns[i % 8] * (1 + i // 8) for i in range(size)], axis=1)


@lru_cache(maxsize=128)
def committed(name: str) -> tuple[Run, ...]:
    """What the committed step of a rule gives on its golden streams, and on a wilder one, twice.

    Twice: with the hyperparameters of the golden values, and with the defaults.
    """
    runs = [replace(run, tolerance=1e-12, shared=False) for run in _runs(name)]
    module = import_module(f"optverify.steps.{name}")
    base = runs[0]
    shape = base.start.shape
    huge = 1e30 if len(shape) == 1 else 1e3  # powers of matrices have fewer digits
    gradients = hostile(base.start.size, huge).reshape(6, *shape)
    given = {
        n: np.roll(gradients, k, axis=-1) if x.ndim > 1 else x[:6]
        for k, (n, x) in enumerate(base.given.items(), 1)
    }
    wild = replace(base, rates=base.rates[:6], gradients=gradients, given=given)
    plain = replace(wild, values={**base.values, **defaults(module)})
    return tuple(recorded(module, run) for run in (*runs, wild, plain))


def recorded(module: Any, run: Run) -> Run:
    """The run with what a committed module gives: theta, every state, and where the gradients are taken."""
    read = {n: keywords(getattr(module, n)) for n in ("init", "gradient_point", "step")}

    def known(function: str, given: Mapping[str, Any]) -> dict[str, Any]:
        return {n: x for n, x in given.items() if n in read[function]}

    theta = run.start
    first = next(run.updates())[2]
    state = module.init(theta, **known("init", {**first, **run.values}))
    rows = []
    with np.errstate(all="ignore"):
        for _, gradient, given in run.updates():
            given["lr"] = partial(_planned, given["lr"])  # a schedule may be at zero, a fixed lr may not
            point = module.gradient_point(theta, state, **known("gradient_point", given))
            theta, state = module.step(theta, gradient, state, **known("step", given))
            rows.append({"point": point, "theta": theta, **state._asdict()})
    expected = {name: np.array([row[name] for row in rows]) for name in rows[0] if name != "t"}
    return replace(run, expected=expected)


def _planned(lr: float, _: int) -> float:
    return lr


def steps_catch(rule: Rule) -> str | None:
    """Where a rule in its default dialect departs from the committed step of its name, or None.

    Theta, the states and the point of the gradient are compared, to 1e-12 of each change.
    """
    return _caught(rule, committed(rule.name), "committed steps")
