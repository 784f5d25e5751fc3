"""Powers, eigenvectors and orthonormal columns of matrices of Numbers, by mpmath.

Their errors: a stable algorithm gives the exact result of a matrix near the one it is given, so the bound is
how the result answers to a change of each entry, times what that entry brings and a few units of the norm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

from optverify.proof.evaluation import Compiled, Compiler, Misfit, Undefined
from optverify.vectors.kinds import KINDS
from optverify.vectors.noise import Noisy
from optverify.vectors.numbers import PRECISION, Exact, Number, multiplied

Matrix = Any
NUDGE = -PRECISION // 3
"""Exponent of the relative change by which a sensitivity is measured."""
LIMIT = 1e12
"""A sensitivity beyond this leaves no digits."""
STABLE = 8
"""Units of the norm, a row, that a stable algorithm is taken to change its argument by."""


def _power_of(x: Matrix, exponent: Any) -> Matrix:
    """By the eigenvalues; what is not positive stays 0."""
    values, vectors = mpmath.eigsy(x)
    limit = mpmath.ldexp(max(abs(v) for v in values), -PRECISION // 2)
    powers = [v**exponent if v > limit else mpmath.mpf(0) for v in values]
    return vectors * mpmath.diag(powers) * vectors.T


def _eigenvectors(x: Matrix) -> Matrix:
    """Columns, the largest eigenvalue first; the first entry of largest absolute value is positive."""
    values, vectors = mpmath.eigsy(x)
    n = x.rows
    apart = mpmath.ldexp(max(abs(v) for v in values), -PRECISION // 2)
    if any(values[i + 1] - values[i] <= apart for i in range(n - 1)):
        raise ValueError("eigenvectors of equal eigenvalues are not unique")
    made = mpmath.matrix(n, n)
    for j in range(n):
        column = [vectors[i, n - 1 - j] for i in range(n)]
        sign = mpmath.sign(max(column, key=abs))
        for i in range(n):
            made[i, j] = sign * column[i]
    return made


def _orthonormal(x: Matrix) -> Matrix:
    """Gram and Schmidt's columns, which have R > 0 on the diagonal."""
    columns: list[Any] = []
    for j in range(x.cols):
        column = x[:, j]
        for q in columns:
            column = column - q * (q.T * x[:, j])[0]
        if mpmath.norm(column) <= mpmath.ldexp(mpmath.norm(x[:, j]), -PRECISION // 2):
            raise ValueError("the basis of a matrix without full rank is not unique")
        columns.append(column / mpmath.norm(column))
    made = mpmath.matrix(x.rows, x.cols)
    for j, column in enumerate(columns):
        for i in range(x.rows):
            made[i, j] = column[i]
    return made


FUNCTIONS: dict[str, Callable[..., Matrix]] = {
    "power_of": _power_of, "eigenvectors": _eigenvectors, "orthonormal": _orthonormal,
}  # fmt: skip


class MatrixCompiler(Compiler):
    """Expressions with these operators too; a product is bounded in every order of its factors."""

    def _compile(self, e: Any) -> Compiled:
        made = super()._compile(e)
        if not (e.is_Mul and len(e.args) > 2 and isinstance(self.arithmetic, Exact)):
            return made
        parts = [self(a) for a in e.args]
        every = np.frompyfunc(lambda product, *factors: multiplied(factors, product), len(parts) + 1, 1)
        return lambda known: every(made(known), *(f(known) for f in parts))

    def _applied(self, e: Any, parts: list[Compiled]) -> Compiled:
        function = FUNCTIONS.get(type(e).__name__)
        if function is None:
            return super()._applied(e, parts)
        return lambda known: _lifted(function, *(f(known) for f in parts))


def _lifted(function: Callable[..., Matrix], x: Any, exponent: Any = None) -> Any:
    if not isinstance(x, np.ndarray) or x.ndim != 2 or any(isinstance(e, Undefined) for e in x.flat):
        raise Misfit("a matrix of numbers is needed")
    more = () if exponent is None else (_mp(exponent),)
    symmetric = function is not _orthonormal
    with mpmath.workprec(PRECISION):
        given = mpmath.matrix([[_mp(e) for e in row] for row in x])
        made = function(given, *more)
        if isinstance(x.flat[0], Noisy):
            return _noisy(made, x.flat[0])
        norm = max(abs(v) for v in given)
        step = mpmath.ldexp(norm, NUDGE)
        places = [(i, j) for i in range(given.rows) for j in range(given.cols) if not symmetric or i <= j]
        moved = []
        for i, j in places:
            nudged = given.copy()
            nudged[i, j] += step
            if symmetric and i != j:
                nudged[j, i] += step
            moved.append(((i, j), _slopes(function(nudged, *more), made, step)))
    size = float(norm)
    out = np.empty((made.rows, made.cols), dtype=object)
    for i in range(made.rows):
        for j in range(made.cols):
            errors = []
            for k, kind in enumerate(KINDS.values()):
                own = STABLE * len(x) * kind.unit * size
                brought = sum(answer[i][j] * (x[p].errors[k] + own) for p, answer in moved)
                errors.append(brought + STABLE * kind.unit * abs(float(made[i, j])))
            out[i, j] = Number(_exact(made[i, j]), (errors[0], errors[1]))
    return out


def _noisy(made: Matrix, like: Noisy) -> Any:
    """The result, each entry off by STABLE units of the largest: as stable algorithms do."""
    entries = [[float(made[i, j]) for j in range(made.cols)] for i in range(made.rows)]
    slip = STABLE * max(abs(e) for row in entries for e in row)
    source, out = like.source, np.empty((made.rows, made.cols), dtype=object)
    for i, row in enumerate(entries):
        for j, e in enumerate(row):
            out[i, j] = Noisy(e + source.rounded(slip).value - slip, source)
    return out


def _slopes(other: Matrix, made: Matrix, step: Any) -> list[list[float]]:
    """How far each entry of the result moves, for a change of one entry by 1."""
    found = (other - made) / step
    slopes = [[abs(float(found[a, b])) for b in range(made.cols)] for a in range(made.rows)]
    return [[math.inf if v > LIMIT else v for v in row] for row in slopes]


def _mp(x: Any) -> Any:
    exact = x.exact if isinstance(x, (Number, Noisy)) else Fraction(x)
    if isinstance(exact, Fraction):
        return mpmath.mpf(exact.numerator) / exact.denominator
    return mpmath.make_mpf(exact)


def _exact(x: Any) -> Any:
    return Fraction(0) if not x else x._mpf_
