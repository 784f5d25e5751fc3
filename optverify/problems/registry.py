"""The registry: every module of this package that registers a builder is found by itself."""

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from inspect import signature
from typing import Any, TypeVar

from .arguments import choice
from .data import DATA_SETS
from .problem import Problem

Builder = TypeVar("Builder", bound=Callable[..., Problem])

_builders: dict[str, Callable[..., Problem]] = {}


def register(builder: Builder) -> Builder:
    """Register a function that builds a problem; the function's name is the problem's name."""
    _builders[builder.__name__] = builder
    return builder


@cache
def _import_topics() -> None:
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(import_module(package).__path__):
        import_module(f"{package}.{module.name}")


def names() -> tuple[str, ...]:
    """The names of all problems, sorted."""
    _import_topics()
    return tuple(sorted(_builders))


def problem(name: str, **parameters: Any) -> Problem:
    """Build the problem of that name.

    The parameters are those of its builder: `problem("rosenbrock", dim=10)`. Raises ValueError for an unknown
    name (with the nearest known one), TypeError for an unknown parameter, and either for a parameter that
    does not fit.
    """
    if name in DATA_SETS and name not in names():
        raise ValueError(
            f"unknown problem {name!r}; it is a data set: problem('mlp', data={name!r}) learns it"
        )
    builder = _builders[choice("problem", name, names())]
    accepted = signature(builder).parameters
    for parameter in parameters:
        if parameter not in accepted:
            known = f"it takes {', '.join(accepted)}" if accepted else "it takes none"
            raise TypeError(f"problem {name!r} has no parameter {parameter!r}; {known}")
    return builder(**parameters)
