"""MathML Core of a formula, as Chromium, Firefox and Safari draw it without a line of script.

What each browser needs was found by looking: hats are U+02C6 and do not stretch, a numbered index and a power
are nested and not stacked, brackets grow only where something tall is inside, columns are aligned by style.
"""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup, escape

from optverify.formulas import tree as t
from optverify.formulas.commands import LIMITS
from optverify.formulas.tex import parse

MARKS = {"hat": "ˆ", "bar": "¯", "tilde": "˜", "dot": "˙", "ddot": "¨"}
DOUBLE = {"C": "ℂ", "E": "𝔼", "N": "ℕ", "P": "ℙ", "Q": "ℚ", "R": "ℝ", "Z": "ℤ"}
BOLD = {chr(ord("A") + k): chr(0x1D400 + k) for k in range(26)}
SCRIPT = {"B": "ℬ", "E": "ℰ", "F": "ℱ", "H": "ℋ", "I": "ℐ", "L": "ℒ", "M": "ℳ", "R": "ℛ"}


@lru_cache(maxsize=16384)
def mathml(tex: str, block: bool = False) -> Markup:
    """A formula as a `math` element; block: on a line of its own. ValueError as in `tex.parse`."""
    display = ' display="block"' if block else ""
    return Markup(f"<math{display}>{_row(parse(tex))}</math>")


@lru_cache(maxsize=16384)
def line(tex: str) -> tuple[Markup, Markup]:
    """The two sides of `left &= right`, each a `math` element in display style; the sign goes right."""
    left, _, right = tex.partition("&")
    sides = ((_row(parse(part)) if part.strip() else "") for part in (left, right))
    first, second = (
        Markup(f'<math displaystyle="true">{side}</math>') if side else Markup("") for side in sides
    )
    return first, second


def _row(node: t.Node) -> str:
    """The content of an element that takes a row."""
    return "".join(map(_print, node.items)) if isinstance(node, t.Row) else _print(node)


def _one(node: t.Node | None) -> str:
    """Exactly one element."""
    if node is None:
        return "<mrow></mrow>"
    if isinstance(node, t.Row) and len(node.items) != 1:
        return f"<mrow>{_row(node)}</mrow>"
    return _row(node)


def _print(node: t.Node) -> str:
    return str(getattr(_Printer, type(node).__name__)(node))


def _fixed(text: str, form: str = "") -> str:
    form = f' form="{form}"' if form else ""
    return f'<mo stretchy="false"{form}>{escape(text)}</mo>'


class _Printer:
    """A function a kind of node."""

    @staticmethod
    def Identifier(node: t.Identifier) -> str:
        letters = {"double": DOUBLE, "script": SCRIPT, "bold": BOLD}.get(node.style, {})
        text = "".join(letters.get(c, c) for c in node.text)
        plain = ' mathvariant="normal"' if node.style == "upright" and len(text) == 1 else ""
        return f"<mi{plain}>{escape(text)}</mi>"

    @staticmethod
    def Number(node: t.Number) -> str:
        return f"<mn>{escape(node.text)}</mn>"

    @staticmethod
    def Operator(node: t.Operator) -> str:
        if node.text == "/":
            return '<mo lspace="0" rspace="0">/</mo>'
        return f"<mo>{escape(node.text)}</mo>"

    @staticmethod
    def Bracket(node: t.Bracket) -> str:
        return _fixed(node.text, {"open": "prefix", "close": "postfix"}.get(node.side, ""))

    @staticmethod
    def Big(node: t.Big) -> str:
        return f"<mo>{node.text}</mo>"

    @staticmethod
    def Text(node: t.Text) -> str:
        return f"<mtext>{escape(node.text.replace(' ', chr(0xA0)))}</mtext>"

    @staticmethod
    def Space(node: t.Space) -> str:
        return f'<mspace width="{node.width:g}em"></mspace>'

    @staticmethod
    def Row(node: t.Row) -> str:
        return f"<mrow>{_row(node)}</mrow>"

    @staticmethod
    def Fraction(node: t.Fraction) -> str:
        inside = f"<mfrac>{_one(node.above)}{_one(node.below)}</mfrac>"
        return f'<mstyle displaystyle="false">{inside}</mstyle>' if node.small else inside

    @staticmethod
    def Root(node: t.Root) -> str:
        if node.index is None:
            return f"<msqrt>{_row(node.inside)}</msqrt>"
        return f"<mroot>{_one(node.inside)}{_one(node.index)}</mroot>"

    @staticmethod
    def Script(node: t.Script) -> str:
        base = _one(node.base)
        if isinstance(node.base, t.Big) or (isinstance(node.base, t.Identifier) and node.base.text in LIMITS):
            parts = [x for x in (node.below, node.above) if x is not None]
            tag = "munderover" if len(parts) == 2 else "munder" if node.below is not None else "msup"
            return f"<{tag}>{base}{''.join(map(_one, parts))}</{tag}>"
        if node.below is None:
            return f"<msup>{base}{_one(node.above)}</msup>"
        if node.above is None:
            return f"<msub>{base}{_one(node.below)}</msub>"
        if isinstance(node.below, t.Number):
            return f"<msup><msub>{base}{_one(node.below)}</msub>{_one(node.above)}</msup>"
        return f"<msubsup>{base}{_one(node.below)}{_one(node.above)}</msubsup>"

    @staticmethod
    def Accent(node: t.Accent) -> str:
        mark = f'<mo stretchy="false" class="hat">{MARKS[node.mark]}</mo>'
        if node.mark == "bar" and not isinstance(node.base, t.Identifier):
            mark = "<mo>¯</mo>"
        return f'<mover accent="true">{_one(node.base)}{mark}</mover>'

    @staticmethod
    def Under(node: t.Under) -> str:
        braced = f"<munder>{_one(node.base)}<mo>⏟</mo></munder>"
        return braced if node.below is None else f"<munder>{braced}{_one(node.below)}</munder>"

    @staticmethod
    def Fenced(node: t.Fenced) -> str:
        left = f'<mo form="prefix">{escape(node.left)}</mo>' if node.left else ""
        right = f'<mo form="postfix">{escape(node.right)}</mo>' if node.right else ""
        return f"<mrow>{left}{_row(node.inside)}{right}</mrow>"

    @staticmethod
    def Table(node: t.Table) -> str:
        kind = node.kind if node.kind in ("aligned", "cases") else "matrix"
        rows = "".join(f"<mtr>{''.join(f'<mtd>{_row(c)}</mtd>' for c in row)}</mtr>" for row in node.rows)
        style = "" if kind == "matrix" else ' displaystyle="true"'
        table = f'<mtable class="{kind}"{style}>{rows}</mtable>'
        around = {"cases": ("{", ""), "pmatrix": ("(", ")"), "bmatrix": ("[", "]")}.get(node.kind, ("", ""))
        left, right = (f"<mo>{x}</mo>" if x else "" for x in around)
        return f"<mrow>{left}{table}{right}</mrow>" if left or right else table
