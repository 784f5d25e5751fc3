"""The readable equations of a rule as functions on NumPy arrays: any dialect, mutated or not, in no time.

Nothing is checked and nothing cut into blocks: these functions are for runs inside the project, where a rule
in thousands of dialects is held against numbers. `optverify.steps` is what people import.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from optverify.backends.numpy import NUMPY, OPERATORS
from optverify.backends.python import recurrence
from optverify.language import Rule

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Compiled:
    """The readable equations of a rule, ready to run on arrays of floats.

    names: theta and the states; sides: state -> its side, "number" for a scalar; gradient: the name of the
    incoming gradient; functions: initial, gradient_point and equations; source: their text; inputs: what
    an update is given besides.
    """

    names: tuple[str, ...]
    sides: Mapping[str, str]
    gradient: str
    functions: Mapping[str, Any]
    source: str
    inputs: tuple[str, ...] = ()

    def start(self, theta: Array, values: Mapping[str, float]) -> dict[str, Any]:
        """Theta and the states before the first update."""
        first = self.functions["initial"](theta=theta, **values)
        return dict(zip(self.names, (theta, *_fresh()(theta, self.sides, *first)), strict=True))

    def point(self, at: Mapping[str, Any], values: Mapping[str, float]) -> Array:
        """Where the gradient of the next update is taken."""
        return _array(self.functions["gradient_point"](**at, **values), "the gradient's point", at["theta"])

    def update(self, at: Mapping[str, Any], grad: Array, t: int, given: Mapping[str, Any]) -> dict[str, Any]:
        """Theta and the states after update t. given: hyperparameters and inputs."""
        made = self.functions["equations"](**at, **{self.gradient: grad}, t=t, **given)
        return {
            name: float(x) if isinstance(at[name], float) else _array(x, name, at[name])
            for name, x in zip(self.names, made, strict=True)
        }


def _array(x: Any, name: str, like: Array) -> Array:
    made = np.asarray(x)
    if made.shape != like.shape:
        raise ValueError(f"{name} has shape {made.shape}, not {like.shape}")
    if made.dtype.kind == "c":
        raise ValueError(f"{name} is complex")
    return made


TEXT = """
def initial(*, theta, {numbers}, **_):
    return ({initial})

def gradient_point(*, {states}, {numbers}, **_):
    return {point}

def equations(*, {states}, {inputs}, t, {numbers}, **_):
    {lines}
    return {states},
"""


def compiled(rule: Rule) -> Compiled:
    """The equations of a rule as functions, in any dialect, mutated or not; a few milliseconds."""
    printed = recurrence(rule, ieee=True)
    inputs = tuple(i.name for i in rule.inputs)
    source = TEXT.format(
        numbers=", ".join(h.name for h in rule.hyperparameters) or "_lr=None",
        states=", ".join(printed.states),
        inputs=", ".join((printed.gradient, *inputs)),
        initial="".join(f"{x}, " for x in printed.initial),
        point=printed.gradient_point,
        lines="\n    ".join(f"{name} = {code}" for name, code in printed.lines),
    )
    functions = _functions()
    exec(source, functions)
    sides = {s.name: "number" if s.scalar else s.side for s in rule.states}
    return Compiled(printed.states, sides, printed.gradient, functions, source, inputs)


def _functions() -> dict[str, Any]:
    """What the equations call; the operators belong to the steps, which stand above and are found by name."""
    operators = import_module("optverify.steps._operators")
    return {
        "math": math,
        **{name: getattr(np, name) for name in NUMPY},
        **{name: getattr(operators, name) for name in OPERATORS},
    }


@lru_cache(maxsize=1)
def _fresh() -> Any:
    return import_module("optverify.steps._whole").fresh
