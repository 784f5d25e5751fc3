"""How the optimizers of each library are driven: one short file a library, and some for code of one's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import numpy as np

from optverify.conformance.adapters._making import made
from optverify.conformance.protocol import Adapter, Array, Box, Make, Unsupported

HOMES = (
    ("own", "Own"),
    ("pytorch_optimizer", "PytorchOptimizer"),
    ("torch", "Torch"),
    ("keras", "Keras"),
    ("sklearn", "Sklearn"),
    ("loop", "Loop"),
    ("jax", "Jax"),
    ("optax", "Optax"),
    ("river", "River"),
    ("river", "RiverVector"),
    ("pennylane", "PennyLane"),
    ("tinygrad", "Tinygrad"),
    ("mlx", "Mlx"),
    ("process", "Process"),
    ("generic", "Function"),
    ("generic", "Object"),
)
"""Module and class, in the order in which they are asked: those that know a library well come first."""
GENERIC = ("callable", "object")
WAY_OUT = (
    "give a function make(params) or make() that returns an optimizer, or say how it is driven: "
    'adapter="callable" for step(theta, grad) -> theta, "object" for update(params, grads) or step(), '
    '"torch" for step() over p.grad of torch tensors'
)


@runtime_checkable
class InGroups(Protocol):
    """An adapter of a library that has groups of parameters."""

    def start_in_groups(self, make: Make, params: Sequence[Array], rates: Sequence[float]) -> Box:
        """A box whose parameters have a group, and so a learning rate, each."""


@lru_cache(maxsize=1)
def adapters() -> dict[str, Adapter]:
    """Name -> adapter. No library is imported."""
    made_ = [getattr(import_module(f"{__name__}.{module}"), name)() for module, name in HOMES]
    return {a.name: a for a in made_}


def drive(
    make: Make, params: Sequence[Any], adapter: str | None = None, *, groups: Sequence[float] | None = None
) -> Box:
    """A fresh optimizer for copies of these parameters, ready to be driven.

    make: make(params) or make(), which returns an optimizer; or a class, or the optimizer itself. adapter:
    how it is driven; found out if it is not said. groups: a learning rate for each parameter, in a group of
    its own. Raises TypeError, with the way out, if that cannot be, Unsupported if it has no groups, and what
    the user's code raises.
    """
    start = [np.array(p) for p in params]
    found = chosen(make, start, adapter)
    if groups is None:
        return found.start(make, start)
    if not isinstance(found, InGroups):
        raise Unsupported(f"{found.name}: parameters in groups of their own are not known there")
    return found.start_in_groups(make, start, groups)


def chosen(make: Make, params: Sequence[Array], adapter: str | None = None) -> Adapter:
    """The adapter for what make is or makes."""
    known = adapters()
    if adapter is not None:
        if adapter not in known:
            from optverify.language.messages import unknown

            raise ValueError(unknown("adapter", adapter, list(known)))
        return known[adapter]
    for candidate in known.values():
        if candidate.fits(make):
            return _refined(candidate, make, params)
    if not callable(make):
        raise TypeError(f"{type(make).__name__} is not an optimizer: {WAY_OUT}")
    errors: list[Exception] = []
    for way in _ways(make, params):
        try:
            thing = way()
        except Exception as error:  # of the user's code
            errors.append(error)
            continue
        for candidate in known.values():
            if candidate.fits(thing):
                return _refined(candidate, make, params)
        errors.append(TypeError(f"it makes a {type(thing).__name__}, which is not an optimizer: {WAY_OUT}"))
    raise errors[0]


def _ways(make: Make, params: Sequence[Array]) -> Iterator[Callable[[], Any]]:
    """Ways to call make: with NumPy arrays, with those of libraries that are there already, with names."""
    copies = [p.copy() for p in params]
    yield lambda: made(make, copies)
    if (torch := sys.modules.get("torch")) is not None:
        yield lambda: made(make, [torch.nn.Parameter(torch.from_numpy(p)) for p in copies])
    if (jax := sys.modules.get("jax")) is not None and hasattr(jax, "numpy"):
        yield lambda: made(make, [jax.numpy.asarray(p) for p in copies])
    if (tinygrad := sys.modules.get("tinygrad")) is not None:
        from optverify.conformance.adapters.tinygrad import working

        def in_tinygrad() -> Any:
            with working():
                return made(make, [tinygrad.Tensor(p).is_param_(True) for p in copies])

        yield in_tinygrad
    yield lambda: made(make, {f"p{k}": p for k, p in enumerate(copies)})


def _refined(candidate: Adapter, make: Make, params: Sequence[Array]) -> Adapter:
    """An object of no library may step over torch tensors: if it fails on arrays it is tried on those."""
    if candidate.name not in GENERIC or "torch" not in sys.modules:
        return candidate
    for trial in (candidate, adapters()["torch"]):
        try:
            box = trial.start(make, params)
            before = box.params()
            box.update([np.ones_like(p) for p in params])
        except Exception:  # of the user's code; what it says matters only if no way works
            continue
        if any(not np.array_equal(a, b) for a, b in zip(before, box.params(), strict=True)):
            return trial
    return candidate
