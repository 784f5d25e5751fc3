"""Finding certificates: a solver proposes multipliers, exact arithmetic repairs them (the extra `pep`).

Nothing here is trusted: what comes out is checked by show_certificate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np

from optverify.proof.certificates import Certificate, Pair, show_certificate
from optverify.proof.outcome import Missing, NotProved, Refuted
from optverify.proof.performance import STAR, FunctionClass, Matrix, Measure, Path, Vector, between, bounded
from optverify.proof.performance import product as form_of

SMALL = 1e-6
"""Multipliers below this are tried without."""


class _Dual:
    """The dual program for a given rate: multipliers w >= 0 with A w = b and C + sum of w_k Q_k semidefinite.

    kernel: vectors that the matrix must send to 0; at a tight rate those of the worst functions.
    """

    def __init__(
        self, path: Path, family: FunctionClass, measure: Measure, rate: Fraction, kernel: Sequence[Vector]
    ) -> None:
        self.path, self.measure, self.rate = path, measure, rate
        n = path.horizon
        self.keys: list[Any] = list(permutations([STAR, *range(n + 1)], 2))
        known = [between(path, family, *pair) for pair in self.keys]
        if not family.smooth:
            self.keys += list(range(n + 1))
            known += [bounded(path, i) for i in range(n + 1)]
        x = tuple(Fraction(k == 0) for k in range(n + 2))
        self.size = n + 2
        self.constant = _scaled(form_of(x, x), rate)
        if measure == "distance":
            self.constant = _plus(
                self.constant, _scaled(form_of(path.points[-1], path.points[-1]), Fraction(-1))
            )
        # a bound spends a part of the rate, which |x_0|^2 then lacks
        self.forms = [
            _plus(_scaled(k.form, Fraction(-1)), _scaled(form_of(x, x), -k.constant)) for k in known
        ]
        self.rows: list[list[Fraction]] = []
        self.right: list[Fraction] = []
        if measure == "best gap":
            self._equation([-sum(k.values) for k in known], Fraction(1))
            self.means = [[-k.values[i] for k in known] for i in range(n + 1)]
        else:
            self.means = []
            for i in range(n + 1):
                self._equation([-k.values[i] for k in known], Fraction(measure == "gap" and i == n))
        for vector in kernel:
            for i in range(self.size):
                row = [sum((m[i][j] * vector[j] for j in range(self.size)), Fraction(0)) for m in self.forms]
                fixed = sum((self.constant[i][j] * vector[j] for j in range(self.size)), Fraction(0))
                self._equation(row, -fixed)
        self.kernel = kernel

    def _equation(self, row: list[Any], right: Fraction) -> None:
        if any(row) or right:
            self.rows.append([Fraction(c) for c in row])
            self.right.append(right)

    def solve(self, support: Sequence[int]) -> list[float] | None:
        """Multipliers in float64 as far inside as the support allows, or None."""
        cp = _cvxpy()
        w, inside = cp.Variable(len(support)), cp.Variable()
        matrix = _floats(self.constant) + sum(w[k] * _floats(self.forms[i]) for k, i in enumerate(support))
        basis = _complement([list(map(float, v)) for v in self.kernel], self.size)
        conditions = [w >= inside / 10, inside <= 1]
        conditions += [basis.T @ matrix @ basis >> inside * np.eye(basis.shape[1])]
        for row, right in zip(self.rows, self.right, strict=True):
            conditions.append(np.array([float(row[i]) for i in support]) @ w == float(right))
        conditions += [np.array([float(m[i]) for i in support]) @ w >= 0 for m in self.means]
        program = cp.Problem(cp.Maximize(inside), conditions)
        program.solve(solver="CLARABEL")
        if w.value is None or inside.value < -1e-5:
            return None
        return [float(c) for c in w.value]

    def repaired(self, support: Sequence[int], found: Sequence[float], digits: int) -> Certificate | None:
        """Multipliers as fractions that balance exactly, near those found."""
        near = [Fraction(c).limit_denominator(digits) for c in found]
        exact = solve_near([[row[i] for i in support] for row in self.rows], self.right, near)
        if exact is None:
            return None
        chosen = {self.keys[i]: w for i, w in zip(support, exact, strict=True) if w}
        pairs: dict[Pair, Fraction] = {k: w for k, w in chosen.items() if isinstance(k, tuple)}
        return Certificate(self.rate, pairs, {k: w for k, w in chosen.items() if not isinstance(k, tuple)})


def find_certificate(
    path: Path,
    family: FunctionClass,
    measure: Measure,
    rate: Fraction,
    *,
    kernel: Sequence[Vector] = (),
    prefer: Iterable[Pair] = (),
) -> Certificate:
    """Multipliers that certify the rate. Raises NotProved if none are found, Missing without the extra `pep`.

    kernel: for a tight rate, (x_0, g_0, ..., g_N) of functions in dimension 1 that attain it.
    prefer: pairs of points to try alone before all are.
    """
    dual = _Dual(path, family, measure, rate, kernel)
    everything = range(len(dual.keys))
    first = [k for k in everything if dual.keys[k] in set(prefer) or isinstance(dual.keys[k], int)]
    for start in ([first] if list(prefer) else []) + [list(everything)]:
        support = start
        while (found := dual.solve(support)) is not None:
            for digits in (100, 10**4, 10**7, 10**10):
                certificate = dual.repaired(support, found, digits)
                if certificate is not None and _certifies(path, family, measure, certificate):
                    return certificate
            fewer = [i for i, w in zip(support, found, strict=True) if w > SMALL]
            if len(fewer) == len(support):
                break
            support = fewer
    raise NotProved(f"no certificate found for the rate {rate}")


def smallest_rate(path: Path, family: FunctionClass, measure: Measure) -> float:
    """The optimum of the dual program in float64, by cvxpy: what a certificate's rate must exceed."""
    cp = _cvxpy()
    dual = _Dual(path, family, measure, Fraction(0), ())
    w, rate = cp.Variable(len(dual.keys), nonneg=True), cp.Variable()
    corner = np.zeros((dual.size, dual.size))
    corner[0, 0] = 1
    matrix = _floats(dual.constant) + rate * corner
    matrix = matrix + sum(w[k] * _floats(m) for k, m in enumerate(dual.forms))
    conditions = [matrix >> 0]
    for row, right in zip(dual.rows, dual.right, strict=True):
        conditions.append(np.array([float(c) for c in row]) @ w == float(right))
    conditions += [np.array([float(c) for c in m]) @ w >= 0 for m in dual.means]
    program = cp.Problem(cp.Minimize(rate), conditions)
    program.solve(solver="CLARABEL")
    if rate.value is None:
        raise NotProved("the solver finds no finite rate")
    return float(rate.value)


def _certifies(path: Path, family: FunctionClass, measure: Measure, certificate: Certificate) -> bool:
    try:
        show_certificate(path, family, measure, certificate, "it")
    except (NotProved, Refuted):
        return False
    return True


def solve_near(
    rows: Sequence[Sequence[Fraction]], right: Sequence[Fraction], near: Sequence[Fraction]
) -> list[Fraction] | None:
    """A solution x of rows x = right, equal to near but at the pivots of an elimination, or None."""
    system = [[*row, b] for row, b in zip(rows, right, strict=True)]
    pivots: list[int] = []
    # eliminate the largest multipliers: a correction of theirs does not turn them negative
    for column in sorted(range(len(near)), key=lambda k: -near[k]):
        done = len(pivots)
        chosen = next((r for r in range(done, len(system)) if system[r][column]), None)
        if chosen is None:
            continue
        system[done], system[chosen] = system[chosen], system[done]
        pivot = system[done]
        pivot[:] = [c / pivot[column] for c in pivot]
        for r, row in enumerate(system):
            if r != done and row[column]:
                row[:] = [a - row[column] * b for a, b in zip(row, pivot, strict=True)]
        pivots.append(column)
    if any(row[-1] for row in system[len(pivots) :]):
        return None
    x = list(near)
    for row, column in zip(system, pivots, strict=False):
        x[column] = row[-1] - sum((row[k] * x[k] for k in range(len(x)) if k not in pivots), Fraction(0))
    return x


def _cvxpy() -> Any:
    try:
        import cvxpy
    except ImportError:
        raise Missing("cvxpy", "pep") from None
    return cvxpy


def _floats(matrix: Matrix) -> np.ndarray:
    return np.array([[float(c) for c in row] for row in matrix])


def _scaled(matrix: Matrix, factor: Fraction) -> Matrix:
    return [[factor * c for c in row] for row in matrix]


def _plus(a: Matrix, b: Matrix) -> Matrix:
    return [[x + y for x, y in zip(r, s, strict=True)] for r, s in zip(a, b, strict=True)]


def _complement(vectors: Sequence[Sequence[float]], size: int) -> np.ndarray:
    """An orthonormal basis of what is orthogonal to the vectors."""
    if not vectors:
        return np.eye(size)
    _, values, right = np.linalg.svd(np.array(vectors))
    rank = int((values > 1e-9).sum())
    return np.asarray(right[rank:].T)
