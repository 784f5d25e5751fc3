"""Every dialect of every rule, small enough for a page: each equation and line of code is stored once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from optverify.backends.python import recurrence
from optverify.formulas import line
from optverify.language import Rule
from optverify.libraries import Entry
from optverify.libraries import registry as libraries


class Once:
    """Texts by number: the same text gets the same number."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def number(self, item: Any) -> int:
        """The number of this item."""
        return self._numbers.setdefault(item, len(self._numbers))

    def numbers(self, items: Iterable[Any]) -> list[int]:
        """The numbers of these items."""
        return [self.number(item) for item in items]

    @property
    def items(self) -> list[Any]:
        """All of them, in order."""
        return list(self._numbers)


@cache
def every_dialect(rule: Rule) -> tuple[Rule, ...]:
    """All of them, made once."""
    return tuple(rule.dialects())


def without(rule: Rule) -> str:
    """Why a rule is not in the playground; "" if it is."""
    if rule.needs_matrix:
        return "acts on matrices, and a point of the plane is none"
    return f"needs {' and '.join(i.name for i in rule.inputs)}" if rule.inputs else ""


def key(rule: Rule) -> str:
    """The options of a dialect by their places on the axes, a letter an axis."""
    places = ([*axis.options].index(rule.options[axis.name]) for axis in rule.axes)
    return "".join(chr(ord("a") + place) for place in places)


def dialects(rules: Iterable[Rule]) -> dict[str, Any]:
    """What the switches of the cards need.

    tex: `left &= right` of each equation; math: its two sides in MathML; code: lines of NumPy; rules: name ->
    key of a dialect -> its equations, its code.
    """
    equations, code = Once(), Once()
    found = {}
    for rule in rules:
        written = _Written(rule)
        found[rule.name] = {
            key(d): [equations.numbers(written.equations(d)), code.numbers(code_lines(d))]
            for d in every_dialect(rule)
        }
    return {
        "tex": equations.items,
        "math": [list(line(tex)) for tex in equations.items],
        "code": code.items,
        "rules": found,
    }


class _Written:
    """Equations of a rule in LaTeX; an assignment that dialects share is printed once."""

    def __init__(self, rule: Rule) -> None:
        self._names = rule.tex_names
        self._known: dict[Any, str] = {}

    def equations(self, dialect: Rule) -> Iterator[str]:
        point = dialect.gradient_point
        for lhs, rhs in dialect.assignments:
            if (lhs, rhs, point) not in self._known:
                self._known[lhs, rhs, point] = f"{dialect.tex(lhs)} &= {dialect.tex(rhs)}"
            yield self._known[lhs, rhs, point]


def code_lines(dialect: Rule) -> list[str]:
    """The readable function of the NumPy step, as `reference.equations_source` shows it."""
    source = recurrence(dialect, ieee=True)
    first, *kept = source.states
    inputs = [i.name for i in dialect.inputs]
    given = [first, source.gradient, *inputs, *kept, "t", *source.hyperparameters]
    return [
        f"def equations({', '.join(given)}):",
        *(f"    {name} = {text}" for name, text in source.lines),
        f"    return {', '.join(source.states)}{',' if not kept else ''}",
    ]


@dataclass(frozen=True)
class Elsewhere:
    """A rule as a library has it. title: of the library, with its version; dialect: with its defaults."""

    title: str
    entry: Entry
    dialect: Rule

    @property
    def key(self) -> str:
        """Of its dialect."""
        return key(self.dialect)


def libraries_of(rule: Rule) -> dict[str, Elsewhere]:
    """Library -> the rule as it has it, for those that do."""
    found = {}
    for name in libraries.names():
        library = libraries.get(name)
        for entry in library.entries:
            if entry.rule == rule.name:
                dialect = rule.with_defaults(entry.defaults).dialect(**entry.options)
                found[name] = Elsewhere(f"{library.title} {library.version}", entry, dialect)
    return found
