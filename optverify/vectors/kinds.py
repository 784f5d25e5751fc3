"""The float types that programs compute in, and rounding to them."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np


class Kind(NamedTuple):
    """A float type. bits: of its significand; lowest: exponent of normal numbers; top: the largest one."""

    bits: int
    lowest: int
    top: float

    @property
    def unit(self) -> float:
        """The spacing of numbers at 1."""
        return 2.0 ** (1 - self.bits)

    @property
    def tiny(self) -> float:
        """The smallest positive number."""
        return math.ldexp(1.0, self.lowest - self.bits + 1)

    @property
    def least(self) -> float:
        """The smallest normal number."""
        return math.ldexp(1.0, self.lowest)

    def spacing(self, size: float) -> float:
        """The unit in the last place of a number of this absolute value."""
        exponent = max(math.frexp(size)[1] - 1, self.lowest) if size else self.lowest
        return math.ldexp(1.0, exponent - self.bits + 1)


KINDS = {
    "float64": Kind(53, -1022, float(np.finfo(np.float64).max)),
    "float32": Kind(24, -126, float(np.finfo(np.float32).max)),
}
"""The types a program may compute in."""
DOUBLE, SINGLE = KINDS.values()


def nearest(x: Fraction, kind: Kind) -> Fraction | float:
    """The number of a float type that is nearest to x, ties to even; an infinity beyond the largest."""
    if not x:
        return x
    size = abs(x)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if Fraction(2) ** exponent > size:
        exponent -= 1
    unit = Fraction(2) ** (max(exponent, kind.lowest) - kind.bits + 1)
    rounded = round(x / unit) * unit
    return rounded if abs(rounded) <= Fraction(kind.top) else (math.inf if x > 0 else -math.inf)


def size_of(x: Fraction) -> float:
    """The absolute value as a float64, an infinity beyond the largest."""
    try:
        return abs(float(x))
    except OverflowError:
        return math.inf
