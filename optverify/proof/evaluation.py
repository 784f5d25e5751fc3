"""Runs of a rule in any arithmetic: exact numbers, enclosures, floats with their error, NumPy arrays.

The recurrence is compiled once into functions that call Python's operators and the arithmetic's own
functions, so that one reader of expressions serves them all. Arrays are NumPy arrays, of objects where the
numbers are no floats; what has no value is UNDEFINED, which swallows everything, as a nan does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from typing import Any, Protocol

import numpy as np
import sympy as sp

from optverify.language import Rule, State, grad, t, theta
from optverify.language.operators import Operator
from optverify.proof.outcome import NotProved

Value = Any
"""A number of the arithmetic, or an array of them."""
Known = dict[sp.Symbol, Value]
Compiled = Callable[[Known], Value]


class Undefined:
    """The value of 0/0, of the root of a negative number, of shapes that do not fit."""

    def _stays(self, *others: Any) -> Undefined:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = __abs__ = _stays

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = Undefined()


class Arithmetic(Protocol):
    """What an expression needs besides + and *; each function takes numbers or arrays.

    undefined: what stands where there is no value.
    """

    undefined: Any

    def number(self, value: sp.Rational) -> Value:
        """A rational number."""

    def power(self, base: Value, exponent: Value) -> Value:
        """base ** exponent."""

    def call(self, name: str, *args: Value) -> Value:
        """exp, log, Abs, sign, Max, Min or Mod."""

    def relation(self, name: str, left: Value, right: Value) -> Any:
        """Truth of Eq, Ne, Gt, Ge, Lt or Le: bools."""

    def array(self, values: Any) -> Value:
        """An array of numbers."""

    def kept(self, value: Value) -> Value:
        """What is kept of a value between two lines: the same number, perhaps in fewer digits."""


def truth_in_objects(decide: Callable[[str, Any, Any], bool], name: str, left: Value, right: Value) -> Any:
    """decide(name, x, y) for all entries, as a bool or an array of bools."""
    found = np.frompyfunc(lambda x, y: decide(name, x, y), 2, 1)(left, right)
    return found.astype(bool) if isinstance(found, np.ndarray) else bool(found)


# ---- expressions ---------------------------------------------------------------------------------------


class Compiler:
    """Turns expressions into functions of a dict of values; equal subexpressions are compiled once.

    remembers: a value is worked out once, and kept in that dict: for formulas that repeat themselves much.
    """

    def __init__(self, arithmetic: Arithmetic, remembers: bool = False) -> None:
        self.arithmetic, self.remembers = arithmetic, remembers
        self._done: dict[sp.Basic, Compiled] = {}

    def __call__(self, e: sp.Basic) -> Compiled:
        """The function of e; NotProved for an expression this reader does not know."""
        found = self._done.get(e)
        if found is None:
            found = self._compile(e)
            if self.remembers and e.args:
                found = self._remembering(e, found)
            self._done[e] = found
        return found

    def _remembering(self, e: sp.Basic, function: Compiled) -> Compiled:
        def value(known: dict[sp.Basic, Value]) -> Value:
            if e not in known:
                known[e] = function(known)
            return known[e]

        return value

    def _compile(self, e: sp.Basic) -> Compiled:  # noqa: PLR0911 -- a kind of expression each
        if e.is_Symbol:
            return lambda known: known[e]
        if e.is_Rational:
            number = self.arithmetic.number(e)
            return lambda known: number
        if e in (sp.true, sp.false):
            truth = bool(e)
            return lambda known: truth
        if not e.args:  # the root of -1, an infinity
            return lambda known: self.arithmetic.undefined
        if e.is_Piecewise:
            return self._cases(e)
        parts = [self(a) for a in e.args]
        if e.is_Add:
            return lambda known: reduce(lambda x, y: x + y, [f(known) for f in parts])
        if e.is_Mul:
            return lambda known: reduce(lambda x, y: x * y, [f(known) for f in parts])
        return self._applied(e, parts)

    def _applied(self, e: sp.Basic, parts: list[Compiled]) -> Compiled:
        name, arithmetic = type(e).__name__, self.arithmetic
        if isinstance(e, Operator):
            if (function := OPERATORS.get(name)) is None:
                raise NotProved(f"no arithmetic for {name}")
            return lambda known: function(arithmetic, *(f(known) for f in parts))
        if e.is_Relational:
            name, (left, right) = RELATIONS[name], parts
            return lambda known: arithmetic.relation(name, left(known), right(known))
        if isinstance(e, (sp.And, sp.Or)):
            both = np.logical_and if isinstance(e, sp.And) else np.logical_or
            return lambda known: reduce(both, [f(known) for f in parts])
        if e.is_Pow:
            base, exponent = parts
            return lambda known: arithmetic.power(base(known), exponent(known))
        if name in ("Max", "Min"):
            return lambda known: reduce(lambda x, y: arithmetic.call(name, x, y), [f(known) for f in parts])
        if name in ("exp", "log", "Abs", "sign", "Mod"):
            return lambda known: arithmetic.call(name, *(f(known) for f in parts))
        raise NotProved(f"no arithmetic for {e}")

    def _cases(self, e: sp.Piecewise) -> Compiled:
        pairs = [(self(value), self(condition)) for value, condition in e.args]

        def value(known: Known) -> Value:
            """Only cases that apply somewhere are worked out: another one may divide by zero."""
            chosen: Value = self.arithmetic.undefined
            free: Any = True
            for case, condition in pairs:
                here = np.logical_and(free, condition(known))
                if not np.any(here):
                    continue
                made = case(known)
                if np.ndim(here) == 0 and free is True:
                    return made
                chosen = np.where(here, made, chosen)
                free = np.logical_and(free, np.logical_not(here))
                if not np.any(free):
                    break
            return chosen

        return value


RELATIONS = {
    "Equality": "Eq",
    "Unequality": "Ne",
    "StrictGreaterThan": "Gt",
    "GreaterThan": "Ge",
    "StrictLessThan": "Lt",
    "LessThan": "Le",
}


# ---- operators -----------------------------------------------------------------------------------------


class Misfit(Exception):  # noqa: N818 -- an outcome, no error
    """An operator met an array of a shape it is not for."""


def _array(x: Value, matrix: bool = False) -> Any:
    if not isinstance(x, np.ndarray):
        if matrix:
            raise Misfit(f"{x} is a number where a matrix is needed")
        return np.array([x], dtype=object)
    if matrix and x.ndim != 2:
        raise Misfit(f"an array of shape {x.shape} is no matrix")
    return x


def _total(x: Value) -> Value:
    return reduce(lambda a, b: a + b, _array(x).ravel().tolist())


def _root(arithmetic: Arithmetic, x: Value) -> Value:
    return arithmetic.power(x, arithmetic.number(sp.Rational(1, 2)))


def _norm(arithmetic: Arithmetic, x: Value) -> Value:
    return _root(arithmetic, _total(_array(x) * _array(x)))


def _share(arithmetic: Arithmetic, total: Value, count: int) -> Value:
    return total * arithmetic.number(sp.Rational(1, count))


def _mean(arithmetic: Arithmetic, x: Value) -> Value:
    return _share(arithmetic, _total(x), _array(x).size)


def _along(arithmetic: Arithmetic, x: Value, axis: int, join: Callable[[Value, Value], Value]) -> Value:
    """The numbers of each row (axis 1) or column (axis 0) joined; the side stays, with length 1."""
    lines = np.moveaxis(_array(x, matrix=True), axis, 0)
    return np.expand_dims(np.asarray(reduce(join, list(lines))), axis)


def _side_mean(axis: int) -> Callable[..., Value]:
    def mean(arithmetic: Arithmetic, x: Value) -> Value:
        total = _along(arithmetic, x, axis, lambda a, b: a + b)
        return _share(arithmetic, total, x.shape[axis])

    return mean


def _side_max(axis: int) -> Callable[..., Value]:
    return lambda arithmetic, x: _along(arithmetic, x, axis, lambda a, b: arithmetic.call("Max", a, b))


def _matmul(arithmetic: Arithmetic, x: Value, y: Value) -> Value:
    a, b = _array(x, matrix=True), _array(y, matrix=True)
    if a.shape[1] != b.shape[0]:
        raise Misfit(f"matrices of shapes {a.shape} and {b.shape} have no product")
    return a @ b


def _symmetric(arithmetic: Arithmetic, x: Value) -> Any:
    a = _array(x, matrix=True)
    if a.shape[0] != a.shape[1] or not np.all(arithmetic.relation("Eq", a, a.T)):
        raise Misfit("a symmetric matrix is needed, and this one is not")
    return a


def _power_of(arithmetic: Arithmetic, x: Value, exponent: Value) -> Value:
    """By the eigenvalues of a matrix of one or two rows; 0 stays 0 under every power."""
    a = _symmetric(arithmetic, x)
    if len(a) == 1:
        return arithmetic.array([[_eigenvalue_power(arithmetic, a[0, 0], exponent)]])
    if len(a) > 2:
        raise NotProved(f"no exact power of a matrix of {len(a)} rows")
    half = arithmetic.number(sp.Rational(1, 2))
    mean, gap = (a[0, 0] + a[1, 1]) * half, (a[0, 0] - a[1, 1]) * half
    radius = _root(arithmetic, gap * gap + a[0, 1] * a[1, 0])
    one = np.array([[arithmetic.number(sp.Integer(int(i == j))) for j in (0, 1)] for i in (0, 1)])
    if arithmetic.relation("Eq", radius, arithmetic.number(sp.Integer(0))):
        return one * _eigenvalue_power(arithmetic, mean, exponent)
    inverse = arithmetic.power(radius + radius, arithmetic.number(sp.Integer(-1)))
    high, low = mean + radius, mean + radius * arithmetic.number(sp.Integer(-1))
    onto = (a - one * low) * inverse
    away = (one * high - a) * inverse
    powers = (_eigenvalue_power(arithmetic, value, exponent) for value in (high, low))
    return sum((p * projection for p, projection in zip(powers, (onto, away), strict=True)), start=0 * one)


def _eigenvalue_power(arithmetic: Arithmetic, value: Value, exponent: Value) -> Value:
    zero = arithmetic.number(sp.Integer(0))
    return arithmetic.power(value, exponent) if arithmetic.relation("Gt", value, zero) else zero


def _orthonormal(arithmetic: Arithmetic, x: Value) -> Value:
    """Gram and Schmidt's columns."""
    a = _array(x, matrix=True)
    columns: list[Any] = []
    for j in range(a.shape[1]):
        column = a[:, j]
        for q in columns:
            column = column - q * _total(q * a[:, j])
        inverse = arithmetic.power(_norm(arithmetic, column), arithmetic.number(sp.Integer(-1)))
        columns.append(column * inverse)
    return np.stack(columns, axis=1)


OPERATORS: dict[str, Callable[..., Value]] = {
    "norm": _norm,
    "norm1": lambda arithmetic, x: _total(arithmetic.call("Abs", _array(x))),
    "inner": lambda arithmetic, x, y: _total(_array(x) * _array(y)),
    "mean": _mean,
    "rms": lambda arithmetic, x: _root(arithmetic, _mean(arithmetic, _array(x) * _array(x))),
    "rows": lambda arithmetic, x: arithmetic.number(sp.Integer(_array(x, matrix=True).shape[0])),
    "columns": lambda arithmetic, x: arithmetic.number(sp.Integer(_array(x, matrix=True).shape[1])),
    "row_mean": _side_mean(1),
    "column_mean": _side_mean(0),
    "row_max": _side_max(1),
    "column_max": _side_max(0),
    "matmul": _matmul,
    "transpose": lambda arithmetic, x: _array(x, matrix=True).T,
    "power_of": _power_of,
    "orthonormal": _orthonormal,
}  # fmt: skip
"""Operator -> its form in any arithmetic, as far as there is one."""


IN_ONE_DIMENSION: dict[str, Callable[..., sp.Expr]] = {
    "norm": sp.Abs,
    "norm1": sp.Abs,
    "inner": sp.Mul,
    "mean": lambda x: x,
    "rms": sp.Abs,
    "rows": lambda x: sp.Integer(1),
    "columns": lambda x: sp.Integer(1),
    "row_mean": lambda x: x,
    "column_mean": lambda x: x,
    "row_max": lambda x: x,
    "column_max": lambda x: x,
    "matmul": sp.Mul,
    "transpose": lambda x: x,
    "power_of": sp.Pow,
    "eigenvectors": lambda x: sp.Integer(1),
    "orthonormal": sp.sign,
}
"""Operator -> what it is for arrays of one number."""


def in_one_dimension(e: sp.Expr) -> sp.Expr:
    """The expression for a theta of one number, where a norm is an absolute value and a product is plain."""
    if not e.has(Operator):
        return e
    args = [in_one_dimension(a) for a in e.args]
    return IN_ONE_DIMENSION[type(e).__name__](*args) if isinstance(e, Operator) else e.func(*args)


# ---- runs ----------------------------------------------------------------------------------------------


class Runner:
    """A rule, compiled for an arithmetic. one_dimensional: as it acts on a theta of one number."""

    def __init__(self, rule: Rule, arithmetic: Arithmetic, one_dimensional: bool = False) -> None:
        self.rule, self.arithmetic = rule, arithmetic
        self.one_dimensional = one_dimensional
        shape = in_one_dimension if one_dimensional else (lambda e: e)
        compiled = Compiler(arithmetic)
        self.lines = [(lhs, compiled(shape(rhs))) for lhs, rhs in rule.assignments]
        self.point = compiled(shape(rule.gradient_point))
        self.first = {s: compiled(sp.sympify(s.initial)) for s in rule.states}
        self.states = (theta, *rule.states)

    def start(self, point: Value, given: Known) -> dict[sp.Symbol, Value]:
        """The states before the first update, each in its shape."""
        known = {**given, theta.before: point}
        begun = {s.before: self._shaped(s, self.first[s](known), point) for s in self.rule.states}
        return {theta.before: point, **begun}

    def _shaped(self, state: State, value: Value, point: Value) -> Value:
        if state.scalar or isinstance(value, np.ndarray) or not isinstance(point, np.ndarray):
            return value
        if not state.side or self.one_dimensional:
            return np.full(point.shape, value, dtype=point.dtype)
        m, n = point.shape
        if state.side in ("rows", "columns"):
            return np.full((m, 1) if state.side == "rows" else (1, n), value, dtype=point.dtype)
        side, zero = m if state.side == "left" else n, self.arithmetic.number(sp.Integer(0))
        return self.arithmetic.array([[value if i == j else zero for j in range(side)] for i in range(side)])

    def update(self, now: Known, given: Known, step: int, gradient: Any) -> dict[sp.Symbol, Value]:
        """The states after one more update. gradient: a value, or a function of the gradient point."""
        known = {**given, **now, t: self.arithmetic.number(sp.Integer(step))}
        known[grad] = gradient(self.point(known)) if callable(gradient) else gradient
        for lhs, line in self.lines:
            known[lhs] = self.arithmetic.kept(line(known))
        return {s.before: known[s.now] for s in self.states}

    def run(
        self, gradients: Iterable[Any], point: Value, given: Callable[[int], Known]
    ) -> Iterator[dict[str, Value]]:
        """The states before the first update and after each one, by name.

        given: the number of an update, 1, 2, ... -> the values of hyperparameters and inputs. A shape that
        does not fit makes the states UNDEFINED, and ends the run.
        """
        now = self.start(point, given(1))
        yield self._named(now)
        for step, gradient in enumerate(gradients, 1):
            try:
                now = self.update(now, given(step), step, gradient)
            except (Misfit, ValueError):  # NumPy's: shapes that cannot be broadcast
                now = {s.before: UNDEFINED for s in self.states}
            yield self._named(now)
            if any(value is UNDEFINED for value in now.values()):
                return

    def _named(self, now: Known) -> dict[str, Value]:
        return {s.name: now[s.before] for s in self.states}


def entries(value: Value) -> Sequence[Value]:
    """The numbers of a value, row by row."""
    return list(value.ravel().tolist()) if isinstance(value, np.ndarray) else [value]
