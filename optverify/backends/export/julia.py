"""Julia: a module of the standard library alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from optverify.backends.export.context import context
from optverify.backends.export.header import camel, render
from optverify.backends.export.loops import Writer
from optverify.backends.export.printers import Julia
from optverify.backends.export.program import program
from optverify.backends.export.statements import Call, Shape
from optverify.language import Rule

LIBRARY = {"norm": "norm({})", "norm1": "norm({}, 1)", "inner": "dot({}, {})", "matmul": "{}*{}",
           "transpose": "permutedims({})"}  # fmt: skip
"""Operators that LinearAlgebra or the base library has."""


class JuliaWriter(Writer):
    """Statements in Julia, whose matrices are stored column after column and begin at 1."""

    end = ""
    close = "end"
    otherwise = "else"
    row_major = False
    sizes: ClassVar[Mapping[str, str]] = {
        "size": "length(parameters)", "rows": "size(parameters, 1)", "columns": "size(parameters, 2)",
    }  # fmt: skip

    def declare(self, name: str, code: str, constant: bool) -> str:
        """A number."""
        return f"{name} = {code}"

    def for_each(self, count: str) -> str:
        """A loop."""
        return f"for i in 1:{count}"

    def if_(self, condition: str) -> str:
        """A choice, without brackets."""
        return f"if {condition}"

    def index(self, shape: Shape, of: Shape) -> str:
        """Of i = 1, 2, ... down the columns."""
        if shape == of:
            return "i"
        rows = self.sizes[of[0]]
        return f"mod1(i, {rows})" if shape[1] == "1" else f"cld(i, {rows})"

    def call(self, s: Call) -> str:
        """A function of arrays; an array is copied into its place."""
        code = [self.array(a) if isinstance(a, str) else self.printer.line("", a) for a in s.arguments]
        if s.operator in LIBRARY:
            made = LIBRARY[s.operator].format(*code)
        else:
            self.printer.used.add(s.operator)
            made = f"{s.operator}({', '.join(code)})"
        return f"{self.array(s.name)} .= {made}" if s.shape else self.number(s.name, made)


def julia_source(rule: Rule) -> str:
    """The module of a rule."""
    lowered = program(rule)
    facts = context(JuliaWriter(lowered, Julia(lowered.names, lowered.replaced)), "julia.jl")
    library = {"norm", "dot", "eigen", "qr", "Diagonal"}
    text = "\n".join([*facts["body"], *facts["runtime"]])
    return render(
        "julia.jl.j2", module=camel(rule.name), linear=any(f"{f}(" in text for f in library), **facts
    )
