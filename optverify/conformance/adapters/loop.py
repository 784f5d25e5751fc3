"""autograd.misc.optimizers, and any function that runs the whole loop itself: optimize(grad, x0, ...).

The loop runs in a thread of its own, which stops whenever it asks for a gradient.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from optverify.conformance.adapters._making import Watch, none_is_refused, numbers, signature, stems_from
from optverify.conformance.protocol import Adapter, Array, Box, Make

FOREVER = 10**9
PATIENCE = 30.0


class Loop(Adapter):
    """make is the function itself, or functools.partial(adam, step_size=0.1); make() may return it."""

    name = "autograd"
    library = "autograd"

    def fits(self, thing: Any) -> bool:
        """A function of autograd.misc.optimizers, bare or with some arguments set."""
        return callable(thing) and stems_from(thing, "autograd.misc.optimizers.")

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around a loop that has just begun."""
        loop = make if self.fits(make) or len(signature(make)) > 1 else make()
        return LoopBox(loop, params)


class Stop(BaseException):
    """Ends the loop's thread."""


def _inner(loop: Any) -> Any:
    """The function that autograd has wrapped: it alone names its arguments."""
    while isinstance(loop, partial):
        loop = loop.func
    cells = [c.cell_contents for c in getattr(loop, "__closure__", None) or ()]
    return next((f for f in cells if "num_iters" in signature(f)), loop)


def _set(loop: Any) -> dict[str, Any]:
    """The arguments set by functools.partial."""
    return {**_set(loop.func), **loop.keywords} if isinstance(loop, partial) else {}


class LoopBox(Box):
    """A loop that waits for its next gradient."""

    def __init__(self, loop: Any, params: Sequence[Array]) -> None:
        self._loop, self._start = loop, [np.array(p) for p in params]
        self._asked: queue.Queue[Any] = queue.Queue()
        self._answers: queue.Queue[Any] = queue.Queue()
        self._watch = Watch()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._now = self._next()

    def _run(self) -> None:
        known = signature(_inner(self._loop))
        more = {"num_iters": FOREVER} if "num_iters" in known or not known else {}
        try:
            end = self._loop(self._gradient, [p.copy() for p in self._start], **more)
            self._asked.put(RuntimeError(f"the loop ended by itself and returned {type(end).__name__}"))
        except Stop:
            pass
        except BaseException as error:  # whatever it is, it belongs to the caller
            self._asked.put(error)

    def _gradient(self, x: Any, *_: Any) -> Any:
        self._asked.put([np.array(p) for p in x])
        answer = self._answers.get()
        if answer is None:
            raise Stop
        return answer

    def _next(self) -> list[Array]:
        try:
            asked = self._asked.get(timeout=PATIENCE)
        except queue.Empty:
            raise TimeoutError(f"the loop has not asked for a gradient for {PATIENCE:g} seconds") from None
        if isinstance(asked, BaseException):
            raise asked
        found: list[Array] = asked
        return found

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """Answer the loop, and wait until it asks again."""
        none_is_refused(grads, "a loop")
        slopes = [np.array(g) for g in grads]
        self._watch.give(slopes)
        self._answers.put(slopes)
        self._now = self._next()

    def params(self) -> list[Array]:
        """Where it has asked for a gradient."""
        return [p.copy() for p in self._now]

    def hyperparameters(self) -> Mapping[str, float]:
        """The arguments set, and the defaults of the others."""
        known = {n: p.default for n, p in signature(_inner(self._loop)).items() if p.default is not p.empty}
        return {n: x for n, x in numbers({**known, **_set(self._loop)}).items() if n != "num_iters"}

    def spoiled(self) -> bool:
        """True if a gradient was written into."""
        return self._watch.look()

    def close(self) -> None:
        """End the thread."""
        self._answers.put(None)
        self._thread.join(timeout=1.0)
