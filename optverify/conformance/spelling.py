"""From what a library calls a rule, `torch.optim.SGD(nesterov=True)`, to what makes the optimizer."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from inspect import Parameter
from typing import Any

from optverify.conformance.adapters._making import signature
from optverify.conformance.protocol import Make
from optverify.language.library import Entry

PARAMS_FIRST = ("torch", "pytorch_optimizer", "sklearn", "tinygrad")
RATE_INSIDE = {"optax": "learning_rate", "jax": "step_size"}
LOOPS = ("autograd",)


def parsed(spelled: str) -> tuple[str, dict[str, Any]]:
    """`torch.optim.SGD(nesterov=True)` -> dotted name, {"nesterov": True}; `momentum=...` sets nothing."""
    call = ast.parse(spelled, mode="eval").body
    function = call.func if isinstance(call, ast.Call) else call
    keywords = call.keywords if isinstance(call, ast.Call) else []
    fixed = {k.arg: ast.literal_eval(k.value) for k in keywords if k.arg is not None}
    return ast.unparse(function), {name: value for name, value in fixed.items() if value is not ...}


def grouped(spelled: str) -> dict[str, Any] | None:
    """What else a group of parameters is told in `Muon([{'params': params, 'use_muon': True}])`, or None."""
    call = ast.parse(spelled, mode="eval").body
    if not (isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.List)):
        return None
    (group,) = call.args[0].elts
    assert isinstance(group, ast.Dict)
    pairs = [(ast.literal_eval(key), x) for key, x in zip(group.keys, group.values, strict=True) if key]
    return {name: ast.literal_eval(x) for name, x in pairs if name != "params"}


def in_groups(make: Callable[..., Any], settings: Mapping[str, Any]) -> Callable[..., Any]:
    """make, with these settings in every group of its parameters."""

    def made(params: Any, **more: Any) -> Any:
        groups = list(params) if isinstance(params[0], Mapping) else [{"params": list(params)}]
        return make([{**group, **settings} for group in groups], **more)

    return made


def arguments(
    entry: Entry, values: Mapping[str, float], switches: Iterable[str] = ()
) -> tuple[str, dict[str, Any]]:
    """The class, and its keyword arguments: betas[0] and betas[1] become one tuple.

    `init_step=('heuristic', ...)` is a tuple with a place for init_step[1]. values: by our names.
    """
    name, given = parsed(entry.spelled)
    for switch in switches:
        if "=" in switch:
            given |= parsed(f"_({switch})")[1]
        else:
            name = switch
    parts: dict[str, dict[int, Any]] = {}
    for ours, value in values.items():
        theirs = entry.argument(ours)
        if theirs.endswith("]"):
            stem, index = theirs[:-1].split("[")
            pieces = parts.setdefault(stem, dict(enumerate(given.get(stem) or _default(name, stem))))
            pieces[int(index)] = entry.to_theirs(ours, value)
        else:
            given[theirs] = _whole(ours, entry.to_theirs(ours, value))
    return name, given | {stem: tuple(x for _, x in sorted(pieces.items())) for stem, pieces in parts.items()}


def _whole(name: str, value: float) -> float | int:
    """Periods are whole numbers."""
    return int(value) if name in ("precondition_frequency", "sync_period", "period") else value


def _default(name: str, argument: str) -> Iterable[Any]:
    default = signature(target(name))[argument].default if argument in signature(target(name)) else ()
    return default if isinstance(default, list | tuple) else ()


def target(dotted: str) -> Any:
    """The thing of that name; ModuleNotFoundError if its library is not installed."""
    words = dotted.split(".")
    for k in range(len(words) - 1, 0, -1):
        try:
            found: Any = import_module(".".join(words[:k]))
        except ModuleNotFoundError as error:
            if error.name and not ".".join(words[:k]).startswith(error.name):
                raise
            continue
        for word in words[k:]:
            found = getattr(found, word)
        return found
    raise ModuleNotFoundError(f"{words[0]} is not installed", name=words[0])


def maker(library: str, name: str, given: Mapping[str, Any], group: Mapping[str, Any] | None = None) -> Make:
    """A make for the adapter of that library, whose learning rate can be changed where it lets one.

    group: what every group of parameters must be told.
    """
    make: Callable[..., Any] = target(name)
    if group is not None:
        make = in_groups(make, group)
    if library in PARAMS_FIRST:
        return lambda params: make(params, **given)
    if library in LOOPS:
        return partial(make, **given)
    rate = RATE_INSIDE.get(library)
    if rate is not None and rate in given:
        rest = {n: x for n, x in given.items() if n != rate}
        if library == "optax":
            return lambda learning_rate=given[rate]: make(learning_rate=learning_rate, **rest)
        return lambda step_size=given[rate]: make(step_size=step_size, **rest)
    return lambda: make(**given)


def defaults(entry: Entry) -> dict[str, float | None]:
    """The defaults of the installed class by our names; None where it asks the user."""
    name, given = parsed(entry.spelled)
    known = signature(target(name))
    found: dict[str, float | None] = {}
    for ours in entry.names:
        stem, _, index = entry.argument(ours).rstrip("]").partition("[")
        default: Any = given.get(stem, known[stem].default if stem in known else Parameter.empty)
        if index and isinstance(default, list | tuple):
            default = default[int(index)] if int(index) < len(default) else None
        number = isinstance(default, int | float) and not isinstance(default, bool)
        found[ours] = entry.to_ours(ours, float(default)) if number else None
    return found
