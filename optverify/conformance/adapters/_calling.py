"""How code of no library is called: by which method, with what, and what it was made with."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from optverify.conformance.adapters._making import (
    POSITIONAL,
    RATES,
    is_number,
    is_wish,
    numbers,
    required,
    signature,
)
from optverify.conformance.protocol import Array, Unsupported

METHODS = ("update", "step", "apply_gradients", "apply", "update_params", "minimize")
LOSSES = ("loss", "loss_fn", "objective", "objective_fn", "closure", "fn", "f", "fun", "func", "cost",
          "cost_fn")  # fmt: skip


class Parameter(np.ndarray[Any, Any]):
    """An array that has a gradient, as a step() without arguments looks for it."""

    grad: Any = None

    @property
    def data(self) -> Any:
        """Itself; assigning writes into it."""
        return self.view(np.ndarray)

    @data.setter
    def data(self, value: Any) -> None:
        self[...] = value


class LinearLoss:
    """sum(g * theta): its gradient is g wherever it is taken, by whatever tool."""

    def __init__(self, grads: Sequence[Array]) -> None:
        self.grads = list(grads)
        self.asked: list[Array] = []

    def __call__(self, *args: Any) -> Any:
        """The value, for parameters one by one or in a list."""
        params = args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args
        self._note(params)
        terms = [self._term(p, g) for p, g in zip(params, self.grads, strict=True)]
        return sum(terms[1:], start=terms[0])

    def _term(self, p: Any, g: Array) -> Any:
        if type(p).__module__.startswith("torch"):
            g = sys.modules["torch"].from_numpy(g.copy())
        return (p * g).sum() if hasattr(p, "sum") else p * g

    def _note(self, params: Sequence[Any]) -> None:
        """Remember where it was first asked, be it in a tool's own wrapping."""
        if not self.asked:
            self.asked = [np.array(getattr(p, "_value", p), subok=False) for p in params]

    def gradient(self, *args: Any) -> Any:
        """For those that ask for it: the gradient of the only parameter, or a list."""
        self._note(args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args)
        return self.grads[0].copy() if len(self.grads) == 1 else [g.copy() for g in self.grads]


def method(thing: Any) -> str | None:
    return next((m for m in METHODS if callable(getattr(thing, m, None))), None)


class Call:
    """How a step is called: by which method, with what, in which order.

    memory: what it has returned besides, for the next call; shown: the numbers in it that stay as they are.
    """

    def __init__(self, thing: Any) -> None:
        self.thing = thing
        name = method(thing)
        self.function: Callable[..., Any] = thing if name is None else getattr(thing, name)
        self.names = required(self.function)
        self.known = signature(self.function)
        self.by_loss = bool(self.names) and self.names[0] in LOSSES
        self.lr: float | None = None
        self.memory: tuple[Any, ...] = ()
        self.shown: dict[str, float] = {}

    def carried(self, after: Any, theta: Array) -> Any:
        """theta of what was returned; what is behind it is kept for the next call, or a TypeError."""
        if not isinstance(after, tuple) or all(is_number(x) for x in after):
            return after
        places = [p for p in self.known.values() if p.kind in POSITIONAL]
        if len(after) < 2 or np.shape(after[0]) != np.shape(theta) or len(places) < 1 + len(after):
            kinds = ", ".join(type(x).__name__ for x in after)
            raise TypeError(
                f"it returns a tuple ({kinds}): let it return theta alone, or take back what is behind it, "
                "as in step(theta, grad, state=None)"
            )
        again, self.memory = bool(self.memory), after[1:]
        seen: dict[str, float] = {}
        for kept in self.memory:
            if isinstance(kept, dict):
                seen |= numbers({n: x for n, x in kept.items() if isinstance(n, str)})
        old = self.shown
        self.shown = {n: x for n, x in old.items() if n in RATES or seen.get(n) == x} if again else seen
        return after[0]

    def __call__(self, params: Any, grads: Any, loss: LinearLoss, inputs: Mapping[str, Any]) -> Any:
        """What the step returns."""
        more = {n: x for n, x in inputs.items() if n in self.known}
        rate = self._rate()
        if rate and self.lr is not None:
            more[rate] = self.lr
        if self.by_loss:
            return self.function(loss, *([params] if len(self.names) > 1 else []), **more)
        if not self.names:
            return self.function(**more)
        if len(self.names) == 1:
            return self.function(grads, **more)
        first, second = self.names[:2]
        swapped = _of_gradients(first) and not _of_gradients(second)
        behind = list(self.known)[2 : 2 + len(self.memory)]
        more = {n: x for n, x in more.items() if n not in behind}
        return self.function(*((grads, params) if swapped else (params, grads)), *self.memory, **more)

    def _rate(self) -> str | None:
        return next((n for n in self.known if n in RATES), None)

    def asks_at(self, params: Any, slopes: Sequence[Array]) -> list[Array]:
        """Where it takes the gradient of the loss it is given; nothing for one that is given gradients."""
        if not self.by_loss:
            return []
        loss = LinearLoss(slopes)
        with suppress(Exception):  # what cannot be copied cannot be tried
            Call(copy.deepcopy(self.thing))(copy.deepcopy(params), slopes, loss, {})
        return loss.asked

    def set_lr(self, lr: float) -> None:
        """By its set_lr, its attribute, or its argument."""
        setter = getattr(self.thing, "set_lr", None)
        if callable(setter):
            setter(lr)
            return
        held = [n for n in RATES if is_number(getattr(self.thing, n, None))]
        for name in held:
            setattr(self.thing, name, lr)
        for kept in self.memory:
            if isinstance(kept, dict) and (inside := [n for n in RATES if is_number(kept.get(n))]):
                kept.update(dict.fromkeys(inside, lr))
                held += inside
        if self._rate():
            self.lr = lr
        elif not held:
            raise Unsupported(
                "its learning rate cannot be changed in mid-run: an attribute or argument lr, or set_lr(lr), "
                "would let it"
            )


def _of_gradients(name: str) -> bool:
    return name.startswith("g") or "grad" in name or name.startswith(("d_", "dw", "dx"))


def remembered(thing: Any) -> dict[str, Any]:
    """The attributes of an object, or what a function's closure holds, by name."""
    function = getattr(thing, "__func__", thing)
    cells = zip(
        getattr(function, "__code__", _NOTHING).co_freevars,
        getattr(function, "__closure__", None) or (),
        strict=False,
    )
    held: dict[str, Any] = {}
    for name, cell in cells:
        try:
            held[name] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    for name, x in list(held.items()):
        if isinstance(x, dict) and all(isinstance(k, str) for k in x):
            held |= x
        elif hasattr(x, "__dict__") and not callable(x):
            held |= vars(x)
        else:
            continue
        del held[name]
    return {**held, **getattr(thing, "__dict__", {})}


class _Nothing:
    co_freevars: tuple[str, ...] = ()


_NOTHING = _Nothing()


class Known:
    """The numbers that a step was made with, and what has become of its other memory."""

    def __init__(self, call: Call) -> None:
        self._thing = call.thing
        defaults = {n: p.default for n, p in call.known.items() if p.default is not p.empty}
        self._fixed = frozenset(numbers(defaults))
        self.first = numbers({**defaults, **remembered(call.thing)})
        self._call = call

    def hyperparameters(self) -> dict[str, float]:
        """The numbers that it was made with; one that is by now an array was none."""
        now = remembered(self._thing)
        own = {
            n: x for n, x in self.first.items()
            if n not in now or is_number(now[n]) or is_wish(n, now[n]) or n in self._fixed
        }  # fmt: skip
        return {**own, **self._call.shown}

    def state(self, shapes: Sequence[tuple[int, ...]]) -> dict[str, list[Array]]:
        """Arrays of the shapes of the parameters, and numbers that have changed."""
        found = {}
        for name, x in remembered(self._thing).items():
            items = (
                list(x.values()) if isinstance(x, dict) else list(x) if isinstance(x, list | tuple) else [x]
            )
            if name in ("params", "parameters", "grads") or not items:
                continue
            if [
                np.shape(i) if isinstance(i, np.ndarray | float | np.generic) else None for i in items
            ] == list(shapes):
                found[name] = [np.array(i) for i in items]
            elif is_number(x) and self.first.get(name) != x and name not in RATES:
                found[name] = [np.asarray(x)]
        return found
