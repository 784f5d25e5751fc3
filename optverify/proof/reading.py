r"""Reads the LaTeX that rules are printed in, and works it out: a check of the printer, unknown to it.

For numbers: a norm is an absolute value, a product of matrices is a product, \top changes nothing. A symbol
is whatever text it is printed as, the longest one that fits; what stands side by side is multiplied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from optverify.proof.evaluation import Arithmetic, Value


class Unreadable(Exception):  # noqa: N818 -- an outcome, no error
    """LaTeX that does not follow the notation of the pages."""


SPACE = (r"\,", r"\cdot", " ")
SAME = (
    r"\mathrm{mean}",
    r"\mathrm{rowmean}",
    r"\mathrm{colmean}",
    r"\max_{\mathrm{row}}",
    r"\max_{\mathrm{col}}",
)
"""Functions that leave one number as it is."""
RELATIONS = {"=": "Eq", ">": "Gt", "<": "Lt", r"\geq": "Ge", r"\leq": "Le", r"\neq": "Ne"}
ENDS = ("}", ")", r"\right", ",", "&", r"\\", r"\rvert", r"\rVert", r"\rangle", r"\end", r"\wedge", r"\vee",
        r"\bmod", *RELATIONS)  # fmt: skip


class Reader:
    """Works out one formula. known: LaTeX of a symbol -> its value."""

    def __init__(self, tex: str, known: Mapping[str, Value], arithmetic: Arithmetic) -> None:
        self.rest, self.arithmetic = tex.strip(), arithmetic
        self.known = dict(sorted(known.items(), key=lambda item: -len(item[0])))

    def value(self) -> Value:
        """The value of the whole text; Unreadable if something is left over."""
        found = self._sum()
        if self.rest.strip():
            raise Unreadable(f"left over: {self.rest!r}")
        return found

    # ---- text --------------------------------------------------------------------------------------------

    def _skip(self) -> None:
        while found := next((s for s in SPACE if self.rest.startswith(s)), None):
            self.rest = self.rest[len(found) :]

    def _take(self, *words: str) -> str | None:
        self._skip()
        for word in words:
            if self.rest.startswith(word):
                self.rest = self.rest[len(word) :]
                return word
        return None

    def _need(self, *words: str) -> None:
        if self._take(*words) is None:
            raise Unreadable(f"{' or '.join(words)} is missing before {self.rest!r}")

    def _number(self, p: int, q: int = 1) -> Value:
        return self.arithmetic.number(sp.Rational(p, q))

    # ---- formulas ----------------------------------------------------------------------------------------

    def _sum(self) -> Value:
        total: Value = None
        while True:
            sign = self._take("+", "-")
            if sign is None and total is not None:
                return total
            term = self._product()
            term = term * self._number(-1) if sign == "-" else term
            total = term if total is None else total + term

    def _product(self) -> Value:
        found: Value = None
        while True:
            self._skip()
            if not self.rest or self.rest[0] in "+-" or self.rest.startswith(ENDS):
                if found is None:
                    raise Unreadable(f"nothing to multiply before {self.rest!r}")
                return found
            factor = self._factor()
            found = factor if found is None else found * factor

    def _factor(self) -> Value:
        base = self._base()
        while self._take(r"^\top"):
            pass
        if self._take("^"):
            exponent = self._group() if self.rest.startswith("{") else self._base(one_digit=True)
            base = self.arithmetic.power(base, exponent)
        return base

    def _group(self) -> Value:
        self._need("{")
        found = self._sum()
        self._need("}")
        return found

    def _base(self, one_digit: bool = False) -> Value:
        self._skip()
        for tex, value in self.known.items():
            if self.rest.startswith(tex) and not (
                tex[-1].isalpha() and tex[0] == "\\" and self._runs_on(tex)
            ):
                self.rest = self.rest[len(tex) :]
                return value
        if self.rest[:1].isdigit():
            return self._digits(one_digit)
        if self.rest.startswith("{"):
            return self._group()
        return self._command()

    def _runs_on(self, tex: str) -> bool:
        """True if the command in the text is a longer one, as of nu in numu."""
        return tex[0] == "\\" and tex[-1].isalpha() and self.rest[len(tex) : len(tex) + 1].isalpha()

    def _digits(self, one_digit: bool) -> Value:
        length = 1
        while not one_digit and self.rest[length : length + 1] in tuple("0123456789."):
            length += 1
        text, self.rest = self.rest[:length], self.rest[length:]
        return self.arithmetic.number(sp.Rational(text))

    def _command(self) -> Value:  # noqa: PLR0911 -- a command each
        if self._take(r"\frac"):
            above = self._group()
            return above * self.arithmetic.power(self._group(), self._number(-1))
        if self._take(r"\sqrt[3]"):
            return self.arithmetic.power(self._group(), self._number(1, 3))
        if self._take(r"\sqrt"):
            return self.arithmetic.power(self._group(), self._number(1, 2))
        if word := self._take(r"\lvert", r"\lVert", r"\mathrm{RMS}"):
            return self._size(word)
        if self._take(r"\langle"):
            left = self._sum()
            self._need(",")
            product = left * self._sum()
            self._need(r"\rangle")
            return product
        if self._take(*SAME):
            return self._arguments()[0]
        if word := self._take(r"\max", r"\min", r"\mathrm{sign}", r"\mathrm{QR}", r"\ln", r"\exp"):
            return self._function(word)
        if self._take("e^"):
            return self.arithmetic.call("exp", self._group())
        if self._take(r"\begin{cases}"):
            return self._cases()
        if self.rest.startswith(("(", r"\left(")):
            return self._arguments()[0]
        raise Unreadable(f"unknown: {self.rest!r}")

    def _size(self, word: str) -> Value:
        if word == r"\mathrm{RMS}":
            return self.arithmetic.call("Abs", self._arguments()[0])
        found = self.arithmetic.call("Abs", self._sum())
        self._need(r"\rVert_1", r"\rVert", r"\rvert")
        return found

    def _arguments(self) -> list[Value]:
        opened = self._take(r"\left(", "(")
        if opened is None:
            raise Unreadable(f"a bracket is missing before {self.rest!r}")
        found = [self._sum()]
        while self._take(","):
            found.append(self._sum())
        self._need(r"\right)" if opened == r"\left(" else ")")
        return found

    def _function(self, word: str) -> Value:
        first, *others = self._arguments()
        if word in (r"\max", r"\min"):
            for other in others:
                first = self.arithmetic.call(word[1:].capitalize(), first, other)
            return first
        names = {r"\mathrm{sign}": "sign", r"\mathrm{QR}": "sign", r"\ln": "log", r"\exp": "exp"}
        return self.arithmetic.call(names[word], first)

    def _cases(self) -> Value:
        """The first case whose condition is true; the others are read, and may have no value."""
        chosen: Value = None
        while True:
            value = self._sum()
            self._need("&")
            holds = True if self._take(r"\text{otherwise}") else self._condition()
            chosen = value if chosen is None and holds else chosen
            if not self._take(r"\\"):
                self._need(r"\end{cases}")
                return chosen

    def _condition(self) -> bool:
        self._need(r"\text{if }")
        found = self._relation()
        while word := self._take(r"\wedge", r"\vee"):
            other = self._relation()
            found = (found and other) if word == r"\wedge" else (found or other)
        return found

    def _relation(self) -> bool:
        left = self._remainder()
        sign = self._take(*RELATIONS)
        if sign is None:
            raise Unreadable(f"a relation is missing before {self.rest!r}")
        return bool(self.arithmetic.relation(RELATIONS[sign], left, self._remainder()))

    def _remainder(self) -> Value:
        left = self._sum()
        return self.arithmetic.call("Mod", left, self._sum()) if self._take(r"\bmod") else left


def read(tex: str, known: Mapping[str, Any], arithmetic: Arithmetic) -> Value:
    """The value of a formula in LaTeX. known: LaTeX of each symbol -> its value. Raises Unreadable."""
    return Reader(tex, known, arithmetic).value()
