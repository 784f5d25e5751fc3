"""jax.example_libraries.optimizers: three functions init, update(i, gradients, state) and get_params."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

import numpy as np

from optverify.conformance.adapters._making import FIRST_RATE, made, none_is_refused, rate_of, stems_from
from optverify.conformance.adapters.optax import Rate, in_x64
from optverify.conformance.protocol import Adapter, Array, Box, Make, Unsupported


class Jax(Adapter):
    """make() returns the three functions. With an argument `step_size` its rate can be changed in mid-run."""

    name = "jax"
    library = "jax"

    def fits(self, thing: Any) -> bool:
        """Three functions, or what makes them."""
        if isinstance(thing, tuple):
            return len(thing) == 3 and all(map(callable, thing))
        return callable(thing) and stems_from(thing, "jax.example_libraries.optimizers.")

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around the three functions."""
        return JaxBox(make, params)


class JaxBox(Box):
    """The update counter starts at 0, as the library's own examples have it."""

    def __init__(self, make: Make, params: Sequence[Array]) -> None:
        self._x64 = any(p.dtype == np.float64 for p in params)
        named = None if isinstance(make, tuple) else rate_of(make)
        self._rate = Rate(named[1] if named and named[1] is not None else FIRST_RATE) if named else None
        given = {named[0]: self._rate} if named else {}
        with self._bits():
            triple = make if isinstance(make, tuple) else made(make, list(params), **given)
            self._init, self._update, self._get = triple
            self._array = import_module("jax").numpy.asarray
            self._state = self._init([self._array(p) for p in params])
        self._known = {} if named is None or named[1] is None else {named[0]: named[1]}
        self._count = 0

    def _bits(self) -> AbstractContextManager[Any]:
        return in_x64() if self._x64 else nullcontext()

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """update(i, grads, state)."""
        none_is_refused(grads, "jax.example_libraries.optimizers")
        with self._bits():
            slopes = [self._array(g) for g in grads]
            self._state = self._update(self._count, slopes, self._state)
        self._count += 1

    def params(self) -> list[Array]:
        """The parameters now."""
        with self._bits():
            return [np.array(p) for p in self._get(self._state)]

    def set_lr(self, lr: float) -> None:
        """Where make takes the rate."""
        if self._rate is None:
            raise Unsupported("its step size is fixed inside: give lambda step_size: adam(step_size)")
        self._rate.now = float(lr)

    def hyperparameters(self) -> dict[str, float]:
        """The rate, if make takes it."""
        return dict(self._known)

    def state(self) -> dict[str, list[Array]]:
        """Its states have no names: state1, state2, ... in their order after the parameters."""
        rows = list(getattr(self._state, "packed_state", ()))
        if len({len(row) for row in rows}) != 1:
            return {}
        with self._bits():
            return {f"state{k}": [np.array(row[k]) for row in rows] for k in range(1, len(rows[0]))}
