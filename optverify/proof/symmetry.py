"""Symmetries of a recurrence, by induction over its expressions.

Each function asks how the quantities of a rule change when its parameters and gradients do: by their sign
(parities), by a multiple of a shift (shifts), or as an array does when it is rotated (frames). If every
assignment that theta depends on keeps to that, so does every update. Raises NotProved where one does not;
the symmetry may hold all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import sympy as sp
from sympy.core.relational import Relational

from optverify.language import Rule, State, grad, theta
from optverify.language.operators import (
    Operator,
    column_max,
    column_mean,
    columns,
    eigenvectors,
    inner,
    matmul,
    mean,
    norm,
    norm1,
    orthonormal,
    power_of,
    rms,
    row_max,
    row_mean,
    rows,
    transpose,
)
from optverify.proof.outcome import NotProved

Lines = list[tuple[sp.Symbol, sp.Expr]]
Kind = TypeVar("Kind")

LINEAR = (transpose, mean, row_mean, column_mean)
LENGTHS = (norm, norm1, rms)
EXTREMES = (row_max, column_max)
BASES = (orthonormal, eigenvectors)
SIZES = (rows, columns)


def needed(rule: Rule) -> tuple[Lines, list[State]]:
    """The assignments that theta and the gradient point depend on, in order, and the states among them."""
    lines = dict(rule.assignments)
    of_state = {s.before: s.now for s in (theta, *rule.states)}
    wanted, waiting = {theta.now}, [theta.now]
    waiting += [of_state[s] for s in rule.gradient_point.free_symbols if s in of_state]
    while waiting:
        for symbol in lines[waiting.pop()].free_symbols:
            source = of_state.get(symbol, symbol)
            if source in lines and source not in wanted:
                wanted.add(source)
                waiting.append(source)
    wanted |= {of_state[s] for s in rule.gradient_point.free_symbols if s in of_state}
    kept = [(lhs, rhs) for lhs, rhs in rule.assignments if lhs in wanted]
    return kept, [s for s in rule.states if s.now in wanted]


def cases(e: sp.Piecewise) -> Iterator[tuple[sp.Expr, sp.Basic]]:
    """(value, condition) of each case."""
    yield from (pair.args for pair in e.args)


def relations(condition: sp.Basic) -> Iterator[Relational]:
    """The comparisons in a condition."""
    yield from condition.atoms(Relational)


# ---- kinds that are inferred by running the rule on them ---------------------------------------------------


def _inferred(  # noqa: PLR0917
    rule: Rule,
    kinds: dict[sp.Symbol, Kind],
    kind_of: Callable[[sp.Expr, Mapping[sp.Symbol, Kind]], Kind],
    start: Callable[[State], Kind],
    joined: Callable[[Kind, Kind], Kind],
    wanted: Kind,
) -> None:
    """Show that theta and the gradient point keep the kind `wanted`, from the initial states on."""
    lines, states = needed(rule)
    known = dict(kinds)
    known |= {s.before: start(s) for s in states}
    for _ in range(len(states) + 2):
        values = dict(known)
        for lhs, rhs in lines:
            values[lhs] = kind_of(rhs, values)
        after = {s.before: joined(known[s.before], values[s.now]) for s in states}
        if joined(values[theta.now], wanted) != wanted:
            raise NotProved("theta does not keep its kind")
        if all(known[s] == kind for s, kind in after.items()):
            if joined(kind_of(rule.gradient_point, known), wanted) != wanted:
                raise NotProved("the gradient point does not keep its kind")
            return
        known |= after
    raise NotProved("the kinds of the states do not settle")


# ---- parities ----------------------------------------------------------------------------------------------

Parity = int | None
"""0 for what keeps its sign, 1 for what changes it, None for 0."""


def show_mirrored(rule: Rule) -> None:
    """Show that (-theta, -gradients) run the mirror image of (theta, gradients)."""
    kinds: dict[sp.Symbol, Parity] = {theta.before: 1, grad: 1}
    kinds |= {i.now: 0 if i.scalar else 1 for i in rule.inputs}

    def start(state: State) -> Parity:
        return _parity(sp.sympify(state.initial), {theta.before: 1})

    _inferred(rule, kinds, _parity, start, _same_parity, 1)


def _same_parity(*parities: Parity) -> Parity:
    some = {p for p in parities if p is not None}
    if len(some) > 1:
        raise NotProved("a sum of what changes its sign and what does not")
    return some.pop() if some else None


def _parity(e: sp.Basic, known: Mapping[sp.Symbol, Parity]) -> Parity:  # noqa: PLR0911 -- a kind of expression each
    def of(x: sp.Basic) -> Parity:
        return _parity(x, known)

    def even(*parts: sp.Basic) -> Parity:
        if any(of(x) for x in parts):
            raise NotProved(f"{e} depends on a sign")
        return 0

    if e.is_Number or e.is_NumberSymbol:
        return None if e == 0 else 0
    if e.is_Symbol:
        return known.get(e, 0)
    if e.is_Add:
        return _same_parity(*map(of, e.args))
    if e.is_Mul or isinstance(e, (inner, matmul)):
        parities = [of(a) for a in e.args]
        return None if None in parities else sum(p for p in parities if p) % 2
    if e.is_Pow:
        if e.exp.is_Integer:
            parity = of(e.base)
            return None if parity is None else parity * int(e.exp) % 2
        return even(*e.args)
    if isinstance(e, sp.Piecewise):
        for relation in (r for _, c in cases(e) for r in relations(c)):
            about_zero = isinstance(relation, (sp.Eq, sp.Ne)) and 0 in relation.args
            (_same_parity(*map(of, relation.args)) if about_zero else even(*relation.args))
        return _same_parity(*(of(value) for value, _ in cases(e)))
    if isinstance(e, (sp.Max, sp.Min)) and (clipped := _clipped(e)) is not None:
        return of(clipped)
    if isinstance(e, (sp.sign, *LINEAR)):
        return of(e.args[0])
    if isinstance(e, (sp.Abs, *LENGTHS)):
        of(e.args[0])
        return 0
    return 0 if isinstance(e, SIZES) else even(*e.args)


def _clipped(e: sp.Expr) -> sp.Expr | None:
    """x, if e is x held between -c and c."""
    inner_kind = sp.Min if isinstance(e, sp.Max) else sp.Max
    for part in e.args:
        if isinstance(part, inner_kind) and len(e.args) == len(part.args) == 2:
            (bound,) = (a for a in e.args if a != part)
            rest = [a for a in part.args if a != -bound]
            if len(rest) == 1:
                return rest[0]
    return None


# ---- shifts ------------------------------------------------------------------------------------------------


def show_translated(rule: Rule) -> None:
    """Show that from theta_0 + a, with the same gradients, every theta is shifted by a."""
    kinds = {theta.before: sp.Integer(1)}

    def start(state: State) -> sp.Expr:
        return _shift(sp.sympify(state.initial), kinds)

    def same(a: sp.Expr, b: sp.Expr) -> sp.Expr:
        if sp.expand(a - b) != 0:
            raise NotProved(f"a shift by {a} meets one by {b}")
        return a

    _inferred(rule, kinds, _shift, start, same, sp.Integer(1))


def _shift(e: sp.Basic, known: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """w, if e grows by w a when theta does by a."""
    zero = sp.Integer(0)
    if not any(known.get(s, zero) for s in e.free_symbols):
        return zero
    if e.is_Symbol:
        return known[e]
    parts = [_shift(a, known) for a in e.args if isinstance(a, sp.Expr)]
    if e.is_Add:
        return sp.expand(sp.Add(*parts))
    if e.is_Mul:
        moved = [i for i, w in enumerate(parts) if w != 0]
        if len(moved) > 1:
            raise NotProved(f"{e} is not linear in theta")
        rest = sp.Mul(*(a for i, a in enumerate(e.args) if i not in moved))
        return sp.expand(rest * parts[moved[0]]) if moved else zero
    if isinstance(e, sp.Piecewise):
        shifts = {_shift(value, known) for value, _ in cases(e)}
        for relation in (r for _, c in cases(e) for r in relations(c)):
            if len({_shift(a, known) for a in relation.args}) > 1:
                raise NotProved(f"{relation} depends on where theta is")
        if len(shifts) > 1:
            raise NotProved(f"{e} has cases with different shifts")
        return shifts.pop()
    if any(w != 0 for w in parts) and not isinstance(e, SIZES):
        raise NotProved(f"{e} depends on where theta is")
    return zero


# ---- frames ------------------------------------------------------------------------------------------------

Frame = str | None
"""How an array turns: "W" as theta, "T" as its transpose, "L" and "R" as matrices of its left and right
side; "S" a number that stays; None for 0."""

PRODUCTS = {"WT": "L", "TW": "R", "LW": "W", "WR": "W", "RT": "T", "TL": "T", "LL": "L", "RR": "R"}
TURNED = {"W": "T", "T": "W", "L": "L", "R": "R"}


def show_rotated(rule: Rule, two_sided: bool = False) -> None:
    """Show that rotated parameters and gradients run the rotated path.

    Any orthogonal map of all coordinates; with two_sided, W -> U W V^T of matrices with orthogonal U and V.
    """
    kinds: dict[sp.Symbol, Frame] = {theta.before: "W", grad: "W"}
    kinds |= {i.now: "S" if i.scalar else "W" for i in rule.inputs}

    def start(state: State) -> Frame:
        initial = sp.sympify(state.initial)
        if state.side in ("left", "right"):
            return "L" if state.side == "left" else "R"
        if initial == 0 or state.scalar:
            return None if initial == 0 else "S"
        frame = _frame(initial, {theta.before: "W"}, two_sided)
        if frame != "W":
            raise NotProved(f"{state.name} starts from one number in every coordinate")
        return frame

    def kind_of(e: sp.Expr, known: Mapping[sp.Symbol, Frame]) -> Frame:
        return _frame(e, known, two_sided)

    _inferred(rule, kinds, kind_of, start, _same_frame, "W")


def _same_frame(*frames: Frame) -> Frame:
    some = {f for f in frames if f is not None}
    if len(some) > 1:
        raise NotProved(f"arrays that turn in different ways meet: {', '.join(sorted(some))}")
    return some.pop() if some else None


def _frame(  # noqa: PLR0911 -- a kind of expression each
    e: sp.Basic, known: Mapping[sp.Symbol, Frame], two_sided: bool
) -> Frame:
    def of(x: sp.Basic) -> Frame:
        return _frame(x, known, two_sided)

    def number(*parts: sp.Basic) -> Frame:
        if any(of(x) not in ("S", None) for x in parts):
            raise NotProved(f"{e} looks at single coordinates")
        return "S"

    if e.is_Number or e.is_NumberSymbol:
        return None if e == 0 else "S"
    if e.is_Symbol:
        return known.get(e, "S")
    if e.is_Add:
        return _same_frame(*map(of, e.args))
    if e.is_Mul:
        frames = [of(a) for a in e.args]
        turning = [f for f in frames if f not in ("S", None)]
        if len(turning) > 1:
            raise NotProved(f"{e} multiplies coordinate by coordinate")
        return None if None in frames else turning[0] if turning else "S"
    if isinstance(e, sp.Piecewise):
        for relation in (r for _, c in cases(e) for r in relations(c)):
            number(*relation.args)
        return _same_frame(*(of(value) for value, _ in cases(e)))
    if isinstance(e, (norm, rms)):
        of(e.args[0])
        return "S"
    if isinstance(e, inner):
        _same_frame(*map(of, e.args))
        return "S"
    if isinstance(e, SIZES):
        return "S"
    if two_sided and isinstance(e, (matmul, transpose, power_of)):
        return _matrix_frame(e, of)
    return number(*e.args)


def _matrix_frame(e: Operator, of: Callable[[sp.Basic], Frame]) -> Frame:
    frames = [of(a) for a in e.args]
    if frames[0] is None:
        return None
    if isinstance(e, transpose):
        return TURNED.get(frames[0]) or _unknown(e)
    if isinstance(e, power_of):
        return frames[0] if frames[0] in "LR" else _unknown(e)
    return None if frames[1] is None else PRODUCTS.get(frames[0] + frames[1]) or _unknown(e)


def _unknown(e: sp.Basic) -> str:
    raise NotProved(f"{e} does not turn with its parts")


# ---- permutations ------------------------------------------------------------------------------------------


def show_permuted(rule: Rule) -> None:
    """Show that rows and columns, put in another order, run the path in that order.

    All operators but the bases of a matrix, in which an order of the columns is fixed, allow that.
    """
    lines, _ = needed(rule)
    for _, rhs in lines:
        if rhs.has(*BASES):
            raise NotProved("a basis of a matrix depends on the order of its columns")
