"""Small line drawings for the page: a few curves with their names at their ends, no library, no script.

Letters are those of the page and colours are classes of `evidence.css`, so that a drawing costs about a
kilobyte and follows the theme. Curves differ in colour, dashes and marks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from optverify.report.web.figure import thinned

WIDTH, HEIGHT = 380, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 96, 12, 30
LETTER = 13
"""Height of a line of text: names at the ends of curves are at least that far apart."""
MARKED = 30
"""A curve of at most so many points has a mark on each."""
STYLES = 5

Point = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """A curve. points: x and y, a y that is not finite breaks the curve; name: at its end; style: 0 to 4."""

    name: str
    points: Sequence[Point]
    style: int = 0


@dataclass(frozen=True)
class Drawing:
    """Curves on common axes.

    title: what a screen reader says; stairs: a value holds until the next; log: y on a logarithmic scale, of
    which only positive values are drawn; square: x and y on the same scale.
    """

    title: str
    curves: Sequence[Curve]
    x: str = "update"
    y: str = ""
    stairs: bool = False
    log: bool = False
    square: bool = False

    def svg(self) -> Markup:
        """As an element of the page. ValueError if there is nothing to draw."""
        scales = self._scales()
        body = [*_axes(scales, self.x, self.y), *self._drawn(scales)]
        return Markup(
            f'<svg class="curves" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}">'
            f"<title>{escape(self.title)}</title>{''.join(body)}</svg>"
        )

    def _scales(self) -> tuple[Scale, Scale]:
        points = [p for c in self.curves for p in c.points if self._shown(p[1])]
        if not points:
            raise ValueError(f"nothing to draw in {self.title!r}: no value is finite")
        xs, ys = zip(*points, strict=True)
        across = Scale(min(xs), max(xs), LEFT, WIDTH - RIGHT)
        up = Scale(min(ys), max(ys), HEIGHT - BOTTOM, TOP, self.log)
        return alike(across, up) if self.square else (across, up)

    def _shown(self, y: float) -> bool:
        return math.isfinite(y) and (y > 0 or not self.log)

    def _drawn(self, scales: tuple[Scale, Scale]) -> Iterator[str]:
        across, up = scales
        ends: list[tuple[float, float, str, int]] = []
        for curve in self.curves:
            pieces = [[(across(x), up(y)) for x, y in piece] for piece in self._pieces(curve)]
            style = f"c{curve.style % STYLES}"
            if not pieces:
                ends.append((WIDTH - RIGHT, HEIGHT - BOTTOM, f"{curve.name}: not finite", curve.style))
                continue
            yield f'<path class="line {style}" d="{"".join(self._path(p) for p in pieces)}"/>'
            if len(curve.points) <= MARKED:
                places = "".join(f"M{_n(x)} {_n(y)}h0" for piece in pieces for x, y in piece)
                yield f'<path class="mark {style}" d="{places}"/>'
            ends.append((*pieces[-1][-1], curve.name, curve.style))
        yield from _names(ends)

    def _pieces(self, curve: Curve) -> Iterator[list[Point]]:
        """Stretches of the curve without a gap."""
        piece: list[Point] = []
        for point in curve.points:
            if self._shown(point[1]):
                piece.append(point)
            elif piece:
                yield piece
                piece = []
        if piece:
            yield piece

    def _path(self, piece: list[Point]) -> str:
        if not self.stairs:
            (x, y), *rest = thinned(piece, 0.3)
            return f"M{_n(x)} {_n(y)}" + "".join(f"L{_n(x)} {_n(y)}" for x, y in rest)
        (x, y), *rest = piece
        return f"M{_n(x)} {_n(y)}" + "".join(f"H{_n(x)}V{_n(y)}" for x, y in rest)


@dataclass(frozen=True)
class Scale:
    """Numbers from low to high -> places from first to last."""

    low: float
    high: float
    first: float
    last: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The place of a number."""
        low, high, value = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        if high == low:
            return (self.first + self.last) / 2
        return self.first + (value - low) / (high - low) * (self.last - self.first)

    def ticks(self) -> list[float]:
        """Two to five round numbers within."""
        if self.log:
            powers = range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            return [10.0**k for k in powers[:: max(1, len(powers) // 4)]]
        if self.high == self.low:
            return [self.low]
        rough = (self.high - self.low) / 4
        unit = 10 ** math.floor(math.log10(rough))
        step = next(m * unit for m in (1, 2, 5, 10) if m * unit >= rough)
        first = math.ceil(self.low / step - 1e-9)
        return [k * step for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def alike(across: Scale, up: Scale) -> tuple[Scale, Scale]:
    """Both with the same units a pixel: the shorter range is made longer about its middle."""
    units = max(
        (across.high - across.low) / (across.last - across.first), (up.high - up.low) / (up.first - up.last)
    )

    def wide(s: Scale) -> Scale:
        half, middle = abs(s.last - s.first) * units / 2, (s.low + s.high) / 2
        return Scale(middle - half, middle + half, s.first, s.last)

    return wide(across), wide(up)


def _axes(scales: tuple[Scale, Scale], x: str, y: str) -> Iterator[str]:
    across, up = scales
    floor = HEIGHT - BOTTOM
    yield f'<path class="axis" d="M{LEFT} {TOP}V{floor}H{WIDTH - RIGHT}"/>'
    for value in across.ticks():
        along = _n(across(value))
        yield f'<path class="axis" d="M{along} {floor}v3"/>'
        yield f'<text class="mid" x="{along}" y="{floor + 14}">{said(value)}</text>'
    for value in up.ticks():
        height = up(value)
        yield f'<path class="axis" d="M{LEFT} {_n(height)}h-3"/>'
        yield f'<text class="end" x="{LEFT - 6}" y="{_n(height + 4)}">{said(value)}</text>'
    yield f'<text class="end" x="{WIDTH - RIGHT}" y="{HEIGHT - 3}">{escape(x)}</text>'
    if y:
        yield f'<text x="{LEFT + 5}" y="{TOP + 5}">{escape(y)}</text>'


def _names(ends: list[tuple[float, float, str, int]]) -> Iterator[str]:
    """From top to bottom, pushed apart and kept within."""
    ends = sorted(ends, key=lambda end: end[1])
    places: list[float] = []
    for _, y, _, _ in ends:
        places.append(max(y, places[-1] + LETTER) if places else max(y, TOP))
    for k in reversed(range(len(places))):
        below = places[k + 1] - LETTER if k + 1 < len(places) else HEIGHT - BOTTOM
        places[k] = min(places[k], below)
    for (x, _, name, style), place in zip(ends, places, strict=True):
        beside, kind = _n(max(x, WIDTH - RIGHT) + 6), f"name c{style % STYLES}"
        yield f'<text class="{kind}" x="{beside}" y="{_n(place + 4)}">{escape(name)}</text>'


def said(value: float) -> str:
    """A number at a tick, with a proper minus."""
    text = f"{value:.4g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return ("0" if float(text) == 0 else text).replace("-", "−")


def _n(value: float) -> str:
    text = f"{value:.1f}"
    return "0" if text == "-0.0" else text.removesuffix(".0")
