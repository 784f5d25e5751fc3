"""Which cells a sweep has: the product of rules, dialects, problems, hyperparameters and seeds."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from inspect import getsource
from math import prod
from typing import Any

import numpy as np

from optverify._version import __version__
from optverify.language import Axis, Option, Rule
from optverify.language.messages import unknown
from optverify.optimizers.dialects import step_module
from optverify.problems import FiniteSum
from optverify.problems.arguments import integer
from optverify.rules import registry, rule

from .cell import Cell, Instance, canonical
from .columns import check_names

OPTIONAL_INPUTS = {"global_norm"}
"""Inputs that the optimizer finds by itself."""


@dataclass(frozen=True)
class Grid:
    """A sweep, checked: every rule, name, option and value in it is known before anything runs.

    rules, problems: names; problems may have parameters, "rosenbrock(dim=10)". settings: hyperparameter or
    axis -> its values. A rule goes through those that its dialect reads, so that no cell comes twice;
    dialects that do not exist are left out. seeds: each draws a start, noise and batches; None is the usual
    start.
    steps: updates. spread: standard deviation of the start around the usual one; noise: of what is added to
    each coordinate of each gradient; batch_size: examples a gradient of finite sums, None for all of them.
    tolerance: of steps_to_tolerance. Raises ValueError or TypeError, in one sentence, for what does not fit.
    """

    rules: Sequence[str]
    problems: Sequence[str]
    settings: Mapping[str, Sequence[Any]]
    seeds: Sequence[int | None] = (None,)
    steps: int = 500
    spread: float = 0.1
    noise: float = 0.0
    batch_size: int | None = None
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        for what in ("rules", "problems", "seeds"):
            _check_listed(what, getattr(self, what))
        for name, values in self.settings.items():
            _check_listed(name, values)
        integer("sweep", "steps", self.steps, least=1)
        for what, value in (("spread", self.spread), ("noise", self.noise), ("tolerance", self.tolerance)):
            if isinstance(value, bool) or not (isinstance(value, int | float) and 0 <= value < np.inf):
                raise ValueError(f"sweep: {what} must be a finite number >= 0, got {value!r}")
        for seed in self.seeds:
            if seed is not None:
                integer("sweep", "seed", seed, least=0)
        if (self.noise or self.batch_size) and None in self.seeds:
            what = "noise" if self.noise else "batches"
            raise ValueError(f"sweep: {what} must be drawn with seeds: give seeds, 0:5 or the like")
        self._check_settings()
        self._check_batches()

    def __len__(self) -> int:
        values = sum(prod(map(len, axes.values())) for _, axes in self._parts)
        return values * len(self._problems) * len(self._seeds)

    def __iter__(self) -> Iterator[Cell]:
        for (chosen, axes), place in itertools.product(self._parts, self._problems):
            shared: dict[str, Any] = {
                "rule": chosen.name,
                "options": dict(chosen.changed_options),
                "problem": place.text,
                "steps": self.steps,
                "noise": float(self.noise),
                "batch_size": self.batch_size if isinstance(place.build(), FiniteSum) else None,
                "tolerance": float(self.tolerance),
                "version": f"{__version__}+{_digest(chosen)}",
            }
            spreads = 0.0 if place.draws else float(self.spread)
            for values, seed in itertools.product(_values(axes), self._seeds):
                spread = 0.0 if seed is None else spreads
                yield Cell(hyperparameters=values, seed=seed, spread=spread, **shared)

    @property
    def hyperparameters(self) -> set[str]:
        """The names of all that is read by a rule in here."""
        return {name for _, axes in self._parts for name in axes}

    @property
    def _seeds(self) -> list[int | None]:
        return list(dict.fromkeys(self.seeds))

    @cached_property
    def _problems(self) -> list[Instance]:
        found = {text: Instance(text) for text in map(canonical, self.problems)}
        for instance in found.values():
            instance.build()
        return list(found.values())

    @cached_property
    def _families(self) -> list[Rule]:
        return [rule(name) for name in dict.fromkeys(self.rules)]

    @cached_property
    def _dialects(self) -> list[Rule]:
        """The dialects of each rule that the settings name, those that exist."""
        return list(itertools.chain.from_iterable(_dialects(f, self.settings) for f in self._families))

    @cached_property
    def _parts(self) -> list[tuple[Rule, dict[str, list[float]]]]:
        """Each dialect, with the values of every hyperparameter it reads, its own order kept."""
        return [
            (
                chosen,
                {
                    h.name: list(dict.fromkeys(map(h.check, self.settings.get(h.name, [h.default]))))
                    for h in chosen.hyperparameters
                },
            )
            for chosen in self._dialects
        ]

    def _check_batches(self) -> None:
        sums = [isinstance(p.build(), FiniteSum) for p in self._problems]
        if self.batch_size is None:
            return
        integer("sweep", "batch_size", self.batch_size, least=1)
        if not any(sums):
            raise ValueError(
                f"sweep: batch_size = {self.batch_size}, but none of the problems "
                f"({', '.join(self.problems)}) is a mean over examples: leave it out"
            )

    def _check_settings(self) -> None:
        axes = {a.name for family in self._families for a in family.axes}
        for name in self.settings:
            if name in self.hyperparameters or name in axes:
                continue
            if name in {h.name for family in self._families for h in family.every_hyperparameter}:
                raise ValueError(
                    f"sweep: {name} is set, but no rule here reads it in the dialects chosen: leave it out, "
                    "or set the axis with which one does (`optverify show RULE` has them)"
                )
            raise ValueError(f"sweep: {unknown('hyperparameter or axis', name, self.hyperparameters | axes)}")
        check_names(self.hyperparameters)


def every_rule() -> list[str]:
    """The names of all rules that need nothing but a gradient."""
    return [name for name in registry.names() if not registry.get(name).demands]


def _check_listed(what: str, values: Any) -> None:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"sweep: {what} = {values!r} is one value: give a list, [{values!r}]")
    if not values:
        raise ValueError(f"sweep: {what} is empty: give at least one")


def _dialects(family: Rule, settings: Mapping[str, Sequence[Any]]) -> list[Rule]:
    """Those that the settings name and that exist; ValueError if there is none."""
    axes = {a.name: [_option(a, o) for o in settings[a.name]] for a in family.axes if a.name in settings}
    found: dict[Rule, None] = {}
    reason = None
    for options in itertools.product(*axes.values()):
        try:
            found[family.dialect(**dict(zip(axes, options, strict=True)))] = None
        except ValueError as excluded:
            reason = excluded
    if not found and reason is not None:
        raise reason
    for chosen in found:
        _check_runs(chosen, settings)
    return list(found)


def _option(axis: Axis, value: Any) -> Option:
    """An option that reads like a number may come as one."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return axis.check(f"{value:g}" if number else value)


def _check_runs(chosen: Rule, settings: Mapping[str, Sequence[Any]]) -> None:
    """ValueError if it needs what a sweep does not give it."""
    needed = [i.name for i in chosen.inputs if i.name not in OPTIONAL_INPUTS]
    if needed:
        raise ValueError(
            f"sweep: rule {chosen.name!r} needs {' and '.join(needed)} besides gradients, "
            "which a sweep does not have"
        )
    for h in chosen.hyperparameters:
        if h.default is None and h.name not in settings:
            raise ValueError(f"sweep: rule {chosen.name!r} has no default for {h.name}: set it")


def _values(axes: Mapping[str, Sequence[float]]) -> Iterator[dict[str, float]]:
    for values in itertools.product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


@lru_cache(maxsize=1024)
def _digest(chosen: Rule) -> str:
    """Of the step that is run: a rule that was edited makes new cells."""
    module = step_module(chosen.name, chosen.changed_options)
    source = getattr(module, "source", None) or getsource(module)
    return hashlib.sha256(source.encode()).hexdigest()[:8]
