"""Optimizers of no library: a function step(theta, grad) -> theta, an object with update(...) or step(...).

Parameters and gradients are NumPy arrays.

* make(params), or a class whose first argument is params, is given the list of parameters. Then step(params,
  grads), update(grads), ... are given lists; if they refuse lists and there is one parameter, its array; or
  dictionaries, name -> array.
* make() returns a step(theta, grad) for one array: a fresh one is made for each parameter.
* step() without arguments finds the gradients as `p.grad` of the parameters that make(params) was given.
* An object whose first argument is a loss is handed a linear one, whose gradient is the probe's.

What is returned are the new parameters; nothing returned means that they were changed in place. What a step
for one array returns besides, as in `w, config = step(w, dw, config)`, is handed to it the next time.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from optverify.conformance.adapters._calling import Call, Known, LinearLoss, Parameter, method
from optverify.conformance.adapters._making import Watch, made, required, takes_params
from optverify.conformance.protocol import Adapter, Array, Box, Make, Unsupported
from optverify.conformance.returned import WrongResultError, as_array

MISFITS = (TypeError, AttributeError, IndexError, KeyError, ValueError)


class Function(Adapter):
    """make is step(theta, grad) -> theta, or returns it."""

    name = "callable"

    def fits(self, thing: Any) -> bool:
        """A function of parameters and gradients."""
        return callable(thing) and not isinstance(thing, type) and method(thing) is None and _takes_two(thing)

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around the function."""
        return started(make, params)


class Object(Adapter):
    """make returns an object with update(...) or step(...)."""

    name = "object"

    def fits(self, thing: Any) -> bool:
        """Has one of the methods."""
        return not isinstance(thing, type) and method(thing) is not None

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around the object."""
        return started(make, params)


def _takes_two(thing: Any) -> bool:
    names = required(thing)
    return len(names) == 2 or (len(names) > 2 and not names[2])


def _fresh(make: Make, params: Any) -> Any:
    """What steps: made anew, or make itself if that is a function."""
    itself = not isinstance(make, type) and method(make) is None and _takes_two(make)
    if itself:
        return make
    return (
        copy.deepcopy(make) if method(make) is not None and not isinstance(make, type) else made(make, params)
    )


def started(make: Make, params: Sequence[Array]) -> Box:
    """The box whose way of calling works, found out on a throw-away one."""
    ways, errors = list(_ways(make, params)), []
    for way in ways:
        if (error := _trial(way, params)) is None:
            return way()
        errors.append(error)
    wrong = next(
        (k for k, e in enumerate(errors) if isinstance(e, WrongResultError) or not isinstance(e, MISFITS)),
        None,
    )
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
    if after != [np.shape(p) for p in params]:
        return WrongResultError(f"it returns arrays of shapes {after}")
    return None


def _ways(make: Make, params: Sequence[Array]) -> Iterator[Callable[[], Box]]:
    """Those that may be right, the likeliest first."""
    itself = not isinstance(make, type) and _takes_two(make) and method(make) is None
    if itself and len(params) > 1:
        raise Unsupported(
            "a step function takes one array: give make() that returns it, for several parameters"
        )

    def lists() -> Box:
        return ListBox(make, params)

    def arrays() -> Box:
        return ArrayBox(make, params)

    def named() -> Box:
        return NamedBox(make, params)

    if itself or not callable(make) or not takes_params(make):
        yield from (arrays, lists, named)
    elif len(params) > 1:
        yield from (lists, named)
    else:
        yield from (lists, arrays, named)


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
        return [as_array(p) for p in self._params]

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


class NamedBox(Box):
    """All parameters in one dictionary, stepped at once; the gradients are those that there are."""

    def __init__(self, make: Make, params: Sequence[Array]) -> None:
        self._params = {f"p{k}": np.array(p) for k, p in enumerate(params)}
        self._call = Call(_fresh(make, self._params))
        self._known, self._watch = Known(self._call), Watch()

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """One call with the dictionaries."""
        pairs = zip(self._params, grads, strict=True)
        slopes = {name: np.array(g) for name, g in pairs if g is not None}
        self._watch.give(list(slopes.values()))
        try:
            after = self._call(self._params, slopes, LinearLoss(list(slopes.values())), inputs)
        except (KeyError, TypeError, AttributeError) as error:
            if len(slopes) < len(self._params):
                raise Unsupported(f"it wants a gradient for every parameter ({error})") from error
            raise
        if after is None or isinstance(after, bool):
            return
        if not isinstance(after, dict) or after.keys() != self._params.keys():
            raise TypeError(f"it returns {type(after).__name__}, not a dictionary of the same parameters")
        self._params = dict(after)

    def params(self) -> list[Array]:
        """The parameters now."""
        return [as_array(p) for p in self._params.values()]

    def set_lr(self, lr: float) -> None:
        """By attribute, argument or set_lr."""
        self._call.set_lr(lr)

    def hyperparameters(self) -> Mapping[str, float]:
        """Numbers among its attributes, closure and defaults."""
        return self._known.hyperparameters()

    def state(self) -> Mapping[str, list[Array]]:
        """Arrays among its attributes and closure."""
        return self._known.state([np.shape(p) for p in self._params.values()])

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
            after = call.carried(call(self._params[k], g, LinearLoss([g]), inputs), self._params[k])
            if after is None or isinstance(after, bool):
                after = getattr(call.thing, "theta", self._params[k])
            self._params[k] = after

    def params(self) -> list[Array]:
        """The parameters now."""
        return [as_array(p) for p in self._params]

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
