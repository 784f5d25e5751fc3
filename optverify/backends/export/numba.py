"""Python with Numba: one compiled loop over memory, for arrays of any shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from optverify.backends.export.context import context
from optverify.backends.export.header import render
from optverify.backends.export.loops import Writer
from optverify.backends.export.printers import Numba
from optverify.backends.export.program import program
from optverify.backends.export.statements import Shape
from optverify.language import Rule


class NumbaWriter(Writer):
    """Statements in Python."""

    end = ""
    sizes: ClassVar[Mapping[str, str]] = {
        "size": "parameters.size",
        "rows": "shape[0]",
        "columns": "shape[1]",
    }
    otherwise = "else:"
    close = ""

    def declare(self, name: str, code: str, constant: bool) -> str:
        """A number."""
        return f"{name} = {code}"

    def for_each(self, count: str) -> str:
        """A loop."""
        return f"for i in range({count}):"

    def if_(self, condition: str) -> str:
        """A choice."""
        return f"if {condition}:"

    def index(self, shape: Shape, of: Shape) -> str:
        """A quotient is rounded down."""
        return super().index(shape, of).replace("/", "//")

    def array(self, name: str) -> str:
        """What is no state lives within one update."""
        return f"room.{name}" if name in self.program.buffers else super().array(name)


def numba_source(rule: Rule) -> str:
    """The module of a rule."""
    lowered = program(rule)
    writer = NumbaWriter(lowered, Numba(lowered.names, lowered.replaced))
    return render("numba.py.j2", **context(writer, "numba.py.in"))
