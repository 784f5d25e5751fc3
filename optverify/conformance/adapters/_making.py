"""What the adapters share: calling a make, telling what a thing is, and watching gradients for writes."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from optverify.conformance.protocol import Array, Make, Unsupported

FIRST_RATE = 1e-3
"""The learning rate that is given to what demands one, before it is set."""
RATES = ("lr", "learning_rate", "step_size", "stepsize", "eta")
HOLDERS = ("params", "parameters", "theta", "thetas", "weights", "variables", "values", "x", "p", "w")
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def lineage(thing: Any) -> tuple[str, ...]:
    """`module.name` of a function or class, of the classes of an object, and of all they inherit from."""
    while isinstance(thing, partial):
        thing = thing.func
    named = [thing] if hasattr(thing, "__qualname__") else []
    classes = thing.__mro__ if isinstance(thing, type) else type(thing).__mro__
    return tuple(f"{c.__module__}.{c.__qualname__}" for c in (*named, *classes))


def stems_from(thing: Any, *prefixes: str) -> bool:
    """True if the thing, or something it inherits from, is at home in one of these modules."""
    return any(name.startswith(prefixes) for name in lineage(thing))


def signature(function: Any) -> dict[str, inspect.Parameter]:
    """The parameters of a callable; empty where Python cannot tell."""
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return {}


def required(function: Any) -> list[str]:
    """The names of the positional parameters without a default."""
    known = signature(function).values()
    return [p.name for p in known if p.kind in POSITIONAL and p.default is p.empty]


def takes_params(make: Any) -> bool:
    """True if make wants the parameters: its first argument has no default, or has such a name."""
    known = [p for p in signature(make).values() if p.kind in (*POSITIONAL, inspect.Parameter.VAR_POSITIONAL)]
    if not known:
        return False
    first = known[0]
    if first.name in RATES or first.kind is first.VAR_POSITIONAL:
        return False
    return first.default is first.empty or first.name in HOLDERS


def made(make: Make, params: Any, **more: Any) -> Any:
    """What make(params) or make() returns; a copy of `make` if that is the optimizer itself.

    A learning rate that it demands is FIRST_RATE, unless it is among `more`.
    """
    if not callable(make):
        return copy.deepcopy(make)
    rate = rate_of(make)
    if rate and rate[0] in required(make):
        more = {rate[0]: FIRST_RATE, **more}
    return make(params, **more) if takes_params(make) else make(**more)


def rate_of(make: Any) -> tuple[str, float | None] | None:
    """The argument of make that is the learning rate, and its default; None if it has none."""
    for name, p in signature(make).items():
        if name in RATES:
            number = isinstance(p.default, int | float) and not isinstance(p.default, bool)
            return name, float(p.default) if number else None
    return None


def numbers(named: Mapping[str, Any]) -> dict[str, float]:
    """The numbers among these values, and a wish to maximize; a tuple `betas` becomes betas[0], betas[1]."""
    found: dict[str, float] = {}
    for name, value in named.items():
        if isinstance(value, list | tuple):
            found |= {f"{name}[{k}]": float(x) for k, x in enumerate(value) if is_number(x)}
        elif is_number(value) or is_wish(name, value):
            found[name] = float(value)
    return found


def is_number(x: Any) -> bool:
    """True for a real number that is no truth value."""
    return isinstance(x, int | float | np.integer | np.floating) and not isinstance(x, bool)


def is_wish(name: str, value: Any) -> bool:
    """True for maximize=True: the one truth value that is told apart from a sign that is wrong."""
    return name == "maximize" and value is True


def none_is_refused(grads: Sequence[Array | None], what: str) -> None:
    """Unsupported if a gradient is None."""
    if any(g is None for g in grads):
        raise Unsupported(f"{what} wants a gradient for every parameter")


class Watch:
    """Remembers what arrays held when they were given away."""

    def __init__(self) -> None:
        self._given: list[tuple[Array, Array]] = []
        self._touched = False

    def give(self, arrays: Iterable[Array | None]) -> None:
        """Forget the last ones and watch these."""
        self.look()
        self._given = [(a, a.copy()) for a in arrays if a is not None]

    def look(self) -> bool:
        """True if one has ever been written into."""
        self._touched |= any(not np.array_equal(a, before, equal_nan=True) for a, before in self._given)
        return self._touched
