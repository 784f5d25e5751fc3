"""The same tree as Typst's mathematics, for the PDF."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from optverify.formulas import tree as t
from optverify.formulas.commands import LIMITS
from optverify.formulas.tex import parse

SPECIAL = frozenset("#$\\/_^&*~`@<>\"'(){}[]|,;:.-+=!?%")
"""Characters that Typst reads as something else than themselves."""
STYLES = {"bold": "bold", "double": "bb", "script": "cal"}
MARKS = {"hat": "hat", "bar": "overline", "tilde": "tilde", "dot": "dot", "ddot": "dot.double"}
KINDS = {
    "cases": "cases",
    "pmatrix": "mat",
    "bmatrix": "mat",
    "matrix": "mat",
    "array": "mat",
    "gathered": "mat",
}
DELIMITERS = {"pmatrix": '"("', "bmatrix": '"["', "matrix": "#none", "array": "#none", "gathered": "#none"}


@lru_cache(maxsize=16384)
def typst(tex: str) -> str:
    """A formula, or a line `left &= right`, as Typst writes it between dollars; ValueError as in `parse`."""
    if not tex.startswith(r"\begin{aligned}") and " &= " in tex:
        left, _, right = tex.partition(" &= ")
        return f"{typst(left)} &= {typst(right)}"
    found = parse(tex)
    if isinstance(found, t.Table) and found.kind == "aligned":
        return " \\\n".join(" & ".join(map(_row, row)) for row in found.rows)
    return _row(found)


def _row(node: t.Node) -> str:
    return " ".join(_paired(node.items)) if isinstance(node, t.Row) else _print(node)


def _paired(items: tuple[t.Node, ...]) -> Iterator[str]:
    """Things side by side; of bars, which look the same on both sides, each second one closes."""
    opened: set[str] = set()
    for item in items:
        base = item.base if isinstance(item, t.Script) else item
        if isinstance(base, t.Bracket) and not base.side:
            opened ^= {base.text}
            kind = "opening" if base.text in opened else "closing"
            bar = f'class("{kind}", {_print(base)})'
            yield bar if item is base else _print(item).replace(_print(base), bar, 1)
        else:
            yield _print(item)


def _print(node: t.Node) -> str:
    return str(getattr(_Printer, type(node).__name__)(node))


def _group(node: t.Node | None) -> str:
    """In brackets that are not seen."""
    return "" if node is None else f"({_row(node)})" if _row(node)[:1] != "(" else f"(zws{_row(node)})"


def _sign(text: str) -> str:
    """Signs as characters; those that Typst gives a meaning are quoted from it."""
    return "".join(f"\\{c}" if c in SPECIAL and c not in "-+=<>!?." else c for c in text)


def _quoted(text: str) -> str:
    """Words."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Printer:
    """A function a kind of node."""

    @staticmethod
    def Identifier(node: t.Identifier) -> str:
        if node.style in STYLES:
            return f"{STYLES[node.style]}({_quoted(node.text)})"
        if len(node.text) > 1:
            return f"op({_quoted(node.text)}{', limits: #true' if node.text in LIMITS else ''})"
        return (
            f"upright({node.text})" if node.style == "upright" and node.text.isalpha() else _sign(node.text)
        )

    @staticmethod
    def Number(node: t.Number) -> str:
        return node.text

    @staticmethod
    def Operator(node: t.Operator) -> str:
        return _sign(node.text) if node.text.strip("\xa0") else "space.nobreak"

    @staticmethod
    def Bracket(node: t.Bracket) -> str:
        return f"\\{node.text}" if node.text in SPECIAL else node.text

    @staticmethod
    def Big(node: t.Big) -> str:
        return node.text

    @staticmethod
    def Text(node: t.Text) -> str:
        return _quoted(node.text)

    @staticmethod
    def Space(node: t.Space) -> str:
        return f"#h({node.width:g}em)"

    @staticmethod
    def Row(node: t.Row) -> str:
        return _row(node)

    @staticmethod
    def Fraction(node: t.Fraction) -> str:
        inside = f"frac({_argument(node.above)}, {_argument(node.below)})"
        return f"inline({inside})" if node.small else inside

    @staticmethod
    def Root(node: t.Root) -> str:
        if node.index is None:
            return f"sqrt({_argument(node.inside)})"
        return f"root({_argument(node.index)}, {_argument(node.inside)})"

    @staticmethod
    def Script(node: t.Script) -> str:
        base = _row(node.base)
        if isinstance(node.base, t.Row):
            base = f"{{{base}}}" if not base else f"attach({_argument(node.base)})"
        below = "" if node.below is None else f"_{_group(node.below)}"
        above = "" if node.above is None else f"^{_group(node.above)}"
        return f"{base}{below}{above}"

    @staticmethod
    def Accent(node: t.Accent) -> str:
        return f"{MARKS[node.mark]}({_argument(node.base)})"

    @staticmethod
    def Under(node: t.Under) -> str:
        return (
            f"underbrace({_argument(node.base)}{'' if node.below is None else ', ' + _argument(node.below)})"
        )

    @staticmethod
    def Fenced(node: t.Fenced) -> str:
        left, right = (f"\\{b}" if b in SPECIAL else b for b in (node.left, node.right))
        return f"lr({left} {_argument(node.inside)} {right})"

    @staticmethod
    def Table(node: t.Table) -> str:
        if node.kind == "cases":
            rows = (" & ".join(f"display({_argument(c)})" for c in row) for row in node.rows)
            return f"cases({', '.join(rows)})"
        if node.kind == "aligned":
            return f"display({' ; '.join(' '.join(map(_row, row)) for row in node.rows)})"
        rows = (", ".join(map(_argument, row)) for row in node.rows)
        return f"mat(delim: {DELIMITERS[node.kind]}, {'; '.join(rows)})"


def _argument(node: t.Node) -> str:
    """As an argument of a function: commas and semicolons in it are escaped already."""
    return _row(node)
