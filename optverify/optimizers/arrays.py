"""The arrays an update is handed: do they fit, are they finite, do they share memory?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from optverify.optimizers.trees import Path, Tree, aligned, show, typed
from optverify.steps import _engine
from optverify.steps._engine import Array
from optverify.steps._operators import norm


def parameter(path: Path, p: Any) -> Array:
    """p itself; TypeError or ValueError unless it is an array an update can be written into."""
    name = f"params{show(path)}"
    if not isinstance(p, np.ndarray):
        raise TypeError(f"{name} is {typed(p)}, which cannot be updated in place: use a NumPy array")
    _engine.parameters(p, name)
    if not p.flags.writeable:
        raise ValueError(f"{name} is read-only and cannot be updated in place: copy it first")
    return p


def gradient(path: Path, p: Array, g: Any) -> Array:
    """g as an array; ValueError or TypeError unless it is the gradient of p."""
    name = f"grads{show(path)}"
    if g is None:
        raise TypeError(f"{name} is None: every parameter needs a gradient, zeros where there is none")
    return _engine.gradient(p, g, name, f"params{show(path)}")


def inputs(
    domains: Mapping[str, str], given: Mapping[str, Any], params: Tree, grads: Sequence[Array], rule: str
) -> list[dict[str, Any]]:
    """What each array's update is given besides its gradient; ValueError or TypeError for what does not fit.

    domains: input -> range of a number, "" for an array. global_norm, if not given, is computed.
    """
    for name in given:
        if name not in domains:
            raise TypeError(f"update() takes no {name}: rule {rule!r} is given {_listed(domains)} with grads")
    each: list[dict[str, Any]] = [{} for _ in grads]
    for name, domain in domains.items():
        if name not in given and name != "global_norm":
            raise TypeError(f"rule {rule!r} needs {name} with grads: update(params, grads, {name}=...)")
        if domain:
            number = given[name] if name in given else norm(np.array([norm(g) for g in grads]))
            _engine.check({name: domain}, **{name: number})
            each = [{**x, name: number} for x in each]
            continue
        for x, (path, p, value) in zip(each, aligned(params, given[name], name), strict=True):
            x[name] = _engine.gradient(p, value, f"{name}{show(path)}", f"params{show(path)}")
            if nonfinite([narrowed(p, x[name])]) is not None:
                raise ValueError(f"{name}{show(path)} {what_is_nonfinite(p, x[name])}: it must be finite")
    return each


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing more"


# ---- finite? -----------------------------------------------------------------------------------------------


def nonfinite(arrays: Sequence[Array]) -> int | None:
    """The number of the first array that holds NaN or infinity. Allocates nothing of their size."""
    with np.errstate(over="ignore", invalid="ignore"):
        return next((i for i, x in enumerate(arrays) if not _finite(x)), None)


def _finite(x: Array) -> bool:
    if x.dtype.kind == "c":
        return _finite(x.real) and _finite(x.imag)
    if x.dtype.kind != "f":
        return True
    if x.dtype.char in "fd" and x.dtype.isnative and x.flags.forc:
        numbers = x.ravel("K")
        if math.isfinite(np.dot(numbers, numbers)):  # a sum of squares hides no NaN and no infinity
            return True
    # the squares may only have overflowed
    return bool(np.isfinite(x.min(initial=0)) and np.isfinite(x.max(initial=0)))


def narrowed(p: Array, g: Array) -> Array:
    """g in the type of p, where a large number of a wider type becomes infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        return g.astype(p.dtype, copy=False) if g.dtype.itemsize > p.dtype.itemsize else g


def what_is_nonfinite(p: Array, g: Array) -> str:
    """Which number of g is not finite in the type of p, in words."""
    index = tuple(map(int, np.argwhere(~np.isfinite(narrowed(p, g)))[0]))
    where = f" at index {index if len(index) != 1 else index[0]}" if index else ""
    wide = f", which {p.dtype} cannot hold" if np.isfinite(g[index]) else ""
    return f"holds {g[index]}{where}{wide}"


# ---- shared memory -----------------------------------------------------------------------------------------


def check_apart(params: Sequence[tuple[Path, Array]]) -> None:
    """ValueError if two parameters share memory: an update of one would change the other."""
    spans = sorted(((*np.lib.array_utils.byte_bounds(p), i) for i, (_, p) in enumerate(params) if p.size))
    near: list[tuple[int, int]] = []  # (end, number) of the arrays that may reach into those still to come
    for low, high, i in spans:
        near = [(end, j) for end, j in near if end > low]
        for _, j in near:
            if np.shares_memory(params[i][1], params[j][1]):
                first, second = sorted((i, j))
                raise ValueError(
                    f"params{show(params[second][0])} shares memory with params{show(params[first][0])}: "
                    "it would be updated twice; give every array once"
                )
        near.append((high, i))


def unshared(grads: Sequence[Array], params: Sequence[Array]) -> list[Array]:
    """The gradients, those copied that may share memory with a parameter: it changes before they are read."""
    owners = {id(_owner(p)) for p in params}
    own = all(_owner(p).base is None for p in params)

    def shares(g: Array) -> bool:
        owner = _owner(g)
        if owner.base is None and own:
            return id(owner) in owners
        return any(np.may_share_memory(g, p) for p in params)

    return [g.copy() if shares(g) else g for g in grads]


def _owner(x: Array) -> Array:
    """The array whose memory x uses; its base is None unless the memory is not NumPy's."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x
