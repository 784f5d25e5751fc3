"""Exact semidefiniteness against eigenvalues, and interpolation certificates against wrong ones."""

import numpy as np
import pytest
import sympy as sp

from optverify.claims.convex import multipliers
from optverify.proof import (
    Interpolation,
    NotProved,
    Refuted,
    show_certificate,
    show_form_nonnegative,
    show_semidefinite,
)
from optverify.rules import rule

L = sp.Symbol("L", positive=True)


def test_numbers_agree_with_eigenvalues():
    """Random integer Gram matrices of any rank, shifted by multiples of the identity."""
    rng = np.random.default_rng(0)
    seen = {True: 0, False: 0}
    for _ in range(60):
        n, rank = int(rng.integers(1, 5)), int(rng.integers(1, 5))
        half = rng.integers(-3, 4, (n, rank))
        shift = int(rng.integers(-3, 2))
        matrix = half @ half.T + shift * np.eye(n, dtype=int)
        smallest = float(min(np.linalg.eigvalsh(matrix)))
        positive = smallest > -1e-9
        seen[positive] += 1
        try:
            show_semidefinite(sp.Matrix(matrix.tolist()), "it")
            assert positive, matrix
        except Refuted:
            assert not positive, matrix
    assert min(seen.values()) > 10


def test_symbols():
    a = sp.Symbol("a", positive=True)
    show_semidefinite(sp.Matrix([[a, 1], [1, 1 / a]]), "it")
    with pytest.raises(NotProved):
        show_semidefinite(sp.Matrix([[a, 1], [1, 1]]), "it")
    with pytest.raises(NotProved):
        show_semidefinite(sp.Matrix([[0, a], [a, 1]]), "it")


def test_a_pivot_that_may_be_zero_is_not_divided_by():
    n = sp.Symbol("n", nonnegative=True)
    with pytest.raises(NotProved, match="a pivot is n"):
        show_semidefinite(sp.Matrix([[n, 1], [1, 1 / n]]), "it")


def test_a_zero_pivot_with_a_nonzero_row_is_indefinite():
    with pytest.raises(Refuted, match="zero pivot"):
        show_semidefinite(sp.Matrix([[0, 1], [1, 5]]), "it")


def test_forms():
    x, y = sp.symbols("x y", real=True)
    show_form_nonnegative(L * (x - y) ** 2 + x**2, (x, y), "it")
    for wrong in (x**2 + y, x**2 + 1, x**4, 1 / x):
        with pytest.raises(NotProved, match="no quadratic form"):
            show_form_nonnegative(wrong, (x, y), "it")
    with pytest.raises(Refuted):
        show_form_nonnegative(x * y, (x, y), "it")


def test_interpolation_runs_the_rule_on_symbols():
    """Two updates of momentum visit x, x - lr g_0, and x - lr g_0 + b(-lr g_0) - lr g_1."""
    known = Interpolation.of(rule("momentum"), 2, L, {"lr": 1 / L})
    x, (d0, d1, _) = known.start, known.directions
    b = rule("momentum").hyperparameter("momentum").symbol
    visited = (x, x - d0, x - (1 + b) * d0 - d1, 0)
    assert all(sp.expand(p - q) == 0 for p, q in zip(known.points, visited, strict=True))


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_certificate_holds_for_its_rate_and_for_no_better_one(n):
    """The factor L/(4n+2) is certified; with any smaller one the same multipliers fail."""
    known = Interpolation.of(rule("gd"), n, L, {"lr": 1 / L})
    factor = L / (4 * n + 2)
    show_certificate(known, multipliers(n), factor, "it")
    with pytest.raises((Refuted, NotProved)):
        show_certificate(known, multipliers(n), factor * sp.Rational(99, 100), "it")


def test_a_certificate_needs_its_multipliers_and_its_step_size():
    known = Interpolation.of(rule("gd"), 3, L, {"lr": 1 / L})
    weights = multipliers(3)
    key = next(iter(weights))
    for wrong in ({**weights, key: weights[key] * 2}, {k: w for k, w in weights.items() if k != key}):
        with pytest.raises(NotProved, match="function values"):
            show_certificate(known, wrong, L / 14, "it")
    longer = Interpolation.of(rule("gd"), 3, L, {"lr": sp.Rational(19, 10) / L})
    with pytest.raises((Refuted, NotProved)):
        show_certificate(longer, weights, L / 14, "it")
    negative = {k: -w for k, w in weights.items()}
    with pytest.raises(Refuted, match="multiplier"):
        show_certificate(known, negative, L / 14, "it")
