"""Keras 3, on whatever backend it runs; in float64 its floatx is float64 while it works.

On JAX the steps of Keras's own optimizers are compiled, as they are when Keras trains: operation by operation
JAX would compile a hundred small programs. A class of the user's is run as it stands, for it may keep state
that a compiled step does not see.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from optverify.conformance.adapters._making import made, numbers, stems_from
from optverify.conformance.adapters.optax import in_x64, jitted
from optverify.conformance.protocol import Adapter, Array, Box, Make, Unsupported


class Keras(Adapter):
    """make() returns an optimizer; it may take the variables."""

    name = "keras"
    library = "keras"

    def fits(self, thing: Any) -> bool:
        """An optimizer of Keras, or its class."""
        return stems_from(thing, "keras.src.optimizers.base_optimizer.")

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around the optimizer."""
        return KerasBox(make, params)


_COMPILED: OrderedDict[tuple[Any, ...], Callable[..., Any]] = OrderedDict()
_KEPT = 64
"""Compiled steps that are kept for the next box of the same class, settings and shapes."""


class KerasBox(Box):
    """An optimizer and its variables."""

    def __init__(self, make: Make, params: Sequence[Array]) -> None:
        self._keras = keras = import_module("keras")
        self._float = "float64" if any(p.dtype == np.float64 for p in params) else "float32"
        with self._floats():
            self._variables = [keras.Variable(np.array(p), dtype=str(p.dtype)) for p in params]
            if isinstance(make, keras.optimizers.Optimizer):
                self.optimizer = type(make).from_config(make.get_config())
            else:
                self.optimizer = made(make, self._variables)
            self.optimizer.build(self._variables)
            self._passed = numbers(self.optimizer.get_config())
            self._step = self._compiled()

    def _on_jax(self) -> bool:
        return self._keras.backend.backend() == "jax" and "jax" in sys.modules

    def _compiled(self) -> Callable[..., Any] | None:
        """optimizer.stateless_apply, compiled, of this optimizer or of one that is set alike."""
        kind = type(self.optimizer)
        if not (self._on_jax() and kind.__module__.startswith("keras.src.optimizers.")):
            return None
        rest = {n: x for n, x in self.optimizer.get_config().items() if n not in ("name", "learning_rate")}
        shapes = tuple((tuple(v.shape), str(v.dtype)) for v in self._variables)
        fixed = isinstance(self.optimizer._learning_rate, self._keras.Variable)
        if not fixed:  # a schedule, which is part of the program
            return None
        key = (kind, self._float, shapes, json.dumps(rest, sort_keys=True, default=repr))
        if key not in _COMPILED:
            _COMPILED[key] = jitted(self.optimizer.stateless_apply)
            if len(_COMPILED) > _KEPT:
                _COMPILED.popitem(last=False)
        return _COMPILED[key]

    @contextmanager
    def _floats(self) -> Iterator[None]:
        """floatx, and 64 bits in JAX, as the parameters have them; afterwards as they were."""
        before = self._keras.config.floatx()
        self._keras.config.set_floatx(self._float)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if self._float == "float64" and self._on_jax():
                    with in_x64():
                        yield
                else:
                    yield
        finally:
            self._keras.config.set_floatx(before)

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """apply(gradients)."""
        tensor = self._keras.ops.convert_to_tensor
        with self._floats():
            slopes = [None if g is None else tensor(g, dtype=str(g.dtype)) for g in grads]
            if all(g is None for g in slopes):
                raise Unsupported("Keras wants a gradient for some parameter")
            if self._step is None:
                self.optimizer.apply(slopes, self._variables)
                return
            held = (self._variables, self.optimizer.variables)
            thetas, states = ([v.value for v in variables] for variables in held)
            for variables, values in zip(held, self._step(states, slopes, thetas), strict=True):
                for variable, value in zip(variables, values, strict=True):
                    variable.assign(value)

    def params(self) -> list[Array]:
        """The variables now."""
        with self._floats():
            return [np.array(self._keras.ops.convert_to_numpy(v)) for v in self._variables]

    def set_lr(self, lr: float) -> None:
        """Assign the learning rate."""
        with self._floats():
            self.optimizer.learning_rate = float(lr)

    def hyperparameters(self) -> Mapping[str, float]:
        """Its configuration."""
        return dict(self._passed)

    def state(self) -> Mapping[str, list[Array]]:
        """Variables of its own with the shape of the parameters, by their attribute's name."""
        found = {}
        with self._floats():
            for name, x in vars(self.optimizer).items():
                same = isinstance(x, list) and len(x) == len(self._variables)
                if (
                    same
                    and all(
                        tuple(getattr(v, "shape", ())) == tuple(p.shape)
                        for v, p in zip(x, self._variables, strict=True)
                    )
                    and name.strip("_") not in ("trainable_variables", "model_variables")
                ):
                    found[name.strip("_")] = [np.array(self._keras.ops.convert_to_numpy(v)) for v in x]
        return found
