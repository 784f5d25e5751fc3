"""Runs the loops of Numba step modules: which arrays they take, when they are compiled, how work is shared.

What a loop does not take (other types, layouts, overlapping memory, a wrong argument) goes to the NumPy
steps, which give the same bits and say what is wrong. Imports NumPy and Numba.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import copy_context
from itertools import combinations, pairwise
from math import isnan
from threading import Lock, Thread
from typing import Any, NamedTuple

from numba import boolean, carray, float32, float64, int64, njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy import array, empty, may_share_memory, ndarray

from optverify.steps import _engine
from optverify.steps._engine import DOUBLE, SINGLE, THREADS, Array, Lr, as_tuple, planned, rate

__all__ = ["Lr", "as_tuple"]

MISFIT = 1
"""What a loop returns that has written nothing: the sizes differ, or memory overlaps."""
ALONE = 1 << 21
"""Arrays up to this many bytes are worked on by one thread: to start another takes 50 microseconds."""
SHARE = 1 << 20
"""Bytes of an array that are worth a thread."""
BLOCK = 1 << 15
"""Coordinates between two loops when NumPy computes a power: they stay in the cache."""


# ---- what the loops call -----------------------------------------------------------------------------------


@njit(forceinline=True, error_model="numpy")
def square(x):
    """x^2."""
    return x * x


@njit(forceinline=True, error_model="numpy")
def maximum(a, b):
    """The larger one; NaN if one is."""
    return a if a >= b or isnan(a) else b


@njit(forceinline=True, error_model="numpy")
def minimum(a, b):
    """The smaller one; NaN if one is."""
    return a if a <= b or isnan(a) else b


@njit(forceinline=True, error_model="numpy")
def sign(x):
    """-1, 0 or 1, in the type of x; NaN of NaN."""
    zero, one = type(x)(0), type(x)(1)  # numbers of another type would widen float32
    return one if x > zero else -one if x < zero else zero if x == zero else x


@njit(forceinline=True, error_model="numpy")
def overlap(a, b, size):
    """True if two stretches of memory of that many bytes have some in common."""
    return a < b + size and b < a + size


@intrinsic
def pointer(typing, address):
    """The pointer to an address."""

    def generate(context, builder, signature, values):
        return builder.inttoptr(values[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


@njit(forceinline=True, error_model="numpy")
def view(address, first, last, like):
    """The numbers first to last of the array at that address, of the type of like."""
    return carray(pointer(address + first * like.itemsize), last - first, like.dtype)


# ---- compiled when first needed ----------------------------------------------------------------------------

_COMPILING = Lock()


class Kernel:
    """A loop, compiled for float32 or float64 when first needed, and for nothing else.

    arguments: a letter each: w(ritten), r(ead), d(ouble), b(oolean), t(able), i(nteger); ready: the dtypes
    it is compiled for.
    """

    def __init__(self, loop: Any, arguments: str) -> None:
        self.loop, self.arguments = loop, arguments
        self.ready: list[Any] = []

    def prepare(self, kind: Any) -> None:
        """Compile it, or take it from the cache on disk."""
        if kind in self.ready:
            return
        with _COMPILING:
            number = float32 if kind == SINGLE else float64
            letters = {
                "w": types.Array(number, 1, "C"),
                "r": types.Array(number, 1, "C", readonly=True),
                "d": float64,
                "b": boolean,
                "t": types.Array(int64, 2, "C"),
                "i": int64,
            }
            self.loop.disable_compile(False)
            self.loop.compile(tuple(letters[a] for a in self.arguments))
            self.loop.disable_compile()
            self.ready.append(kind)


class Stage(NamedTuple):
    """What NumPy computes before the loop: ufunc(base) or ufunc(base, exponent), the exponent by number."""

    base: Kernel
    ufunc: Any
    exponent: int | None


class Plan(NamedTuple):
    """A compiled rule.

    state: its State; numpy: the plan of its NumPy steps; update, step, tree: its loops; stages: what NumPy
    computes first; moving: the scalars that follow t; flags: which scalars are conditions; memo: the
    hyperparameters of the last update, and the scalars that stay while they do.
    """

    state: Any
    numpy: Any
    update: Kernel
    step: Kernel
    tree: Kernel | None
    stages: tuple[Stage, ...]
    moving: Callable[..., tuple[Any, ...]]
    flags: tuple[bool, ...]
    memo: list[tuple[Any, Any]]


def scalars(plan: Plan, t: int, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """All scalars of update t; ValueError or TypeError for a hyperparameter out of range."""
    known, fixed = plan.memo[0]
    try:
        remembered = given == known
    except ValueError:  # an array is no hyperparameter, as is said below
        remembered = False
    if not remembered:
        lr = given[0]
        if scheduled := callable(lr):
            given = (planned(lr, t - 1), *given[1:])
        else:
            rate(lr, 0)
        values = plan.numpy.fixed(DOUBLE, *given)
        fixed = tuple(bool(x) if f else float(x) for x, f in zip(values, plan.flags, strict=False))
        if not scheduled:  # a schedule may be 0 where a number may not
            plan.memo[0] = (given, fixed)
    return (*fixed, *plan.moving(t, *given))


# ---- the careful way ---------------------------------------------------------------------------------------


def in_place(plan: Plan, theta: Array, grad: Any, state: Any, given: tuple[Any, ...]) -> Any:
    """One update written into theta and the states; nothing is written if an argument is refused."""
    arrays = _taken(plan, theta, grad, state, True)
    if arrays is None:
        return _engine.in_place(plan.numpy, theta, grad, state, given)
    t = state[0] + 1
    _run(plan, plan.update, arrays, (), scalars(plan, t, given))
    return as_tuple(plan.state, (t, *state[1:]))


def pure(plan: Plan, theta: Any, grad: Any, state: Any, given: tuple[Any, ...]) -> tuple[Any, Any]:
    """One update into new arrays: (theta, state). No argument is written to."""
    arrays = _taken(plan, theta, grad, state, False)
    if arrays is None:
        return _engine.pure(plan.numpy, theta, grad, state, given)
    t = state[0] + 1
    numbers = scalars(plan, t, given)
    made = [empty(theta.shape, theta.dtype) for _ in state]
    _run(plan, plan.step, arrays, [x.reshape(-1) for x in made], numbers)
    return made[0], as_tuple(plan.state, (t, *made[1:]))


def _taken(plan: Plan, theta: Any, grad: Any, state: Any, writes: bool) -> list[Array] | None:
    """Theta, the gradient and the states as vectors, or None if a loop does not take them."""
    if type(theta) is not ndarray or type(state) is not plan.state:
        return None
    if type(state[0]) is not int or state[0] < 0 or theta.dtype not in (SINGLE, DOUBLE):
        return None
    targets = [theta, *state[1:]]
    arrays = [theta, grad, *state[1:]]
    if not all(_alike(x, theta) for x in arrays):
        return None
    if writes and not all(x.flags.writeable and not may_share_memory(x, grad) for x in targets):
        return None
    if writes and any(may_share_memory(x, y) for x, y in combinations(targets, 2)):
        return None
    return arrays if theta.ndim == 1 else [x.reshape(-1) for x in arrays]


def _alike(x: Any, theta: Array) -> bool:
    """True for an array as a loop reads it, of theta's type and shape."""
    if type(x) is not ndarray or x.dtype != theta.dtype or x.shape != theta.shape:
        return False
    return bool(x.flags.c_contiguous and x.flags.aligned)


def _run(
    plan: Plan, kernel: Kernel, arrays: Sequence[Array], outs: Sequence[Array], scalars: tuple[Any, ...]
) -> None:
    """Call the loop, in several threads if the arrays are long."""
    theta = arrays[0]
    kernel.prepare(theta.dtype)
    for stage in plan.stages:
        stage.base.prepare(theta.dtype)

    def span(first: int, last: int) -> None:
        parts = [x[first:last] for x in (*arrays, *outs)]
        if plan.stages:
            _staged(plan.stages, kernel.loop, parts, len(arrays), scalars)
        else:
            kernel.loop(*parts, *scalars)

    shared(span, theta.size, theta.nbytes)


def _staged(
    stages: tuple[Stage, ...], loop: Any, parts: Sequence[Array], inputs: int, scalars: tuple[Any, ...]
) -> None:
    """Block by block: what NumPy computes, then the loop."""
    size, kind = parts[0].size, parts[0].dtype
    scratch = empty((len(stages), min(size, BLOCK)), kind)
    for first in range(0, size, BLOCK):
        block = [x[first : first + BLOCK] for x in parts]
        reads, made = block[:inputs], list[Array]()
        for stage, row in zip(stages, scratch, strict=True):
            power = row[: reads[0].size]
            stage.base.loop(*reads, *made, power, *scalars)
            if stage.exponent is None:
                stage.ufunc(power, out=power)
            else:
                stage.ufunc(power, array(scalars[stage.exponent], kind), out=power)
            made.append(power)
        loop(*reads, *made, *block[inputs:], *scalars)


# ---- threads -----------------------------------------------------------------------------------------------


def shared(span: Callable[[int, int], None], size: int, nbytes: int) -> None:
    """Call span(first, last) on shares of 0 to size, each in a thread of its own if they are large.

    Threads are made anew each time, so that none outlives an update or a fork.
    """
    workers = 1 if nbytes <= ALONE else max(1, min(THREADS, nbytes // SHARE))
    if workers == 1:
        return span(0, size)
    failed: list[BaseException] = []

    def guarded(first: int, last: int) -> None:
        try:
            span(first, last)
        except BaseException as error:  # raised again below, where the caller sees it
            failed.append(error)

    own, *others = pairwise([size * i // workers for i in range(workers + 1)])
    threads = []
    for cut in others:
        thread = Thread(target=copy_context().run, args=(guarded, *cut))  # NumPy's errstate is in the context
        try:
            thread.start()
        except RuntimeError:  # the system gives no more threads
            guarded(*cut)
        else:
            threads.append(thread)
    guarded(*own)
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
