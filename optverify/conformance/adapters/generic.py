"""Optimizers of no library: a function step(theta, grad) -> theta, an object with update(...) or step(...).

Parameters and gradients are NumPy arrays.

* make(params), or a class whose first argument is params, is given the list of parameters. Then step(params,
  grads), update(grads), ... are given lists; if they refuse lists and there is one parameter, its array.
* make() returns a step(theta, grad) for one array: a fresh one is made for each parameter.
* step() without arguments finds the gradients as `p.grad` of the parameters that make(params) was given.
* An object whose first argument is a loss is handed a linear one, whose gradient is the probe's.

What is returned are the new parameters; nothing returned means that they were changed in place.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from optverify.conformance.adapters._making import (
    RATES,
    Watch,
    is_number,
    made,
    numbers,
    required,
    signature,
    takes_params,
)
from optverify.conformance.protocol import Adapter, Array, Box, Make, Unsupported

METHODS = ("update", "step", "apply_gradients", "apply", "update_params", "minimize")
LOSSES = (
    "loss",
    "loss_fn",
    "objective",
    "objective_fn",
    "closure",
    "fn",
    "f",
    "fun",
    "func",
    "cost",
    "cost_fn",
)
MISFITS = (TypeError, AttributeError, IndexError, KeyError, ValueError)


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


class Function(Adapter):
    """make is step(theta, grad) -> theta, or returns it."""

    name = "callable"

    def fits(self, thing: Any) -> bool:
        """A function of parameters and gradients."""
        return (
            callable(thing) and not isinstance(thing, type) and _method(thing) is None and _takes_two(thing)
        )

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around the function."""
        return started(make, params)


class Object(Adapter):
    """make returns an object with update(...) or step(...)."""

    name = "object"

    def fits(self, thing: Any) -> bool:
        """Has one of the methods."""
        return not isinstance(thing, type) and _method(thing) is not None

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around the object."""
        return started(make, params)


def _takes_two(thing: Any) -> bool:
    names = required(thing)
    return len(names) == 2 or (len(names) > 2 and not names[2])


def _method(thing: Any) -> str | None:
    return next((m for m in METHODS if callable(getattr(thing, m, None))), None)


def _fresh(make: Make, params: Any) -> Any:
    """What steps: made anew, or make itself if that is a function."""
    itself = not isinstance(make, type) and _method(make) is None and _takes_two(make)
    if itself:
        return make
    return (
        copy.deepcopy(make)
        if _method(make) is not None and not isinstance(make, type)
        else made(make, params)
    )


def started(make: Make, params: Sequence[Array]) -> Box:
    """The box whose way of calling works, found out on a throw-away one."""
    ways = list(_ways(make, params))
    errors = [_trial(way, params) for way in ways]
    for way, error in zip(ways, errors, strict=True):
        if error is None:
            return way()
    wrong = next((k for k, e in enumerate(errors) if not isinstance(e, MISFITS)), None)
    if wrong is None and len(params) > 1 and _trial(lambda: ArrayBox(make, params[:1]), params[:1]) is None:
        raise Unsupported("it takes one array at a time: give make() that returns it, for several parameters")
    return ways[wrong or 0]()


def _trial(way: Callable[[], Box], params: Sequence[Array]) -> Exception | None:
    """What goes wrong in one update, if it is called in this way."""
    try:
        box = way()
        box.update([0.5 * np.ones_like(p) for p in params])
        after = [p.shape for p in box.params()]
    except Exception as error:  # of the user's code, called in a way that may be wrong
        return error
    return (
        None if after == [np.shape(p) for p in params] else TypeError(f"it returns arrays of shapes {after}")
    )


def _ways(make: Make, params: Sequence[Array]) -> Iterator[Callable[[], Box]]:
    """Those that may be right, the likeliest first."""
    itself = not isinstance(make, type) and _takes_two(make) and _method(make) is None
    if itself and len(params) > 1:
        raise Unsupported(
            "a step function takes one array: give make() that returns it, for several parameters"
        )

    def lists() -> Box:
        return ListBox(make, params)

    def arrays() -> Box:
        return ArrayBox(make, params)

    if itself or not callable(make) or not takes_params(make):
        yield from (arrays, lists)
    elif len(params) > 1:
        yield lists
    else:
        yield from (lists, arrays)


class Call:
    """How a step is called: by which method, with what, in which order."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing
        name = _method(thing)
        self.function: Callable[..., Any] = thing if name is None else getattr(thing, name)
        self.names = required(self.function)
        self.known = signature(self.function)
        self.by_loss = bool(self.names) and self.names[0] in LOSSES
        self.lr: float | None = None

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
        return self.function(*((grads, params) if swapped else (params, grads)), **more)

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

    def hyperparameters(self) -> dict[str, float]:
        """The numbers that it was made with; one that is by now an array was none."""
        now = remembered(self._thing)
        return {n: x for n, x in self.first.items() if n not in now or is_number(now[n]) or n in self._fixed}

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


class ListBox(Box):
    """All parameters in one list, stepped at once."""

    def __init__(self, make: Make, params: Sequence[Array]) -> None:
        self._params: list[Any] = [np.array(p).view(Parameter) for p in params]
        self._call = Call(_fresh(make, self._params))
        self._known, self._watch = Known(self._call), Watch()

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """One call with the lists."""
        slopes = [None if g is None else np.array(g) for g in grads]
        self._watch.give(slopes)
        for p, g in zip(self._params, slopes, strict=True):
            if isinstance(p, Parameter):
                p.grad = g
        try:
            loss = LinearLoss(
                [np.zeros_like(p) if g is None else g for p, g in zip(self._params, slopes, strict=True)]
            )
            after = self._call(self._params, slopes, loss, inputs)
        except (TypeError, AttributeError) as error:
            if any(g is None for g in slopes):
                raise Unsupported(f"it wants a gradient for every parameter ({error})") from error
            raise
        self._take(after)

    def _take(self, after: Any) -> None:
        if after is None or isinstance(after, bool):
            after = self._held()
        if isinstance(after, np.ndarray) or not isinstance(after, list | tuple):
            raise TypeError(f"it returns {type(after).__name__}, not a list of parameters")
        if len(after) != len(self._params):
            raise TypeError(f"it returns {len(after)} parameters, not {len(self._params)}")
        self._params = list(after)

    def _held(self) -> Sequence[Any]:
        """The parameters after a step that returns nothing: those the object holds, else ours."""
        shapes = [np.shape(p) for p in self._params]
        for name in ("params", "parameters", "theta", "weights"):
            held = getattr(self._call.thing, name, None)
            if isinstance(held, list | tuple) and [np.shape(p) for p in held] == shapes:
                return held
        return self._params

    def params(self) -> list[Array]:
        """The parameters now."""
        return [np.array(p, subok=False) for p in self._params]

    def points(self) -> list[Array]:
        """Where a loss would be asked for its next gradient."""
        return (
            self._call.asks_at(self._params, [np.zeros(np.shape(p)) for p in self._params]) or self.params()
        )

    def set_lr(self, lr: float) -> None:
        """By attribute, argument or set_lr."""
        self._call.set_lr(lr)

    def hyperparameters(self) -> Mapping[str, float]:
        """Numbers among its attributes, closure and defaults."""
        return self._known.hyperparameters()

    def state(self) -> Mapping[str, list[Array]]:
        """Arrays among its attributes and closure."""
        return self._known.state([np.shape(p) for p in self._params])

    def spoiled(self) -> bool:
        """True if a gradient was written into."""
        return self._watch.look()


class ArrayBox(Box):
    """A step of its own for each parameter."""

    def __init__(self, make: Make, params: Sequence[Array]) -> None:
        self._params: list[Any] = [np.array(p) for p in params]
        self._calls = [Call(_fresh(make, [p])) for p in self._params]
        self._known = [Known(c) for c in self._calls]
        self._watch = Watch()

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """A call for each parameter that has a gradient."""
        slopes = [None if g is None else np.array(g) for g in grads]
        self._watch.give(slopes)
        for k, (call, g) in enumerate(zip(self._calls, slopes, strict=True)):
            if g is None:
                continue
            after = call(self._params[k], g, LinearLoss([g]), inputs)
            if after is None or isinstance(after, bool):
                after = getattr(call.thing, "theta", self._params[k])
            self._params[k] = after

    def params(self) -> list[Array]:
        """The parameters now."""
        return [np.array(p) for p in self._params]

    def points(self) -> list[Array]:
        """Where a loss would be asked for its next gradient."""
        pairs = zip(self._calls, self._params, strict=True)
        asked = [x for call, p in pairs for x in call.asks_at(p, [np.zeros(np.shape(p))])[:1]]
        return asked if len(asked) == len(self._params) else self.params()

    def set_lr(self, lr: float) -> None:
        """By attribute, argument or set_lr."""
        for call in self._calls:
            call.set_lr(lr)

    def hyperparameters(self) -> Mapping[str, float]:
        """Numbers among its attributes, closure and defaults."""
        return self._known[0].hyperparameters() if self._known else {}

    def state(self) -> Mapping[str, list[Array]]:
        """Arrays among its attributes and closure."""
        each = [k.state([np.shape(p)]) for k, p in zip(self._known, self._params, strict=True)]
        names = [n for n in (each[0] if each else ()) if all(n in s for s in each)]
        return {n: [s[n][0] for s in each] for n in names}

    def spoiled(self) -> bool:
        """True if a gradient was written into."""
        return self._watch.look()
