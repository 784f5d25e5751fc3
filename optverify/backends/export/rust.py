"""Rust: a module of the standard library alone, on slices of f64."""

from __future__ import annotations

from optverify.backends.export.context import context
from optverify.backends.export.header import render
from optverify.backends.export.loops import Writer
from optverify.backends.export.printers import Rust
from optverify.backends.export.program import program
from optverify.backends.export.statements import Call
from optverify.language import Rule


class RustWriter(Writer):
    """Statements in Rust."""

    def declare(self, name: str, code: str, constant: bool) -> str:
        """An f64."""
        return f"let {'' if constant else 'mut '}{name} = {code};"

    def for_each(self, count: str) -> str:
        """A loop."""
        return f"for i in 0..{count} {{"

    def if_(self, condition: str) -> str:
        """A choice, without brackets."""
        return f"if {condition} {{"

    def call(self, s: Call) -> str:
        """The result is lent, to be written into."""
        code = super().call(s)
        place = self.array(s.name) if s.shape else ""
        return code.removesuffix(f"{place});") + f"&mut {place});" if place.startswith("state.") else code

    def arguments(self, s: Call) -> list[str]:
        """Fields are lent."""
        arrays = {f"state.{a}" for a in s.arguments if isinstance(a, str)}
        return [f"&{code}" if code in arrays else code for code in super().arguments(s)]


def rust_source(rule: Rule) -> str:
    """The module of a rule."""
    lowered = program(rule)
    writer = RustWriter(lowered, Rust(lowered.names, lowered.replaced))
    return render("rust.rs.j2", **context(writer, "rust.rs"))
