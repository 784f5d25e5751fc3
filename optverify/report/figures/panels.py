"""Named curves in panels side by side: the plain form that most figures need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import ArrayLike

from optverify.report.figures.canvas import COLOURS, INK, MUTED, drawing, svg

DASHES: tuple[Any, ...] = (
    "solid", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)), "solid", (0, (3, 1)),
)  # fmt: skip
LETTER = 0.075
"""Height of a name, as a share of a panel's."""


@dataclass(frozen=True)
class Line:
    """A curve. name: at its end; colour: of a rule, by name."""

    name: str
    x: ArrayLike
    y: ArrayLike
    colour: str


@dataclass(frozen=True)
class Panel:
    """Curves on common axes; mark: where a thin line across says `said`."""

    title: str
    lines: Sequence[Line]
    x: str = "updates $t$"
    log: bool = False
    mark: float | None = None
    said: str = ""


def panels(name: str, description: str, drawn: Sequence[Panel], height: float = 2.6) -> str:
    """The panels in a row, as SVG."""
    with drawing(name):
        figure = Figure(figsize=(8.2, height))
        row = figure.subplots(1, len(drawn), squeeze=False, gridspec_kw={"wspace": 0.8})[0]
        for axes, panel in zip(row, drawn, strict=True):
            _panel(axes, panel)
        return svg(figure, description)


def _panel(axes: Any, panel: Panel) -> None:
    for k, line in enumerate(panel.lines):
        axes.plot(line.x, line.y, color=COLOURS[line.colour], lw=1.5, ls=DASHES[k % len(DASHES)])
    if panel.log:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    last = max(float(np.asarray(line.x)[-1]) for line in panel.lines)
    axes.set_xlim(0, last)
    if panel.mark is not None:
        axes.axhline(panel.mark, color=MUTED, lw=0.8)
        axes.text(0.02 * last, panel.mark, panel.said, color=MUTED, va="bottom", fontsize=8)
    axes.set_xlabel(panel.x)
    axes.set_title(panel.title, pad=8, fontsize=9)
    _names(axes, panel.lines, last)


def _names(axes: Any, lines: Sequence[Line], last: float) -> None:
    """Right of the ends, pushed apart from the top, then kept within from the bottom."""
    to_share = axes.transData + axes.transAxes.inverted()
    ends = sorted(
        ((float(to_share.transform((last, np.asarray(line.y)[-1]))[1]), line) for line in lines),
        key=lambda end: -end[0],
    )
    places: list[float] = []
    for height, _ in ends:
        places.append(min(height, places[-1] - LETTER) if places else min(height, 1.0))
    for k in reversed(range(len(places))):
        places[k] = max(places[k], places[k + 1] + LETTER if k + 1 < len(places) else 0.0)
    for (_, line), place in zip(ends, places, strict=True):
        axes.text(
            1.02, place, line.name, transform=axes.transAxes, color=INK, va="center", fontsize=8,
            fontweight="bold",
        )  # fmt: skip
        axes.plot(
            [1.0, 1.015], [place, place], transform=axes.transAxes, color=COLOURS[line.colour], lw=2,
            clip_on=False,
        )  # fmt: skip
