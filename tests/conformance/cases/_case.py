"""How a case is written down: somebody's optimizer, its numbers, and what must be said of it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


class Memory:
    """The state of one parameter: arrays by name, zero until something is put there."""

    def __init__(self, loop, k):
        self.__dict__.update(loop=loop, k=k)

    def __getattr__(self, name):
        held = self.loop.__dict__.setdefault(name, [np.zeros_like(p) for p in self.loop.thetas])
        return held[self.k]

    def __setattr__(self, name, value):
        getattr(self, name)
        self.loop.__dict__[name][self.k] = value


class Loop:
    """An optimizer as people write it. Its numbers are attributes, its states lists of arrays.

    step(h, x, g, s, t) returns the new x: h this object, s the Memory of the parameter, t = 1, 2, ... the
    gradients it has had.
    """

    def __init__(self, params, step=None, **numbers):
        self.__dict__.update(numbers)
        self.step_of_one, self.thetas = step, list(params)
        self.memory = [Memory(self, k) for k in range(len(self.thetas))]
        self.t, self.counts = 0, [0] * len(self.thetas)

    def update(self, params, grads):
        for k, (x, g, s) in enumerate(zip(params, grads, self.memory, strict=True)):
            if g is not None:
                self.counts[k] += 1
                x[...] = self.step_of_one(self, x, g, s, self.counts[k])


@dataclass(frozen=True)
class Case:
    """A case.

    code: step(h, x, g, s, t), or a subclass of Loop; rule, claims: what it is said to be (a dialect), values:
    its numbers. grads, start, lr: a stream; right and wrong: theta after each update, of the rule as claimed
    and of the code. found: options of the dialect it is in truth (None: of no dialect; {}: it is what it
    claims to be, a look-alike), as_rule: of another rule. says: what must stand in the diagnosis, one of the
    words between bars; notes: what must stand in the verdict that passes it.
    """

    id: str
    title: str
    code: Any
    rule: str
    grads: list[Any]
    wrong: list[Any]
    right: list[Any] | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    start: Any = 0.0
    lr: Any = 0.1
    found: dict[str, Any] | None = None
    says: tuple[str, ...] = ()
    digits: float = 6e-11
    as_rule: str | None = None
    notes: str = ""

    @property
    def name(self):
        return f"{self.id} {self.title}"

    def make(self, params):
        """The optimizer, for parameters."""
        lr = self.lr[0] if isinstance(self.lr, list) else self.lr
        numbers = {"lr": lr, **self.values}
        if isinstance(self.code, type):
            return self.code(params, **numbers)
        return Loop(params, self.code, **numbers)
