"""C99: one header with everything in it, for any number of rules in one program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import sympy as sp

from optverify.backends.export.header import header, identifier, render, runtime
from optverify.backends.export.loops import Writer
from optverify.backends.export.printers import C
from optverify.backends.export.program import Call, Shape, program
from optverify.language import Rule, State, theta

NOTE = (
    "Compile it without -ffast-math and with -ffp-contract=off (the default of -std=c99): then every line rounds"
    " as it is written."
)
SCRATCH = {"power_of", "eigenvectors", "orthonormal"}


class CWriter(Writer):
    """Statements in C."""

    field = "state->{}"
    sizes: ClassVar[Mapping[str, str]] = {"size": "state->size", "rows": "state->rows", "columns": "state->columns", "1": "1"}

    @property
    def prefix(self) -> str:
        """What every name outside of a function begins with."""
        return self.printer.prefix

    def declare(self, name: str, code: str, constant: bool) -> str:
        """A double."""
        return f"{'const ' if constant else ''}double {name} = {code};"

    def for_each(self, count: str) -> str:
        """A loop."""
        return f"for (size_t i = 0; i < {count}; i++) {{"

    def stored(self, name: str) -> str:
        """Rounded to the type of the arrays."""
        return f"({self.prefix}real){name}"

    def call(self, s: Call) -> str:
        """A number is returned; an array is written into."""
        self.printer.used.add(s.operator)
        arguments = [self.array(a) if isinstance(a, str) else self.printer.line("", a) for a in s.arguments]
        if not s.shape:
            arguments.append(self.count(s.shapes[0]))
            return self.number(s.name, f"{self.prefix}{s.operator}({', '.join(arguments)})")
        arguments += self.extents(s)
        if s.operator in SCRATCH:
            arguments.append("state->scratch")
        return f"{self.prefix}{s.operator}({', '.join([*arguments, self.array(s.name)])});"

    def extents(self, s: Call) -> list[str]:
        """The sizes that an operator is told."""
        rows, columns = (self.sizes[n] for n in s.shapes[0])
        if s.operator == "matmul":
            return [rows, columns, self.sizes[s.shapes[1][1]]]
        return [rows] if s.operator in SCRATCH else [rows, columns]


def c_source(rule: Rule) -> str:
    """The header of a rule."""
    prefix = f"{identifier(rule.name)}_"
    lowered = program(rule)
    printer = C(lowered.names, lowered.replaced, prefix)
    writer = CWriter(lowered, printer)
    body = writer.body(lowered.statements)
    look = writer.loop(writer.point(), 1) if rule.gradient_point != theta.before else []
    read = set(lowered.reads(*lowered.statements))
    assigned = {n for s in lowered.statements for n in s.assigned}
    states = [s for s in rule.states if not s.scalar]
    facts: dict[str, Any] = {
        "rule": rule,
        "prefix": prefix,
        "guard": f"OPTVERIFY_{prefix.upper()}H",
        "macro": f"{prefix.upper()}REAL",
        "header": header(rule, NOTE),
        "matrix": rule.needs_matrix,
        "runtime": [_prefixed(text, prefix) for text in runtime("runtime.c", printer.used)],
        "numbers": [h for h in rule.hyperparameters if h.name in read],
        "all_numbers": rule.hyperparameters,
        "t": "t" in read,
        "sides": [side for side in ("rows", "columns") if side in read],
        "scalars": [(s, s.name in assigned) for s in rule.states if s.scalar],
        "arrays": [(s.name, s.meaning, dimensions(lowered.shapes[s.name])) for s in states],
        "buffers": [(name, dimensions(lowered.shapes[name])) for name in lowered.buffers],
        "scratch": any(c.operator in SCRATCH for c in lowered.calls),
        "inputs": rule.inputs,
        "starts": [(s, start(s), printer.line("", sp.sympify(s.initial))) for s in rule.states],
        "started": writer.numbers(*(str(x) for s in rule.states for x in sp.sympify(s.initial).free_symbols)),
        "copies_theta": any(start(s) == "theta" for s in rule.states),
        "reads_gradient": lowered.gradient in read,
        "body": body,
        "look": look,
        "looked": writer.numbers(*(str(x) for x in rule.gradient_point.free_symbols)),
        "uses_state": any("state->" in line for line in look),
    }
    return render("c.h.j2", **facts)


def dimensions(shape: Shape) -> tuple[str, str]:
    """Rows and columns of an array."""
    return (shape[0], "1") if len(shape) == 1 else (shape[0], shape[1])


def start(state: State) -> str:
    """How a state begins: as theta, as a multiple of the identity, or full of one number."""
    if state.initial == theta.before:
        return "theta"
    return "diagonal" if state.side in ("left", "right") else "number" if state.scalar else "full"


def _prefixed(text: str, prefix: str) -> str:
    """A function of the runtime whose name, and those it calls, begin with the rule's."""
    from optverify.backends.export.header import blocks

    for name in blocks("runtime.c"):
        text = re.sub(rf"(?<!\w){name}\(", f"{prefix}{name}(", text)
    return re.sub(r"(?<!\w)real(?!\w)", f"{prefix}real", text)
