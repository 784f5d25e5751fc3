"""Points theta: arrays, or nested lists, tuples and dicts of arrays; checked against a start point."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Tree: TypeAlias = Any
"""An array, or a list, tuple or dict of trees."""


def tree_map(function: Callable[..., Any], tree: Tree, *others: Tree) -> Tree:
    """Apply `function` to the arrays of a tree (and to those at the same place in `others`)."""
    if isinstance(tree, dict):
        return {key: tree_map(function, tree[key], *(other[key] for other in others)) for key in tree}
    if isinstance(tree, list | tuple):
        return type(tree)(tree_map(function, *parts) for parts in zip(tree, *others, strict=True))
    return function(tree, *others)


def size(tree: Tree) -> int:
    """The number of scalars in a tree."""
    total = 0

    def count(array: Any) -> None:
        nonlocal total
        total += int(array.size)

    tree_map(count, tree)
    return total


def checked(theta: Tree, template: Tree, owner: str, kinds: str = "f", path: str = "theta") -> Tree:
    """Theta with its leaves as arrays, once structure, shapes, dtypes and finiteness fit the template.

    Raises TypeError for a wrong structure or dtype, ValueError for a wrong shape, missing or extra entries,
    and entries that are not finite.
    """
    if isinstance(template, dict):
        return _checked_dict(theta, template, owner, kinds, path)
    if isinstance(template, list | tuple):
        return _checked_sequence(theta, template, owner, kinds, path)
    return _checked_array(theta, template, owner, kinds, path)


def _checked_dict(theta: Tree, template: dict[str, Tree], owner: str, kinds: str, path: str) -> Tree:
    if not isinstance(theta, dict):
        raise TypeError(
            f"{path} of problem {owner!r} must be a dict with the keys {sorted(template)}, "
            f"got {type(theta).__name__}; its .start shows the structure"
        )
    if set(theta) != set(template):
        raise ValueError(
            f"{path} of problem {owner!r} must have the keys {sorted(template)}, got {sorted(theta, key=str)}"
        )
    return {
        key: checked(theta[key], part, owner, kinds, f"{path}[{key!r}]") for key, part in template.items()
    }


def _checked_sequence(
    theta: Tree, template: list[Tree] | tuple[Tree, ...], owner: str, kinds: str, path: str
) -> Tree:
    if not isinstance(theta, list | tuple):
        raise TypeError(
            f"{path} of problem {owner!r} must be a {type(template).__name__} of length {len(template)}, "
            f"got {type(theta).__name__}; its .start shows the structure"
        )
    if len(theta) != len(template):
        raise ValueError(f"{path} of problem {owner!r} must have length {len(template)}, got {len(theta)}")
    return type(template)(
        checked(part, like, owner, kinds, f"{path}[{i}]")
        for i, (part, like) in enumerate(zip(theta, template, strict=True))
    )


def _checked_array(theta: Any, template: Any, owner: str, kinds: str, path: str) -> Any:
    if isinstance(theta, dict):
        raise TypeError(
            f"{path} of problem {owner!r} must be an array of shape {template.shape}, got a dict; "
            "its .start shows the structure"
        )
    try:
        array = np.asarray(theta)
    except ValueError:
        raise ValueError(
            f"{path} of problem {owner!r} must be an array of shape {template.shape}, got parts of "
            "unequal lengths"
        ) from None
    if array.shape != template.shape:
        raise ValueError(f"{path} of problem {owner!r} must have shape {template.shape}, got {array.shape}")
    if array.dtype.kind not in kinds:
        wanted = "real or complex" if "c" in kinds else "real"
        raise TypeError(
            f"{path} of problem {owner!r} must hold {wanted} floating-point numbers, "
            f"got dtype {array.dtype}; convert it, for instance with numpy.asarray(theta, dtype=float)"
        )
    finite = np.isfinite(array)
    if not finite.all():
        where = np.argwhere(~finite)[0]
        index = ", ".join(str(int(i)) for i in where)
        raise ValueError(
            f"{path} of problem {owner!r} must be finite, got {array[tuple(where)]} at [{index}]; "
            "did the run diverge?"
        )
    return array
