"""From a recurrence to the statements of a language that has loops and no arrays.

An assignment of arrays becomes a line of a loop over their elements; lines that follow each other share a
loop. What is one number is computed once an update, before the loop that reads it. A named operator becomes a
call that reads whole arrays. Names and the order of assignments stay those of the recurrence: `m` is the old
value until the line that assigns it, and the new one from there on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import sympy as sp

from optverify.backends.python import naming
from optverify.language import Rule, columns, grad, rows, theta
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


@dataclass(frozen=True)
class Program:
    """One update of a rule as statements.

    names: symbols that code does not write by their name; replaced: expressions that are computed before, and
    their names; gradient: the name of the incoming gradient; shapes: of every array and number by its name;
    buffers: arrays that live from one statement to another and are no states.
    """

    rule: Rule
    statements: tuple[Statement, ...]
    names: Mapping[sp.Symbol, str]
    replaced: Mapping[sp.Expr, str]
    gradient: str
    shapes: Mapping[str, Shape]
    buffers: tuple[str, ...]

    def reads(self, *statements: Statement) -> tuple[str, ...]:
        """The names that these statements read before they assign them."""
        read = (n for s in statements for n in statement_reads(s, self.names, self.replaced))
        return tuple(dict.fromkeys(read))

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call, within choices too."""
        return tuple(s for s in walk(self.statements) if isinstance(s, Call))


def walk(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Every statement, the inner ones of a choice after it."""
    for s in statements:
        yield s
        if isinstance(s, Choice):
            yield from walk((*s.then, *s.otherwise))


def program(rule: Rule) -> Program:
    """Lower the assignments of a rule."""
    first = _Lowering(rule)
    first.run()
    lowering = _Lowering(rule, frozenset(first.replaced))
    statements = lowering.run()
    kept = ("theta", *(s.name for s in rule.states))
    fused = _Fusion(lowering.names, lowering.replaced).run(statements)
    outside = _read_outside(fused, lowering)
    final = tuple(_with_arrays(s, lowering, {*kept, *outside}) for s in fused)
    arrays = {n for s in walk(final) for n in _arrays(s)}
    buffers = [n for n in lowering.shapes if n in arrays and n not in (*kept, *lowering.given)]
    return Program(
        rule, final, lowering.names, lowering.replaced, lowering.gradient, lowering.shapes, tuple(buffers)
    )


def _reads(
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
            yield from _reads(a, names, replaced, name)


# ---- lowering ----------------------------------------------------------------------------------------------


class _Lowering:
    """wanted: what has a name somewhere, and has it wherever it stands."""

    def __init__(self, rule: Rule, wanted: frozenset[sp.Expr] = frozenset()) -> None:
        self.rule = rule
        self.wanted = wanted
        self.names = naming(rule)
        self.gradient = "g" if grad in self.names else "grad"
        self.replaced: dict[sp.Expr, str] = {}
        self.available: set[sp.Expr] = set()  # of those, what this branch has computed already
        self.full: Shape = ("rows", "columns") if rule.needs_matrix else ("size",)
        self.given = (self.gradient, *(i.name for i in rule.inputs if not i.scalar))
        self.shapes: dict[str, Shape] = dict.fromkeys(("theta", *self.given), self.full)
        for s in rule.states:
            self.shapes[s.name] = NUMBER if s.scalar else SIDES.get(s.side, self.full)
        numbers = [h.name for h in rule.hyperparameters] + [i.name for i in rule.inputs if i.scalar]
        self.shapes |= dict.fromkeys(numbers, NUMBER)
        self.shapes["t"] = NUMBER
        for side in (rows(theta.before), columns(theta.before)):
            self.name(side, side.func.__name__)
            self.shapes[side.func.__name__] = NUMBER
        self.out: list[Statement] = []

    def run(self) -> list[Statement]:
        for symbol, kept in self.names.items():
            if symbol != grad:
                plain = sp.Symbol(code_name(symbol.name))
                self.line(kept, plain)
        untouched = grad in self.names
        for lhs, rhs in self.rule.assignments[1:] if untouched else self.rule.assignments:
            name = code_name(lhs.name)
            if not (rhs.is_Symbol and self.name_of(rhs) == name):  # x_0 = x_0 says that it stays
                self.line(name, rhs)
        return self.out

    def name_of(self, symbol: sp.Symbol) -> str:
        return self.names.get(symbol) or code_name(symbol.name)

    def name(self, e: sp.Expr, name: str) -> None:
        """Say that an expression is computed, under this name."""
        self.replaced[e] = name
        self.available.add(e)

    def shape(self, e: sp.Basic) -> Shape:
        """The shape of an expression, of what its arguments have."""
        if e.is_Symbol:
            return self.shapes[self.name_of(e)]
        parts = [self.shape(a) for a in e.args]
        return shape_of(e, parts) if isinstance(e, Operator) else broadcast(parts)

    def line(self, name: str, e: sp.Expr) -> None:
        """Emit name = e."""
        shape = self.shape(e)
        if isinstance(e, sp.Piecewise) and self.is_choice(e):
            self.shapes[name] = shape
            self.choice(name, e)
        elif isinstance(e, Operator) and e not in self.available:
            self.shapes[name] = shape
            self.call(name, e)
        else:
            self.extract(e)
            self.hoist(e, all_of_them=bool(shape))
            self.shapes[name] = shape
            self.out.append(Loop(shape, ((name, e),)) if shape else Number(name, e))
            if not shape and e in self.wanted and e.args:
                self.name(e, name)

    def is_choice(self, e: sp.Piecewise) -> bool:
        """True if a branch works on whole arrays: then only the one that is chosen shall be computed."""
        heavy = any(self.shape(f) for v, _ in e.args for f in v.atoms(Operator))
        return heavy and all(self.shape(c) == NUMBER for _, c in e.args)

    def choice(self, name: str, e: sp.Piecewise) -> None:
        outer = self.out
        tail = None
        for value, condition in reversed(e.args):
            before = set(self.available)
            self.out = []
            if not (value.is_Symbol and self.name_of(value) == name):
                self.line(name, value)
            self.available = before
            made = tuple(self.out)
            tail = made if tail is None else (Choice(condition, made, tail),)
        self.out = outer
        for c in (c for _, c in e.args):
            self.extract(c)
        self.out += tail or ()

    def extract(self, e: sp.Basic) -> None:
        """Emit the calls an expression needs first."""
        for f in sorted(e.atoms(Operator), key=lambda f: (sum(1 for _ in sp.preorder_traversal(f)), str(f))):
            if f not in self.available:
                self.call("", f)

    def word(self, e: sp.Basic) -> str:
        """The name under which an array or a number can be read, "" for an expression."""
        if e.is_Symbol:
            return self.name_of(e)
        return self.replaced[e] if e in self.available else ""

    def call(self, name: str, f: Operator) -> None:
        """Emit name = f; without a name it gets one."""
        arguments = [self.argument(a) for a in f.args]
        name = name or self.replaced.get(f) or self.fresh(_word_for_call(f.func.__name__, arguments))
        self.shapes[name] = self.shape(f)
        shapes = tuple(self.shape(a) for a in f.args)
        self.out.append(Call(name, f.func.__name__, tuple(arguments), self.shapes[name], shapes))
        self.name(f, name)

    def argument(self, e: sp.Expr) -> str | sp.Expr:
        """What stands in a call: a number as it is, an array by its name."""
        if not self.shape(e):
            return e
        self.extract(e)
        if not self.word(e):
            within = self.replaced.get(e) or self.fresh("inside")
            self.line(within, e)
            self.name(e, within)
        return self.word(e)

    def hoist(self, e: sp.Basic, all_of_them: bool) -> None:
        """Name each function of numbers in a line of arrays: it is computed once, not for every element."""
        for f in list(self.costly(e)):
            if f not in self.available and f != e and (all_of_them or f in self.wanted):
                name = self.replaced.get(f) or self.fresh(_word_for(f))
                self.shapes[name] = NUMBER
                self.out.append(Number(name, f))
                self.name(f, name)

    def costly(self, e: sp.Basic) -> Iterator[sp.Expr]:
        if e in self.available or not e.args:
            return
        if e.is_Pow and e.exp.could_extract_minus_sign():
            yield from self.costly(sp.Pow(e.base, -e.exp))
        elif self.shape(e) == NUMBER and (e.is_Function or (e.is_Pow and not e.exp.is_Integer)):
            if not all(a.is_Symbol or a.is_Number for a in e.args):
                for a in e.args:
                    yield from (f for f in self.costly(a) if f in self.wanted)
            yield e
        else:
            for a in e.args:
                yield from self.costly(a)

    def fresh(self, wish: str) -> str:
        """A name that nothing has."""
        taken = {*self.shapes, *(code_name(s.name) for s in self.symbols())}
        name, i = wish, 1
        while name in taken:
            i += 1
            name = f"{wish}_{i}"
        return name

    def symbols(self) -> Iterator[sp.Symbol]:
        for lhs, rhs in self.rule.assignments:
            yield lhs
            yield from rhs.free_symbols


def _word_for(f: sp.Expr) -> str:
    """beta1**t is beta1_t, sqrt(t) is sqrt_t; else a letter."""
    names = [code_name(a.name) if a.is_Symbol else "" for a in f.args]
    if isinstance(f, sp.Mod):
        return "phase"
    if f.is_Pow and all(names):
        return "_".join(names)
    if f.is_Pow and f.exp == sp.Rational(1, 2) and names[0]:
        return f"sqrt_{names[0]}"
    return "k"


def _word_for_call(operator: str, arguments: list[str | sp.Expr]) -> str:
    """The transpose of g is g_T, the product of L and g is L_g, a norm is norm_g."""
    names = [a for a in arguments if isinstance(a, str)]
    if operator == "transpose":
        return f"{names[0]}_T"
    return "_".join(names if operator == "matmul" else [operator, names[0]])


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


# ---- loops -------------------------------------------------------------------------------------------------


@dataclass
class _Fusion:
    """Lines that follow each other share a loop; numbers and calls that do not need it go before it."""

    names: Mapping[sp.Symbol, str]
    replaced: Mapping[sp.Expr, str]
    out: list[Statement] = field(default_factory=list)
    open: Loop | None = None

    def run(self, statements: Iterable[Statement]) -> list[Statement]:
        for s in statements:
            if isinstance(s, Loop):
                self.loop(s)
            elif isinstance(s, Choice):
                self.close()
                then, otherwise = (
                    tuple(_Fusion(self.names, self.replaced).run(part)) for part in (s.then, s.otherwise)
                )
                self.out.append(Choice(s.condition, then, otherwise))
            else:
                if self.open and not self.apart(s):
                    self.close()
                self.out.append(s)
        self.close()
        return self.out

    def loop(self, s: Loop) -> None:
        if self.open and self.open.shape == s.shape:
            self.open = replace(self.open, lines=(*self.open.lines, *s.lines))
        else:
            self.close()
            self.open = s

    def close(self) -> None:
        if self.open:
            self.out.append(self.open)
        self.open = None

    def apart(self, s: Number | Call) -> bool:
        """True if a statement may go before the open loop."""
        assert self.open
        read = {n for name, e in self.open.lines for n in _reads(e, self.names, self.replaced, name)}
        made = set(self.open.assigned)
        return not (made & {*statement_reads(s, self.names, self.replaced), s.name} or s.name in read)


def statement_reads(
    s: Statement, names: Mapping[sp.Symbol, str], replaced: Mapping[sp.Expr, str]
) -> Iterator[str]:
    """The names a statement reads from outside, those of inner statements too."""
    match s:
        case Number(name, e):
            yield from _reads(e, names, replaced, name)
        case Call(_, _, arguments):
            for a in arguments:
                yield from [a] if isinstance(a, str) else _reads(a, names, replaced)
        case Loop(_, lines):
            made: set[str] = set()
            for name, e in lines:
                yield from (n for n in _reads(e, names, replaced, name) if n not in made)
                made.add(name)
        case Choice(condition, then, otherwise):
            yield from _reads(condition, names, replaced)
            for inner in (*then, *otherwise):
                yield from statement_reads(inner, names, replaced)


def _read_outside(statements: Iterable[Statement], lowering: _Lowering) -> set[str]:
    """Names that some statement reads which does not assign them itself before."""
    return {n for s in statements for n in statement_reads(s, lowering.names, lowering.replaced)}


def _with_arrays(s: Statement, lowering: _Lowering, kept: set[str]) -> Statement:
    """A loop with what it loads and stores."""
    if isinstance(s, Choice):
        then, otherwise = (
            tuple(_with_arrays(x, lowering, kept) for x in part) for part in (s.then, s.otherwise)
        )
        return Choice(s.condition, then, otherwise)
    if not isinstance(s, Loop):
        return s
    read = dict.fromkeys(statement_reads(s, lowering.names, lowering.replaced))
    loaded = tuple(n for n in read if lowering.shapes[n])
    return replace(s, loaded=loaded, stored=tuple(n for n in dict.fromkeys(s.assigned) if n in kept))


def _arrays(s: Statement) -> Iterator[str]:
    """The names whose arrays a statement touches."""
    if isinstance(s, Loop):
        yield from (*s.loaded, *s.stored)
    elif isinstance(s, Call):
        yield from (a for a in s.arguments if isinstance(a, str))
        if s.shape:
            yield s.name
