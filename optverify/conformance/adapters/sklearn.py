"""scikit-learn's SGDOptimizer and AdamOptimizer, which train its multi-layer perceptrons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optverify.conformance.adapters._making import Watch, made, none_is_refused, numbers, stems_from
from optverify.conformance.protocol import Adapter, Array, Box, Make


class Sklearn(Adapter):
    """make(params) is given a list of arrays, as the classes themselves take it."""

    name = "sklearn"
    library = "scikit-learn"

    def fits(self, thing: Any) -> bool:
        """One of the two, or its class."""
        return stems_from(thing, "sklearn.neural_network._stochastic_optimizers.")

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around the optimizer."""
        return SklearnBox(make, params)


class SklearnBox(Box):
    """update_params(params, grads) adds to the arrays."""

    def __init__(self, make: Make, params: Sequence[Array]) -> None:
        self._params = [np.array(p) for p in params]
        self.optimizer = made(make, self._params)
        self._passed = numbers({n: x for n, x in vars(self.optimizer).items() if n != "t"})
        self._watch = Watch()

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """update_params."""
        none_is_refused(grads, "scikit-learn")
        slopes = [np.array(g) for g in grads]
        self._watch.give(slopes)
        self.optimizer.update_params(self._params, slopes)

    def params(self) -> list[Array]:
        """The parameters now."""
        return [p.copy() for p in self._params]

    def set_lr(self, lr: float) -> None:
        """Adam computes its rate from learning_rate_init at every update, SGD takes learning_rate."""
        self.optimizer.learning_rate_init = self.optimizer.learning_rate = lr

    def hyperparameters(self) -> Mapping[str, float]:
        """Its attributes as they were made."""
        return {n: x for n, x in self._passed.items() if n != "learning_rate"}

    def state(self) -> Mapping[str, list[Array]]:
        """velocities, or ms and vs."""
        lists = {n: x for n, x in vars(self.optimizer).items() if isinstance(x, list)}
        return {n: [np.array(a) for a in x] for n, x in lists.items()}

    def spoiled(self) -> bool:
        """True if a gradient was written into."""
        return self._watch.look()
