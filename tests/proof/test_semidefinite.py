"""Exact semidefiniteness against eigenvalues."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from optverify.proof import NotProved, Refuted, show_form_nonnegative, show_semidefinite
from optverify.proof.semidefinite import is_semidefinite

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


def test_fractions_agree_with_symbols():
    rng = np.random.default_rng(1)
    seen = {True: 0, False: 0}
    for _ in range(60):
        n, rank = int(rng.integers(1, 6)), int(rng.integers(1, 6))
        half = rng.integers(-3, 4, (n, rank))
        matrix = half @ half.T + int(rng.integers(-2, 2)) * np.eye(n, dtype=int)
        found = is_semidefinite([[Fraction(int(c), 7) for c in row] for row in matrix])
        assert found == (float(min(np.linalg.eigvalsh(matrix))) > -1e-9), matrix
        seen[found] += 1
    assert min(seen.values()) > 10


def test_a_matrix_with_symbols_that_fails_somewhere_is_not_shown():
    a = sp.Symbol("a", positive=True)
    with pytest.raises(NotProved, match="not positive semidefinite at a = "):
        show_semidefinite(sp.Matrix([[a, 2 * a], [2 * a, a]]), "it")
