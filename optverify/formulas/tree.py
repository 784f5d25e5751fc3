"""A formula as a small tree: what every notation writes in its own way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Identifier:
    """A letter or a word. style: "italic", "upright", "bold", "double", "script"."""

    text: str
    style: str = "italic"


@dataclass(frozen=True)
class Number:
    """Digits."""

    text: str


@dataclass(frozen=True)
class Operator:
    """A sign between things."""

    text: str


@dataclass(frozen=True)
class Bracket:
    """A bracket that does not grow; side: "open", "close" or "" where the sign alone does not say."""

    text: str
    side: str


@dataclass(frozen=True)
class Big:
    """A sum or product sign."""

    text: str


@dataclass(frozen=True)
class Text:
    """Words."""

    text: str


@dataclass(frozen=True)
class Space:
    """A space, in em."""

    width: float


@dataclass(frozen=True)
class Row:
    """Things side by side."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Fraction:
    """A fraction; small: set as in text."""

    above: Node
    below: Node
    small: bool = False


@dataclass(frozen=True)
class Root:
    """A root; index None: the square root."""

    inside: Node
    index: Node | None = None


@dataclass(frozen=True)
class Script:
    """A base with something below and above."""

    base: Node
    below: Node | None
    above: Node | None


@dataclass(frozen=True)
class Accent:
    """A hat, bar or tilde over something."""

    base: Node
    mark: str


@dataclass(frozen=True)
class Under:
    """Something over a brace with words below it."""

    base: Node
    below: Node | None


@dataclass(frozen=True)
class Fenced:
    """Brackets that grow with what is inside; an empty one is not there."""

    left: str
    inside: Node
    right: str


@dataclass(frozen=True)
class Table:
    """Rows of cells: "aligned", "cases" or a matrix."""

    kind: str
    rows: tuple[tuple[Node, ...], ...]


Node = (
    Identifier | Number | Operator | Bracket | Big | Text | Space | Row | Fraction | Root | Script | Accent
    | Under | Fenced | Table
)  # fmt: skip
