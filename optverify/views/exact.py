"""Exact runs of rules with norms, means and matrix products: numbers as expressions, arrays as matrices.

The operators are those of `optverify.language.operators`, with the conventions of their NumPy forms: 0 stays
0 under every power of a matrix, eigenvectors have a positive largest entry, R of a QR decomposition a
nonnegative diagonal. Where a result is not unique, or shapes do not fit, there is no value (ValueError).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from itertools import product
from operator import add, mul
from typing import Any

import sympy as sp

from optverify.language import Rule, State, grad, t, theta
from optverify.language.operators import Operator

Value = Any
"""A SymPy expression (a number) or a SymPy matrix; a vector is a matrix of one column."""
ROUNDED = sp.Rational(1, 10**40)
"""Numbers that were rounded on purpose, to 60 digits say, are 0 below this."""


def run_matrices(
    rule: Rule,
    gradients: Iterable[Any],
    start: Any,
    values: Mapping[str, Any] | None = None,
    tidy: Callable[[sp.Expr], sp.Expr] | None = None,
) -> list[dict[str, Value]]:
    """The states before the first update and after each one, theta among them: matrices and numbers.

    gradients: a matrix a step, or a function of the rule's gradient point; start: theta_0, a matrix.
    values: hyperparameter or input -> exact number, matrix, or a function of t = 1, 2, ...; hyperparameters
    not given stay symbols. tidy: applied to every number of every line, as sympy.cancel for symbolic runs.
    Floats are refused: an exact run is exact. ValueError where an update has no value.
    """
    values, tidy = values or {}, tidy or (lambda e: e)
    given = {h.symbol: values.get(h.name, h.symbol) for h in rule.hyperparameters}
    given |= {i.now: values[i.name] for i in rule.inputs}
    start = _exact(start)
    states = (theta, *rule.states)
    first = {**_at(given, 1), theta.before: start}
    now = {s.before: start if s is theta else _first(s, start, first) for s in states}
    history = [{s.name: now[s.before] for s in states}]
    for step, gradient in enumerate(gradients, 1):
        known = {**_at(given, step), **now, t: sp.Integer(step)}
        called = callable(gradient) and not isinstance(gradient, (sp.Basic, sp.MatrixBase))
        known[grad] = _exact(gradient(evaluate(rule.gradient_point, known)) if called else gradient)
        for lhs, rhs in rule.assignments:
            known[lhs] = finite(lhs, entrywise(tidy, evaluate(rhs, known)))
        now = {s.before: known[s.now] for s in states}
        history.append({s.name: now[s.before] for s in states})
    return history


def evaluate(e: Any, values: Mapping[sp.Symbol, Value]) -> Value:
    """An expression with numbers and matrices put in: operations go entry by entry, as in NumPy.

    A side of length 1 is repeated where another array is longer. Symbols without a value stay.
    """
    if e.is_Symbol:
        return values.get(e, e)
    if isinstance(e, sp.Piecewise):
        return _cases(e, values)
    parts = [evaluate(a, values) for a in e.args]
    if isinstance(e, Operator):
        return OPERATORS[type(e).__name__](*parts)
    if e.is_Add or e.is_Mul:
        return reduce(lambda a, b: entrywise(add if e.is_Add else mul, a, b), parts)
    return entrywise(e.func, *parts) if parts else e


def entrywise(function: Callable[..., Any], *values: Value) -> Value:
    """A function of numbers, on each entry of arrays; ValueError for shapes that do not fit."""
    shapes = [v.shape for v in values if _is_array(v)]
    if not shapes:
        return function(*values)
    m, n = (max(s[side] for s in shapes) for side in (0, 1))
    if any(s[0] not in (1, m) or s[1] not in (1, n) for s in shapes):
        raise ValueError(f"shapes {' and '.join(map(str, shapes))} do not fit")
    return _matrix(m, n, lambda i, j: function(*(_entry(v, i, j) for v in values)))


def finite(name: Any, value: Value) -> Value:
    """The value; ValueError where it holds a quotient by zero."""
    if (value if isinstance(value, sp.Basic) else sp.Tuple(*value)).has(sp.nan, sp.zoo, sp.oo, -sp.oo):
        raise ValueError(f"{name} is divided by zero")
    return value


def _is_array(value: Value) -> bool:
    return isinstance(value, (sp.MatrixBase, sp.NDimArray))


def _matrix(m: int, n: int, entry: Callable[[int, int], Any]) -> Value:
    """A matrix; of truth values, an array, as a SymPy matrix holds numbers alone."""
    entries = [sp.sympify(entry(i, j)) for i, j in product(range(m), range(n))]
    if any(e.is_Boolean or e.is_Relational for e in entries):
        return sp.ImmutableDenseNDimArray(entries, (m, n))
    return sp.ImmutableDenseMatrix(m, n, entries)


def _entry(value: Value, i: int, j: int) -> Any:
    if not _is_array(value):
        return value
    m, n = value.shape
    return value[i if m > 1 else 0, j if n > 1 else 0]


def _cases(e: sp.Piecewise, values: Mapping[sp.Symbol, Value]) -> Value:
    """Only the cases that may apply are worked out: another one may divide by zero."""
    kept: list[Value] = []
    for value, condition in e.args:
        truth = evaluate(condition, values)
        entries = set(truth) if _is_array(truth) else {truth}
        if entries == {sp.false}:
            continue
        kept += [evaluate(value, values), truth]
        if entries == {sp.true}:
            break
    if len(kept) == 2 and not _is_array(kept[1]) and kept[1] == sp.true:
        return kept[0]

    def chosen(*flat: Any) -> sp.Expr:
        return sp.Piecewise(*zip(flat[::2], flat[1::2], strict=True))

    return entrywise(chosen, *kept)


def _exact(value: Any) -> Value:
    if _is_array(value) or isinstance(value, (list, tuple)):
        value = sp.ImmutableDenseMatrix(value)
    else:
        value = sp.sympify(value)
    if value.atoms(sp.Float):
        raise TypeError(f"{value!r} has floats: give an exact run numbers such as sympy.Rational(1, 3)")
    return value


def _at(given: Mapping[sp.Symbol, Any], step: int) -> dict[sp.Symbol, Value]:
    """Every value at this step."""
    functions = {s for s, v in given.items() if callable(v) and not isinstance(v, (sp.Basic, sp.MatrixBase))}
    return {s: _exact(v(step) if s in functions else v) for s, v in given.items()}


def _first(state: State, start: Value, known: Mapping[sp.Symbol, Value]) -> Value:
    """A state before the first update, in its shape."""
    value = evaluate(sp.sympify(state.initial), known)
    if state.scalar or _is_array(value):
        return value
    m, n = start.shape
    rows, columns = {"rows": (m, 1), "columns": (1, n), "left": (m, m), "right": (n, n)}.get(
        state.side, (m, n)
    )
    diagonal = state.side in ("left", "right")
    return _matrix(rows, columns, lambda i, j: value if i == j or not diagonal else 0)


# ---- operators -----------------------------------------------------------------------------------------


def _norm(x: Value) -> sp.Expr:
    return sp.sqrt(sum(a**2 for a in _array(x)))


def _mean(x: Value) -> sp.Expr:
    return sp.Add(*_array(x)) / len(x)


def _row(x: Value, function: Callable[..., Any]) -> Value:
    m, n = _array(x).shape
    return _matrix(m, 1, lambda i, _: function(*(x[i, j] for j in range(n))))


def _column(x: Value, function: Callable[..., Any]) -> Value:
    m, n = _array(x).shape
    return _matrix(1, n, lambda _, j: function(*(x[i, j] for i in range(m))))


def _average(*numbers: sp.Expr) -> sp.Expr:
    return sp.Add(*numbers) / len(numbers)


def _matmul(x: Value, y: Value) -> Value:
    if _array(x).cols != _array(y).rows:
        raise ValueError(f"shapes {x.shape} and {y.shape} do not fit a product")
    return x * y


def _array(x: Value) -> Value:
    if not _is_array(x):
        raise ValueError(f"{x} is a number where an array is needed")
    return x


def _symmetric(x: Value) -> Value:
    if _array(x).rows != x.cols or not all(map(_vanishes, x - x.T)):
        raise ValueError(f"{x.tolist()} is not symmetric")
    return x


def _vanishes(e: sp.Expr) -> bool:
    """Zero, or what rounding by a `tidy` leaves of it."""
    return bool(sp.expand(e) == 0 or (e.is_Float and abs(e) < ROUNDED))


def _eigenvalues(x: Value) -> dict[sp.Expr, int]:
    """Eigenvalue -> multiplicity, of a symmetric matrix; ValueError if they have no closed form."""
    if x.is_diagonal():
        values = [x[i, i] for i in range(x.rows)]
        return {v: values.count(v) for v in values}
    if x.rows == 2:
        half, root = x.trace() / 2, sp.sqrt(sp.factor((x[0, 0] - x[1, 1]) ** 2 / 4 + x[0, 1] ** 2))
        return {half + root: 1, half - root: 1}
    polynomial = x.charpoly()
    found = sp.roots(polynomial)
    if sum(found.values()) < x.rows:
        raise ValueError(f"the eigenvalues of {x.tolist()} have no closed form")
    return {sp.sympify(v): k for v, k in found.items()}


def _positive_power(value: sp.Expr, exponent: sp.Expr) -> sp.Expr:
    """A power of an eigenvalue; what is not positive counts as 0, which stays 0."""
    if value.is_positive:
        return value**exponent
    if value.is_nonpositive:
        return sp.Integer(0)
    raise ValueError(f"the sign of the eigenvalue {value} is open")


def _power_of(x: Value, exponent: sp.Expr) -> Value:
    """The sum of powers of the eigenvalues times the projections onto their spaces."""
    values = list(_eigenvalues(_symmetric(x)))
    one = sp.ImmutableDenseMatrix.eye(x.rows)
    total = sp.ImmutableDenseMatrix.zeros(x.rows, x.rows)
    for value in values:
        others = ((x - other * one) / (value - other) for other in values if other != value)
        total += _positive_power(value, exponent) * reduce(mul, others, one)
    return total


def _eigenvectors(x: Value) -> Value:
    """Columns, the largest eigenvalue first; the first entry of largest absolute value is positive."""
    values = _eigenvalues(_symmetric(x))
    if set(values.values()) != {1}:
        raise ValueError(f"the eigenvectors of {x.tolist()} are not unique: it has an eigenvalue twice")
    columns = []
    for value in sorted(values, reverse=True):
        (vector,) = (x - value * sp.ImmutableDenseMatrix.eye(x.rows)).nullspace(simplify=True)
        entries = list(vector)
        largest = max(entries, key=abs)
        columns.append(vector * sp.sign(largest) / _norm(vector))
    return sp.ImmutableDenseMatrix.hstack(*columns)


def _orthonormal(x: Value) -> Value:
    """Gram and Schmidt's columns, which have the decomposition's R > 0 on the diagonal."""
    columns: list[Value] = []
    for j in range(_array(x).cols):
        column = x[:, j]
        for q in columns:
            column -= q * (q.T * x[:, j])[0]
        length = sp.sqrt(sp.factor(sum(e**2 for e in column)))
        if length.is_zero:
            raise ValueError(f"the columns of {x.tolist()} are dependent: its Q is not unique")
        columns.append(column / length)
    return sp.ImmutableDenseMatrix.hstack(*columns)


OPERATORS: dict[str, Callable[..., Value]] = {
    "norm": _norm,
    "norm1": lambda x: sp.Add(*map(abs, _array(x))),
    "inner": lambda x, y: sp.Add(*_array(entrywise(mul, x, y))),
    "mean": _mean,
    "rms": lambda x: _norm(x) / sp.sqrt(len(x)),
    "rows": lambda x: sp.Integer(_array(x).shape[0]),
    "columns": lambda x: sp.Integer(_array(x).shape[1]),
    "row_mean": lambda x: _row(x, _average),
    "column_mean": lambda x: _column(x, _average),
    "row_max": lambda x: _row(x, sp.Max),
    "column_max": lambda x: _column(x, sp.Max),
    "matmul": _matmul,
    "transpose": lambda x: _array(x).T,
    "power_of": _power_of,
    "eigenvectors": _eigenvectors,
    "orthonormal": _orthonormal,
}
"""Name of an operator -> its exact form."""
