"""Statements of a program as lines of a language; what the languages have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import sympy as sp

from optverify.backends.export.printers import Elements
from optverify.backends.export.program import Program
from optverify.backends.export.statements import SQUARE, Call, Choice, Loop, Number, Shape, Statement
from optverify.language import Rule, theta


@dataclass
class Writer:
    """Writes statements. A language says how in its subclass.

    program: what to write; printer: of expressions. theta and the gradient are the arrays `parameters` and
    `gradient`, an input x is `xs`, whatever else is an array is a field of `state`.
    """

    program: Program
    printer: Elements

    tab = "    "
    end = ";"
    row_major = True
    field = "state.{}"
    sizes: ClassVar[Mapping[str, str]] = {
        "size": "state.size",
        "rows": "state.rows",
        "columns": "state.columns",
    }

    # ---- what a language says ----------------------------------------------------------------------

    def declare(self, name: str, code: str, constant: bool) -> str:
        """A new variable."""
        raise NotImplementedError

    def for_each(self, count: str) -> str:
        """The head of a loop with i from 0."""
        raise NotImplementedError

    def if_(self, condition: str) -> str:
        """The head of a choice."""
        return f"if ({condition}) {{"

    otherwise = "} else {"
    close = "}"

    def element(self, array: str, index: str) -> str:
        """An element of an array."""
        return f"{array}[{index}]"

    def stored(self, name: str) -> str:
        """A variable as an array takes it."""
        return name

    def call(self, s: Call) -> str:
        """A call of an operator: a number is returned, an array is written into."""
        self.printer.used.add(s.operator)
        arguments = ", ".join(self.arguments(s))
        name = f"{self.printer.prefix}{s.operator}"
        if not s.shape:
            return self.number(s.name, f"{name}({arguments})")
        return f"{name}({arguments}, {self.array(s.name)}){self.end}"

    def arguments(self, s: Call) -> list[str]:
        """Arrays, numbers, and then the sizes that the operator is told."""
        code = [self.array(a) if isinstance(a, str) else self.printer.line("", a) for a in s.arguments]
        if not s.shape:
            return [*code, self.count(s.shapes[0])]
        rows, columns = (self.sizes[n] for n in s.shapes[0])
        if s.operator == "matmul":
            return [*code, rows, columns, self.sizes[s.shapes[1][1]]]
        return [*code, rows] if s.operator in SQUARE else [*code, rows, columns]

    # ---- what all do alike ----------------------------------------------------------------------

    @property
    def rule(self) -> Rule:
        """The rule that is written."""
        return self.program.rule

    @property
    def kept(self) -> set[str]:
        """The numbers among the states."""
        return {s.name for s in self.rule.states if s.scalar}

    def array(self, name: str) -> str:
        """Where the array of a name is."""
        if name == "theta":
            return "parameters"
        if name == self.program.gradient:
            return "gradient"
        if name == "at":
            return "point"
        return f"{name}s" if name in {i.name for i in self.rule.inputs} else self.field.format(name)

    def count(self, shape: Shape) -> str:
        """How many elements an array of a shape has."""
        return "*".join(self.sizes[n] for n in shape if n != "1") or "1"

    def index(self, shape: Shape, of: Shape) -> str:
        """The element of an array of one shape that belongs to element i of another."""
        if shape == of:
            return "i"
        rows, columns = of
        along, across = ("/", "%") if self.row_major else ("%", "/")
        if shape == (rows, "1"):
            return f"i {along} {self.sizes[columns if self.row_major else rows]}"
        return f"i {across} {self.sizes[columns if self.row_major else rows]}"

    def body(self, statements: Iterable[Statement], depth: int = 1) -> list[str]:
        """The lines of statements."""
        tab = self.tab * depth
        lines: list[str] = []
        for s in statements:
            match s:
                case Number(name, e):
                    lines.append(tab + self.number(name, self.printer.line(name, e)))
                case Loop():
                    lines += self.loop(s, depth)
                case Call():
                    lines.append(tab + self.call(s))
                case Choice(condition, then, other):
                    lines += self.choice(condition, then, other, depth)
        return lines

    def number(self, name: str, code: str) -> str:
        """A number is a new constant, or the new value of a state."""
        return f"{name} = {code}{self.end}" if name in self.kept else self.declare(name, code, True)

    def choice(
        self, condition: sp.Basic, then: tuple[Statement, ...], other: tuple[Statement, ...], depth: int
    ) -> list[str]:
        """An if, with an else where there is something to do."""
        tab = self.tab * depth
        if not then:
            condition, then, other = sp.Not(condition), other, ()
        lines = [tab + self.if_(self.printer.line("", condition)), *self.body(then, depth + 1)]
        if other:
            lines += [tab + self.otherwise, *self.body(other, depth + 1)]
        return [*lines, tab + self.close]

    def loop(self, s: Loop, depth: int) -> list[str]:
        """Load, compute, store, element by element."""
        tab = self.tab * depth
        lines = [tab + self.for_each(self.count(s.shape))]
        tab += self.tab
        for name in s.loaded:
            element = self.element(self.array(name), self.index(self.program.shapes[name], s.shape))
            lines.append(tab + self.declare(name, element, name not in s.assigned))
        known = set(s.loaded)
        for i, (name, e) in enumerate(s.lines):
            code = self.printer.line(name, e)
            again = name in s.assigned[i + 1 :]
            lines.append(
                tab + (f"{name} = {code}{self.end}" if name in known else self.declare(name, code, not again))
            )
            known.add(name)
        for name in s.stored:
            lines.append(tab + f"{self.element(self.array(name), 'i')} = {self.stored(name)}{self.end}")
        return [*lines, self.tab * depth + self.close]

    def point(self) -> Loop:
        """Where the gradient is taken, as a loop that stores `point`."""
        e = self.rule.gradient_point
        loaded = tuple(s.name for s in (theta, *self.rule.states) if s.before in e.free_symbols)
        return Loop(self.program.shapes["theta"], (("at", e),), loaded, ("at",))
