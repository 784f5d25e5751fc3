"""What the template of a language with loops is told about a rule."""

from __future__ import annotations

from typing import Any

import sympy as sp

from optverify.backends.export.header import header, runtime
from optverify.backends.export.loops import Writer
from optverify.backends.export.statements import SQUARE, Shape
from optverify.language import State, theta


def context(writer: Writer, file: str, *notes: str) -> dict[str, Any]:
    """The facts of a rule and the lines of its update.

    file: the runtime of the language; notes: sentences for the comment at the top.
    """
    rule, lowered = writer.rule, writer.program
    body = writer.body(lowered.statements)
    looks = rule.gradient_point != theta.before
    look = writer.loop(writer.point(), 1) if looks else []
    read = set(lowered.reads(*lowered.statements))
    assigned = {n for s in lowered.statements for n in s.assigned}
    arrays = [s for s in rule.states if not s.scalar]
    starts = [(s, start(s), writer.printer.line("", sp.sympify(s.initial))) for s in rule.states]
    started = {str(x) for s in rule.states for x in sp.sympify(s.initial).free_symbols}
    return {
        "rule": rule,
        "header": header(rule, *notes),
        "matrix": rule.needs_matrix,
        "runtime": runtime(file, writer.printer.used),
        "numbers": [h for h in rule.hyperparameters if h.name in read],
        "all_numbers": rule.hyperparameters,
        "inputs": rule.inputs,
        "t": "t" in read,
        "sides": [side for side in ("rows", "columns") if side in read],
        "scalars": [(s, s.name in assigned) for s in rule.states if s.scalar],
        "arrays": [(s.name, s.meaning, dimensions(lowered.shapes[s.name])) for s in arrays],
        "buffers": [(name, dimensions(lowered.shapes[name])) for name in lowered.buffers],
        "scratch": any(c.operator in SQUARE for c in lowered.calls),
        "starts": starts,
        "started": [h for h in rule.hyperparameters if h.name in started],
        "copies_theta": any(how == "theta" for _, how, _ in starts),
        "body": body,
        "looks": looks,
        "look": look,
        "looked": [h for h in rule.hyperparameters if h.symbol in rule.gradient_point.free_symbols],
    }


def dimensions(shape: Shape) -> tuple[str, str]:
    """Rows and columns of an array."""
    return (shape[0], "1") if len(shape) == 1 else (shape[0], shape[1])


def start(state: State) -> str:
    """How a state begins: as theta, as a multiple of the identity, as one number, or full of it."""
    if state.initial == theta.before:
        return "theta"
    return "diagonal" if state.side in ("left", "right") else "number" if state.scalar else "full"
