"""Positive semidefinite matrices and quadratic forms, by exact elimination (LDL^T).

A quadratic form in vectors has the Gram matrix of the same form in scalars: an identity shown for
commuting scalars holds for inner products in every dimension.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from optverify.proof.algebra import vanishes
from optverify.proof.outcome import NotProved, Refuted
from optverify.proof.signs import show_nonnegative, show_positive


def show_semidefinite(matrix: sp.Matrix, what: str) -> None:
    """Show that a symmetric matrix is positive semidefinite for all values of its symbols.

    Eliminates from the first row on; a pivot must be positive, or zero with a zero row. Raises Refuted for a
    matrix of numbers that is not, NotProved where the order of elimination does not settle it.
    """
    m = matrix.applyfunc(sp.factor)
    numbers = not m.free_symbols
    while m.rows:
        pivot, row = m[0, 0], m[0, 1:]
        if vanishes(pivot):
            if not all(map(vanishes, row)):
                failure = f"{what} is not positive semidefinite: a zero pivot has a nonzero row"
                raise Refuted(failure) if numbers else NotProved(failure)
            m = m[1:, 1:]
            continue
        if row and any(not vanishes(e) for e in row):
            show_positive(pivot, f"{what}: a pivot")
            m = (m[1:, 1:] - row.T * row / pivot).applyfunc(sp.factor)
        else:
            show_nonnegative(pivot, f"{what}: a pivot")
            m = m[1:, 1:]


def show_form_nonnegative(form: sp.Expr, variables: Sequence[sp.Symbol], what: str) -> None:
    """Show that a quadratic form in the variables is >= 0 for all of them, in every dimension.

    Raises NotProved if it is no quadratic form, else as show_semidefinite.
    """
    hessian = sp.hessian(sp.expand(form), list(variables))
    x = sp.Matrix(list(variables))
    if not vanishes(form - (x.T * hessian * x)[0] / 2):
        raise NotProved(f"{what} is no quadratic form in {', '.join(map(str, variables))}: {form}")
    show_semidefinite(hessian, what)
