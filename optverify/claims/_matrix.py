"""Rules on matrices: one update line by line, and how each line turns when a matrix is turned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp

from optverify.language import Rule, grad, theta
from optverify.language.operators import Operator
from optverify.proof import NotProved
from optverify.views.exact import evaluate, finite, run_matrices

Side = tuple[str, str]
"""("U", "V") for what becomes U X V^T when the matrix of weights does, () for what stays as it is."""

quarter = sp.ImmutableDenseMatrix([[3, -4], [4, 3]]) / 5
other = sp.ImmutableDenseMatrix([[5, -12], [12, 5]]) / 13
"""Two rotations with rational entries."""


def symbols(name: str, m: int, n: int = 1, **assumptions: bool) -> sp.Matrix:
    """A matrix of symbols name_11, name_12, ...; real unless said otherwise."""
    kind = assumptions or {"real": True}
    return sp.ImmutableDenseMatrix(m, n, lambda i, j: sp.Symbol(f"{name}_{i + 1}{j + 1}", **kind))


def diagonal(m: int, n: int, *entries: Any) -> sp.Matrix:
    """An m x n matrix with these numbers on the diagonal."""
    return sp.ImmutableDenseMatrix(m, n, lambda i, j: entries[i] if i == j and i < len(entries) else 0)


def line_by_line(
    rule: Rule, known: Mapping[sp.Symbol, Any], given: Mapping[sp.Symbol, Any] | None = None, upto: Any = None
) -> dict[sp.Symbol, Any]:
    """The value of each assigned symbol in one update, up to the symbol `upto`.

    given: values that assigned symbols have whatever their lines say, so that later lines can be looked at
    alone. NotProved where a line has no value.
    """
    values, given = dict(known), given or {}
    for lhs, rhs in rule.assignments:
        try:
            values[lhs] = finite(lhs, given[lhs] if lhs in given else evaluate(rhs, values))
        except ValueError as failed:
            raise NotProved(f"{lhs} = {rhs} has no value: {failed}") from None
        if lhs == upto:
            return values
    if upto is not None:
        raise NotProved(f"rule {rule.name!r} has no {upto}")
    return values


def rounded(e: Any) -> Any:
    """A rational of moderate length as it is, any other number to 60 digits."""
    if e.is_Rational and max(e.p.bit_length(), e.q.bit_length()) < 400:
        return e
    return sp.N(e, 60) if e.is_number else e


def differs(x: Any, y: Any) -> bool:
    """True when two matrices are shown to be different, in the 25th digit at the latest."""
    for gap in sp.ImmutableDenseMatrix(x) - sp.ImmutableDenseMatrix(y):
        if gap.is_Rational:
            if gap != 0:
                return True
        elif not abs(sp.N(gap, 30, maxn=200)) < sp.Rational(1, 10**25):  # nan is different too
            return True
    return False


def show_like(rule: Rule, states: str, *lines: sp.Symbol) -> None:
    """NotProved for a rule with other states, or without these lines: no statement is about all rules."""
    names = {s.name for s in rule.states}
    if names != set(states.split()):
        known, wanted = ", ".join(sorted(names)) or "none", states.replace(" ", ", ") or "none"
        raise NotProved(f"the statement is about a rule with the states {wanted}; these are {known}")
    if missing := set(lines) - {lhs for lhs, _ in rule.assignments}:
        raise NotProved(f"the statement speaks of {', '.join(map(str, missing))}, which this rule has not")


def numbers_for(rule: Rule, values: Mapping[str, Any], like: Any) -> dict[str, Any]:
    """Each hyperparameter and input; where none is given 1/2, 1/3, ..., and 1, or for an array `like`."""
    known = trials(rule) | {i.name: sp.Integer(1) if i.scalar else like for i in rule.inputs} | dict(values)
    return {
        name: known[name] for name in [h.name for h in rule.hyperparameters] + [i.name for i in rule.inputs]
    }


def end_of(rule: Rule, gradients: Sequence[Any], start: Any, values: Mapping[str, Any]) -> Any:
    """theta after these updates; NotProved if there is none. What is not given is as in numbers_for.

    Gradients, start and values are exact; numbers in between that are long or irrational have 60 digits.
    """
    like = sp.ones(*sp.Matrix(start).shape)
    try:
        return run_matrices(rule, gradients, start, numbers_for(rule, values, like), rounded)[-1]["theta"]
    except ValueError as failed:
        raise NotProved(f"there is no step, as {failed}") from None


def run_differs(
    rule: Rule,
    gradients: Sequence[Any],
    start: Any,
    values: Mapping[str, Any],
    expected: Any,
) -> str | None:
    """Words on where the parameters end if not where expected; None if they do. Numbers as in end_of."""
    values = numbers_for(rule, values, sp.ones(*sp.Matrix(start).shape))
    given = f"gradients {', '.join(str(g.tolist()) for g in gradients)} from {sp.Matrix(start).tolist()}"
    given += "".join(f", {n} = {v}" for n, v in values.items())
    try:
        found = end_of(rule, gradients, start, values)
    except NotProved as failed:
        return f"{given}: {failed}"
    if getattr(found, "shape", None) == expected.shape and not differs(found, expected):
        return None
    return f"{given}: theta is {_short(sp.Matrix(found))}, not {_short(expected)}"


def _short(x: Any) -> str:
    text = str(x.tolist())
    return text if len(text) < 120 else str(x.evalf(6).tolist())


def trials(rule: Rule) -> dict[str, sp.Rational]:
    """Numbers for all hyperparameters of a rule, whether or not this dialect or mutant reads them."""
    return {h.name: sp.Rational(1, k) for k, h in enumerate(rule.every_hyperparameter, 2)}


# ---- turning ------------------------------------------------------------------------------------------


def show_turned(rule: Rule) -> None:
    """Show that an update of U X V^T by U G V^T is U (the update of X by G) V^T, U and V orthogonal, any t.

    By the shape of each line: a left matrix becomes U L U^T, a right one V R V^T, a number stays as it is.
    """
    shapes: dict[str, Side | tuple[()]] = {"": ("U", "V"), "left": ("U", "U"), "right": ("V", "V")}
    sides: dict[sp.Symbol, Any] = {grad: ("U", "V")}
    for state in (theta, *rule.states):
        if state.side not in shapes:
            raise NotProved(f"{state.name} is kept by rows or columns: they change when the matrix is turned")
        sides[state.before] = () if state.scalar else shapes[state.side]
        if state is not theta and not _starts_turned(state, sides):
            raise NotProved(f"{state.name} starts at {state.initial}, which is another matrix when turned")
    ends = {s.now: sides[s.before] for s in (theta, *rule.states)}
    for lhs, rhs in rule.assignments:
        sides[lhs] = side_of(rhs, sides)
        if sides[lhs] != ends.get(lhs, sides[lhs]) and rhs != 0:
            raise NotProved(f"{lhs} = {rhs} does not turn as {lhs} should")


def _starts_turned(state: Any, sides: Mapping[sp.Symbol, Any]) -> bool:
    """A number, a multiple of the identity on one side, zero, or theta itself."""
    start = sp.sympify(state.initial)
    return bool(state.scalar or state.side in ("left", "right") or start in (0, theta.before))


def side_of(e: Any, sides: Mapping[sp.Symbol, Any]) -> Any:
    """How an expression turns, from how its symbols do; NotProved if it does in no such way."""
    if e.is_Symbol or e.is_number or not e.free_symbols:
        return sides.get(e, ())
    if isinstance(e, sp.Piecewise):
        cases = {side_of(value, sides) for value, _ in e.args if value != 0}
        if len(cases) == 1 and all(_is_scalar(c, sides) for _, c in e.args):
            return cases.pop()
        raise NotProved(f"the cases of {e} turn differently")
    parts = [side_of(a, sides) for a in e.args]
    if isinstance(e, Operator):
        return _operator_side(e, parts)
    if e.is_Add and len(set(parts)) == 1:
        return parts[0]
    arrays = [p for p in parts if p]
    if not arrays or (e.is_Mul and len(arrays) == 1):
        return arrays[0] if arrays else ()
    raise NotProved(f"{e} does not turn with the matrix")


def _is_scalar(condition: Any, sides: Mapping[sp.Symbol, Any]) -> bool:
    return all(side_of(a, sides) == () for a in condition.args)


def _operator_side(e: Any, parts: Sequence[Any]) -> Any:
    kind = type(e).__name__
    if kind in ("norm", "rms", "rows", "columns") or (kind == "inner" and parts[0] == parts[1]):
        return ()
    if kind == "matmul" and all(parts) and parts[0][1] == parts[1][0]:
        return parts[0][0], parts[1][1]
    if kind == "transpose" and parts[0]:
        return parts[0][::-1]
    if kind == "power_of" and parts[0] and parts[0][0] == parts[0][1] and parts[1] == ():
        return parts[0]
    raise NotProved(f"{e} does not turn with the matrix")


def turns_otherwise(rule: Rule, values: Mapping[str, Any]) -> str | None:
    """Look for two updates that do not turn with the matrix, U and V rational rotations; in words."""
    start = sp.ImmutableDenseMatrix([[1, 2], [0, 1]])
    for gradients in ([diagonal(2, 2, 3, 4)], [diagonal(2, 2, 3, 4), diagonal(2, 2, 6, 8)]):
        try:
            plain = end_of(rule, gradients, start, values)
        except NotProved as failed:
            return f"gradient {gradients[0].tolist()}: {failed}"
        turned = [quarter * g * other.T for g in gradients]
        expected = quarter * plain * other.T
        if (found := run_differs(rule, turned, quarter * start * other.T, values, expected)) is not None:
            return f"the turned {found}"
    return None
