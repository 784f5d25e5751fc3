"""One cell of a sweep: a rule on a problem with hyperparameters and a seed, and what comes of it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from time import perf_counter
from typing import Any

import numpy as np

from optverify.problems import FiniteSum, OnlineProblem, Problem, problem
from optverify.problems.points import Tree, tree_map
from optverify.training import BatchGradients, Estimate, MiniBatch, Noise, Trace, minimize
from optverify.workers import TimeUp

from .columns import RESULTS, Row
from .values import problem_parts

START, NOISE = 1, 2
"""Streams of random numbers of one seed."""
DRAWN = {"network", "stochastic"}
"""Tags of problems that draw their start, or their losses, with a seed of their own."""
LONGEST = 500
"""Characters of an error."""


@dataclass(frozen=True)
class Instance:
    """A problem with parameters, "rosenbrock(dim=10)"."""

    text: str

    def build(self, seed: int | None = None) -> Problem:
        """The problem; one that draws draws with the seed. Raises as `problem` does."""
        return _built(self.text, seed if self.draws else None)

    @property
    def draws(self) -> bool:
        """True if a seed makes its start (the weights of a network) or its losses, and none is given."""
        return "seed" not in problem_parts(self.text)[1] and bool(DRAWN & _built(self.text, None).tags)


@lru_cache(maxsize=64)
def _built(text: str, seed: int | None) -> Problem:
    name, parameters = problem_parts(text)
    return problem(name, **parameters, **({} if seed is None else {"seed": seed}))


def canonical(text: str) -> str:
    """The one way to write a problem: parameters sorted, as Python writes them."""
    name, parameters = problem_parts(text)
    written = ", ".join(f"{key}={value!r}" for key, value in sorted(parameters.items()))
    return f"{name}({written})" if written else name


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A run: see `Grid` and `columns` for its fields."""

    rule: str
    options: Mapping[str, str | bool] = field(default_factory=dict)
    problem: str
    hyperparameters: Mapping[str, float]
    seed: int | None = None
    steps: int
    spread: float = 0.0
    noise: float = 0.0
    batch_size: int | None = None
    tolerance: float = 1e-6
    version: str

    @property
    def inputs(self) -> Row:
        """The columns that say what it is, hyperparameters last."""
        return {
            "rule": self.rule,
            "options": json.dumps(dict(self.options), sort_keys=True),
            "problem": self.problem,
            "seed": self.seed,
            "steps": self.steps,
            "spread": self.spread,
            "noise": self.noise,
            "batch_size": self.batch_size,
            "tolerance": self.tolerance,
            "version": self.version,
            **self.hyperparameters,
        }

    @cached_property
    def key(self) -> str:
        """128 bits of a digest of all that it is: the same cell has the same key everywhere."""
        content = json.dumps(self.inputs, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:32]

    def row(self, results: Mapping[str, Any]) -> Row:
        """The row of the table."""
        return {"key": self.key, **self.inputs, **dict.fromkeys(RESULTS), **results}


def run_cell(cell: Cell, seconds: float) -> Row:
    """Run a cell; the columns of its results. Whatever it runs into is its error.

    The limit is looked at before each update, so that nothing is cut off in its middle.
    """
    try:
        instance = Instance(cell.problem).build(cell.seed)
        course = _Course(seconds, instance.minimum.value, cell.tolerance)
        settings: dict[str, Any] = {**cell.options, **cell.hyperparameters}
        trace = minimize(
            instance, cell.rule, cell.steps, start=_start(instance, cell), record=cell.steps,
            estimate=_estimate(instance, cell), watch=course, **settings,
        )  # fmt: skip
    except TimeUp:
        return {"error": f"it took longer than {seconds:g} s"}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"[:LONGEST]}
    return course.results(trace)


def _start(instance: Problem, cell: Cell) -> Tree:
    """The usual start, moved by spread times normal numbers; inside the box of an online problem."""
    start = instance.start
    if cell.seed is None or not cell.spread:
        return start
    rng = np.random.default_rng((cell.seed, START))
    moved = tree_map(
        lambda leaf: leaf + (cell.spread * rng.standard_normal(leaf.shape)).astype(leaf.dtype), start
    )
    return instance.project(moved) if isinstance(instance, OnlineProblem) else moved


def _estimate(instance: Problem, cell: Cell) -> Estimate | None:
    batches = noise = None
    if cell.batch_size and cell.seed is not None and isinstance(instance, FiniteSum):
        batches = BatchGradients(instance, MiniBatch(cell.batch_size, cell.seed))
    if cell.noise and cell.seed is not None:
        noise = Noise(cell.noise, (cell.seed, NOISE))
    if batches and noise:
        return lambda point, gradient, t: noise(point, batches(point, gradient, t), t)
    return batches or noise


class _Course:
    """What is to be known of a run besides its end; it ends the run when its time is up."""

    def __init__(self, limit: float, infimum: float, tolerance: float) -> None:
        self.limit, self.infimum, self.tolerance = limit, infimum, tolerance
        self.initial = self.best = math.nan
        self.reached: int | None = None
        self.began = self.now = 0.0

    def __call__(self, t: int, value: float) -> None:
        self.now = perf_counter()
        if t == 0:
            self.began, self.initial, self.best = self.now, value, value
        if self.now - self.began > self.limit:
            raise TimeUp
        if not value >= self.best and math.isfinite(value):
            self.best = value
        if self.reached is None and value - self.infimum <= self.tolerance:
            self.reached = t

    def results(self, trace: Trace) -> Row:
        return {
            "initial_value": _finite(self.initial),
            "final_value": _finite(trace.value[-1]),
            "best_value": _finite(self.best),
            "gradient_norm": _finite(trace.gradient_norm[-1]),
            "updates": int(trace.t[-1]),
            "diverged": trace.diverged,
            "steps_to_tolerance": self.reached,
            "seconds": round(self.now - self.began, 6),
            "error": trace.note or None,
        }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
