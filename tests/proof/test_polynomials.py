"""Images of intervals under polynomials, against many points."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from optverify.proof.polynomials import DIGITS, image

x = sp.Symbol("x")


@pytest.mark.parametrize(
    ("e", "low", "high"),
    [
        (x**2, -1, 2),
        (x**3 - x, -2, 2),
        (sp.Rational("3.4445") * x - sp.Rational("4.775") * x**3 + sp.Rational("2.0315") * x**5, 0, 1),
        (5 * x - 1, 0, 3),
        (sp.Integer(7), 0, 3),
    ],
)
def test_the_ends_are_reached_and_not_passed(e, low, high):
    found = image(sp.Poly(e, x), Fraction(low), Fraction(high))
    points = np.linspace(low, high, 100_001)
    values = sp.lambdify(x, e)(points) * np.ones(points.size)
    ends = [float(f) for f in found]
    assert ends[0] <= values.min() <= ends[0] + 1e-6
    assert ends[1] - 1e-6 <= values.max() <= ends[1]


def test_exact_ends_stay():
    assert image(sp.Poly(x**2, x), Fraction(-1, 2), Fraction(1, 4)) == (0, Fraction(1, 4))
    assert image(sp.Poly(x, x), Fraction(1, 3), Fraction(2, 3)) == (
        Fraction(333333333, DIGITS), Fraction(666666667, DIGITS)
    )  # fmt: skip
