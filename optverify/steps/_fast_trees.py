"""Many arrays updated in one call: a table of their addresses, checked and filled in by compiled code.

A row of the table is a parameter: its size, then the addresses of its numbers, of its gradient's and of its
states'. They are read where NumPy keeps them, in the fields of an array object, whose layout is part of its
binary interface; `readable` makes sure of it before the first use. So a thousand arrays cost microseconds;
through Python they cost a millisecond.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from operator import is_
from typing import Any

import numpy as np
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from optverify.steps._engine import DOUBLE, SINGLE, Array
from optverify.steps._fast import Plan, arrays_of, scalars, shared

HEAD = object.__basicsize__
"""Where the fields of an array object begin; its class stands before."""
DATA, SIDES, SHAPE, STRIDES, TYPE, FLAGS = (HEAD + offset for offset in (0, 8, 16, 24, 40, 48))
CLASS = HEAD - 8
READ, WRITE = 0x101, 0x501
"""The flags of an array that is contiguous and aligned, and of one that is writeable too."""
INFINITY = {SINGLE: 0x7F800000, DOUBLE: 0x7FF0000000000000}
"""The bits of infinity; those of NaN are above, those of finite numbers below."""

QUICK = 4
"""So many times as fast as an update the look at its gradients is: threads pay only for larger ones."""


def cached(function: Any) -> Any:
    """Compiled when first called; kept on disk where Numba finds a place for it."""
    try:
        return njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # no folder can be written to
        return njit(nogil=True, error_model="numpy")(function)


@lru_cache(maxsize=1)
def readable() -> bool:
    """True if array objects have their fields where this file reads them."""
    probe = np.zeros((2, 3, 5), np.float32)[:, :2]

    def word(offset: int, kind: Any = ctypes.c_int64) -> int:
        return int(kind.from_address(id(probe) + offset).value)

    return (
        np.dtype(np.intp).itemsize == 8
        and np.ndarray.__basicsize__ >= FLAGS + 8
        and word(CLASS) == id(np.ndarray)
        and word(DATA) == probe.ctypes.data
        and word(SIDES, ctypes.c_int32) == probe.ndim
        and word(STRIDES) - word(SHAPE) == 8 * probe.ndim  # they are kept in one piece
        and word(TYPE) == id(probe.dtype)
        and word(FLAGS, ctypes.c_int32) == probe.flags.num
    )


# ---- compiled ----------------------------------------------------------------------------------------------


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


@njit(forceinline=True)
def word(address):
    """The 64 bits at that address."""
    return carray(pointer(address), 1, np.int64)[0]


@njit(forceinline=True)
def half(address):
    """The 32 bits at that address."""
    return carray(pointer(address), 1, np.int32)[0]


@njit(forceinline=True)
def alike(x, theta, flags):
    """True if the array x has theta's class, type and shape, and these flags."""
    if word(x + CLASS) != word(theta + CLASS) or word(x + TYPE) != word(theta + TYPE):
        return False
    sides = half(theta + SIDES)
    if half(x + SIDES) != sides or half(x + FLAGS) & flags != flags:
        return False
    equal = 0
    for k in range(sides):
        equal += word(word(x + SHAPE) + 8 * k) == word(word(theta + SHAPE) + 8 * k)
    return equal == sides


@cached
def survey(identities, like, rows):
    """Fill in the rows from the identities of arrays: (parameter, gradient, states).

    0 if some are no arrays of like's class and type, and of a shape in their row, as a loop takes them;
    else 1, or 2 if more than addresses of gradients has changed.
    """
    found = 1
    for i in range(identities.shape[0]):
        theta = identities[i, 0]
        if word(theta + CLASS) != word(like + CLASS) or word(theta + TYPE) != word(like + TYPE):
            return 0
        size = 1
        for k in range(half(theta + SIDES)):
            size *= word(word(theta + SHAPE) + 8 * k)
        for j in range(identities.shape[1]):
            if not alike(identities[i, j], theta, READ if j == 1 else WRITE):
                return 0
            address = word(identities[i, j] + DATA)
            if j != 1 and rows[i, j + 1] != address:
                found = 2
            rows[i, j + 1] = address
        if rows[i, 0] != size:
            found = 2
            rows[i, 0] = size
    return found


@cached
def touched(rows, itemsize, starts, ends):
    """True if a gradient has memory in one of the stretches, which are in order and apart."""
    for i in range(rows.shape[0]):
        first, last = rows[i, 2], rows[i, 2] + rows[i, 0] * itemsize
        k = np.searchsorted(starts, last)
        if first < last and k > 0 and ends[k - 1] > first:
            return True
    return False


@cached
def largest(rows, first, last, like):
    """The largest of the gradients from coordinate first to last, without their signs, as bits."""
    most, start = like.dtype.type(0), 0
    mask = like.dtype.type(~(1 << (8 * like.itemsize - 1)))
    for row in rows:
        begin, end = max(first - start, 0), min(last - start, row[0])
        if begin < end:
            for bits in view(row[2], begin, end, like):
                most = max(most, bits & mask)
        start += row[0]
    return most


# ---- an update ---------------------------------------------------------------------------------------------


def fit(params: Sequence[Array]) -> bool:
    """True for parameters that a table can be made of."""
    return readable() and len({p.dtype for p in params}) == 1 and params[0].dtype in (SINGLE, DOUBLE)


def table(plan: Plan, params: Sequence[Array], states: Sequence[Any]) -> Table | None:
    """The table of parameters that fit and their states; None if states that are numbers differ."""
    if len({tuple(s[i] for i in plan.places) for s in states}) > 1:
        return None
    return Table(plan, params, states)


class Table:
    """Parameters and states whose addresses are kept from update to update.

    states: as they were given; of those that are numbers, `numbers` has the values now.
    """

    def __init__(self, plan: Plan, params: Sequence[Array], states: Sequence[Any]) -> None:
        self.plan, self.params, self.states = plan, list(params), list(states)  # held, so that they stay
        self.like = np.empty(0, self.params[0].dtype)
        self.bits = np.empty(0, f"i{self.like.itemsize}")
        self.numbers = tuple(self.states[0][i] for i in plan.places)
        arrays = [arrays_of(plan, s) for s in self.states]
        columns = [[id(p), 0, *map(id, kept)] for p, kept in zip(self.params, arrays, strict=True)]
        self.identities = np.array(columns, np.int64)
        self.rows = np.zeros((len(columns), len(columns[0]) + 1), np.int64)
        self.size = 0
        self.starts = self.ends = np.empty(0, np.int64)

    def belongs_to(self, params: Sequence[Any]) -> bool:
        """True if these are the parameters of the table."""
        return len(params) == len(self.params) and all(map(is_, params, self.params))

    def take(self, grads: Sequence[Any]) -> bool:
        """Read all addresses. False if a loop does not take the arrays, or some share memory."""
        self.identities[:, 1] = np.fromiter(map(id, grads), np.int64, len(grads))
        found = survey(self.identities, id(self.like), self.rows)
        if found == 2 and not self._sort():
            return False
        return bool(found and not touched(self.rows, self.like.itemsize, self.starts, self.ends))

    def _sort(self) -> bool:
        """The stretches of memory that are written to, in order; False if two have some in common."""
        sizes = self.rows[:, :1] * self.like.itemsize
        starts = np.delete(self.rows[:, 1:], 1, axis=1)
        ends = (starts + sizes)[sizes[:, 0] > 0].ravel()
        starts = starts[sizes[:, 0] > 0].ravel()
        order = np.argsort(starts)
        self.starts, self.ends = starts[order], ends[order]
        self.size = int(self.rows[:, 0].sum())
        if bool((self.ends[:-1] <= self.starts[1:]).all()):
            return True
        self.rows[:, 0] = -1  # so that they are looked at again
        return False

    def finite(self) -> bool:
        """True if all gradients that were taken are."""
        found: list[int] = []

        def span(first: int, last: int) -> None:
            found.append(largest(self.rows, first, last, self.bits))

        shared(span, self.size, self.size * self.like.itemsize // QUICK)
        return max(found) < INFINITY[self.like.dtype]

    def update(self, t: int, given: tuple[Any, ...]) -> None:
        """Update t, with the gradients that were taken, written into parameters and states."""
        tree = self.plan.tree
        assert tree is not None
        tree.prepare(self.like.dtype)
        values, self.numbers = scalars(self.plan, t, given, self.numbers)

        def span(first: int, last: int) -> None:
            tree.loop(self.rows, first, last, self.like, *values)

        shared(span, self.size, self.size * self.like.itemsize)

    def after(self, state: Any, t: int) -> Any:
        """One of the states, with t and the numbers of now."""
        fields = self.plan.state._fields
        numbers = {fields[i]: x for i, x in zip(self.plan.places, self.numbers, strict=True)}
        return state._replace(t=t, **numbers)
