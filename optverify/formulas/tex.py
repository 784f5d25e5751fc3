r"""The LaTeX that this project writes, read into a small tree, from which other notations are written.

The printers of `language.notation` decide order, brackets and names once, in LaTeX; formulas of problems and
claims are LaTeX too. This reads exactly the commands they use: an unknown one is an error, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from optverify.formulas.commands import (
    ACCENTS,
    BIG,
    BRACKETS,
    FUNCTIONS,
    GREEK,
    NEGATED,
    OPENING,
    OPERATORS,
    PASSED,
    SPACES,
    STYLES,
    TABLES,
    UPRIGHT,
    WORDS,
)
from optverify.formulas.tree import (
    Accent,
    Big,
    Bracket,
    Fenced,
    Fraction,
    Identifier,
    Node,
    Number,
    Operator,
    Root,
    Row,
    Script,
    Space,
    Table,
    Text,
    Under,
)

TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\s+|\d+(?:\.\d+)?|.", re.DOTALL)


SINGLE: dict[str, Node] = {
    **{name: Identifier(c) for name, c in GREEK.items()},
    **{name: Identifier(c, "upright") for name, c in UPRIGHT.items()},
    **{name: Identifier(name, "upright") for name in FUNCTIONS},
    "bmod": Identifier("mod", "upright"),
    **{name: Operator(text) for name, text in OPERATORS.items()},
    **{name: Space(width) for name, width in SPACES.items()},
    **{name: Big(text) for name, text in BIG.items()},
}
"""Commands without arguments."""


def parse(tex: str) -> Node:
    """The tree of a formula; ValueError, naming the place, for what is none of our LaTeX."""
    reader = _Reader(tex)
    found = reader.row(())
    if reader.next is not None:
        raise reader.wrong(f"{reader.next!r} closes nothing")
    return found


def lines(tex: str) -> list[tuple[Node, ...]]:
    """The rows of an `aligned` block, a tuple of cells each; a formula without one is one row."""
    found = parse(tex)
    return [*found.rows] if isinstance(found, Table) and found.kind == "aligned" else [(found,)]


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tex: str) -> None:
        self.tex = tex
        self._tokens: Iterator[str] = iter(TOKEN.findall(tex))
        self.next: str | None = None
        self._step()

    def _step(self) -> None:
        self.next = next(self._tokens, None)

    def wrong(self, what: str) -> ValueError:
        return ValueError(f"LaTeX that cannot be read: {what} in {self.tex[:200]!r}")

    def take(self) -> str:
        """The next token."""
        if self.next is None:
            raise self.wrong("it ends too early")
        token = self.next
        self._step()
        return token

    def skip_space(self) -> None:
        while self.next is not None and self.next.isspace():
            self._step()

    def row(self, ends: tuple[str, ...]) -> Node:
        """What stands before one of these tokens, which is not taken."""
        items: list[Node] = []
        self.skip_space()
        while self.next is not None and self.next not in ends and self.next not in ("}", r"\right", r"\end"):
            if self.next in ("&", r"\\"):
                raise self.wrong(f"{self.next!r} outside a table")
            items += self.scripted()
            self.skip_space()
        return items[0] if len(items) == 1 else Row(tuple(items))

    def scripted(self) -> list[Node]:
        """One thing with its indices."""
        base = self.atom()
        below: Node | None = None
        above: Node | None = None
        self.skip_space()
        while self.next in ("_", "^", "'"):
            mark = self.take()
            if mark == "'":
                prime = Operator("′")
                above = prime if above is None else Row((above, prime))
            elif mark == "_" and below is None:
                below = self.argument()
            elif mark == "^":
                found = self.argument()
                above = found if above is None else Row((above, found))
            else:
                raise self.wrong("two indices on one thing")
            self.skip_space()
        if isinstance(base, Under) and below is not None:
            return [Under(base.base, below)]
        return [base if below is None and above is None else Script(base, below, above)]

    def argument(self) -> Node:
        """A group in braces, or one thing."""
        self.skip_space()
        return self.atom()

    def group(self) -> Node:
        """What stands in braces."""
        self.skip_space()
        if self.next != "{":
            raise self.wrong(f"{self.next!r} where braces must stand")
        self.take()
        found = self.row(("}",))
        if self.next != "}":
            raise self.wrong("a brace is not closed")
        self.take()
        return found

    def words(self) -> str:
        """The plain text in braces."""
        self.skip_space()
        if self.take() != "{":
            raise self.wrong("a command lacks its braces")
        text, depth = "", 1
        while True:
            token = self.take()
            depth += (token == "{") - (token == "}")
            if not depth:
                return text
            text += token.removeprefix("\\") if token in (r"\_", r"\%", r"\&", r"\#", r"\ ") else token

    def atom(self) -> Node:
        """One thing without indices."""
        if self.next == "{":
            return self.group()
        token = self.take()
        if token in BRACKETS and token != ".":
            side = "open" if token in OPENING else "" if token in ("|", r"\|", r"\vert") else "close"
            return Bracket(BRACKETS[token], side)
        if token[0] == "\\":
            return self.command(token[1:])
        if token[0].isdigit():
            return Number(token)
        if token.isalpha():
            return Identifier(token)
        if token in "+-*/=<>,;:!.?~":
            return Operator({"-": "−", "*": "∗", "~": "\u00a0"}.get(token, token))
        raise self.wrong(f"{token!r}")

    def command(self, name: str) -> Node:
        """What a command stands for, with its arguments."""
        if name in SINGLE:
            return SINGLE[name]
        if read := self._readers(name).get(name):
            return read()
        raise self.wrong(f"the command \\{name}")

    def _readers(self, name: str) -> dict[str, Callable[[], Node]]:
        """Commands with arguments; name: the one that is being read."""
        return {
            **dict.fromkeys(ACCENTS, lambda: Accent(self.argument(), ACCENTS[name])),
            **dict.fromkeys(WORDS, lambda: Text(self.words())),
            **dict.fromkeys(STYLES, lambda: Identifier(self.words(), STYLES[name])),
            **dict.fromkeys(PASSED, self.argument),
            **dict.fromkeys(("frac", "tfrac", "dfrac"), lambda: self.fraction(name == "tfrac")),
            "pmod": self.modulo,
            "binom": self.binomial,
            "sqrt": self.root,
            "underbrace": self.under,
            "left": self.fenced,
            "begin": self.table,
            "not": self.negated,
        }

    def fraction(self, small: bool) -> Node:
        return Fraction(self.argument(), self.argument(), small)

    def modulo(self) -> Node:
        return Fenced("(", Row((Identifier("mod", "upright"), Space(0.33), self.argument())), ")")

    def binomial(self) -> Node:
        above, below = self.argument(), self.argument()
        return Fenced("(", Table("matrix", ((above,), (below,))), ")")

    def under(self) -> Node:
        return Under(self.argument(), None)

    def negated(self) -> Node:
        self.skip_space()
        found = self.atom()
        if not isinstance(found, Operator) or found.text not in NEGATED:
            raise self.wrong(r"\not before what has no negation")
        return Operator(NEGATED[found.text])

    def root(self) -> Root:
        self.skip_space()
        index = None
        if self.next == "[":
            self.take()
            index = self.row(("]",))
            self.take()
        return Root(self.argument(), index)

    def fenced(self) -> Fenced:
        self.skip_space()
        left = self._bracket()
        inside = self.row((r"\right",))
        if self.next != r"\right":
            raise self.wrong(r"\left without \right")
        self.take()
        self.skip_space()
        return Fenced(left, inside, self._bracket())

    def _bracket(self) -> str:
        token = self.take()
        if token not in BRACKETS:
            raise self.wrong(f"the bracket {token!r}")
        return BRACKETS[token]

    def table(self) -> Table:
        kind = self.words()
        if kind not in TABLES:
            raise self.wrong(f"the environment {kind!r}")
        if kind == "array":
            self.words()
        rows: list[tuple[Node, ...]] = []
        cells: list[Node] = []
        while True:
            cells.append(self.row(("&", r"\\", r"\end")))
            token = self.take()
            if token != "&":
                rows.append(tuple(cells))
                cells = []
            if token == r"\end":
                break
        if self.words() != kind:
            raise self.wrong(f"the end of {kind!r}")
        if rows and all(cell == Row(()) for cell in rows[-1]):
            rows.pop()
        return Table(kind, tuple(rows))
