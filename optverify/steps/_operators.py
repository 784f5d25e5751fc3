"""The named operators of `optverify.language.operators` in NumPy.

What is one number comes back as a Python float: it leaves the type of the arrays it multiplies as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def norm(x: Array) -> float:
    """Euclidean (Frobenius) norm, scaled so that squares neither overflow nor vanish."""
    largest = float(np.max(np.abs(x), initial=0))
    if not 0 < largest < np.inf:
        return largest
    y = np.asarray(x / largest)
    return largest * float(np.sqrt(np.sum(y * y)))


def norm1(x: Array) -> float:
    """Sum of the absolute values."""
    return float(np.sum(np.abs(x)))


def inner(x: Array, y: Array) -> float:
    """Inner product."""
    return float(np.sum(x * y))


def mean(x: Array) -> float:
    """Mean of all numbers."""
    return float(np.mean(x))


def rms(x: Array) -> float:
    """Root of the mean square."""
    return norm(x) / float(np.sqrt(x.size)) if x.size else 0.0


def rows(x: Array) -> float:
    """The number of rows."""
    return float(x.shape[0])


def columns(x: Array) -> float:
    """The number of columns."""
    return float(x.shape[1])


def row_mean(x: Array) -> Array:
    """(m, n) -> (m, 1)."""
    return np.asarray(np.mean(x, axis=1, keepdims=True))


def column_mean(x: Array) -> Array:
    """(m, n) -> (1, n)."""
    return np.asarray(np.mean(x, axis=0, keepdims=True))


def row_max(x: Array) -> Array:
    """(m, n) -> (m, 1)."""
    return np.asarray(np.max(x, axis=1, keepdims=True))


def column_max(x: Array) -> Array:
    """(m, n) -> (1, n)."""
    return np.asarray(np.max(x, axis=0, keepdims=True))


def matmul(x: Array, y: Array) -> Array:
    """Matrix product."""
    return np.asarray(x @ y)


def transpose(x: Array) -> Array:
    """Transpose."""
    return x.T


def power_of(x: Array, exponent: float) -> Array:
    """Power of a symmetric positive semidefinite matrix, by its eigenvalues; 0 stays 0 for every power."""
    values, vectors = np.linalg.eigh(x)
    values = np.maximum(values, 0)
    scaled = np.where(values > 0, values, 1) ** exponent * (values > 0)
    return np.asarray((vectors * scaled.astype(x.dtype)) @ vectors.T)


def eigenvectors(x: Array) -> Array:
    """Eigenvectors of a symmetric matrix as columns, the largest eigenvalue first.

    The entry of largest absolute value in each is positive: LAPACK leaves the sign open.
    """
    vectors = np.linalg.eigh(x)[1][:, ::-1]
    largest = np.take_along_axis(vectors, np.argmax(np.abs(vectors), axis=0)[None], axis=0)
    return np.where(largest < 0, -vectors, vectors)


def orthonormal(x: Array) -> Array:
    """Q of A = Q R with diag(R) >= 0, which makes it unique where A has full rank."""
    q, r = np.linalg.qr(x)
    return np.where(np.diag(r) < 0, -q, q)


def square(x: float) -> float:
    """x*x, infinite where it overflows: Python's ** raises."""
    return x * x


def larger(x: float, y: float) -> float:
    """The larger number; NaN if one of them is, which Python's max may drop."""
    return float(np.maximum(x, y))


def smaller(x: float, y: float) -> float:
    """The smaller number; NaN if one of them is."""
    return float(np.minimum(x, y))
