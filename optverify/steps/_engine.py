"""Runs a generated block over arrays: pure or in place, block by block, any shape and floating type.

Written by hand; imports NumPy alone. Complex arrays are stepped as pairs of reals. float16 is computed in
float32 and rounded once (in float16 an epsilon of 1e-8 is 0); its states are float16 too, so that a second
moment below 3e-8 becomes 0. Subclasses of ndarray are read as plain arrays, masked arrays refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from functools import lru_cache
from itertools import pairwise
from math import inf, isfinite
from typing import Any, NamedTuple

from numpy import array, asarray, copyto, dtype, empty, full, may_share_memory, ndarray

WHOLE = 1 << 17
"""Arrays up to this many bytes are not cut."""
BLOCK_BYTES = 1 << 18
"""Bytes of one operand in a block: a dozen such buffers stay in cache, a call costs little beside them."""
LONGER = 2
"""Blocks of threads are longer by this: at each call they wait for each other to get hold of Python."""
SCRATCH_BYTES = 15 << 16
"""All buffers of all threads of an update together: it allocates less than a mebibyte, whatever the size."""
SHARE_BYTES = 1 << 20
"""Arrays of two or more such shares are worked on by several threads: one update is memory-bound there."""
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
THREADS = min(4, CPUS)

Array = ndarray[Any, Any]
Lr = float | Callable[[int], float]

SINGLE, DOUBLE, LONG = dtype("f"), dtype("d"), dtype("g")
as_tuple: Callable[..., Any] = tuple.__new__  # what a named tuple does, without its wrapper


def fresh(theta: Any, *initial: float) -> tuple[Array, ...]:
    """New arrays of theta's shape and type filled with the initial values of the states.

    A state of complex numbers starts from the value in both parts, being two states of reals.
    """
    values = parameters(theta)
    both = 1 + 1j if values.dtype.kind == "c" else 1
    return tuple(
        array(values) if value is theta else full(values.shape, value * both, values.dtype)
        for value in initial
    )


# ---- arguments ---------------------------------------------------------------------------------------------


def parameters(theta: Any, name: str = "theta") -> Array:
    """theta as an array; TypeError unless its numbers are floating point or complex."""
    values = unmasked(theta, name)
    if values.dtype.kind not in "fc":
        raise TypeError(
            f"{name} has dtype {values.dtype}: an update needs floating-point or complex numbers; "
            f"convert it, for example with {name}.astype(float)"
        )
    return values


def gradient(theta: Array, grad: Any, name: str = "grad", to: str = "theta") -> Array:
    """grad as an array; ValueError or TypeError unless it fits theta."""
    values = unmasked(grad, name)
    if values.shape != theta.shape:
        raise ValueError(
            f"{name} has shape {values.shape} but {to} has shape {theta.shape}: they must be equal"
        )
    if values.dtype.kind not in "fiuc" or (values.dtype.kind == "c" and theta.dtype.kind != "c"):
        raise TypeError(f"{name} has dtype {values.dtype}, which does not fit {to} of dtype {theta.dtype}")
    return values


def unmasked(x: Any, name: str) -> Array:
    """x as a plain array; TypeError for a masked one, whose mask would be lost."""
    if isinstance(x, ndarray) and hasattr(x, "mask"):
        raise TypeError(f"{name} is a masked array, and an update knows no masks: use {name}.filled(0)")
    return asarray(x)


def check_state(fields: tuple[str, ...], theta: Array, state: Any) -> None:
    """ValueError or TypeError unless state is what init(theta) makes, updated or not."""
    if getattr(state, "_fields", None) != fields:
        raise TypeError(
            f"state must be a State with {', '.join(fields)}: make it with init(theta) of the same dialect"
        )
    if type(state[0]) is not int or state[0] < 0:
        raise ValueError(f"state.t = {state[0]!r} is not a number of updates: it must be an int >= 0")
    for name, x in zip(fields[1:], state[1:], strict=True):
        if not isinstance(x, ndarray) or x.shape != theta.shape or x.dtype != theta.dtype:
            found = (
                f"shape {x.shape}, dtype {x.dtype}" if isinstance(x, ndarray) else f"type {type(x).__name__}"
            )
            raise ValueError(
                f"state.{name} has {found} but theta has shape {theta.shape}, dtype {theta.dtype}: "
                "make the state with init(theta)"
            )


def rate(lr: Any, updates: int) -> float:
    """The learning rate of the next update: lr itself, or what a schedule gives after `updates` updates."""
    if callable(lr):
        return planned(lr, updates)
    check({"lr": "> 0"}, lr=lr)
    return lr  # type: ignore[no-any-return]


def planned(schedule: Callable[[int], float], updates: int) -> float:
    """The value of a schedule; unlike a fixed lr it may be 0: warm-ups start there, cosines end there."""
    value = float(schedule(updates))
    if not 0 <= value < inf:
        raise ValueError(
            f"the schedule gave lr = {value!r} at t = {updates}: lr must be a finite number >= 0"
        )
    return value


def check(domains: Mapping[str, str], **values: Any) -> None:
    """Raise the error for the first hyperparameter that is not a number in its domain."""
    for name, value in values.items():
        domain = domains[name]
        demand = f"{name} must be a finite number {domain}"
        if (
            isinstance(value, str | bool)
            or not hasattr(value, "__float__")
            or getattr(value, "shape", ()) != ()
        ):
            raise TypeError(f"{name} = {value!r} is not a number: {demand}")
        if not (isfinite(value) and _within(float(value), domain)):
            raise ValueError(f"{name} = {value!r} is out of range: {demand}")


def _within(number: float, domain: str) -> bool:
    """domain: "> 0", ">= 0", "in [0, 1)" and the like."""
    sign, *bounds = domain.replace(",", "").split()
    if sign != "in":
        return number > float(bounds[0]) if sign == ">" else number >= float(bounds[0])
    low, high = float(bounds[0][1:]), float(bounds[1][:-1])
    above = number > low if bounds[0][0] == "(" else number >= low
    return above and (number <= high if bounds[1][-1] == "]" else number < high)


# ---- one update --------------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """A compiled rule.

    state: its State; block: the calls, of (t, theta, grad, states, outs, scratch, scalars); outs, scratch: a
    None for each result and buffer, which the calls then make; fixed: the scalars that stay while the
    hyperparameters do; scalars: all of them, with those that follow t.
    """

    state: Any
    block: Callable[..., tuple[Any, Any]]
    outs: tuple[None, ...]
    scratch: tuple[None, ...]
    fixed: Callable[..., list[Array]]
    scalars: Callable[..., list[Array]]

    def constants(self, kind: dtype[Any], t: int, given: tuple[Any, ...]) -> list[Array]:
        """The scalars of update t as 0-d arrays, which NumPy takes faster than Python floats."""
        lr = given[0]
        if scheduled := callable(lr):
            given = (planned(lr, t - 1), *given[1:])
        try:
            fixed = _fixed(self.fixed, kind, given, scheduled)
        except TypeError:  # not hashable, or not numbers: then this says so
            fixed = _fixed.__wrapped__(self.fixed, kind, given, scheduled)
        return self.scalars(fixed, kind, t, *given)

    def short(self, theta: Any, grad: Any, state: Any) -> bool:
        """True for arrays that need no care: not long, of one shape, type and class."""
        if type(theta) is not ndarray or type(state) is not self.state or theta.nbytes > WHOLE:
            return False
        kind, shape = theta.dtype, theta.shape
        if not shape or not (kind is SINGLE or kind is DOUBLE or kind is LONG):
            return False
        if type(state[0]) is not int or state[0] < 0:
            return False
        for x in (grad, *state[1:]):
            if type(x) is not ndarray or x.dtype is not kind or x.shape != shape:
                return False
        return True


@lru_cache(maxsize=256)
def _fixed(
    make: Callable[..., list[Array]], kind: dtype[Any], given: tuple[Any, ...], scheduled: bool
) -> list[Array]:
    if not scheduled:
        rate(given[0], 0)
    return make(kind, *given)


def pure(plan: Plan, theta: Any, grad: Any, state: Any, given: tuple[Any, ...]) -> tuple[Any, Any]:
    """One update into new arrays: (theta, state). No argument is written to. given: lr, then the others."""
    if plan.short(theta, grad, state):
        t = state[0] + 1
        scalars = plan.constants(theta.dtype, t, given)
        made, after = plan.block(t, theta, grad, state[1:], plan.outs, plan.scratch, scalars)
        return made, as_tuple(plan.state, after)
    values = parameters(theta)
    slope = gradient(values, grad)
    check_state(plan.state._fields, values, state)
    inputs = [flat(values), flat(slope, computed_in(values)), *map(flat, state[1:])]
    outs = [empty(inputs[0].size, inputs[0].dtype) for _ in state]
    _run(plan, state[0] + 1, given, inputs, outs)
    shaped = [out.view(values.dtype).reshape(values.shape) for out in outs]
    first = shaped[0] if isinstance(theta, ndarray) else shaped[0][()]  # a number in, a number out
    return first, plan.state(state[0] + 1, *shaped[1:])


def in_place(plan: Plan, theta: Array, grad: Any, state: Any, given: tuple[Any, ...]) -> Any:
    """One update written into theta and the states; nothing is written if an argument is refused."""
    if not isinstance(theta, ndarray):
        raise TypeError(
            f"update() writes into theta, and a {type(theta).__name__} cannot be written into; use step()"
        )
    if plan.short(theta, grad, state):
        states = state[1:]
        targets = [theta, *states]
        for x in targets:
            if not x.flags.writeable:
                raise read_only(plan.state._fields, targets)
        t = state[0] + 1
        scalars = plan.constants(theta.dtype, t, given)
        _, after = plan.block(t, theta, grad, states, targets, plan.scratch, scalars)
        return as_tuple(plan.state, after)
    values = parameters(theta)
    slope = gradient(values, grad)
    check_state(plan.state._fields, values, state)
    targets = [values, *state[1:]]
    if not all(x.flags.writeable for x in targets):
        raise read_only(plan.state._fields, targets)
    vectors = [flat(x) for x in targets]  # views wherever memory allows
    slopes = flat(slope, computed_in(values))
    if may_share_memory(slopes, vectors[0]):
        slopes = slopes.copy()  # one block may not see what another one wrote
    _run(plan, state[0] + 1, given, [vectors[0], slopes, *vectors[1:]], vectors)
    for target, vector in zip(targets, vectors, strict=True):
        if not may_share_memory(target, vector):
            copyto(target, vector.view(values.dtype).reshape(values.shape))
    return plan.state(state[0] + 1, *state[1:])


def read_only(fields: tuple[str, ...], targets: Sequence[Array]) -> ValueError:
    """The error for the first read-only one among theta and the states."""
    name = next(n for n, x in zip(("theta", *fields[1:]), targets, strict=True) if not x.flags.writeable)
    return ValueError(f"update() writes into {name}, which is read-only: use step(), or copy it first")


def computed_in(theta: Array) -> dtype[Any]:
    """The type an update of theta is computed in: its own, in the order of bytes of this machine."""
    return SINGLE if theta.dtype.itemsize == 2 else theta.dtype.newbyteorder("=")


def flat(x: Array, kind: dtype[Any] | None = None) -> Array:
    """x as a contiguous vector of reals, converted if a type is given; a view where possible."""
    vector = asarray(x, kind).reshape(-1)
    if not vector.flags.c_contiguous:
        vector = vector.copy()
    return vector.view(vector.real.dtype) if vector.dtype.kind == "c" else vector


# ---- block by block ----------------------------------------------------------------------------------------


def threads(size: int) -> int:
    """How many threads work on arrays of that many bytes."""
    return max(1, min(THREADS, size // SHARE_BYTES))


def _run(plan: Plan, t: int, given: tuple[Any, ...], inputs: Sequence[Array], outs: Sequence[Array]) -> None:
    """Call the block on slice after slice of the vectors, in several threads if they are long."""
    work = inputs[1].dtype
    scalars = plan.constants(work, t, given)
    size = outs[0].size
    lifted = outs[0].dtype != work
    workers = threads(size * work.itemsize)
    buffers_needed = len(plan.scratch) + (len(inputs) + len(outs) if lifted else 0)
    length = min(
        max(1, BLOCK_BYTES // work.itemsize) * (1 if workers == 1 else LONGER),
        max(1, SCRATCH_BYTES // (work.itemsize * workers * max(1, buffers_needed))),
    )

    def span(first: int, last: int) -> None:
        scratch = empty((len(plan.scratch), min(length, last - first)), work)
        for start in range(first, last, length):
            part = slice(start, min(start + length, last))
            reads, writes = [x[part] for x in inputs], [x[part] for x in outs]
            if lifted:
                reads = [x.astype(work, copy=False) for x in reads]
            into = [empty(x.size, work) for x in writes] if lifted else writes
            buffers = scratch[:, : part.stop - start]
            plan.block(t, reads[0], reads[1], reads[2:], into, buffers, scalars)
            if lifted:
                for half, x in zip(writes, into, strict=True):
                    copyto(half, x, casting="same_kind")

    if workers == 1:
        return span(0, size)
    from concurrent.futures import ThreadPoolExecutor

    cuts = [size * i // workers for i in range(workers + 1)]
    with ThreadPoolExecutor(workers) as pool:  # made anew each time: no thread outlives an update or a fork
        jobs = [pool.submit(copy_context().run, span, a, b) for a, b in pairwise(cuts)]
    for job in jobs:
        job.result()
