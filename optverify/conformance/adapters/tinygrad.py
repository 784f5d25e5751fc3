"""tinygrad: optimizers that read `p.grad` of their tensors; what they keep is float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from optverify.conformance.adapters._making import made, none_is_refused, numbers, stems_from
from optverify.conformance.protocol import Adapter, Array, Box, Make


class Tinygrad(Adapter):
    """make(params) is given a list of tensors."""

    name = "tinygrad"
    library = "tinygrad"

    def fits(self, thing: Any) -> bool:
        """An optimizer of tinygrad, or what makes one."""
        return stems_from(thing, "tinygrad.nn.optim.")

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around the optimizer."""
        return TinygradBox(make, params)


def _device() -> str | None:
    """The default device, or the interpreter's where no compiler is found."""
    try:
        return str(import_module("tinygrad").Device.DEFAULT)
    except RuntimeError:
        return "PYTHON"


class TinygradBox(Box):
    """Tensors and the optimizer that steps over their gradients."""

    def __init__(self, make: Make, params: Sequence[Array]) -> None:
        self._tensor = import_module("tinygrad").Tensor
        self._device = _device()
        self._params = [self._tensor(np.array(p), device=self._device) for p in params]
        for p in self._params:
            if hasattr(p, "is_param_"):
                p.is_param_(True)
        self.optimizer = made(make, self._params)
        own = {n: x for n, x in vars(self.optimizer).items() if n not in ("params", "lr")}
        self._passed = numbers({"lr": float(self.optimizer.lr.numpy().ravel()[0]), **own})

    def _training(self) -> Any:
        helpers = import_module("tinygrad.helpers")
        if hasattr(helpers, "TRAINING"):
            return helpers.Context(TRAINING=1)
        return self._tensor.train()

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """Set p.grad and step."""
        none_is_refused(grads, "tinygrad")
        for p, g in zip(self._params, grads, strict=True):
            p.grad = self._tensor(np.array(g), device=self._device)
        with self._training():
            self.optimizer.step()

    def params(self) -> list[Array]:
        """The parameters now."""
        return [np.array(p.numpy()) for p in self._params]

    def set_lr(self, lr: float) -> None:
        """Its tensor of one rate."""
        old = self.optimizer.lr
        old.assign(self._tensor([lr] if old.shape else lr, dtype=old.dtype, device=old.device)).realize()

    def hyperparameters(self) -> Mapping[str, float]:
        """Its attributes, and the rate."""
        return dict(self._passed)

    def state(self) -> Mapping[str, list[Array]]:
        """Lists of tensors, a tensor a parameter."""
        own = {
            n: x
            for n, x in vars(self.optimizer).items()
            if isinstance(x, list) and n not in ("params", "buffers")
        }
        full = {n: x for n, x in own.items() if len(x) == len(self._params) and hasattr(x[0], "numpy")}
        return {n: [np.array(a.numpy()) for a in x] for n, x in full.items()}
