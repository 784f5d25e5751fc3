"""Runs a generated block over arrays: pure or in place, block by block, any shape and floating type.

Written by hand; imports NumPy alone. Complex arrays are stepped as pairs of reals. float16 is computed in
float32 and rounded once (in float16 an epsilon of 1e-8 is 0).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import inf
from typing import Any, NamedTuple

from numpy import array, asarray, copyto, dtype, empty, full, ndarray, shares_memory

BLOCK_BYTES = 1 << 18
"""Bytes of one operand in a block: a dozen such buffers stay in cache, a call costs little beside them."""
WHOLE = 2 * BLOCK_BYTES
"""Arrays up to this many bytes are not cut."""

Array = ndarray[Any, Any]
Lr = float | Callable[[int], float]

def fresh(theta: Any, *initial: float) -> tuple[Array, ...]:
    """New arrays of theta's shape and type filled with the initial values of the states."""
    theta = parameters(theta)
    return tuple(full(theta.shape, value, theta.dtype) for value in initial)


def parameters(theta: Any) -> Array:
    """theta as an array; TypeError unless its numbers are floating point or complex."""
    values = asarray(theta)
    if values.dtype.kind not in "fc":
        raise TypeError(
            f"theta has dtype {values.dtype}: an update needs floating-point or complex numbers; "
            "convert it, for example with theta.astype(float)"
        )
    return values


def rate(lr: Any, updates: int) -> float:
    """The learning rate of the next update: lr itself, or what a schedule gives after `updates` updates.

    A schedule may touch 0 (a warm-up starts there, a cosine ends there); a fixed lr may not.
    """
    if callable(lr):
        value = float(lr(updates))
        if not 0 <= value < inf:
            raise ValueError(f"the schedule gave lr = {value!r} at t = {updates}: lr must be a finite number >= 0")
        return value
    try:
        fine = 0 < lr < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        check({"lr": "> 0"}, lr)
    return lr  # type: ignore[no-any-return]


def check(domains: Mapping[str, str], *values: Any) -> None:
    """Raise the error for the first hyperparameter that is not a number in its domain."""
    for (name, domain), value in zip(domains.items(), values, strict=True):
        demand = f"{name} must be a finite number {domain}"
        if isinstance(value, str) or not hasattr(value, "__float__") or getattr(value, "shape", ()) != ():
            raise TypeError(f"{name} = {value!r} is not a number: {demand}")
        number = float(value)
        within = {"> 0": 0 < number, ">= 0": 0 <= number, "in [0, 1)": 0 <= number < 1}[domain]
        if not (within and number < inf):
            raise ValueError(f"{name} = {value!r} is out of range: {demand}")


class Plan(NamedTuple):
    """A compiled rule: its state, the block, scratch buffers, scalars that stay, scalars that follow t and lr."""

    state: Callable[..., Any]
    block: Callable[..., None]
    registers: int
    fixed: Callable[..., tuple[float, ...]]
    moving: Callable[..., tuple[float, ...]]

    def constants(self, kind: dtype[Any], t: int, lr: float, given: tuple[float, ...]) -> list[Array]:
        """The scalars as arrays without dimensions: NumPy takes them faster than Python floats."""
        try:
            fixed = _fixed(self.fixed, kind, given)
        except TypeError:  # not hashable, or not numbers: then this says so
            fixed = _fixed.__wrapped__(self.fixed, kind, given)
        return fixed + [array(c, kind) for c in self.moving(t, lr, *given)]


@lru_cache(maxsize=256)
def _fixed(make: Callable[..., tuple[float, ...]], kind: dtype[Any], given: tuple[float, ...]) -> list[Array]:
    return [array(c, kind) for c in make(*given)]


def pure(plan: Plan, theta: Any, grad: Any, state: Any, lr: Any, given: tuple[float, ...]) -> tuple[Any, Any]:
    """One update into new arrays: (theta, state). No argument is written to."""
    t, *states = state
    lr = rate(lr, t)
    if type(theta) is ndarray and type(grad) is ndarray:
        kind, shape = theta.dtype, theta.shape
        if kind is grad.dtype and shape == grad.shape and shape and kind.char in "fdg" and theta.nbytes <= WHOLE:
            # short arrays as they are, with as few checks as can be: at a thousand numbers each one shows
            size = len(state)
            made = [empty(shape, kind) for _ in range(size + plan.registers)]
            plan.block(t + 1, theta, grad, *states, *made, *plan.constants(kind, t + 1, lr, given))
            return made[0], plan.state(t + 1, *made[1:size])
    values, gradient = parameters(theta), asarray(grad)
    check_gradient(values, gradient)
    inputs = [flat(x, values.dtype) for x in (values, gradient, *states)]
    outs = [empty(inputs[0].size, inputs[0].dtype) for _ in state]
    _run(plan, t + 1, lr, given, inputs, outs)
    shaped = [out.view(values.dtype).reshape(values.shape) for out in outs]
    first = shaped[0] if isinstance(theta, ndarray) else shaped[0][()]  # a number in, a number out
    return first, plan.state(t + 1, *shaped[1:])


def in_place(plan: Plan, theta: Array, grad: Any, state: Any, lr: Any, given: tuple[float, ...]) -> None:
    """One update written into theta and the states; nothing is written if an argument is refused."""
    t, *states = state
    lr = rate(lr, t)
    if not isinstance(theta, ndarray) or not theta.flags.writeable:
        raise TypeError("update() writes into theta, so theta must be a writeable NumPy array; step() is pure")
    kind, shape = theta.dtype, theta.shape
    if type(grad) is ndarray and kind == grad.dtype and shape == grad.shape and shape and kind.char in "fdg":
        if theta.nbytes <= WHOLE:
            scratch = [empty(shape, kind) for _ in range(plan.registers)]
            constants = plan.constants(kind, t + 1, lr, given)
            plan.block(t + 1, theta, grad, *states, theta, *states, *scratch, *constants)
            return
    gradient = asarray(grad)
    check_gradient(parameters(theta), gradient)
    targets = [theta, *states]
    inputs = [flat(x, kind) for x in (theta, gradient, *states)]
    outs = [inputs[0], *inputs[2:]]  # flat() gives a view wherever memory allows
    _run(plan, t + 1, lr, given, inputs, outs)
    for target, out in zip(targets, outs, strict=True):
        if not shares_memory(target, out):
            copyto(target, out.view(kind).reshape(shape))


def check_gradient(theta: Array, grad: Array) -> None:
    """ValueError or TypeError unless grad fits theta."""
    if grad.shape != theta.shape:
        raise ValueError(f"grad has shape {grad.shape} but theta has shape {theta.shape}: they must be equal")
    if grad.dtype.kind not in "fiuc" or (grad.dtype.kind == "c" and theta.dtype.kind != "c"):
        raise TypeError(f"grad has dtype {grad.dtype}, which does not fit theta of dtype {theta.dtype}")


def flat(x: Array, kind: dtype[Any]) -> Array:
    """x as a contiguous vector of reals of the given type; a view where possible."""
    vector = asarray(x, kind).reshape(-1)
    if not vector.flags.c_contiguous:
        vector = vector.copy()
    return vector.view(vector.real.dtype) if kind.kind == "c" else vector


def _run(
    plan: Plan, t: int, lr: float, given: tuple[float, ...], inputs: Sequence[Array], outs: Sequence[Array]
) -> None:
    """Call the block on slice after slice of the vectors, with scratch made once."""
    kind = inputs[0].dtype
    native = kind.itemsize > 2
    work = kind if native else dtype("f")
    scalars = plan.constants(work, t, lr, given)
    size = inputs[0].size
    length = max(1, min(BLOCK_BYTES // work.itemsize, size))
    scratch = [empty(length, work) for _ in range(plan.registers)]
    lifted = [] if native else [empty(length, work) for _ in (*inputs, *outs)]
    for start in range(0, size, length):
        part = slice(start, min(start + length, size))
        reads, writes = [x[part] for x in inputs], [x[part] for x in outs]
        n = reads[0].size
        temporary = [x[:n] for x in scratch]
        if native:
            plan.block(t, *reads, *writes, *temporary, *scalars)
            continue
        single = [x[:n] for x in lifted]
        for x, half in zip(single, reads, strict=False):
            copyto(x, half)
        plan.block(t, *single, *temporary, *scalars)
        for half, x in zip(writes, single[len(inputs) :], strict=True):
            copyto(half, x, casting="same_kind")
