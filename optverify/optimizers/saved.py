"""The state of an optimizer as plain data, and back."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from optverify.optimizers.trees import Tree, aligned, leaves, mapped, rebuilt, show, typed

VERSION = 1
PARTS = ("version", "rule", "options", "hyperparameters", "t", "state")


# ---- to data -----------------------------------------------------------------------------------------------


def hyperparameters_as_data(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, a schedule as its config(); TypeError for any other function."""
    data = dict(values)
    if callable(values.get("lr")):
        from optverify.language import Schedule

        if not isinstance(values["lr"], Schedule):
            raise TypeError(
                f"lr = {values['lr']!r} is a function of your own, which cannot be written down: "
                "use a schedule of optverify, or set lr to a number before state_dict()"
            )
        data["lr"] = values["lr"].config()
    return data


def state_as_data(state: Tree, module: ModuleType) -> dict[str, Tree] | None:
    """Name -> tree of copied arrays, for every state the rule keeps; None before the first update."""
    if state is None:
        return None
    return {
        name: mapped(lambda s, name=name: copied(getattr(s, name)), state, module.State)  # type: ignore[misc]
        for name in module.State._fields[1:]
    }


def copied(x: Any) -> Any:
    """A state of one parameter: an array, copied, or a number."""
    return x.copy() if isinstance(x, np.ndarray) else x


# ---- from data ---------------------------------------------------------------------------------------------


def check_header(data: Any, module: ModuleType) -> None:
    """ValueError or TypeError unless data is what state_dict() gives for this rule in this dialect."""
    if not isinstance(data, Mapping):
        raise TypeError(f"data is {typed(data)}, not a state_dict: give what state_dict() returned")
    for part in PARTS:
        if part not in data:
            raise ValueError(f"the state_dict has no {part!r}: give all that state_dict() returned")
    for part in data:
        if part not in PARTS:
            raise ValueError(f"the state_dict has {part!r}, which state_dict() does not write")
    if data["version"] != VERSION:
        raise ValueError(f"the state_dict is of version {data['version']!r}; this release reads {VERSION}")
    if data["rule"] != module.RULE:
        raise ValueError(f"the state_dict is of rule {data['rule']!r}, this Optimizer is {module.RULE!r}")
    if data["options"] != module.OPTIONS:
        raise ValueError(
            f"the state_dict is of the dialect {data['options']!r}, this Optimizer of {module.OPTIONS!r}"
        )
    t = data["t"]
    if type(t) is not int or t < 0:
        raise ValueError(f"t = {t!r} of the state_dict is not a number of updates: it must be an int >= 0")


def hyperparameters_from(data: Mapping[str, Any], module: ModuleType) -> dict[str, Any]:
    """The hyperparameters, the schedule made again; errors for names that do not belong to the dialect."""
    values = data["hyperparameters"]
    if not isinstance(values, Mapping) or set(values) != set(module.DOMAINS):
        raise ValueError(
            f"hyperparameters of the state_dict are {values!r}: they must be {', '.join(module.DOMAINS)}"
        )
    if not isinstance(values.get("lr"), Mapping):
        return dict(values)
    from optverify.schedules import schedule_from_config

    return {**values, "lr": schedule_from_config(values["lr"])}


def state_from(trees: Any, t: int, module: ModuleType, like: Tree = None) -> Tree:
    """The tree of States, of copied arrays; errors if the arrays do not fit each other, or those of like.

    trees: what state_as_data gave; t: updates made.
    """
    names = module.State._fields[1:]
    if trees is None:
        if names and t > 0:
            raise ValueError(f"the state_dict has made {t} updates but holds no state")
        return None
    if not isinstance(trees, Mapping) or set(trees) != set(names):
        found = list(trees) if isinstance(trees, Mapping) else type(trees).__name__
        raise ValueError(f"state of the state_dict holds {found}: it must hold {list(names)}")
    if not names:
        return None  # nothing but t to remember
    first = trees[names[0]]
    columns = [[leaf for _, _, leaf in aligned(first, trees[name], name, names[0])] for name in names]
    paths = [path for path, _ in leaves(first)]
    for path, *row in zip(paths, *columns, strict=True):
        _check_row(path, names, row, sides(module))
    state = rebuilt(first, iter([module.State(t, *map(copied, row)) for row in zip(*columns, strict=True)]))
    if like is not None:
        for name in names:
            present = mapped(lambda s, name=name: getattr(s, name), like, module.State)  # type: ignore[misc]
            _check_like(present, trees[name])
    return state


def sides(module: ModuleType) -> Mapping[str, str]:
    """State -> "" (theta's shape), "number", or the side of a matrix it keeps."""
    kept: Mapping[str, str] = getattr(module, "SIDES", dict.fromkeys(module.State._fields[1:], ""))
    return kept


def _check_row(
    path: tuple[Any, ...], names: tuple[str, ...], row: list[Any], kept: Mapping[str, str]
) -> None:
    """The states of one parameter are numbers and arrays of one type, of one shape unless they are sides."""
    arrays = [(name, x) for name, x in zip(names, row, strict=True) if kept[name] != "number"]
    like: Any = next((x for name, x in arrays if not kept[name]), arrays[0][1] if arrays else None)
    for name, x in zip(names, row, strict=True):
        if kept[name] == "number":
            if type(x) is not float:
                raise TypeError(f"{name}{show(path)} of the state_dict is {x!r}: it must be a float")
            continue
        if not isinstance(x, np.ndarray) or x.dtype.kind not in "fc":
            found = f"dtype {x.dtype}" if isinstance(x, np.ndarray) else typed(x)
            raise TypeError(
                f"{name}{show(path)} of the state_dict is {found}: it must be an array of numbers"
            )
        if x.dtype != like.dtype or (not kept[name] and x.shape != like.shape):
            raise ValueError(
                f"{name}{show(path)} of the state_dict has shape {x.shape}, dtype {x.dtype} but "
                f"another state has shape {like.shape}, dtype {like.dtype}: they must be equal"
            )


def _check_like(present: Tree, new: Tree) -> None:
    """The arrays are nested as the present ones are, with the same shapes and types."""
    for path, x, y in aligned(present, new, "state", "present state"):
        if isinstance(x, np.ndarray) and (x.shape != y.shape or x.dtype != y.dtype):
            raise ValueError(
                f"state{show(path)} of the state_dict has shape {y.shape}, dtype {y.dtype} but that of this "
                f"Optimizer has shape {x.shape}, dtype {x.dtype}"
            )
