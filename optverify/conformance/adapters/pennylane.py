"""PennyLane: optimizers that take a loss; its gradient is that of the probe, wherever it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from optverify.conformance.adapters._making import Watch, made, none_is_refused, numbers, stems_from
from optverify.conformance.protocol import Adapter, Array, Box, Make


class PennyLane(Adapter):
    """make() returns an optimizer with step(loss, *params)."""

    name = "pennylane"
    library = "pennylane"

    def fits(self, thing: Any) -> bool:
        """A gradient-descent optimizer of PennyLane, or its class."""
        return stems_from(thing, "pennylane.optimize.gradient_descent.GradientDescentOptimizer")

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around the optimizer."""
        return PennyLaneBox(make, params)


class PennyLaneBox(Box):
    """step(loss, *params) with a loss that is linear in the parameters."""

    def __init__(self, make: Make, params: Sequence[Array]) -> None:
        self._array = import_module("pennylane.numpy").array
        self._params = [self._array(np.array(p), requires_grad=True) for p in params]
        self.optimizer = made(make, self._params)
        self._passed = numbers({n: x for n, x in vars(self.optimizer).items() if n != "accumulation"})
        self._watch = Watch()

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """One step on sum(g * theta), whose gradient autograd takes."""
        none_is_refused(grads, "PennyLane")
        slopes = [np.array(g) for g in grads]
        self._watch.give(slopes)

        def loss(*params: Any) -> Any:
            total = 0.0
            for p, g in zip(params, slopes, strict=True):
                total = total + (p * g).sum()
            return total

        after = self.optimizer.step(loss, *self._params)
        after = [after] if len(slopes) == 1 else after
        self._params = [self._array(np.array(p), requires_grad=True) for p in after]

    def params(self) -> list[Array]:
        """The parameters now."""
        return [np.array(p) for p in self._params]

    def points(self) -> list[Array]:
        """Where it would ask for its next gradient."""
        asked: list[Array] = []

        def gradient(*params: Any, **_: Any) -> Any:
            asked.extend(np.array(p) for p in params)
            slopes = tuple(np.zeros(np.shape(p)) for p in params)
            return slopes if len(slopes) > 1 else slopes[0]

        self.optimizer.compute_grad(None, tuple(self._params), {}, grad_fn=gradient)
        return asked

    def set_lr(self, lr: float) -> None:
        """Its step size."""
        self.optimizer.stepsize = lr

    def hyperparameters(self) -> Mapping[str, float]:
        """Its attributes."""
        return dict(self._passed)

    def state(self) -> Mapping[str, list[Array]]:
        """What it accumulates."""
        kept = getattr(self.optimizer, "accumulation", None)
        named = kept if isinstance(kept, dict) else {"accumulation": kept}
        lists = {n: x for n, x in named.items() if isinstance(x, list)}
        return {n: [np.array(a) for a in x] for n, x in lists.items()}

    def spoiled(self) -> bool:
        """True if a gradient was written into."""
        return self._watch.look()
