"""Numbers of a run: exact while they are rational, then to 77 digits, each with a bound of its rounding.

The bound is a running one (Higham, Accuracy and stability of numerical algorithms, section 3.3): every
operation adds a unit in the last place of its result, twice what IEEE arithmetic rounds away, to what its
arguments bring, so that a program may fuse or reorder what is written. It is kept for float64 and float32
side by side. Below the normal numbers an operation adds the smallest number instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from mpmath import libmp

from optverify.proof.evaluation import UNDEFINED, Undefined, Value, truth_in_objects
from optverify.vectors.kinds import DOUBLE, KINDS, Kind, nearest

PRECISION = 256
"""Bits of a number that is not rational: 77 digits, of which 40 are written."""
LONGEST = 640
"""Bits of the denominator of a rational that is kept as one."""
LARGEST = 64
"""Integer exponents up to this size keep a rational rational."""
CLOSE = libmp.from_man_exp(1, -PRECISION // 2)
"""Below this, relative, two numbers that are not rational are one: their digits are."""


Errors = tuple[float, float]
NONE: Errors = (0.0, 0.0)


class Number:
    """A real number and how far a program in float64, or float32, may be from it.

    exact: a Fraction, or a raw mpf of PRECISION bits; size: its absolute value; errors: for each type, nan
    where something left its range.
    """

    __slots__ = ("errors", "exact", "size")

    def __init__(self, exact: Any, errors: Errors = NONE) -> None:
        if isinstance(exact, Fraction) and exact.denominator.bit_length() > LONGEST:
            exact = _mpf(exact)
        self.exact, self.errors, self.size = exact, errors, _size(exact)

    def __add__(self, other: Any) -> Any:
        y = _number(other)
        if not isinstance(y, Number):
            return y
        if not self.sign and self.errors == NONE:
            return y
        if not y.sign and y.errors == NONE:
            return self
        both = isinstance(self.exact, Fraction) and isinstance(y.exact, Fraction)
        total = self.exact + y.exact if both else _total(_mpf(self.exact), _mpf(y.exact))
        if not total and self.errors == y.errors:
            return ZERO  # two numbers with the same value and the same bound were computed alike
        return _rounded(total, (self.errors[0] + y.errors[0], self.errors[1] + y.errors[1]))

    def __mul__(self, other: Any) -> Any:
        y = _number(other)
        if not isinstance(y, Number):
            return y
        both = isinstance(self.exact, Fraction) and isinstance(y.exact, Fraction)
        for zero, times in ((self, y), (y, self)):
            if not zero.sign and zero.errors == NONE:
                return _nothing(times)
        product = (
            self.exact * y.exact if both else libmp.mpf_mul(_mpf(self.exact), _mpf(y.exact), PRECISION, "n")
        )
        brought = tuple(
            _times(self.size, b) + _times(y.size, a) + a * b
            for a, b in zip(self.errors, y.errors, strict=True)
        )
        if (y.size == 1 and y.errors == NONE) or (self.size == 1 and self.errors == NONE):
            return Number(product, brought)  # type: ignore[arg-type]
        return _rounded(product, brought)  # type: ignore[arg-type]

    def __neg__(self) -> Number:
        return Number(
            -self.exact if isinstance(self.exact, Fraction) else libmp.mpf_neg(self.exact), self.errors
        )

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    @property
    def sign(self) -> int:
        """-1, 0 or 1."""
        if isinstance(self.exact, Fraction):
            return (self.exact > 0) - (self.exact < 0)
        return int(libmp.mpf_sign(self.exact))

    def fraction(self) -> Fraction:
        """Its value, or that of its digits."""
        return self.exact if isinstance(self.exact, Fraction) else _fraction(self.exact)

    def __repr__(self) -> str:
        return f"{float(self.fraction())!r} +- {self.errors[0]:.1e}, {self.errors[1]:.1e}"


def rational(value: Any) -> Number:
    """A number without error."""
    return Number(Fraction(value))


def stored(value: Any) -> Number:
    """A number that a program holds in its own type, rounded if need be."""
    x = Fraction(value)
    errors = tuple(0.0 if nearest(x, kind) == x else abs(float(x)) * kind.unit for kind in KINDS.values())
    return Number(x, errors)  # type: ignore[arg-type]


# ---- steps of it -------------------------------------------------------------------------------------------


def _mpf(x: Any) -> Any:
    if not isinstance(x, Fraction):
        return x
    return libmp.from_rational(x.numerator, x.denominator, PRECISION, "n")


def _fraction(x: Any) -> Fraction:
    sign, mantissa, exponent, _ = x
    value, power = int(-mantissa if sign else mantissa), int(exponent)  # gmpy2 has integers of its own
    return Fraction(value * 2**power) if power >= 0 else Fraction(value, 2**-power)


def _total(x: Any, y: Any) -> Any:
    """The sum of two numbers; zero where they cancel to their digits."""
    total = libmp.mpf_add(x, y, PRECISION, "n")
    near = libmp.mpf_mul(libmp.mpf_abs(x), CLOSE)
    return Fraction(0) if libmp.mpf_le(libmp.mpf_abs(total), near) else total


def _size(x: Any) -> float:
    try:
        return abs(float(x)) if isinstance(x, Fraction) else abs(libmp.to_float(x))
    except OverflowError:
        return math.inf


def _times(size: float, error: float) -> float:
    return size * error if error else 0.0


def _number(x: Any) -> Any:
    if isinstance(x, (Number, Undefined)):
        return x
    if isinstance(x, np.ndarray):
        return NotImplemented  # NumPy then asks for entry after entry
    return rational(x)


def _rounded(exact: Any, errors: Errors, roundings: float = 1) -> Number:
    """A result, with its own rounding added to the errors it brings."""
    made = Number(exact, errors)
    first, second = (
        error + roundings * _rounding(made, kind)
        if made.size + error <= kind.top
        else _beyond(made, kind, error)
        for error, kind in zip(errors, KINDS.values(), strict=True)
    )
    made.errors = first, second
    return made


def _nothing(times: Number) -> Number:
    """Zero times a number: zero, unless that may be an infinity."""
    first, second = (0.0 if math.isfinite(e) else e for e in times.errors)
    return Number(Fraction(0), (first, second))


def _beyond(x: Number, kind: Kind, error: float) -> float:
    """The error of what is too large, or is not known to be small enough."""
    return math.nan if x.size > kind.top or math.isnan(error) else math.inf


def _rounding(x: Number, kind: Kind) -> float:
    """A unit in the last place; below the normal numbers the smallest one."""
    error = x.errors[0 if kind is DOUBLE else 1]
    return max(x.size * kind.unit, kind.tiny) if x.sign or error else 0.0


ZERO, ONE = rational(0), rational(1)


def multiplied(factors: Sequence[Any], product: Any) -> Any:
    """A product of several factors, with what may happen to it if they are multiplied in another order.

    A product of some of them that overflows spoils it, as does one that loses its digits below the normal
    numbers.
    """
    if not isinstance(product, Number) or not product.sign:
        return product
    sizes = [f.size if isinstance(f, Number) else abs(float(f)) for f in factors]
    large, small = math.prod(s for s in sizes if s > 1), math.prod(s for s in sizes if s < 1)
    first, second = (
        math.nan if large > kind.top or small < kind.least <= product.size else error
        for error, kind in zip(product.errors, KINDS.values(), strict=True)
    )
    return Number(product.exact, (first, second))


def _power(base: Number, exponent: Number) -> Any:
    """base ** exponent, in as many roundings as a product of so many factors."""
    zero = not base.sign and base.errors == NONE
    if zero and exponent.sign > 0:
        return ZERO
    p = exponent.exact
    whole = isinstance(p, Fraction) and p.denominator == 1
    if base.sign == 0 and exponent.sign <= 0:
        return ONE if exponent.sign == 0 else UNDEFINED
    if base.sign < 0 and not whole:
        return UNDEFINED
    exact = _exact_power(base.exact, p, whole)
    factors = max(abs(int(p)) if whole else 2, 1)
    errors = tuple(
        _spread(base, exponent, error, more, _size(exact))
        for error, more in zip(base.errors, exponent.errors, strict=True)
    )
    return _rounded(exact, errors, factors)  # type: ignore[arg-type]


def _exact_power(base: Any, p: Any, whole: bool) -> Any:
    if whole:
        if isinstance(base, Fraction) and abs(p) <= LARGEST:
            return base ** int(p)
        return libmp.mpf_pow_int(_mpf(base), int(p), PRECISION, "n")
    if isinstance(base, Fraction):
        if base == 1:
            return base
        if p == Fraction(1, 2) and (root := _root(base)) is not None:
            return root
    return libmp.mpf_pow(_mpf(base), _mpf(p), PRECISION, "n")


def _root(x: Fraction) -> Fraction | None:
    above, below = math.isqrt(x.numerator), math.isqrt(x.denominator)
    return Fraction(above, below) if above**2 == x.numerator and below**2 == x.denominator else None


def _spread(base: Number, exponent: Number, error: float, more: float, size: float) -> float:
    """What errors of the base and the exponent do to a power."""
    p = float(exponent.fraction())
    total = 0.0
    if error:
        low, high = base.size - error, base.size + error
        if p < 0 and low <= 0:
            return math.inf
        try:
            total = max(abs(high**p - base.size**p), abs(base.size**p - max(low, 0.0) ** p))
        except (OverflowError, ZeroDivisionError):
            return math.inf
        if base.size and error < 1e-6 * base.size:  # the difference above would be mostly rounding
            total = 1.001 * abs(p) * size * (error / base.size)
    if more:
        total += abs(size * math.log(base.size)) * more * 2 if base.size else math.inf
    return total


def _monotone(function: Any, slope: Any) -> Any:
    """exp or log: its value, and errors by the slope at the worse end."""

    def apply(x: Number) -> Any:
        if function is libmp.mpf_log and x.sign <= 0:
            return UNDEFINED
        exact = function(_mpf(x.exact), PRECISION, "n")
        value = float(x.fraction())
        errors = tuple(slope(value, e) * e if e else 0.0 for e in x.errors)
        return _rounded(exact, errors, 2)  # type: ignore[arg-type]

    return apply


def _exp_slope(x: float, error: float) -> float:
    try:
        return math.exp(x + error)
    except OverflowError:
        return math.inf


def _sign(x: Number) -> Number:
    return Number(Fraction(x.sign), _unless_turned(x.size, x.errors))


def _unless_turned(gap: float, errors: Errors) -> Errors:
    """No error where a comparison comes out alike; a type in which rounding may turn it is lost."""
    first, second = (math.inf if e and not gap > e else 0.0 for e in errors)
    return first, second


def _extremum(sign: int) -> Any:
    def pick(x: Number, y: Number) -> Number:
        gap = x - y
        chosen = x if sign * gap.sign >= 0 else y
        other = y if chosen is x else x
        errors = tuple(
            a if gap.size > a + b else a + b for a, b in zip(chosen.errors, other.errors, strict=True)
        )
        return Number(chosen.exact, errors)  # type: ignore[arg-type]

    return pick


def _mod(x: Number, y: Number) -> Number:
    return Number(x.fraction() % y.fraction(), tuple(a + b for a, b in zip(x.errors, y.errors, strict=True)))  # type: ignore[arg-type]


FUNCTIONS = {
    "exp": _monotone(libmp.mpf_exp, _exp_slope),
    "log": _monotone(libmp.mpf_log, lambda x, e: math.inf if x <= e else 1 / (x - e)),
    "Abs": lambda x: -x if x.sign < 0 else x,
    "sign": _sign,
    "Max": _extremum(1),
    "Min": _extremum(-1),
    "Mod": _mod,
}


def _guarded(function: Any, *args: Any) -> Any:
    return UNDEFINED if any(a is UNDEFINED for a in args) else function(*map(_number, args))


LIFTED = {
    name: np.frompyfunc(lambda *args, f=f: _guarded(f, *args), 2 if name in ("Max", "Min", "Mod") else 1, 1)
    for name, f in FUNCTIONS.items()
}
LIFTED_POWER = np.frompyfunc(lambda x, y: _guarded(_power, x, y), 2, 1)


class Exact:
    """The arithmetic of Numbers. turned: the types in which rounding may have turned a comparison so far."""

    undefined = UNDEFINED

    def __init__(self) -> None:
        self.turned: set[str] = set()

    def number(self, value: sp.Rational) -> Number:
        """A number of the formula; integers are exact."""
        return stored(Fraction(int(value.p), int(value.q)))

    def power(self, base: Value, exponent: Value) -> Value:
        """base ** exponent."""
        return LIFTED_POWER(base, exponent)

    def call(self, name: str, *args: Value) -> Value:
        """exp, log, Abs, sign, Max, Min or Mod."""
        return LIFTED[name](*args)

    def relation(self, name: str, left: Value, right: Value) -> Any:
        """Truth of a relation; what rounding may turn is noted."""
        return truth_in_objects(self._holds, name, left, right)

    def array(self, values: Any) -> Value:
        """An array of objects."""
        return np.array(values, dtype=object)

    def kept(self, value: Value) -> Value:
        """The value itself."""
        return value

    def _holds(self, name: str, x: Any, y: Any) -> bool:
        if x is UNDEFINED or y is UNDEFINED:
            return False
        gap = _number(x) - _number(y)
        brought = (a + b for a, b in zip(_number(x).errors, _number(y).errors, strict=True))
        self.turned |= {kind for kind, e in zip(KINDS, brought, strict=True) if e and not gap.size > e}
        s = gap.sign
        return bool({"Eq": s == 0, "Ne": s != 0, "Gt": s > 0, "Ge": s >= 0, "Lt": s < 0, "Le": s <= 0}[name])
