"""optax: a pair of functions init and update, run in the dtype of the parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

import numpy as np

from optverify.conformance.adapters._making import made, none_is_refused, rate_of, stems_from
from optverify.conformance.protocol import Adapter, Array, Box, Make, Unsupported

COMPILE_AFTER = 24
FIRST_RATE = 1e-3


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


class OptaxBox(Box):
    """A gradient transformation; compiled after a few updates."""

    def __init__(self, make: Make, params: Sequence[Array]) -> None:
        self._optax, self._jax = import_module("optax"), import_module("jax")
        self._x64 = any(p.dtype == np.float64 for p in params)
        self._rate: Rate | None = None
        self._passed: dict[str, float] = {}
        named = None if isinstance(make, tuple) else rate_of(make)
        with self._bits():
            if named:
                self._rate = Rate(FIRST_RATE if named[1] is None else named[1])
                self._passed = {named[0]: self._rate.now}
            made_ = self._made(make, params, named[0] if named else "")
            self.transformation = self._optax.with_extra_args_support(made_)
            self._params = [self._jax.numpy.asarray(p) for p in params]
            self._state = self.transformation.init(self._params)
        self._count, self._compiled = 0, None
        injected = getattr(self._state, "hyperparams", {})
        self._passed |= {n: float(x) for n, x in injected.items() if np.ndim(x) == 0}

    def _made(self, make: Make, params: Sequence[Array], rate: str) -> Any:
        if isinstance(make, tuple) or not rate:
            return make if isinstance(make, tuple) else made(make, list(params))
        try:
            return made(make, list(params), **{rate: self._rate})
        except TypeError:  # wants a number
            lr, self._rate = self._passed[rate], None
            return made(make, list(params), **{rate: lr})

    def _bits(self) -> AbstractContextManager[Any]:
        return in_x64() if self._x64 else import_module("contextlib").nullcontext()

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """update and apply_updates; a loss is handed on as `value`."""
        none_is_refused(grads, "optax")
        with self._bits():
            slopes = [self._jax.numpy.asarray(g) for g in grads]
            more = {"value": self._jax.numpy.asarray(inputs["loss"])} if "loss" in inputs else {}
            if self._count == COMPILE_AFTER:
                self._compiled = self._jax.jit(self._step)
            step: Callable[..., Any] = self._compiled or self._step
            lr = self._rate.now if self._rate else 0.0
            self._params, self._state = step(slopes, self._state, self._params, lr, more)
            if self._rate:
                self._rate.now = lr  # a tracer must not stay
        self._count += 1

    def _step(self, slopes: Any, state: Any, params: Any, lr: Any, more: Any) -> Any:
        if self._rate:
            self._rate.now = lr
        changes, state = self.transformation.update(slopes, state, params, **more)
        return self._optax.apply_updates(params, changes), state

    def params(self) -> list[Array]:
        """The parameters now."""
        return [np.array(p) for p in self._params]

    def set_lr(self, lr: float) -> None:
        """Where make takes the rate, or the user has injected it."""
        injected = getattr(self._state, "hyperparams", {})
        if self._rate:
            self._rate.now = float(lr)
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
