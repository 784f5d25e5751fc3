"""Driving a schedule of any make: the learning rate that each update uses.

A schedule is one of these, or a function without arguments that makes one:

- a function of t, the number of updates already made;
- an object with `rate()`, the learning rate of the next update, and `advance()`, an update was made: what
  adapters give;
- an object that shows its rate as `lr`, `get_last_lr()` or `get_lr()` and moves on by `step()`.

Only what the next update uses counts; what else the object says of its rate is compared with that.
"""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Rates = np.ndarray[Any, np.dtype[np.float64]]

USED = ("rate", "lr")
SAID = ("get_last_lr", "get_lr")
MOVES = ("advance", "step")
FAR = (10_000, 1_000_000)
"""Where a function of t is asked besides: the rates must stay finite."""


PATIENCE = 4.0
"""Seconds for a run: of a slow schedule fewer updates are looked at, but FEWEST at least."""
FEWEST = 30


@dataclass(frozen=True)
class Record:
    """What a schedule did. rates: of the updates t = 0, 1, ...; stopped: (t, what it raised) if it did.

    remarks: what reading, asking again and resuming changed, in words; far: (t, what is wrong there);
    ask: the rate at any t, of a function of t; cut: it was too slow for all of them.
    """

    rates: Rates
    stopped: tuple[int, str] | None = None
    remarks: tuple[str, ...] = ()
    far: tuple[int, str] | None = None
    ask: Callable[[int], float] | None = None
    cut: bool = False


def record(schedule: Any, steps: int) -> Record:
    """The rates of the first updates, and whether looking at a schedule changes it."""
    if _is_function(schedule):
        return _of_function(schedule, steps)
    made = _maker(schedule)
    thing = made()
    if _is_function(thing):
        return _of_function(thing, steps)
    return _of_object(made, steps)


def _is_function(thing: Any) -> bool:
    """True for a function of t."""
    if _moves(thing) or isinstance(thing, type) or not callable(thing):
        return False
    try:
        inspect.signature(thing).bind(0)
    except TypeError:
        return False
    except ValueError:  # built-in, without a signature
        return True
    return True


def _moves(thing: Any) -> bool:
    return not isinstance(thing, type) and any(hasattr(thing, name) for name in MOVES)


def _maker(schedule: Any) -> Any:
    if _moves(schedule):
        return lambda: schedule
    if callable(schedule):
        return schedule
    raise TypeError(
        f"{schedule!r} is no schedule: give a function of t, or a function that makes an object with"
        " step() that shows its rate as lr or get_last_lr()"
    )


# ---- functions of t ----------------------------------------------------------------------------------------


def _of_function(f: Callable[[int], Any], steps: int) -> Record:
    rates, stopped = _run(f, lambda: None, steps)
    remarks = []
    for t in (1, len(rates) // 2, len(rates) - 1):
        if 0 <= t < len(rates) and not _same(again := _asked(f, t), rates[t]):
            remarks.append(
                f"reading changes it: asked for t = {t} again it answers {again}, after {rates[t]:.10g}"
            )
            break
    sound = stopped is None and not remarks and bool((np.isfinite(rates) & (rates >= 0)).all())
    far = _far(f, len(rates)) if sound else None
    return Record(rates, stopped, tuple(remarks), far, lambda t: number(f(t)), _cut(rates, stopped, steps))


def _far(f: Callable[[int], Any], steps: int) -> tuple[int, str] | None:
    until = time.monotonic() + PATIENCE
    for t in (*FAR, *_powers(steps)):
        if _unsound(_asked(f, t)):
            return next((k, worse) for k in (*_powers(steps), t) if (worse := _unsound(_asked(f, k))))
        if time.monotonic() > until:
            break
    return None


def _cut(rates: Rates, stopped: Any, steps: int) -> bool:
    return stopped is None and len(rates) < steps


def _powers(steps: int) -> list[int]:
    return [t for k in range(3, 20) for t in (2**k - 1, 2**k + 1) if t >= steps]


def _asked(f: Callable[[int], Any], t: int) -> float | str:
    try:
        return number(f(t))
    except Exception as error:  # whatever a user's code raises is an answer
        return f"{type(error).__name__}: {error}"


def _unsound(x: float | str) -> str | None:
    if isinstance(x, str):
        return f"raises {x}"
    return None if math.isfinite(x) and x >= 0 else f"gives {x}"


def _same(a: float | str, b: float) -> bool:
    return not isinstance(a, str) and (a == b or (math.isnan(a) and math.isnan(b)))


# ---- objects -----------------------------------------------------------------------------------------------


def _of_object(make: Callable[[], Any], steps: int) -> Record:
    rates, stopped = _driven(make(), steps)
    remarks = []
    fresh = make()
    if fresh is not make():  # an object that cannot be made anew is driven once
        remarks = [r for r in (_read(make, rates), _resumed(make, rates)) if r]
    return Record(rates, stopped, tuple(remarks), cut=_cut(rates, stopped, steps))


def _driven(thing: Any, steps: int) -> tuple[Rates, tuple[int, str] | None]:
    read, move = reader(thing), mover(thing)
    return _run(lambda t: read(), move, steps)


def _run(
    read: Callable[[int], Any], move: Callable[[], Any], steps: int
) -> tuple[Rates, tuple[int, str] | None]:
    rates: list[float] = []
    until = time.monotonic() + PATIENCE
    with np.errstate(all="ignore"):
        for t in range(steps):
            if t >= FEWEST and time.monotonic() > until:
                break
            try:
                rates.append(number(read(t)))
                if t < steps - 1:
                    move()
            except Exception as error:
                return np.array(rates), (len(rates), f"{type(error).__name__}: {error}")
    return np.array(rates), None


def reader(thing: Any) -> Callable[[], Any]:
    """How the rate of the next update is read: what it uses before what it says."""
    for name in (*USED, *SAID):
        if hasattr(thing, name):
            return lambda: _value(thing, name)
    raise TypeError(f"{type(thing).__name__} shows no rate: give it a method rate() or an attribute lr")


def mover(thing: Any) -> Callable[[], Any]:
    """What says that an update was made."""
    move: Callable[[], Any] = next(getattr(thing, name) for name in MOVES if hasattr(thing, name))
    return move


def _value(thing: Any, name: str) -> Any:
    found = getattr(thing, name)
    return found() if callable(found) else found


def number(x: Any) -> float:
    """A rate as a float: the first of several groups'."""
    while isinstance(x, (list, tuple)):
        x = x[0]
    return float(x)


def _read(make: Callable[[], Any], rates: Rates) -> str | None:
    """What it says of its rate is what it uses, and saying so changes nothing."""
    thing = make()
    move, ways = mover(thing), [n for n in (*USED, *SAID) if hasattr(thing, n)]
    for t, rate in enumerate(rates.tolist()):
        for name in (*ways, *ways):
            try:
                said = number(_value(thing, name))
            except Exception as error:
                return f"{name} raises {type(error).__name__} at t = {t}: {error}"
            if not math.isclose(said, rate, rel_tol=1e-9) and not (math.isnan(said) and math.isnan(rate)):
                if name == ways[0]:
                    return (
                        f"reading changes it: read again at t = {t}, the rate is {said:.10g}, not {rate:.10g}"
                    )
                return f"{name}() says {said:.10g} at t = {t} where the update uses {rate:.10g}"
        if t < len(rates) - 1:
            move()
    return None


def _resumed(make: Callable[[], Any], rates: Rates) -> str | None:
    """run(n) is run(k), save, load into a fresh one, run(n - k)."""
    thing, fresh = make(), make()
    if not (hasattr(thing, "state_dict") and hasattr(fresh, "load_state_dict")) or len(rates) < 4:
        return None
    half = min(len(rates) // 2, 7)
    try:
        _driven(thing, half + 1)
        fresh.load_state_dict(thing.state_dict())
        later, _ = _driven(fresh, min(len(rates) - half, 20))
    except Exception as error:
        return f"it cannot be resumed: {type(error).__name__}: {error}"
    for k, rate in enumerate(later.tolist()):
        if not math.isclose(rate, rates[half + k], rel_tol=1e-9):
            where = " (one step ahead)" if _ahead(later, rates, half) else ""
            return (
                f"resuming changes it: saved and loaded at t = {half}, the rate at t = {half + k} is"
                f" {rate:.10g}, not {rates[half + k]:.10g}{where}"
            )
    return None


def _ahead(later: Rates, rates: Rates, half: int) -> bool:
    n = min(len(later), len(rates) - half - 1)
    return bool(n and np.allclose(later[:n], rates[half + 1 : half + 1 + n], rtol=1e-9, atol=0))
