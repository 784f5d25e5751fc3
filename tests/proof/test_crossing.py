"""Stability along a parameter: against numerically computed roots, and ends that are wrong."""

import numpy as np
import pytest
import sympy as sp

from optverify.language import Domain, t, unit
from optverify.proof import NotProved, Refuted, show_stable_between

b, c = sp.symbols("b c", nonnegative=True)
q = sp.Symbol("q", real=True)
WITHIN = {b: unit, c: unit}
BALL = sp.Matrix([[1 - q, b], [-q, b]])
TWO = sp.Matrix([[1 - q, b / 2, c / 2], [-q, b, 0], [-q, 0, c]])
"""The mean of two velocities, with damping b and c."""
TWO_END = 4 / (1 / (1 + b) + 1 / (1 + c))


def test_heavy_ball_and_two_velocities():
    show_stable_between(BALL, q, 2 * (1 + b), "it", WITHIN)
    show_stable_between(TWO, q, TWO_END, "it", WITHIN)


def test_the_end_of_two_velocities_by_numerical_roots():
    rng = np.random.default_rng(0)
    step = sp.lambdify((q, b, c), TWO)
    for beta, gamma in rng.uniform(0, 1, (20, 2)):
        end = float(TWO_END.subs({b: beta, c: gamma}))
        for share in (0.01, 0.3, 0.9, 0.99, 1.01, 2.0):
            radius = np.abs(np.linalg.eigvals(step(share * end, beta, gamma))).max()
            assert (radius < 1) == (share < 1)


@pytest.mark.parametrize("end", [2 + b, 2 * (1 + b) + 1, sp.Integer(2), (1 + b) ** 2])
def test_a_wrong_end_is_refuted_at_an_exact_point(end):
    with pytest.raises(Refuted, match="stable at "):
        show_stable_between(BALL, q, end, "it", WITHIN)


@pytest.mark.parametrize("matrix", [BALL - sp.eye(2), sp.eye(2) / 2, sp.eye(2), 2 * BALL])
def test_other_steps_are_refuted(matrix):
    with pytest.raises(Refuted):
        show_stable_between(matrix, q, 2 * (1 + b), "it", WITHIN)


def test_roots_that_leave_elsewhere_are_seen():
    """z^2 - (1 - q) z + q b leaves the disk at a complex pair for large b."""
    wide = {b: Domain(0, 4, low_open=False)}
    with pytest.raises(Refuted):
        show_stable_between(sp.Matrix([[1 - q, -q * b], [1, 0]]), q, sp.Integer(2), "it", wide)


def test_a_step_that_changes_with_time_is_not_decided():
    with pytest.raises(NotProved, match="changes with time"):
        show_stable_between(sp.Matrix([[1 - q / t]]), q, sp.Integer(2), "it", {})


def test_what_is_not_affine_in_the_parameter_is_not_decided():
    """Stable exactly for 0 < q < 2, but with q squared in the polynomial."""
    with pytest.raises(NotProved):
        show_stable_between(sp.Matrix([[1 - q, 0], [0, (1 - q) / 2]]), q, sp.Integer(2), "it", {})
