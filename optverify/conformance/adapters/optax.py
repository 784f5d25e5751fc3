"""optax: a pair of functions init and update, run in the dtype of the parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from optverify.conformance.adapters._making import FIRST_RATE, made, none_is_refused, rate_of, stems_from
from optverify.conformance.protocol import Adapter, Array, Box, Make, Unsupported


class Optax(Adapter):
    """make() returns a gradient transformation. With an argument `learning_rate`, as in optax.adam itself or
    `lambda learning_rate: optax.adam(learning_rate)`, the rate can be changed in mid-run."""

    name = "optax"
    library = "optax"

    def fits(self, thing: Any) -> bool:
        """A gradient transformation, or a function of optax that makes one."""
        pair = (
            isinstance(thing, tuple) and callable(getattr(thing, "update", None)) and hasattr(thing, "init")
        )
        return pair or (callable(thing) and not isinstance(thing, type) and stems_from(thing, "optax."))

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around the transformation."""
        return OptaxBox(make, params)


class Rate:
    """A learning rate that is asked for at every update; while a function is compiled, its argument."""

    def __init__(self, lr: float) -> None:
        self.now: Any = lr

    def __call__(self, count: Any) -> Any:
        """The rate now, whatever the count."""
        return self.now


def in_x64() -> AbstractContextManager[Any]:
    """64 bits for what is inside, whatever the user has set."""
    context: AbstractContextManager[Any] = import_module("jax").enable_x64(True)
    return context


def jitted(step: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled without optimizing: steps of a few numbers are soon run, and long in the making."""
    program: Callable[..., Any] = import_module("jax").jit(
        step, compiler_options={"xla_backend_optimization_level": 0}
    )
    return program


@dataclass
class Compiled:
    """A transformation and its compiled step, for every box of the same make: its state is kept outside."""

    transformation: Any
    rate: Rate | None
    start: float | None
    step: Any


_COMPILED: WeakKeyDictionary[Any, dict[bool, Compiled]] = WeakKeyDictionary()


def _known(make: Make) -> dict[bool, Compiled]:
    """What was compiled for this make; nothing for one that cannot be remembered."""
    try:
        return _COMPILED.setdefault(make, {})
    except TypeError:
        return {}


class OptaxBox(Box):
    """A gradient transformation, compiled."""

    def __init__(self, make: Make, params: Sequence[Array]) -> None:
        self._optax, self._jax = import_module("optax"), import_module("jax")
        self._x64 = any(p.dtype == np.float64 for p in params)
        with self._bits():
            self._params = [self._jax.numpy.asarray(p) for p in params]
            known = _known(make)
            if self._x64 not in known:
                known[self._x64] = self._compiled(make, params)
            self._made = known[self._x64]
            self._rate, self._now = self._made.rate, self._made.start or 0.0
            if self._rate:
                self._rate.now = self._now
            self._state = self._made.transformation.init(self._params)
        injected = getattr(self._state, "hyperparams", {})
        self._passed = {n: float(x) for n, x in injected.items() if np.ndim(x) == 0}
        if self._made.start is not None:
            self._passed["learning_rate"] = self._made.start

    def _compiled(self, make: Make, params: Sequence[Array]) -> Compiled:
        """The transformation, with a learning rate that can be changed if that works."""
        named = None if isinstance(make, tuple) else rate_of(make)
        if named is None:
            return self._ready(make if isinstance(make, tuple) else made(make, list(params)), None, None)
        start = FIRST_RATE if named[1] is None else named[1]
        try:
            rate = Rate(start)
            found = self._ready(made(make, list(params), **{named[0]: rate}), rate, start)
            state = found.transformation.init(self._params)
            zeros = [self._jax.numpy.zeros_like(p) for p in self._params]
            self._jax.eval_shape(found.transformation.update, zeros, state, self._params)
        except Exception:  # it wants a number: whatever else is wrong shows again without the function
            found = self._ready(made(make, list(params), **{named[0]: start}), None, start)
        return found

    def _ready(self, transformation: Any, rate: Rate | None, start: float | None) -> Compiled:
        full = self._optax.with_extra_args_support(transformation)

        def step(slopes: Any, state: Any, params: Any, lr: Any, more: Any) -> Any:
            if rate:
                rate.now = lr
            changes, state = full.update(slopes, state, params, **more)
            return self._optax.apply_updates(params, changes), state

        return Compiled(full, rate, start, jitted(step))

    def _bits(self) -> AbstractContextManager[Any]:
        return in_x64() if self._x64 else nullcontext()

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """update and apply_updates; a loss is handed on as `value`."""
        none_is_refused(grads, "optax")
        with self._bits():
            slopes = [self._jax.numpy.asarray(g) for g in grads]
            more = {"value": self._jax.numpy.asarray(inputs["loss"])} if "loss" in inputs else {}
            self._params, self._state = self._made.step(slopes, self._state, self._params, self._now, more)

    def params(self) -> list[Array]:
        """The parameters now."""
        return [np.array(p) for p in self._params]

    def set_lr(self, lr: float) -> None:
        """Where make takes the rate, or the user has injected it."""
        injected = getattr(self._state, "hyperparams", {})
        if self._rate:
            self._now = float(lr)
        elif "learning_rate" in injected:
            with self._bits():
                old = injected["learning_rate"]
                injected["learning_rate"] = self._jax.numpy.asarray(lr, dtype=old.dtype)
        else:
            raise Unsupported(
                "its learning rate is fixed inside: give a function of it, "
                "as in lambda learning_rate: optax.adam(learning_rate)"
            )

    def hyperparameters(self) -> Mapping[str, float]:
        """What is known: the rate, and what was injected."""
        return dict(self._passed)

    def state(self) -> Mapping[str, list[Array]]:
        """Every field of its states that is an array a parameter, and every number."""
        found: dict[str, list[Array]] = {}
        for name, x in _fields(self._state):
            leaves = self._jax.tree_util.tree_leaves(x)
            shapes = [np.shape(leaf) for leaf in leaves]
            if shapes == [p.shape for p in self._params] or shapes == [()]:
                found.setdefault(name, [np.array(leaf) for leaf in leaves])
        return found


def _fields(state: Any) -> list[tuple[str, Any]]:
    """The named fields of nested tuples of states."""
    if hasattr(state, "_fields"):
        own = [(n, getattr(state, n)) for n in state._fields]
        return own + [pair for _, x in own if isinstance(x, tuple) for pair in _fields(x)]
    return [pair for x in state for pair in _fields(x)] if isinstance(state, tuple) else []
