"""river: step(w, g) on weights by feature, or on a vector where the optimizer can."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optverify.conformance.adapters._making import (
    Watch,
    made,
    none_is_refused,
    numbers,
    signature,
    stems_from,
)
from optverify.conformance.protocol import Adapter, Array, Box, Make, Unsupported


class River(Adapter):
    """make() returns an optimizer. All parameters are the features of one weight vector."""

    name = "river"
    library = "river"
    vector = False

    def fits(self, thing: Any) -> bool:
        """An optimizer of river, or its class."""
        return stems_from(thing, "river.optim.base.Optimizer")

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around the optimizer."""
        return RiverBox(make, params, self.vector)


class RiverVector(River):
    """The same on arrays, as learn_many does."""

    name = "river_vector"
    vector = True

    def fits(self, thing: Any) -> bool:
        """Only by name: features are what river's optimizers are made for."""
        return False


class RiverBox(Box):
    """Weights keyed 0, 1, 2, ..., or one array."""

    def __init__(self, make: Make, params: Sequence[Array], vector: bool) -> None:
        self._shapes = [p.shape for p in params]
        flat = np.concatenate([np.ravel(p) for p in params]).astype(float)
        self._vector = vector
        self._weights: Any = flat if vector else dict(enumerate(flat.tolist()))
        self.optimizer = copy.deepcopy(made(make, params))
        if any(p.dtype != np.float64 for p in params) and not vector:
            raise Unsupported("river's weights are Python numbers, which are float64")
        own = {n: x for n, x in vars(self.optimizer).items() if n != "n_iterations" and not n.startswith("_")}
        rate = getattr(own.pop("lr", None), "learning_rate", None)
        self._passed = numbers({"lr": rate, **own})
        self._watch = Watch()

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """look_ahead and step; on features, one without a gradient is left out."""
        if self._vector:
            none_is_refused(grads, "a vector")
        sizes = [int(np.prod(s)) for s in self._shapes]
        filled = [np.full(n, np.nan) if g is None else np.ravel(g) for g, n in zip(grads, sizes, strict=True)]
        slopes = np.concatenate(filled).astype(float)
        given = np.concatenate([np.full(n, g is not None) for g, n in zip(grads, sizes, strict=True)])
        self._weights = self.optimizer.look_ahead(self._weights)
        if self._vector:
            self._watch.give([slopes])
            self._weights = self.optimizer.step(self._weights, slopes)
        else:
            known = {k: x for k, (x, has) in enumerate(zip(slopes.tolist(), given, strict=True)) if has}
            self._weights = self.optimizer.step(self._weights, known)

    def params(self) -> list[Array]:
        """The weights now, in the shapes of the parameters."""
        return self._shaped(self._weights)

    def _shaped(self, weights: Any) -> list[Array]:
        sizes = [int(np.prod(s)) for s in self._shapes]
        flat = np.array(
            weights if isinstance(weights, np.ndarray) else [weights.get(k, 0.0) for k in range(sum(sizes))]
        )
        parts = np.split(flat, np.cumsum(sizes)[:-1])
        return [part.reshape(s).copy() for part, s in zip(parts, self._shapes, strict=True)]

    def points(self) -> list[Array]:
        """Where look_ahead would move the weights."""
        return self._shaped(self.optimizer.look_ahead(copy.deepcopy(self._weights)))

    def set_lr(self, lr: float) -> None:
        """A constant schedule of that rate."""
        constant = hasattr(getattr(self.optimizer, "lr", None), "learning_rate")
        if not constant or "lr" not in signature(type(self.optimizer)):
            raise Unsupported("its learning rate is no constant that could be changed")
        self.optimizer.lr.learning_rate = lr

    def hyperparameters(self) -> Mapping[str, float]:
        """Its attributes, and the rate of its schedule."""
        return dict(self._passed)

    def state(self) -> Mapping[str, list[Array]]:
        """Dictionaries and arrays over the features."""
        size = sum(int(np.prod(s)) for s in self._shapes)
        kept = {n: x for n, x in vars(self.optimizer).items() if isinstance(x, dict | np.ndarray)}
        return {n: self._shaped(x) for n, x in kept.items() if len(x) in (0, size)}

    def spoiled(self) -> bool:
        """True if a vector of gradients was written into."""
        return self._watch.look()
