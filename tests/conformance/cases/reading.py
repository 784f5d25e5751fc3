"""A reader of the LaTeX of rules: what stands in the book, read by somebody who has only the book.

It knows which symbols a rule has and nothing of how they are printed together: fractions, roots, powers,
products by juxtaposition, cases.
"""

import re

import sympy as sp

FUNCTIONS = {r"\mathrm{sign}": sp.sign, r"\max": sp.Max, r"\min": sp.Min, r"\exp": sp.exp, r"\ln": sp.log}
RELATIONS = {">": sp.Gt, "<": sp.Lt, r"\geq": sp.Ge, r"\leq": sp.Le, r"\ge": sp.Ge, r"\le": sp.Le, "=": sp.Eq}
SPACE = re.compile(r"(\s|\\,|\\left(?![a-z])|\\right(?![a-z]))+")
NUMBER = re.compile(r"\d+(\.\d+)?")


class Reader:
    """Reads one expression. names: LaTeX -> symbol."""

    def __init__(self, text, names):
        self.text, self.names, self.at = text, dict(sorted(names.items(), key=lambda n: -len(n[0]))), 0

    def rest(self):
        if space := SPACE.match(self.text, self.at):
            self.at = space.end()
        return self.text[self.at :]

    def takes(self, *words):
        rest = self.rest()
        for word in words:
            if rest.startswith(word):
                self.at += len(word)
                return word
        return None

    def needs(self, word):
        if not self.takes(word):
            raise ValueError(f"{word!r} is missing before {self.rest()[:40]!r}")

    def group(self):
        """{...} or a single token."""
        if not self.takes("{"):
            return self.atom()
        inner = self.sum()
        self.needs("}")
        return inner

    def sum(self):
        total = -self.product() if self.takes("-") else self.product()
        while sign := self.takes("+", "-"):
            term = self.product()
            total = total + term if sign == "+" else total - term
        return total

    def product(self):
        made = self.power()
        while (factor := self.power_or_none()) is not None:
            made = made * factor
        return made % self.power() if self.takes(r"\bmod") else made

    def power(self):
        if (found := self.power_or_none()) is None:
            raise ValueError(f"nothing to read at {self.rest()[:40]!r}")
        return found

    def power_or_none(self):
        base = self.atom_or_none()
        return base if base is None or not self.takes("^") else base ** self.group()

    def atom(self):
        if (found := self.atom_or_none()) is None:
            raise ValueError(f"nothing to read at {self.rest()[:40]!r}")
        return found

    def atom_or_none(self):  # noqa: PLR0911
        rest = self.rest()
        if name := next((n for n in self.names if rest.startswith(n)), None):
            self.at += len(name)
            return self.names[name]
        if number := NUMBER.match(rest):
            self.at += number.end()
            return sp.Rational(number.group())
        if self.takes(r"\frac"):
            above = self.group()
            return above / self.group()
        if self.takes(r"\sqrt[3]"):
            return sp.cbrt(self.group())
        if self.takes(r"\sqrt"):
            return sp.sqrt(self.group())
        if self.takes(r"\lvert"):
            inner = self.sum()
            self.needs(r"\rvert")
            return sp.Abs(inner)
        if self.takes("("):
            inner = self.sum()
            self.needs(")")
            return inner
        if name := self.takes(*FUNCTIONS):
            return FUNCTIONS[name](*self.arguments())
        return self.cases() if self.takes(r"\begin{cases}") else None

    def arguments(self):
        self.needs("(")
        given = [self.sum()]
        while self.takes(","):
            given.append(self.sum())
        self.needs(")")
        return given

    def cases(self):
        pieces = []
        while not self.takes(r"\end{cases}"):
            value = self.sum()
            self.needs("&")
            if self.takes(r"\text{otherwise}"):
                pieces.append((value, True))
            else:
                self.needs(r"\text{if }")
                pieces.append((value, self.condition()))
            self.takes(r"\\")
        return sp.Piecewise(*pieces)

    def condition(self):
        left = self.sum()
        relation = RELATIONS[self.takes(*RELATIONS)](left, self.sum())
        if not self.takes(r"\wedge"):
            return relation
        return sp.And(relation, self.condition())


def names_of(rule):
    """LaTeX -> symbol, of all the symbols in the lines of a rule."""
    symbols = {s for lhs, rhs in rule.assignments for s in (lhs, *rhs.free_symbols)}
    return {rule.tex(s): s for s in symbols}


def read(rule):
    """The lines that the LaTeX of a rule says it has: (symbol, expression)."""
    names = names_of(rule)
    inner = rule.latex().removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}")
    lines = []
    for line in inner.split("\n"):
        left, right = line.removesuffix(r" \\").split(" &= ", 1)
        reader = Reader(right, names)
        made = reader.sum()
        if reader.rest():
            raise ValueError(f"{reader.rest()!r} is left over of {line!r}")
        lines.append((names[left], made))
    return lines
