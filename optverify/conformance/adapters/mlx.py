"""MLX: optimizers that apply gradients to trees of arrays; float64 lives on its CPU device only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from optverify.conformance.adapters._making import made, none_is_refused, numbers, stems_from
from optverify.conformance.protocol import Adapter, Array, Box, Make


class Mlx(Adapter):
    """make() returns an optimizer."""

    name = "mlx"
    library = "mlx"

    def fits(self, thing: Any) -> bool:
        """An optimizer of MLX, or its class."""
        return stems_from(thing, "mlx.optimizers.optimizers.Optimizer")

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around the optimizer."""
        return MlxBox(make, params)


class MlxBox(Box):
    """A dictionary of arrays p0, p1, ... and the optimizer."""

    def __init__(self, make: Make, params: Sequence[Array]) -> None:
        self._mx = import_module("mlx.core")
        self._double = any(p.dtype == np.float64 for p in params)
        with self._device():
            self._params = {f"p{k}": self._own(p) for k, p in enumerate(params)}
            self.optimizer = made(make, self._params)
            self.optimizer.init(self._params)
        rate = self.optimizer.state.get("learning_rate")
        own = {n: x for n, x in vars(self.optimizer).items() if not n.startswith("_")}
        self._passed = numbers({**own, "learning_rate": None if rate is None else float(rate.item())})

    def _own(self, x: Array) -> Any:
        return self._mx.array(x, dtype=self._mx.float64 if x.dtype == np.float64 else self._mx.float32)

    def _device(self) -> Any:
        return self._mx.stream(self._mx.cpu)

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """apply_gradients on the CPU; a parameter without a gradient is left out of the tree."""
        if any(g is None for g in grads):
            none_is_refused(grads, "MLX")
        with self._device():
            slopes = {f"p{k}": self._own(np.asarray(g)) for k, g in enumerate(grads)}
            self._params = self.optimizer.apply_gradients(slopes, self._params)
            self._mx.eval(self._params, self.optimizer.state)

    def params(self) -> list[Array]:
        """The parameters now."""
        return [np.array(self._params[f"p{k}"]) for k in range(len(self._params))]

    def set_lr(self, lr: float) -> None:
        """Assign the learning rate, in the precision the library gives it."""
        with self._device():
            self.optimizer.learning_rate = lr

    def hyperparameters(self) -> Mapping[str, float]:
        """Its attributes and the rate."""
        return dict(self._passed)

    def state(self) -> Mapping[str, list[Array]]:
        """What it keeps for every parameter."""
        kept = [self.optimizer.state.get(f"p{k}", {}) for k in range(len(self._params))]
        names = [n for n in kept[0] if all(n in s for s in kept)] if kept else []
        return {n: [np.array(s[n]) for s in kept] for n in names}
