"""Figures inside the page: SVG text as matplotlib writes it, made to fit the policy and the theme.

The page lets no style attribute and no second style sheet in, has one set of names for all its figures, and
colours of its own in the dark. So properties become attributes, names get a prefix, ink and paper are left
to `figure.css`, and path data is written as short as it can be.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from xml.etree import ElementTree

from markupsafe import Markup, escape

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
REFERENCE = re.compile(r"url\(#([^)]+)\)")
BESIDE = re.compile(r" ?translate\((-?[\d.]+) 0\)")
PROPERTIES = frozenset(
    [
        "clip-path", "fill", "fill-opacity", "fill-rule", "opacity", "stroke", "stroke-dasharray",
        "stroke-dashoffset", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-opacity",
        "stroke-width",
    ]
)  # fmt: skip
DEFAULTS = {"stroke-linejoin": "round", "stroke-dashoffset": "0"}
"""What matplotlib's own style sheet says of every element; the root says it here."""
DROPPED = frozenset(["style", "metadata", "title"])
PIXELS = 4 / 3
"""CSS pixels a point."""
THIN = 0.12
"""How far a polyline may be from the drawn one, in points: a hair less than the eye sees."""
TOKEN = re.compile(r"[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
Points = list[tuple[float, float]]


def inline(svg: str, prefix: str) -> Markup:
    """The figure as an element of the page; its title is its name for screen readers.

    svg: of our own figures. prefix: its own among the figures of the page. Raises ValueError for what is no
    SVG, holds a script, a link to elsewhere or a property that is no attribute of SVG.
    """
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise ValueError(f"figure {prefix!r} is no SVG: {error}") from None
    if root.tag != f"{SVG}svg":
        raise ValueError(f"figure {prefix!r} is no SVG: its root is {root.tag!r}")
    named = {name: f"{prefix}{i}" for i, name in enumerate(dict.fromkeys(_references(root)))}
    drawn = {f"#{e.get('id')}": _declared(e) for e in root.iter(f"{SVG}path") if e.get("id")}
    for use in root.iter(f"{SVG}use"):
        _lighten(use, drawn[use.get(HREF, "")])
    box = [float(n) for n in root.get("viewBox", "").split()]
    title = root.findtext(f"{SVG}title") or prefix
    size = f'width="{box[2] * PIXELS:.0f}" height="{box[3] * PIXELS:.0f}"'
    body = "".join(_element(child, named) for child in root)
    return Markup(
        f'<svg class="figure" role="img" viewBox="{" ".join(map(_number, box))}"'
        f' {size} stroke-linejoin="round"><title>{escape(title)}</title>{body}</svg>'
    )


def _references(root: ElementTree.Element) -> Iterator[str]:
    """The names that something refers to."""
    for element in root.iter():
        if HREF in element.attrib:
            yield element.attrib[HREF].removeprefix("#")
        for value in (*element.attrib.values(), *_declared(element).values()):
            yield from REFERENCE.findall(value)


def _lighten(use: ElementTree.Element, drawn: dict[str, str]) -> None:
    """Leave out what the path that is used says of itself, and say its place in the shortest way."""
    rest = {name: value for name, value in _declared(use).items() if drawn.get(name) != value}
    use.attrib.pop("style", None)
    if rest:
        use.set("style", ";".join(f"{name}:{value}" for name, value in rest.items()))
    if found := BESIDE.fullmatch(use.get("transform", "")):
        del use.attrib["transform"]
        if float(found.group(1)):
            use.set("x", f"{float(found.group(1)):.0f}")  # of a glyph: 1000 units and more a letter


def _declared(element: ElementTree.Element) -> dict[str, str]:
    """The properties of a style attribute."""
    declared = (part.partition(":") for part in element.get("style", "").split(";") if part.strip())
    return {name.strip(): value.strip() for name, _, value in declared}


def _element(element: ElementTree.Element, named: dict[str, str]) -> str:
    tag = element.tag.removeprefix(SVG)
    if tag in DROPPED:
        return ""
    if tag not in ("g", "defs", "clipPath", "path", "use", "rect"):
        raise ValueError(f"an element {tag!r} has no place in a figure")
    attributes = dict(_attributes(element, named))
    inside = "".join(_element(child, named) for child in element)
    if tag in ("g", "defs") and not inside:
        return ""
    if tag == "g" and not attributes:
        return inside
    written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return f"<{tag}{written}>{inside}</{tag}>" if inside else f"<{tag}{written}/>"


def _attributes(element: ElementTree.Element, named: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in element.attrib.items():
        if name == "id":
            if value in named:
                yield "id", named[value]
        elif name == HREF:
            yield "href", f"#{named[value.removeprefix('#')]}"
        elif name == "d":
            yield "d", path(value)
        elif name == "transform":
            yield "transform", value.replace(", ", " ")
        elif name == "style":
            yield from _presentation(element, named)
        elif name in ("x", "y", "width", "height") or name in PROPERTIES:
            yield name, _renamed(value, named)
        else:
            raise ValueError(f"an attribute {name!r} has no place in a figure")


def _presentation(element: ElementTree.Element, named: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in _declared(element).items():
        if name not in PROPERTIES:
            raise ValueError(f"a property {name!r} is no attribute of SVG")
        if DEFAULTS.get(name) != value:
            yield name, _renamed(value, named)


def _renamed(value: str, named: dict[str, str]) -> str:
    """A reference under its name in the page; anything else as it is."""
    return REFERENCE.sub(lambda found: f"url(#{named[found.group(1)]})", value)


# ---- path data -------------------------------------------------------------------------------------------


def path(data: str) -> str:
    """Path data, shorter: points of polylines that make no difference left out, nothing said twice."""
    return "".join(
        _polyline(points, closed) if points else _compact(raw)
        for raw, points, closed in map(_straight, re.findall(r"[Mm][^Mm]*", data))
    )


def _straight(part: str) -> tuple[str, Points, bool]:
    """A subpath: as it is, its points if it is a polyline, whether it is closed."""
    tokens = TOKEN.findall(part)
    if any(t.isalpha() and t not in "MLzZ" for t in tokens):
        return part, [], False
    numbers = [float(t) for t in tokens if not t.isalpha()]
    closed = tokens[-1] in "zZ"
    return part, list(zip(numbers[::2], numbers[1::2], strict=True)), closed


def _polyline(points: Points, closed: bool) -> str:
    """From point to point in hundredths, so that rounding does not add up."""
    places = [(round(100 * x), round(100 * y)) for x, y in thinned(points)]
    steps = [(x - a, y - b) for (a, b), (x, y) in pairwise(places)]
    first, *rest = (f"{_number(x / 100)} {_number(y / 100)}" for x, y in [places[0], *steps])
    return f"M{first}{'l' if rest else ''}{' '.join(rest)}{'z' if closed else ''}".replace(" -", "-")


def _compact(part: str) -> str:
    """The same commands without needless spaces and letters."""
    written, before = "", ""
    for token in TOKEN.findall(part):
        if token.isalpha():
            written += token if token != before or token in "Mm" else " "
            before = token
        else:
            number = _number(float(token))
            gap = "" if written[-1].isalpha() or written[-1] == " " or number[0] == "-" else " "
            written += gap + number
    return written.replace(" -", "-")


def thinned(points: Sequence[tuple[float, float]], within: float = THIN) -> Points:
    """The points without those nearer than `within` to the line between the ones that stay."""
    pending = [(0, len(points) - 1)]
    chosen = {0, len(points) - 1}
    while pending:
        first, last = pending.pop()
        far, index = within, 0
        for i in range(first + 1, last):
            if (d := _distance(points[i], points[first], points[last])) > far:
                far, index = d, i
        if index:
            chosen.add(index)
            pending += [(first, index), (index, last)]
    return [points[i] for i in sorted(chosen)]


def _distance(point: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> float:
    """From a point to a segment."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    along = ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / length if length else 0.0
    along = min(1.0, max(0.0, along))
    return math.hypot(point[0] - a[0] - along * dx, point[1] - a[1] - along * dy)


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("0.", ".", 1) if abs(value) < 1 else text
