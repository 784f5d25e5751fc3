"""LaTeX of schedules: textbook order where counts are added and pi multiplies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp

from optverify.language.clock import t
from optverify.language.notation import TextbookLatex


class ScheduleLatex(TextbookLatex):
    """t + 1 rather than 1 + t, pi t/T rather than t pi/T, the time first in min(t, T)."""

    def _print_Add(self, e: sp.Add, order: Any = None) -> str:
        if not e.is_integer or not e.args[0].is_Integer:
            return str(super()._print_Add(e, order))
        number, rest = e.as_two_terms()
        return f"{self._print(rest)} {'+' if number > 0 else '-'} {abs(number)}"

    def _extremum(self, name: str, e: sp.Expr) -> str:
        clock_first = sorted(e.args, key=lambda a: (not a.has(t), sp.default_sort_key(a)))
        return rf"\{name}({', '.join(map(self._print, clock_first))})"

    def _row(self, parts: list[sp.Expr], alone: bool = False) -> str:
        return super()._row(sorted(parts, key=lambda p: p != sp.pi), alone)


def tex_lines(lines: Sequence[tuple[sp.Symbol, sp.Expr]], names: Mapping[sp.Symbol, str]) -> str:
    """A LaTeX `aligned` block, a line an assignment."""
    printer = ScheduleLatex(names)
    rows = [rf"{printer.doprint(symbol)} &= {printer.doprint(e)}" for symbol, e in lines]
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"
