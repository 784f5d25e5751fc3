"""The image of an interval under a polynomial: exact but for an outward rounding of its ends."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import sympy as sp

DIGITS = 10**9
"""Ends are rounded outwards to multiples of 1/DIGITS, so that they stay short."""
NARROW = sp.Rational(1, 10**12)
"""Width to which zeros of the derivative are enclosed."""


def image(p: sp.Poly, low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
    """An interval that holds p(x) for all low <= x <= high, larger than the image by 2/DIGITS at most.

    p: in one variable, with rational coefficients. Its extrema are at the ends and at zeros of p'.
    """
    values = [_at(p, low), _at(p, high)]
    slope = p.diff()
    if slope.degree() > 0:
        steep = _largest(slope, max(abs(low), abs(high)))
        for (a, b), _ in slope.intervals(eps=NARROW, inf=sp.Rational(low), sup=sp.Rational(high)):
            middle, width = (Fraction(q.p, q.q) for q in ((a + b) / 2, b - a))
            values += [_at(p, middle) - steep * width, _at(p, middle) + steep * width]
    return Fraction(floor(min(values) * DIGITS), DIGITS), Fraction(ceil(max(values) * DIGITS), DIGITS)


def _at(p: sp.Poly, point: Fraction) -> Fraction:
    value = Fraction(0)
    for c in p.all_coeffs():
        value = value * point + Fraction(int(c.p), int(c.q))
    return value


def _largest(p: sp.Poly, reach: Fraction) -> Fraction:
    """A bound of |p(x)| for |x| <= reach."""
    return sum((abs(Fraction(int(c.p), int(c.q))) * reach**k for (k,), c in p.terms()), Fraction(0))
