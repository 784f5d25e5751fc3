"""optverify's own Optimizer."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optverify.conformance.adapters._making import Watch, made, none_is_refused, numbers, stems_from
from optverify.conformance.protocol import Adapter, Array, Box, Make, Unsupported


class Own(Adapter):
    """make() returns an ov.Optimizer; or the object itself."""

    name = "optverify"

    def fits(self, thing: Any) -> bool:
        """An ov.Optimizer, or its class."""
        return stems_from(thing, "optverify.optimizers.optimizer.Optimizer")

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around the optimizer."""
        return OwnBox(make, params)


class OwnBox(Box):
    """update(params, grads) in place."""

    def __init__(self, make: Make, params: Sequence[Array]) -> None:
        self._params = [np.array(p) for p in params]
        self.optimizer = copy.deepcopy(made(make, self._params))
        self._watch = Watch()
        self._passed = numbers({**self.optimizer.rule.options, **self.optimizer.hyperparameters})

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """One update, at the points it wants; what the rule needs besides goes by name."""
        none_is_refused(grads, "ov.Optimizer")
        slopes = [np.array(g) for g in grads]
        self._watch.give(slopes)
        for name, value in inputs.items():  # what the rule reads anew for each update
            if name in self._passed:
                setattr(self.optimizer, name, value)
        more = {n: inputs[n] for n in self.optimizer.inputs if n in inputs}
        self.optimizer.gradient_point(self._params)
        self.optimizer.update(self._params, slopes, **more)

    def params(self) -> list[Array]:
        """The parameters now."""
        return [p.copy() for p in self._params]

    def points(self) -> list[Array]:
        """Where the next gradient is to be taken."""
        return [np.array(p) for p in self.optimizer.gradient_point(self._params)]

    def set_lr(self, lr: float) -> None:
        """Assign lr, unless it is where the state starts from, as the first steps of Rprop are."""
        try:
            self.optimizer.lr = lr
        except ValueError as error:
            raise Unsupported(str(error)) from error

    def hyperparameters(self) -> Mapping[str, float]:
        """All of them."""
        return dict(self._passed)

    def state(self) -> Mapping[str, list[Array]]:
        """By the names of the rule."""
        states = self.optimizer.state or []
        names = [n for n in (states[0]._fields if states else ()) if n != "t"]
        return {n: [np.array(getattr(s, n)) for s in states] for n in names}

    def spoiled(self) -> bool:
        """True if a gradient was written into."""
        return self._watch.look()
