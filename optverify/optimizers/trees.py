"""Nested structures of arrays: walking two of them side by side, and naming what does not fit.

A tree is an array, or a list, tuple or mapping of trees. A path is the tuple of keys that leads to a leaf;
errors print it as Python would: `grads["layer1"][0]`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np

Tree = Any
Path = tuple[Any, ...]


def show(path: Path) -> str:
    """The path as subscripts."""
    return "".join(f"[{_quoted(key)}]" for key in path)


def _quoted(key: Any) -> str:
    return f'"{key}"' if isinstance(key, str) else repr(key)


def typed(x: Any) -> str:
    """What x is, in words for an error."""
    return "None" if x is None else f"of type {type(x).__name__}"


def _is_node(tree: Tree) -> bool:
    return isinstance(tree, Mapping | list | tuple)


def _keys(node: Tree) -> Collection[Any]:
    return node.keys() if isinstance(node, Mapping) else range(len(node))


def aligned(
    tree: Tree, other: Tree, name: str, base: str = "params", path: Path = ()
) -> Iterator[tuple[Path, Any, Any]]:
    """(path, leaf of tree, leaf of other) for every leaf of tree.

    Lists and tuples match each other, mappings match whatever the order of their keys. Raises ValueError or
    TypeError where other has a key too few, one too many, or is no node. name, base: what errors call them.
    """
    if not _is_node(tree):
        yield path, tree, other
        return
    mapping = isinstance(tree, Mapping)
    if not isinstance(other, Mapping if mapping else list | tuple):
        raise TypeError(
            f"{name}{show(path)} is {typed(other)} but {base}{show(path)} is {typed(tree)}: "
            "they must be nested alike"
        )
    keys, others = _keys(tree), _keys(other)
    for key in keys:
        if key not in others:
            where = show((*path, key))
            raise ValueError(f"{name}{where} is missing: {base}{where} has nothing to go with")
    for key in others:
        if key not in keys:
            raise ValueError(f"{name}{show((*path, key))} is one too many: {base} has no such entry")
    for key in keys:
        yield from aligned(tree[key], other[key], name, base, (*path, key))


def leaves(tree: Tree) -> Iterator[tuple[Path, Any]]:
    """(path, leaf) for every leaf."""
    return ((path, leaf) for path, leaf, _ in aligned(tree, tree, "tree"))


def rebuilt(like: Tree, values: Iterator[Any]) -> Tree:
    """The tree with its leaves replaced by the values, in order."""
    if isinstance(like, Mapping):
        return {key: rebuilt(child, values) for key, child in like.items()}
    if isinstance(like, list | tuple):
        children = [rebuilt(child, values) for child in like]
        if isinstance(like, list):
            return children
        return like._make(children) if hasattr(like, "_make") else tuple(children)
    return next(values)


def exchanged(tree: Tree, leaf: type, function: Callable[[Any], Any]) -> Tree:
    """The tree with function(x) for every x of the type leaf."""
    if isinstance(tree, leaf):
        return function(tree)
    if isinstance(tree, Mapping):
        return {key: exchanged(child, leaf, function) for key, child in tree.items()}
    children = [exchanged(child, leaf, function) for child in tree]
    if isinstance(tree, list):
        return children
    return tree._make(children) if hasattr(tree, "_make") else tuple(children)


def side_by_side(tree: Tree, other: Tree) -> tuple[list[Any], list[Any]] | None:
    """The leaves of both, for lists, tuples and dicts of arrays that are nested alike; None for any other.

    What the leaves of other are is not looked at. Quick for long lists, where `aligned` says what is wrong.
    """
    if type(tree) is np.ndarray:
        return [tree], [other]
    if type(tree) in (list, tuple) and type(other) in (list, tuple) and len(tree) == len(other):
        children, others = list(tree), list(other)
    elif type(tree) is dict and type(other) is dict and tree.keys() == other.keys():
        children, others = list(tree.values()), [other[key] for key in tree]
    else:
        return None
    if set(map(type, children)) <= {np.ndarray}:
        return children, others
    pairs = [side_by_side(a, b) for a, b in zip(children, others, strict=True)]
    if any(pair is None for pair in pairs):
        return None
    return [a for pair in pairs if pair for a in pair[0]], [b for pair in pairs if pair for b in pair[1]]


def mapped(function: Callable[[Any], Any], tree: Tree, leaf: type) -> Tree:
    """Plain dicts and lists, with function(x) for every x of the type leaf."""
    if isinstance(tree, leaf):
        return function(tree)
    if isinstance(tree, Mapping):
        return {key: mapped(function, child, leaf) for key, child in tree.items()}
    return [mapped(function, child, leaf) for child in tree]
