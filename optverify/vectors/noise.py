"""Runs in which every operation is off by a unit, up or down: how far rounding really goes.

A running bound takes every error to add up. Where a rule feeds on itself (norms of its own parameters, long
products of matrices, averages pulled back again and again) that is far too much. Here each result is
multiplied by 1 + unit or 1 - unit, at random, in several runs (Parker, Monte Carlo arithmetic), and a
multiple of the largest deviation is the tolerance.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from optverify.proof.evaluation import UNDEFINED, Undefined, Value, truth_in_objects
from optverify.vectors.kinds import Kind


class Noisy:
    """A float, and where its noise comes from."""

    __slots__ = ("source", "value")

    def __init__(self, value: float, source: Source) -> None:
        self.value, self.source = value, source

    def __add__(self, other: Any) -> Any:
        if isinstance(other, (np.ndarray, Undefined)):
            return NotImplemented
        y = other.value if isinstance(other, Noisy) else float(other)
        if not y:
            return self
        if not self.value:
            return Noisy(y, self.source)
        return self.source.rounded(self.value + y)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, (np.ndarray, Undefined)):
            return NotImplemented
        y = other.value if isinstance(other, Noisy) else float(other)
        if abs(y) == 1:
            return Noisy(self.value * y, self.source)
        if not (made := self.value * y) and self.value and y:
            self.source.out_of_range = True
        return self.source.rounded(made)

    def __neg__(self) -> Noisy:
        return Noisy(-self.value, self.source)

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    @property
    def exact(self) -> Fraction:
        """Its value."""
        return Fraction(self.value)


class Source:
    """The arithmetic of Noisy numbers, for one float type. out_of_range: it was, at some time."""

    undefined = UNDEFINED

    def __init__(self, kind: Kind, unit: float, seed: int) -> None:
        self.kind, self.unit = kind, unit
        self.bits = random.Random(seed)
        self.out_of_range = False
        self.functions: dict[str, Callable[..., float]] = {
            "exp": math.exp, "log": math.log, "Abs": abs, "sign": lambda x: (x > 0) - (x < 0),
            "Max": max, "Min": min, "Mod": lambda x, y: x % y,
        }  # fmt: skip

    def rounded(self, value: float) -> Noisy:
        """A result, off by a unit."""
        size = abs(value)
        if size and not math.ldexp(1.0, self.kind.lowest) <= size <= self.kind.top:
            self.out_of_range = True
        return Noisy(value * (1 + (self.unit if self.bits.getrandbits(1) else -self.unit)), self)

    def number(self, value: Any) -> Noisy:
        """A number of the formula."""
        return Noisy(float(sp.Rational(value)), self)

    def given(self, value: Fraction) -> Noisy:
        """A number that is put in."""
        return Noisy(float(value), self)

    def power(self, base: Value, exponent: Value) -> Value:
        """base ** exponent."""
        return np.frompyfunc(self._power, 2, 1)(base, exponent)

    def _power(self, base: Any, exponent: Any) -> Any:
        if base is UNDEFINED or exponent is UNDEFINED:
            return UNDEFINED
        try:
            made = base.value**exponent.value
        except (ZeroDivisionError, OverflowError):
            return UNDEFINED
        if not made and base.value:
            self.out_of_range = True
        return UNDEFINED if isinstance(made, complex) else self.rounded(made)

    def call(self, name: str, *args: Value) -> Value:
        """exp, log, Abs, sign, Max, Min or Mod."""
        return np.frompyfunc(lambda *xs: self._call(name, *xs), len(args), 1)(*args)

    def _call(self, name: str, *args: Any) -> Any:
        if any(a is UNDEFINED for a in args):
            return UNDEFINED
        try:
            made = float(self.functions[name](*(a.value for a in args)))
        except (ValueError, ZeroDivisionError, OverflowError):
            return UNDEFINED
        return self.rounded(made) if name in ("exp", "log") else Noisy(made, self)

    def relation(self, name: str, left: Value, right: Value) -> Any:
        """Truth of a relation."""
        return truth_in_objects(_holds, name, left, right)

    def array(self, values: Any) -> Value:
        """An array of objects."""
        return np.array(values, dtype=object)

    def kept(self, value: Value) -> Value:
        """The value itself."""
        return value


def _holds(name: str, x: Any, y: Any) -> bool:
    if x is UNDEFINED or y is UNDEFINED:
        return False
    a, b = (v.value if isinstance(v, Noisy) else float(v) for v in (x, y))
    return {"Eq": a == b, "Ne": a != b, "Gt": a > b, "Ge": a >= b, "Lt": a < b, "Le": a <= b}[name]
