"""Small pieces of HTML for notebooks: everything that is no formula is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from optverify.formulas.mathml import mathml

GLYPHS = {"holds": "✓", "holds under conditions": "✓", "refuted": "✗", "not decided": "?", "error": "!"}


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> Markup:
    """A table; what is Markup stays."""
    titles = Markup("").join(Markup("<th>{}</th>").format(x) for x in head)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(x) for x in row))
        for row in rows
    )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(titles, body)


def block(title: object, *parts: object) -> Markup:
    """A heading and what stands under it; text is a paragraph."""
    shown = (p if isinstance(p, Markup) else Markup("<p>{}</p>").format(p) for p in parts if p)
    return Markup("<div><p><b>{}</b></p>{}</div>").format(title, Markup("").join(shown))


def formula(tex: str) -> Markup:
    """A formula on a line of its own; one that is none of our LaTeX as it is written."""
    try:
        return mathml(tex, block=True)
    except ValueError:
        return Markup("<pre>{}</pre>").format(escape(tex))


def inline(tex: str) -> Markup:
    """A formula within a line."""
    try:
        return mathml(tex)
    except ValueError:
        return Markup("<code>{}</code>").format(tex)


def text(lines: object) -> Markup:
    """Text as a terminal shows it."""
    return Markup("<pre>{}</pre>").format(str(lines))
