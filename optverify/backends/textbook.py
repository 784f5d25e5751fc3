"""What all code printers share: names, and the order of terms and factors that papers have.

SymPy's printers order sums and products alphabetically. Put this class before one of them, and sums and
products read as in `language.notation`; the rest stays SymPy's. Every language evaluates a*b/c from the left:
one order of factors is one order of roundings.
"""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.printing.precedence import PRECEDENCE, precedence

from optverify.language.notation import code_name, factors, terms


class Textbook:
    """Mixin for a `CodePrinter`. names: symbols that are not written by their own name."""

    names: dict[sp.Symbol, str]
    _print: Any
    parenthesize: Any

    def _print_Symbol(self, e: sp.Symbol) -> str:
        return self.names.get(e) or code_name(e.name)

    _print_Timed = _print_TimedNumber = _print_Symbol

    def _print_Add(self, e: sp.Add, order: Any = None) -> str:
        code = ""
        for i, term in enumerate(terms(e)):
            negative = term.could_extract_minus_sign()
            body = self.parenthesize(-term if negative else term, PRECEDENCE["Add"])
            code += ((" - " if i else "-") if negative else (" + " if i else "")) + body
        return code

    def _print_Mul(self, e: sp.Mul) -> str:
        sign, above, below = factors(e)
        code = "*".join(self.parenthesize(f, PRECEDENCE["Mul"]) for f in above) or self._print(sp.S.One)
        if below:
            under = "*".join(self.parenthesize(f, PRECEDENCE["Mul"]) for f in below)
            single = len(below) == 1 and precedence(below[0]) > PRECEDENCE["Mul"]
            code += f"/{under}" if single or len(below) == 1 else f"/({under})"
        return f"-{code}" if sign < 0 else code

    def _print_Relational(self, e: sp.Rel) -> str:
        return f"{self._print(e.lhs)} {e.rel_op} {self._print(e.rhs)}"
