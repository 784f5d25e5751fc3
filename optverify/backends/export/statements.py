"""The statements of a language that has loops and no arrays: numbers, loops over elements, calls, choices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import sympy as sp

from optverify.language.notation import code_name
from optverify.language.operators import Operator

Shape = tuple[str, ...]
"""() for a number; ("size",) for an array of theta's shape; where theta is a matrix, a pair of "rows",
"columns" and "1"."""
NUMBER: Shape = ()
SQUARE = frozenset({"power_of", "eigenvectors", "orthonormal"})
"""Operators on square matrices, to one of the same size."""
SIDES: dict[str, Shape] = {
    "rows": ("rows", "1"),
    "columns": ("1", "columns"),
    "left": ("rows", "rows"),
    "right": ("columns", "columns"),
}


@dataclass(frozen=True)
class Number:
    """name = expression, of numbers."""

    name: str
    expression: sp.Expr

    @property
    def assigned(self) -> tuple[str, ...]:
        """The names it assigns."""
        return (self.name,)


@dataclass(frozen=True)
class Loop:
    """For each element: names loaded, lines in order, names stored.

    loaded: names whose arrays are read; stored: names whose arrays are written.
    """

    shape: Shape
    lines: tuple[tuple[str, sp.Expr], ...]
    loaded: tuple[str, ...] = ()
    stored: tuple[str, ...] = ()

    @property
    def assigned(self) -> tuple[str, ...]:
        """The names it assigns."""
        return tuple(name for name, _ in self.lines)


@dataclass(frozen=True)
class Call:
    """name = operator(arguments): whole arrays, and a number where an argument is none's name.

    shape: of the result; shapes: of the arguments.
    """

    name: str
    operator: str
    arguments: tuple[str | sp.Expr, ...]
    shape: Shape
    shapes: tuple[Shape, ...]

    @property
    def assigned(self) -> tuple[str, ...]:
        """The names it assigns."""
        return (self.name,)


@dataclass(frozen=True)
class Choice:
    """If the condition, on numbers, holds: these statements; else those."""

    condition: sp.Basic
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]

    @property
    def assigned(self) -> tuple[str, ...]:
        """The names it assigns."""
        return tuple(n for s in (*self.then, *self.otherwise) for n in s.assigned)


Statement = Number | Loop | Call | Choice


def walk(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Every statement, the inner ones of a choice after it."""
    for s in statements:
        yield s
        if isinstance(s, Choice):
            yield from walk((*s.then, *s.otherwise))


def reads(
    e: sp.Basic, names: Mapping[sp.Symbol, str], replaced: Mapping[sp.Expr, str], name: str = ""
) -> Iterator[str]:
    """What an expression reads; name: to what it is assigned, for no line reads itself."""
    if e in replaced and replaced[e] != name:
        yield replaced[e]
    elif e.is_Symbol:
        yield names.get(e) or code_name(e.name)
    elif e.is_Pow and sp.Pow(e.base, -e.exp) in replaced:
        yield replaced[sp.Pow(e.base, -e.exp)]
    else:
        for a in e.args:
            yield from reads(a, names, replaced, name)


def statement_reads(
    s: Statement, names: Mapping[sp.Symbol, str], replaced: Mapping[sp.Expr, str]
) -> Iterator[str]:
    """The names a statement reads from outside, those of inner statements too."""
    match s:
        case Number(name, e):
            yield from reads(e, names, replaced, name)
        case Call(_, _, arguments):
            for a in arguments:
                yield from [a] if isinstance(a, str) else reads(a, names, replaced)
        case Loop(_, lines):
            made: set[str] = set()
            for name, e in lines:
                yield from (n for n in reads(e, names, replaced, name) if n not in made)
                made.add(name)
        case Choice(condition, then, otherwise):
            yield from reads(condition, names, replaced)
            for inner in (*then, *otherwise):
                yield from statement_reads(inner, names, replaced)


def shape_of(f: Operator, parts: list[Shape]) -> Shape:
    """The shape of what an operator makes of arguments of these shapes."""
    if f.scalar:
        return NUMBER
    rows, columns = parts[0]
    made: dict[str, Shape] = dict.fromkeys(SQUARE, parts[0])
    made |= dict.fromkeys(("row_mean", "row_max"), (rows, "1"))
    made |= dict.fromkeys(("column_mean", "column_max"), ("1", columns))
    made |= {"transpose": (columns, rows), "matmul": (rows, *parts[-1][1:])}
    return made[f.func.__name__]


def broadcast(parts: Iterable[Shape]) -> Shape:
    """The shape of an elementwise result."""
    shapes = [s for s in parts if s]
    if not shapes:
        return NUMBER
    made = shapes[0]
    for s in shapes[1:]:
        made = tuple(b if a == "1" else a for a, b in zip(made, s, strict=True))
    return made
