"""C99: one header with everything in it, for any number of rules in one program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from optverify.backends.export.context import context
from optverify.backends.export.header import blocks, identifier, render
from optverify.backends.export.loops import Writer
from optverify.backends.export.printers import C
from optverify.backends.export.program import program
from optverify.backends.export.statements import SQUARE, Call
from optverify.language import Rule

NOTE = (
    "Compile it without -ffast-math and with -ffp-contract=off (the default of -std=c99): then every line"
    " rounds as it is written."
)


class CWriter(Writer):
    """Statements in C."""

    field = "state->{}"
    sizes: ClassVar[Mapping[str, str]] = {
        "size": "state->size", "rows": "state->rows", "columns": "state->columns"
    }  # fmt: skip

    def declare(self, name: str, code: str, constant: bool) -> str:
        """A double."""
        return f"{'const ' if constant else ''}double {name} = {code};"

    def for_each(self, count: str) -> str:
        """A loop."""
        return f"for (size_t i = 0; i < {count}; i++) {{"

    def stored(self, name: str) -> str:
        """Rounded to the type of the arrays."""
        return f"({self.printer.prefix}real){name}"

    def arguments(self, s: Call) -> list[str]:
        """What allocates nothing is given room."""
        return [*super().arguments(s), *(["state->scratch"] if s.operator in SQUARE else [])]


def c_source(rule: Rule) -> str:
    """The header of a rule."""
    prefix = f"{identifier(rule.name)}_"
    lowered = program(rule)
    facts = context(CWriter(lowered, C(lowered.names, lowered.replaced, prefix)), "c.c", NOTE)
    facts["runtime"] = [_prefixed(text, prefix) for text in facts["runtime"]]
    return render("c.h.j2", prefix=prefix, guard=f"OPTVERIFY_{prefix.upper()}H", **facts)


def _prefixed(text: str, prefix: str) -> str:
    """A function of the runtime whose name, and those it calls, begin with the rule's."""
    for name in blocks("c.c"):
        text = re.sub(rf"(?<!\w){name}\(", f"{prefix}{name}(", text)
    return re.sub(r"(?<!\w)real(?!\w)", f"{prefix}real", text)
