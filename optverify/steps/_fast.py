"""Runs the loops of Numba step modules: which arrays they take, when they are compiled, how work is shared.

What a loop does not take (other types, layouts, overlapping memory, a wrong argument) goes to the NumPy
steps, which give the same bits and say what is wrong. Imports NumPy and Numba.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from itertools import combinations, pairwise
from math import isnan
from threading import Lock, Thread
from typing import Any, NamedTuple

from numba import boolean, float32, float64, int64, njit, types
from numpy import array, empty, may_share_memory, ndarray

from optverify.steps import _engine, _whole
from optverify.steps._engine import DOUBLE, SINGLE, THREADS, Array, Lr, as_tuple

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
    computes first; fixed: of the hyperparameters, the scalars that stay while they do; moving: of t, the
    hyperparameters and the states that are numbers, the other scalars and the new numbers; flags: which
    scalars are conditions; domains, checked: of the hyperparameters, and their names, "" for lr; places: of
    numbers in the State; memo: the hyperparameters of the last update and their scalars.
    """

    state: Any
    numpy: Any
    update: Kernel
    step: Kernel
    tree: Kernel | None
    stages: tuple[Stage, ...]
    fixed: Callable[..., tuple[Any, ...]]
    moving: Callable[..., tuple[tuple[Any, ...], tuple[float, ...]]]
    flags: tuple[bool, ...]
    domains: Mapping[str, str]
    checked: tuple[str, ...]
    places: tuple[int, ...]
    memo: list[tuple[Any, Any]]


def scalars(
    plan: Plan, t: int, given: tuple[Any, ...], numbers: tuple[float, ...] = ()
) -> tuple[tuple[Any, ...], tuple[float, ...]]:
    """All scalars of update t, and the new values of the states that are numbers.

    Raises ValueError or TypeError for a hyperparameter out of range.
    """
    known, fixed = plan.memo[0]
    try:
        remembered = given == known
    except ValueError:  # an array is no hyperparameter, as is said below
        remembered = False
    if not remembered:
        _engine.check(plan.domains, **{n: x for n, x in zip(plan.checked, given, strict=True) if n})
        lr = _engine.rate(given[0], t - 1)
        scheduled, given = callable(given[0]), (lr, *given[1:])
        made = plan.fixed(*given)
        fixed = tuple(bool(x) if f else float(x) for x, f in zip(made, plan.flags, strict=False))
        if not scheduled:  # a schedule may be 0 where a number may not
            plan.memo[0] = (given, fixed)
    moving, after = plan.moving(t, *given, *numbers)
    return (*fixed, *moving), after


# ---- the careful way ---------------------------------------------------------------------------------------


def in_place(plan: Plan, theta: Array, grad: Any, state: Any, given: tuple[Any, ...]) -> Any:
    """One update written into theta and the states; nothing is written if an argument is refused."""
    arrays = _taken(plan, theta, grad, state, True)
    if arrays is None:
        return _engine_of(plan).in_place(plan.numpy, theta, grad, state, given)
    t = state[0] + 1
    values, numbers = scalars(plan, t, given, tuple(state[i] for i in plan.places))
    _run(plan, plan.update, arrays, (), values)
    return _state(plan, t, arrays_of(plan, state), numbers)


def pure(plan: Plan, theta: Any, grad: Any, state: Any, given: tuple[Any, ...]) -> tuple[Any, Any]:
    """One update into new arrays: (theta, state). No argument is written to."""
    arrays = _taken(plan, theta, grad, state, False)
    if arrays is None:
        new: tuple[Any, Any] = _engine_of(plan).pure(plan.numpy, theta, grad, state, given)
        return new
    t = state[0] + 1
    values, numbers = scalars(plan, t, given, tuple(state[i] for i in plan.places))
    made = [empty(theta.shape, theta.dtype) for _ in range(len(state) - len(numbers))]
    _run(plan, plan.step, arrays, [x.reshape(-1) for x in made], values)
    return made[0], _state(plan, t, made[1:], numbers)


def _engine_of(plan: Plan) -> Any:
    """What runs the NumPy steps."""
    return _whole if isinstance(plan.numpy, _whole.Plan) else _engine


def arrays_of(plan: Plan, state: Any) -> list[Any]:
    """The states that are arrays."""
    return [x for i, x in enumerate(state) if i and i not in plan.places]


def _state(plan: Plan, t: int, arrays: Sequence[Array], numbers: Sequence[float]) -> Any:
    """The State of these arrays and numbers, each in its place."""
    values, after = iter(arrays), dict(zip(plan.places, numbers, strict=True))
    rest = [after[i] if i in after else next(values) for i in range(1, len(plan.state._fields))]
    return as_tuple(plan.state, (t, *rest))


def _taken(plan: Plan, theta: Any, grad: Any, state: Any, writes: bool) -> list[Array] | None:
    """Theta, the gradient and the states as vectors, or None if a loop does not take them."""
    if type(theta) is not ndarray or theta.dtype not in (SINGLE, DOUBLE) or not _is_state(plan, state):
        return None
    kept = arrays_of(plan, state)
    if not all(_alike(x, theta) for x in (theta, grad, *kept)):
        return None
    if writes and not _apart([theta, *kept], grad):
        return None
    arrays = [theta, grad, *kept]
    return arrays if theta.ndim == 1 else [x.reshape(-1) for x in arrays]


def _is_state(plan: Plan, state: Any) -> bool:
    """True for a State of this rule, its numbers being numbers."""
    if type(state) is not plan.state or type(state[0]) is not int or state[0] < 0:
        return False
    return all(type(state[i]) is float for i in plan.places)


def _apart(targets: list[Array], grad: Array) -> bool:
    """True for arrays that can be written into and share no memory."""
    return all(x.flags.writeable for x in targets) and not any(
        may_share_memory(x, y) for x, y in combinations([*targets, grad], 2)
    )


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
