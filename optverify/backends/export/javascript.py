"""JavaScript: an ES module on Float64Array, Float32Array or plain arrays of numbers."""

from __future__ import annotations

from optverify.backends.export.context import context
from optverify.backends.export.header import render
from optverify.backends.export.loops import Writer
from optverify.backends.export.printers import JavaScript
from optverify.backends.export.program import program
from optverify.backends.export.statements import Shape
from optverify.language import Rule


class JavaScriptWriter(Writer):
    """Statements in JavaScript."""

    def declare(self, name: str, code: str, constant: bool) -> str:
        """A number."""
        return f"{'const' if constant else 'let'} {name} = {code};"

    def for_each(self, count: str) -> str:
        """A loop."""
        return f"for (let i = 0; i < {count}; i++) {{"

    def index(self, shape: Shape, of: Shape) -> str:
        """A quotient is rounded down."""
        code = super().index(shape, of)
        return f"Math.floor({code})" if "/" in code else code


def javascript_source(rule: Rule) -> str:
    """The module of a rule."""
    lowered = program(rule)
    writer = JavaScriptWriter(lowered, JavaScript(lowered.names, lowered.replaced))
    return render("javascript.mjs.j2", **context(writer, "javascript.mjs"))
