"""LaTeX of schedules: textbook order where counts are added and pi multiplies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp
from sympy.printing.precedence import PRECEDENCE

from optverify.language.clock import is_rate, t
from optverify.language.notation import TextbookLatex


class ScheduleLatex(TextbookLatex):
    """t + 1 rather than 1 + t, pi t/T rather than t pi/T, t < W rather than W > t, t first in min(t, T)."""

    def _print_Add(self, e: sp.Add, order: Any = None) -> str:
        if e.as_coeff_Add()[0] == sp.Rational(1, 2) and e.has(sp.cos):
            return rf"\frac{{1}}{{2}} {self.parenthesize(2 * e, PRECEDENCE['Mul'])}"
        if not e.is_integer:
            return str(super()._print_Add(e, order))
        first, *others = sorted(e.args, key=_count_key)
        tex = self._print(first)
        for term in others:
            negative = term.could_extract_minus_sign()
            tex += f" {'-' if negative else '+'} {self._print(-term if negative else term)}"
        return str(tex)

    def _print_Mul(self, e: sp.Mul) -> str:
        """Rates stand before the fraction they multiply; a quotient of roots is the root of a quotient."""
        above, below = sp.fraction(e)
        if above.is_Add and all(term.could_extract_minus_sign() for term in above.args):
            return rf"- \frac{{{self._print(-above)}}}{{{self._print(below)}}}"
        roots = sp.Mul(*(f for f in e.args if f.is_Pow and abs(f.exp) == sp.Rational(1, 2)))
        if roots.is_Mul and all(side.is_Pow for side in sp.fraction(roots)):
            rest = e / roots
            root = rf"\sqrt{{{self._print(roots**2)}}}"
            return root if rest == 1 else f"{self._print(rest)} {root}"
        rates = sp.Mul(*(f for f in e.args if f.free_symbols and all(map(is_rate, f.free_symbols))))
        rest = e / rates
        if rates != 1 and below.free_symbols and sp.fraction(rest)[0] != 1:
            return rf"{self.parenthesize(rates, PRECEDENCE['Mul'])}\,{self._print(rest)}"
        return str(super()._print_Mul(e))

    def _print_Pow(self, e: sp.Pow) -> str:
        above, below = sp.fraction(e.exp)
        if below == 1 or e.exp in (sp.Rational(1, 2), sp.Rational(-1, 2)):
            return super()._print_Pow(e)
        if e.exp.could_extract_minus_sign():
            return rf"\frac{{1}}{{{self._print(1 / e)}}}"
        return f"{self._print(e.base)}^{{{self.parenthesize(above, PRECEDENCE['Mul'])}/{self._print(below)}}}"

    def _print_Relational(self, e: sp.Rel) -> str:
        return str(super()._print_Relational(e if e.lhs.has(t) or not e.rhs.has(t) else e.reversed))

    def _extremum(self, name: str, e: sp.Expr) -> str:
        clock_first = sorted(e.args, key=lambda a: (not a.has(t), a.count_ops(), sp.default_sort_key(a)))
        inside = ", ".join(map(self._print, clock_first))
        return rf"\{name}\left({inside}\right)" if r"\frac" in inside else rf"\{name}({inside})"

    def _print_Symbol(self, e: sp.Symbol, style: str = "plain") -> str:
        r"""A rate that a schedule works out: lr_low is \eta_{\mathrm{low}}, lr_max_i is \eta_{\max, i}."""
        if e in self._settings["symbol_names"] or not e.name.startswith("lr_"):
            return super()._print_Symbol(e, style)
        known = {"max": r"\max", "min": r"\min"}
        words = (known.get(w, w if len(w) == 1 else rf"\mathrm{{{w}}}") for w in e.name.split("_")[1:])
        return rf"\eta_{{{', '.join(words)}}}"

    def _row(self, parts: list[sp.Expr], alone: bool = False) -> str:
        return super()._row(sorted(parts, key=_factor_key), alone)


def _count_key(e: sp.Expr) -> tuple[Any, ...]:
    return e.is_number, e.could_extract_minus_sign(), not e.has(t), sp.default_sort_key(e)


def _factor_key(e: sp.Expr) -> tuple[bool, bool]:
    """pi first, and differences of rates before anything that is no single symbol or number."""
    simple = e.is_Symbol or e.is_Number
    return e != sp.pi, not simple and not all(map(is_rate, e.free_symbols))


def tex_lines(lines: Sequence[tuple[sp.Symbol, sp.Expr]], names: Mapping[sp.Symbol, str]) -> str:
    """A LaTeX `aligned` block, a line an assignment."""
    printer = ScheduleLatex(names)
    rows = [rf"{printer.doprint(symbol)} &= {printer.doprint(e)}" for symbol, e in lines]
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"
