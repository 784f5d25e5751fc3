"""Exact rationals while they last, then intervals that hold the number: arithmetic that never rounds wrongly.

A root of a square and a power with an integer exponent stay rational. Everything else is enclosed between two
numbers of PRECISION bits, rounded outwards (mpmath's interval functions).
"""

from __future__ import annotations

import operator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from mpmath import libmp
from mpmath.libmp import libmpi

from optverify.proof.evaluation import UNDEFINED, Undefined, Value, truth_in_objects
from optverify.proof.outcome import NotProved

PRECISION = 200
"""Bits of the ends of an interval: 60 digits."""
LARGEST = 64
"""Integer exponents up to this size keep a rational rational."""
LONGEST = 600
"""Bits of the denominator of a rational that is kept as one."""


class Enclosure:
    """A real number known to lie in a closed interval."""

    __slots__ = ("ends",)

    def __init__(self, ends: Any) -> None:
        self.ends = ends

    def __add__(self, other: Any) -> Any:
        return _apply(libmpi.mpi_add, self, other)

    def __sub__(self, other: Any) -> Any:
        return _apply(libmpi.mpi_sub, self, other)

    def __mul__(self, other: Any) -> Any:
        return other if isinstance(other, Fraction) and not other else _apply(libmpi.mpi_mul, self, other)

    def __rsub__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else _apply(libmpi.mpi_sub, other, self)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Enclosure:
        return Enclosure(libmpi.mpi_neg(self.ends))

    @property
    def low(self) -> Any:
        """The lower end, a raw mpf."""
        return self.ends[0]

    @property
    def high(self) -> Any:
        """The upper end, a raw mpf."""
        return self.ends[1]

    def __repr__(self) -> str:
        return text(self)


def enclosed(x: Any) -> Enclosure:
    """A rational as an interval."""
    if isinstance(x, Enclosure):
        return x
    above, below = libmp.from_int(x.numerator), libmp.from_int(x.denominator)
    return Enclosure(libmpi.mpi_div((above, above), (below, below), PRECISION))


def _apply(function: Any, x: Any, y: Any) -> Any:
    if isinstance(y, np.ndarray):
        return NotImplemented  # NumPy then asks for entry after entry
    if isinstance(y, Undefined):
        return y
    return Enclosure(function(enclosed(x).ends, enclosed(y).ends, PRECISION))


def sign_of(x: Any) -> int:
    """-1, 0 or 1; NotProved for an interval that holds 0 and other numbers."""
    if not isinstance(x, Enclosure):
        return int(x > 0) - int(x < 0)
    low, high = libmp.mpf_sign(x.low), libmp.mpf_sign(x.high)
    if low > 0 or high < 0:
        return 1 if low > 0 else -1
    if low == high == 0:
        return 0
    raise NotProved("the sign of a number is not settled by 60 digits")


def differ(x: Any, y: Any) -> bool:
    """True when two numbers are shown to be different; False when they agree as far as they are known."""
    if x is UNDEFINED or y is UNDEFINED:
        return x is not y
    if not isinstance(x, Enclosure) and not isinstance(y, Enclosure):
        return bool(x != y)
    a, b = enclosed(x), enclosed(y)
    return bool(libmp.mpf_lt(a.high, b.low) or libmp.mpf_lt(b.high, a.low))


def text(x: Any, digits: int = 30) -> str:
    """A rational as p/q, another number by its first digits."""
    if isinstance(x, Enclosure):
        return str(libmp.to_str(libmpi.mpi_mid(x.ends, PRECISION), digits))
    return str(x)


# ---- functions of one or two numbers ----------------------------------------------------------------------


def _exact_root(x: Fraction, degree: int) -> Fraction | None:
    ends = [sp.integer_nthroot(n, degree) for n in (x.numerator, x.denominator)]
    return Fraction(int(ends[0][0]), int(ends[1][0])) if all(exact for _, exact in ends) else None


def _power(base: Any, exponent: Any) -> Any:  # noqa: PLR0911 -- a kind of number each
    if base is UNDEFINED or exponent is UNDEFINED:
        return UNDEFINED
    if isinstance(exponent, Fraction) and exponent.denominator == 1:
        return _whole_power(base, int(exponent))
    sign = sign_of(base)
    if sign == 0:
        return Fraction(0) if sign_of(exponent) > 0 else UNDEFINED
    if sign < 0:
        return UNDEFINED
    if isinstance(exponent, Fraction) and isinstance(base, Fraction) and exponent.denominator <= 4:
        root = _exact_root(base, exponent.denominator)
        if root is not None:
            return _whole_power(root, exponent.numerator)
    if exponent == Fraction(1, 2):
        return Enclosure(libmpi.mpi_sqrt(enclosed(base).ends, PRECISION))
    return Enclosure(libmpi.mpi_pow(enclosed(base).ends, enclosed(exponent).ends, PRECISION))


def _whole_power(base: Any, exponent: int) -> Any:
    if exponent < 0 and sign_of(base) == 0:
        return UNDEFINED
    if isinstance(base, Fraction) and abs(exponent) <= LARGEST:
        return base**exponent
    return Enclosure(libmpi.mpi_pow_int(enclosed(base).ends, exponent, PRECISION))


def _exp(x: Any) -> Any:
    return Fraction(1) if x == 0 else Enclosure(libmpi.mpi_exp(enclosed(x).ends, PRECISION))


def _log(x: Any) -> Any:
    if sign_of(x) <= 0:
        return UNDEFINED
    return Fraction(0) if x == 1 else Enclosure(libmpi.mpi_log(enclosed(x).ends, PRECISION))


def _size(x: Any) -> Any:
    return Enclosure(libmpi.mpi_abs(x.ends, PRECISION)) if isinstance(x, Enclosure) else abs(x)


def _extremum(x: Any, y: Any, upper: bool) -> Any:
    """Max and Min, of intervals end by end: no comparison is needed."""
    if isinstance(x, Fraction) and isinstance(y, Fraction):
        return max(x, y) if upper else min(x, y)
    a, b = enclosed(x), enclosed(y)
    less = libmp.mpf_lt
    for one, other, kept in ((a, b, y if upper else x), (b, a, x if upper else y)):
        if less(one.high, other.low):
            return kept
    ends = [(b if less(a, b) == upper else a) for a, b in ((a.low, b.low), (a.high, b.high))]
    return Enclosure(tuple(ends))


def _remainder(x: Any, y: Any) -> Any:
    if not isinstance(x, Fraction) or not isinstance(y, Fraction):
        raise NotProved("a remainder of numbers that are not rational")
    return UNDEFINED if y == 0 else x % y


FUNCTIONS = {
    "exp": _exp,
    "log": _log,
    "Abs": _size,
    "sign": lambda x: Fraction(sign_of(x)),
    "Max": lambda x, y: _extremum(x, y, upper=True),
    "Min": lambda x, y: _extremum(x, y, upper=False),
    "Mod": _remainder,
}


def _guarded(function: Any, *args: Any) -> Any:
    return UNDEFINED if any(a is UNDEFINED for a in args) else function(*args)


LIFTED = {
    name: np.frompyfunc(lambda *args, f=f: _guarded(f, *args), 2 if name in ("Max", "Min", "Mod") else 1, 1)
    for name, f in FUNCTIONS.items()
}
LIFTED_KEPT = np.frompyfunc(
    lambda x: enclosed(x) if isinstance(x, Fraction) and x.denominator.bit_length() > LONGEST else x, 1, 1
)
LIFTED_POWER = np.frompyfunc(_power, 2, 1)
ORDER = {"Eq": operator.eq, "Ne": operator.ne, "Gt": operator.gt, "Ge": operator.ge, "Lt": operator.lt,
         "Le": operator.le}  # fmt: skip


def _holds(name: str, x: Any, y: Any) -> bool:
    if x is UNDEFINED or y is UNDEFINED:
        return False
    if name in ("Eq", "Ne") and not (isinstance(x, Fraction) and isinstance(y, Fraction)):
        return differ(x, y) == (name == "Ne")
    return bool(ORDER[name](sign_of(x - y), 0))


class Exact:
    """Arithmetic of rationals (Fraction) and enclosures."""

    undefined = UNDEFINED

    def number(self, value: sp.Rational) -> Fraction:
        """A rational number."""
        return Fraction(int(value.p), int(value.q))

    def power(self, base: Value, exponent: Value) -> Value:
        """base ** exponent; UNDEFINED for 0 to a negative power and for roots of negative numbers."""
        return LIFTED_POWER(base, exponent)

    def call(self, name: str, *args: Value) -> Value:
        """exp, log, Abs, sign, Max, Min or Mod."""
        return LIFTED[name](*args)

    def relation(self, name: str, left: Value, right: Value) -> Any:
        """Truth of a relation; numbers that agree in 60 digits count as equal. NotProved where it is open."""
        return truth_in_objects(_holds, name, left, right)

    def array(self, values: Any) -> Value:
        """An array of objects."""
        return np.array(values, dtype=object)

    def kept(self, value: Value) -> Value:
        """Rationals with very many digits become enclosures."""
        return LIFTED_KEPT(value)
