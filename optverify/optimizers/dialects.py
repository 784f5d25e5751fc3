"""From a name and keywords to a step module and its hyperparameters, without SymPy where none is needed."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from inspect import Parameter, signature
from types import ModuleType
from typing import TYPE_CHECKING, Any

from optverify import steps
from optverify.steps import _engine

if TYPE_CHECKING:
    from optverify.language import Rule


def step_module(name: str, given: Mapping[str, Any], backend: str = "numpy") -> ModuleType:
    """The step module of a rule in the dialect the keywords name; ValueError for one that is not known.

    backend: "numpy" or "numba".

    The default dialect is imported from `optverify.steps`; only another one is made with SymPy.
    """
    if backend not in ("numpy", "numba"):
        raise ValueError(f"backend = {backend!r} does not train: it is 'numpy' or 'numba'")
    written = [m.name for m in pkgutil.iter_modules(steps.__path__) if not m.name.startswith("_")]
    if backend == "numpy" and name in written:
        module = import_module(f"{steps.__name__}.{name}")
        if given.keys() <= module.DOMAINS.keys():
            return module
    from optverify.backends.numpy import numpy_module
    from optverify.rules import rule

    family = rule(name)
    options = {axis.name: given[axis.name] for axis in family.axes if axis.name in given}
    chosen = family.dialect(**options)
    for keyword in given:
        if keyword not in options:
            check_read(family, chosen, keyword)
    if backend == "numba":
        from optverify.backends.numba import numba_module

        return numba_module(chosen)
    return numpy_module(chosen)


def check_read(family: Rule, chosen: Rule, keyword: str) -> None:
    """ValueError unless the dialect reads that hyperparameter."""
    from optverify.language.messages import unknown

    read = [h.name for h in chosen.hyperparameters]
    if keyword in read:
        return
    if keyword not in [h.name for h in family.every_hyperparameter]:
        known = [*read, *(axis.name for axis in family.axes), "on_nonfinite"]
        raise ValueError(f"rule {family.name!r}: {unknown('keyword', keyword, known)}")
    ways = [f"{axis}={option!r}" for axis, option in _ways_to_read(chosen, keyword)]
    raise ValueError(
        f"rule {family.name!r} does not read {keyword} in this dialect"
        + (f"; it does with {ways[0]}" if ways else "")
    )


def _ways_to_read(chosen: Rule, keyword: str) -> Iterator[tuple[str, Any]]:
    """(axis, option) for every other choice on one axis that makes the dialect read that hyperparameter."""
    for axis in chosen.axes:
        for option in axis.options:
            try:
                other = chosen.dialect(**{**chosen.options, axis.name: option})
            except ValueError:  # excluded
                continue
            if keyword in [h.name for h in other.hyperparameters]:
                yield axis.name, option


@lru_cache(maxsize=256)
def keywords(function: Callable[..., Any]) -> dict[str, Any]:
    """Keyword -> default of a generated function; Parameter.empty where there is none."""
    parameters = signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is Parameter.KEYWORD_ONLY}


def defaults(module: ModuleType) -> dict[str, float]:
    """Hyperparameter -> default, those that have one."""
    both = {**keywords(module.init), **keywords(module.step)}
    return {name: both[name] for name in module.DOMAINS if both[name] is not Parameter.empty}


def checked(module: ModuleType, values: Mapping[str, Any]) -> dict[str, Any]:
    """All hyperparameters, numbers as floats, a schedule for lr as it is.

    Raises ValueError or TypeError for one that is missing, is no number, or is out of range.
    """
    for name, domain in module.DOMAINS.items():
        if name not in values:
            raise ValueError(f"rule {module.RULE!r} has no default for {name}: give a number {domain}")
    numbers = {n: values[n] for n in module.DOMAINS if not (n == "lr" and callable(values[n]))}
    _engine.check(module.DOMAINS, **numbers)
    return {name: float(values[name]) if name in numbers else values[name] for name in module.DOMAINS}


def is_default(module: ModuleType) -> bool:
    """True for a module of `optverify.steps`, False for one made in memory."""
    return sys.modules.get(module.__name__) is module
