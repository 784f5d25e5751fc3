"""Equations for a terminal: SymPy's two-dimensional Unicode, in textbook order."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.stringpict import prettyForm

from optverify.language.notation import factors, terms


class TextbookPretty(PrettyPrinter):  # type: ignore[misc]
    """The order of terms and factors is that of the LaTeX and of the generated code."""

    def _as_ordered_terms(self, e: sp.Add, order: Any = None) -> list[sp.Expr]:
        return terms(e)

    def _print_Mul(self, e: sp.Mul) -> Any:
        sign, above, below = factors(e)
        form = self._row(above)
        if below:
            form = form / self._row(below)
        return prettyForm(*form.left("-"), binding=prettyForm.NEG) if sign < 0 else form

    def _row(self, parts: list[sp.Expr]) -> Any:
        alone = len(parts) < 2
        forms = [self._print(p) for p in parts] or [self._print(sp.S.One)]
        bracketed = (p.is_Add or p.is_Piecewise for p in parts)
        return prettyForm.__mul__(
            *(
                prettyForm(*f.parens()) if add and not alone else f
                for f, add in zip(forms, bracketed, strict=False)
            )
            if parts
            else forms
        )


def pretty(e: Any) -> str:
    """The expression or equation, several lines where it needs them."""
    return str(TextbookPretty({"use_unicode": True, "wrap_line": False}).doprint(e))
