"""tinygrad: optimizers that read `p.grad` of their tensors; what they keep is float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
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


def working() -> AbstractContextManager[Any]:
    """Training, on the default device, or in the interpreter where no compiler is found."""
    helpers = import_module("tinygrad.helpers")
    settings: dict[str, Any] = {"TRAINING": 1}
    try:
        settings["DEV"] = str(import_module("tinygrad").Device.DEFAULT)
    except RuntimeError:
        settings["DEV"] = "PYTHON"
    context: AbstractContextManager[Any] = helpers.Context(**settings)
    return context


class TinygradBox(Box):
    """Tensors and the optimizer that steps over their gradients."""

    def __init__(self, make: Make, params: Sequence[Array]) -> None:
        self._tensor = import_module("tinygrad").Tensor
        with working():
            self._params = [self._tensor(np.array(p)).is_param_(True) for p in params]
            self.optimizer = made(make, self._params)
            own = {n: x for n, x in vars(self.optimizer).items() if n not in ("params", "lr")}
            self._passed = numbers({"lr": float(self.optimizer.lr.numpy().ravel()[0]), **own})

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """Set p.grad and step."""
        none_is_refused(grads, "tinygrad")
        with working():
            for p, g in zip(self._params, grads, strict=True):
                p.grad = self._tensor(np.array(g))
            self.optimizer.step()

    def params(self) -> list[Array]:
        """The parameters now."""
        with working():
            return [np.array(p.numpy()) for p in self._params]

    def set_lr(self, lr: float) -> None:
        """Its tensor of one rate."""
        old = self.optimizer.lr
        with working():
            old.assign(self._tensor([lr] if old.shape else lr, dtype=old.dtype)).realize()

    def hyperparameters(self) -> Mapping[str, float]:
        """Its attributes, and the rate."""
        return dict(self._passed)

    def state(self) -> Mapping[str, list[Array]]:
        """Lists of tensors, a tensor a parameter."""
        count, found = len(self._params), {}
        with working():
            for name, x in vars(self.optimizer).items():
                if isinstance(x, list) and len(x) == count and name not in ("params", "buffers"):
                    found[name] = [np.array(a.numpy()) for a in x]
        return found
