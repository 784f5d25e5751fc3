"""Driving a black box: what an adapter offers, and what can be asked of an optimizer of any make.

A box is made for some parameters, given a gradient for each of them, and shows the parameters again:

    box = drive(lambda params: torch.optim.Adam(params, lr=0.1), [np.ones(3)])
    box.update([np.array([1.0, -2.0, 0.5])])
    box.params()

All arrays are NumPy arrays in the order in which the parameters were given. An adapter is a short file in
`optverify/conformance/adapters/`; it turns arrays into what its library takes and back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Make = Callable[..., Any]
"""make(params) or make(): returns an optimizer; or the optimizer, or its class, itself."""


class Unsupported(Exception):  # noqa: N818 -- an answer, no error
    """This box cannot do what was asked: change lr in mid-run, show its state, take float32, ..."""


class Box(ABC):
    """An optimizer with its parameters, ready to be driven."""

    @abstractmethod
    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """One update. A gradient is None where a parameter has none this time (Unsupported if it cannot be).

        inputs: what a rule needs besides (a loss). The arrays are fresh copies: the box may spoil them.
        """

    @abstractmethod
    def params(self) -> list[Array]:
        """The parameters now, as copies."""

    def set_lr(self, lr: float) -> None:
        """Change the learning rate from the next update on."""
        raise Unsupported("its learning rate cannot be changed in mid-run")

    def hyperparameters(self) -> Mapping[str, float]:
        """What was passed to it or is its default, by its own names; empty if that cannot be read."""
        return {}

    def state(self) -> Mapping[str, list[Array]]:
        """Its state by its own names, an array a parameter; empty if that cannot be read."""
        return {}

    def points(self) -> list[Array]:
        """Where the next gradient must be taken, for rules with a look-ahead; the parameters otherwise."""
        return self.params()

    def spoiled(self) -> bool:
        """True if it has written into a gradient that it was given."""
        return False

    def close(self) -> None:  # noqa: B027
        """Let go of what it holds (a process)."""


class Adapter(ABC):
    """How the optimizers of one library are driven.

    name: as users say `adapter="torch"`; library: the distribution whose version counts, empty for none.
    """

    name: str
    library: str = ""

    @abstractmethod
    def fits(self, thing: Any) -> bool:
        """True if `thing` (what the user gave, or what it made) is of this library.

        It must import nothing heavy: a library that is not in sys.modules has made nothing.
        """

    @abstractmethod
    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around a freshly made optimizer for copies of these parameters."""
