"""Named operators of rules that are not elementwise: norms, means over rows and columns, products.

Each has a LaTeX form, a stated shape, and a NumPy form of the same name in `optverify/steps/_operators.py`.
A matrix has m rows and n columns; means and maxima over a side keep it as length 1, so that results
broadcast against the matrix.
"""

from __future__ import annotations

from typing import Any

import sympy as sp


class Operator(sp.Function):  # type: ignore[misc]
    """A named operator. `scalar`: its value is one number; `tex`: LaTeX with {0}, {1} for the arguments."""

    scalar = False
    matrix = False  # it asks for a matrix
    tex = ""

    def _eval_is_commutative(self) -> bool:
        return True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        tex = self.tex.format(*(printer._print(a) for a in self.args))
        return tex if exp is None else rf"{tex}^{{{exp}}}"

    def _pythoncode(self, printer: Any) -> str:
        return f"{self.func.__name__}({', '.join(printer._print(a) for a in self.args)})"


class norm(Operator):  # noqa: N801
    """Euclidean (for a matrix, Frobenius) norm: a number."""

    nargs = 1
    scalar = True
    tex = r"\lVert {0} \rVert"

    def _eval_is_nonnegative(self) -> bool:
        return True


class norm1(Operator):  # noqa: N801
    """Sum of the absolute values: a number."""

    nargs = 1
    scalar = True
    tex = r"\lVert {0} \rVert_1"

    def _eval_is_nonnegative(self) -> bool:
        return True


class inner(Operator):  # noqa: N801
    """Inner product of two arrays of one shape: a number."""

    nargs = 2
    scalar = True
    tex = r"\langle {0}, {1} \rangle"


class mean(Operator):  # noqa: N801
    """Mean of all numbers: a number."""

    nargs = 1
    scalar = True
    tex = r"\mathrm{{mean}}({0})"


class rms(Operator):  # noqa: N801
    """Root of the mean square: a number."""

    nargs = 1
    scalar = True
    tex = r"\mathrm{{RMS}}({0})"

    def _eval_is_nonnegative(self) -> bool:
        return True


class rows(Operator):  # noqa: N801
    """How many rows a matrix has: a number."""

    nargs = 1
    scalar = True
    matrix = True
    tex = "m"

    def _eval_is_positive(self) -> bool:
        return True


class columns(Operator):  # noqa: N801
    """How many columns a matrix has: a number."""

    nargs = 1
    scalar = True
    matrix = True
    tex = "n"

    def _eval_is_positive(self) -> bool:
        return True


class row_mean(Operator):  # noqa: N801
    """Mean over the columns of each row: (m, n) -> (m, 1)."""

    nargs = 1
    matrix = True
    tex = r"\mathrm{{rowmean}}({0})"


class column_mean(Operator):  # noqa: N801
    """Mean over the rows of each column: (m, n) -> (1, n)."""

    nargs = 1
    matrix = True
    tex = r"\mathrm{{colmean}}({0})"


class row_max(Operator):  # noqa: N801
    """Largest number of each row: (m, n) -> (m, 1)."""

    nargs = 1
    matrix = True
    tex = r"\max_{{\mathrm{{row}}}}({0})"


class column_max(Operator):  # noqa: N801
    """Largest number of each column: (m, n) -> (1, n)."""

    nargs = 1
    matrix = True
    tex = r"\max_{{\mathrm{{col}}}}({0})"


class matmul(Operator):  # noqa: N801
    """Matrix product: (m, k), (k, n) -> (m, n)."""

    nargs = 2
    matrix = True
    tex = r"{0} {1}"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        parts = [printer._print(a) for a in self.args]
        pairs = zip(parts, self.args, strict=True)
        return " ".join(rf"\left({p}\right)" if a.is_Add else p for p, a in pairs)


class transpose(Operator):  # noqa: N801
    """Transpose: (m, n) -> (n, m)."""

    nargs = 1
    matrix = True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        inside = printer._print(self.args[0])
        plain = self.args[0].is_Symbol and "^" not in inside
        return rf"{inside}^\top" if plain else rf"\left({inside}\right)^\top"


class power_of(Operator):  # noqa: N801
    """Power of a symmetric positive semidefinite matrix: (n, n), number -> (n, n)."""

    nargs = 2
    matrix = True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        return rf"{{{printer._print(self.args[0])}}}^{{{printer._print(self.args[1])}}}"


class eigenvectors(Operator):  # noqa: N801
    """Eigenvectors of a symmetric matrix as columns, the largest eigenvalue first: (n, n) -> (n, n)."""

    nargs = 1
    matrix = True
    tex = r"\mathrm{{eigenvectors}}({0})"


class orthonormal(Operator):  # noqa: N801
    """Q of the decomposition A = Q R with diag(R) >= 0: (n, n) -> (n, n)."""

    nargs = 1
    matrix = True
    tex = r"\mathrm{{QR}}({0})"
