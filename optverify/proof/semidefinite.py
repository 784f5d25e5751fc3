"""Positive semidefinite matrices and quadratic forms, by exact elimination (LDL^T).

A quadratic form in vectors has the Gram matrix of the same form in scalars: an identity shown for
commuting scalars holds for inner products in every dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy as sp

from optverify.proof.outcome import NotProved, Refuted
from optverify.proof.points import in_words, points, value_at
from optverify.proof.signs import has_sign


def show_semidefinite(matrix: sp.Matrix, what: str) -> None:
    """Show that a symmetric matrix of rational expressions is positive semidefinite for all their symbols.

    Eliminates from the first row on: a pivot must be positive, or zero with a zero row. Raises Refuted for a
    matrix of numbers that is not, NotProved where this order of elimination does not settle it.
    """
    _show_at_points(matrix, what)
    m = matrix.applyfunc(sp.factor)
    while m.rows:
        pivot, row = m[0, 0], m[0, 1:]
        if pivot == 0 and any(row):
            failure = f"{what} is not positive semidefinite: a zero pivot has a nonzero row {list(row)}"
            raise NotProved(failure) if row.free_symbols else Refuted(failure)
        if pivot.is_Number and pivot < 0:
            raise Refuted(f"{what} is not positive semidefinite: a pivot is {pivot}")
        if not has_sign(pivot, {}, strict=any(row)):
            raise NotProved(f"{what} is not shown positive semidefinite: a pivot is {pivot}")
        rest = m[1:, 1:]
        m = (rest - row.T * row / pivot).applyfunc(sp.factor) if any(row) else rest


def _show_at_points(matrix: sp.Matrix, what: str) -> None:
    """Show it at a few points first: elimination with symbols is slow where it must fail."""
    symbols = matrix.free_symbols
    for point in points(symbols, {}, 4) if symbols else ():
        numbers = [[value_at(c, point) for c in matrix.row(i)] for i in range(matrix.rows)]
        if all(c.is_Rational for row in numbers for c in row):
            fractions = [[Fraction(int(c.p), int(c.q)) for c in row] for row in numbers]
            if not is_semidefinite(fractions):
                raise NotProved(f"{what} is not positive semidefinite at {in_words(point)}")


def is_semidefinite(matrix: Sequence[Sequence[Fraction]]) -> bool:
    """True if a symmetric matrix of fractions is positive semidefinite, exactly and fast."""
    m = [list(row) for row in matrix]
    for k, row in enumerate(m):
        pivot = row[k]
        if pivot < 0 or (pivot == 0 and any(row[k:])):
            return False
        for lower in m[k + 1 :]:
            if lower[k]:
                factor = lower[k] / pivot
                for j in range(k, len(m)):
                    lower[j] -= factor * row[j]
    return True


def show_form_nonnegative(form: sp.Expr, variables: Sequence[sp.Symbol], what: str) -> None:
    """Show that a quadratic form in the variables is >= 0 for all of them, in every dimension.

    Raises NotProved if it is no quadratic form, else as show_semidefinite.
    """
    index = {v: i for i, v in enumerate(variables)}
    matrix = sp.zeros(len(index))
    no_form = f"{what} is no quadratic form in {', '.join(map(str, variables))}: {form}"
    try:
        polynomial = sp.Poly(form, *variables)
    except sp.PolynomialError:
        raise NotProved(no_form) from None
    for powers, coefficient in polynomial.terms():
        factors = [v for v, power in zip(variables, powers, strict=True) for _ in range(power)]
        weight = sp.factor(coefficient)
        if weight == 0:
            continue
        if len(factors) != 2:
            raise NotProved(no_form)
        i, j = (index[v] for v in factors)
        matrix[i, j] += weight / 2
        matrix[j, i] += weight / 2
    show_semidefinite(matrix, what)
