"""Running error analysis: numbers of a float type with a bound on how far rounding may have taken them.

Every operation adds half a unit in the last place to what its arguments bring (Higham, Accuracy and stability
of numerical algorithms, section 3.3). The values themselves are float64, so that a bound for float32 is good
to nine digits: numerical, not proved.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import sympy as sp

from optverify.proof.evaluation import UNDEFINED, Undefined, Value, truth_in_objects
from optverify.proof.outcome import NotProved

UNIT = 2.0**-23
"""Twice the unit roundoff of float32: a fused or reordered operation may round once more than is written."""


class Rounded:
    """A value and a bound of its error."""

    __slots__ = ("error", "value")

    def __init__(self, value: float, error: float) -> None:
        self.value, self.error = value, error

    def __add__(self, other: Any) -> Any:
        y = _rounded(other)
        if y is NotImplemented or y is UNDEFINED:
            return y
        value = self.value + y.value
        exact = (self.value == 0 and not self.error) or (y.value == 0 and not y.error)
        return Rounded(value, self.error + y.error + (0 if exact else UNIT * abs(value)))

    def __mul__(self, other: Any) -> Any:
        y = _rounded(other)
        if y is NotImplemented or y is UNDEFINED:
            return y
        value = self.value * y.value
        brought = abs(self.value) * y.error + abs(y.value) * self.error + self.error * y.error
        return Rounded(value, brought + (0 if abs(y.value) == 1 and not y.error else UNIT * abs(value)))

    def __neg__(self) -> Rounded:
        return Rounded(-self.value, self.error)

    def __sub__(self, other: Any) -> Any:
        return self + (-1 * other if isinstance(other, np.ndarray) else -_rounded(other))

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def __repr__(self) -> str:
        return f"{self.value} +- {self.error:.1e}"


def _rounded(x: Any) -> Any:
    if isinstance(x, (Rounded, Undefined)):
        return x
    if isinstance(x, np.ndarray):
        return NotImplemented
    return Rounded(float(x), 0.0)


def _spread(function: Any, x: Rounded, low: float = -math.inf) -> Any:
    """A monotone function: its values at the ends bound what an error of the argument does."""
    try:
        value = function(x.value)
        ends = [function(max(x.value + e, low)) for e in (-x.error, x.error)]
    except (ValueError, ZeroDivisionError, OverflowError):
        return UNDEFINED
    return Rounded(value, max(abs(end - value) for end in ends) + UNIT * abs(value))


def _power(base: Any, exponent: Any) -> Any:
    if base is UNDEFINED or exponent is UNDEFINED:
        return UNDEFINED
    n = exponent.value
    if n == int(n) and n > 0 and not exponent.error:
        made = base
        for _ in range(int(n) - 1):
            made = made * base
        return made
    if abs(base.value) <= base.error and n < 0:
        return UNDEFINED
    if n == int(n) and not exponent.error:
        return _spread(lambda x: x**n, base)
    if base.value < 0:
        return UNDEFINED
    made = _spread(lambda x: x**n, base, low=0.0)
    if made is not UNDEFINED and base.value > 0 and exponent.error:
        made.error += abs(made.value * math.log(base.value)) * exponent.error * 2
    return made


def _sign(x: Rounded) -> Rounded:
    if 0 < abs(x.value) <= x.error or (x.value == 0 and x.error):
        raise NotProved("rounding may turn a sign")
    return Rounded(float(np.sign(x.value)), 0.0)


def _extremum(x: Rounded, y: Rounded, pick: Any) -> Rounded:
    return Rounded(pick(x.value, y.value), max(x.error, y.error))


FUNCTIONS = {
    "exp": lambda x: _spread(math.exp, x),
    "log": lambda x: _spread(math.log, x),
    "Abs": lambda x: Rounded(abs(x.value), x.error),
    "sign": _sign,
    "Max": lambda x, y: _extremum(x, y, max),
    "Min": lambda x, y: _extremum(x, y, min),
    "Mod": lambda x, y: Rounded(x.value % y.value, x.error),
}


def _guarded(function: Any, *args: Any) -> Any:
    return UNDEFINED if any(a is UNDEFINED for a in args) else function(*(_rounded(a) for a in args))


LIFTED = {
    name: np.frompyfunc(lambda *args, f=f: _guarded(f, *args), 2 if name in ("Max", "Min", "Mod") else 1, 1)
    for name, f in FUNCTIONS.items()
}
LIFTED_POWER = np.frompyfunc(lambda x, y: _guarded(_power, x, y), 2, 1)


def _holds(name: str, x: Any, y: Any) -> bool:
    if x is UNDEFINED or y is UNDEFINED:
        return False
    gap = _rounded(x).value - _rounded(y).value
    error = _rounded(x).error + _rounded(y).error
    if error and abs(gap) <= error and name not in ("Eq", "Ne"):
        raise NotProved("rounding may turn a comparison")
    if name in ("Eq", "Ne"):
        return bool((abs(gap) <= error) == (name == "Eq"))
    return bool({"Gt": gap > 0, "Ge": gap >= 0, "Lt": gap < 0, "Le": gap <= 0}[name])


class Rounding:
    """Arithmetic of Rounded numbers, as a float32 computation would go."""

    undefined = UNDEFINED

    def number(self, value: sp.Rational) -> Rounded:
        """A number of the formula; integers are exact."""
        x = float(value)
        return Rounded(x, 0.0 if value.is_Integer else UNIT * abs(x))

    def power(self, base: Value, exponent: Value) -> Value:
        """base ** exponent."""
        return LIFTED_POWER(base, exponent)

    def call(self, name: str, *args: Value) -> Value:
        """exp, log, Abs, sign, Max, Min or Mod; NotProved where rounding may turn a sign."""
        return LIFTED[name](*args)

    def relation(self, name: str, left: Value, right: Value) -> Any:
        """Truth of a relation; NotProved where rounding may turn it."""
        return truth_in_objects(_holds, name, left, right)

    def array(self, values: Any) -> Value:
        """An array of objects."""
        return np.array(values, dtype=object)

    def kept(self, value: Value) -> Value:
        """The value itself."""
        return value
