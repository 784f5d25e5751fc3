"""Schur stability against numerically computed roots, and regions against wrong ones."""

import numpy as np
import pytest
import sympy as sp

from optverify.language import t, unit
from optverify.proof import NotProved, Refuted, is_schur, schur_conditions, show_stable_iff

z = sp.Symbol("z")


def test_schur_agrees_with_roots_of_random_polynomials():
    """Degrees 1 to 5, small rational coefficients: the conditions hold exactly when all |roots| < 1."""
    rng = np.random.default_rng(0)
    seen = {True: 0, False: 0}
    for _ in range(150):
        degree = int(rng.integers(1, 6))
        coefficients = [sp.Rational(int(c), 12) for c in rng.integers(-9, 10, degree)]
        p = sp.Poly([1, *coefficients], z)
        radius = max(abs(np.roots([float(c) for c in p.all_coeffs()])), default=0.0)
        if abs(radius - 1) < 1e-6:
            continue
        seen[bool(radius < 1)] += 1
        assert is_schur(p) == (radius < 1), p
    assert min(seen.values()) > 20


@pytest.mark.parametrize(
    ("roots", "stable"),
    [([1], False), ([-1], False), ([1, -1], False), ([sp.I, -sp.I], False), ([0, 0, 0], True)],
)
def test_the_circle_itself_is_unstable(roots, stable):
    assert is_schur(sp.Poly(sp.expand(sp.prod([z - r for r in roots])), z)) == stable


def test_a_negative_leading_coefficient_does_not_matter():
    assert is_schur(sp.Poly(-2 * z + 1, z))


def test_conditions_of_a_quadratic_are_jurys():
    a, b = sp.symbols("a b", real=True)
    found = {sp.expand(c) for c in schur_conditions(sp.Poly(z**2 + a * z + b, z))}
    assert found == {1 - a + b, 2 - 2 * b, 1 + a + b}


b = sp.Symbol("b", nonnegative=True)
q = sp.Symbol("q", real=True)
HEAVY_BALL = sp.Matrix([[1 + b - q, -b], [1, 0]])


def test_region_of_the_heavy_ball():
    show_stable_iff(HEAVY_BALL, [q, 2 * (1 + b) - q], "it", {b: unit})


@pytest.mark.parametrize("region", [[q, 2 - q], [q, 2 * (1 + b) - q, 1 - q], [2 * (1 + b) - q], [q]])
def test_wrong_regions_are_refuted_at_an_exact_point(region):
    with pytest.raises(Refuted, match="stable at "):
        show_stable_iff(HEAVY_BALL, region, "it", {b: unit})


def test_a_step_that_changes_with_time_is_not_decided():
    with pytest.raises(NotProved, match="changes with time"):
        show_stable_iff(sp.Matrix([[1 / (2 + t)]]), [], "it", {})
