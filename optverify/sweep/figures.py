"""Sensitivity plots: the final loss over lr. matplotlib is imported here alone."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from optverify.files import replacing
from optverify.problems import Problem
from optverify.training.figures import COLOURS, DASHES

from .cell import Instance
from .columns import Row
from .series import Series, series

FORMATS = (".svg", ".png", ".pdf")
FAR = 10.0
"""The loss is shown up to so many times the one at the start; beyond, and where runs diverged, is a cross."""
MARKERS = "os^Dv<>p"
COLUMNS = 3
MOST = 60
"""Series in one panel, enough for all rules; more cannot be told apart."""
LONG = 20
"""Entries in a column of the legend."""


def sensitivity(rows: Iterable[Row]) -> Figure:
    """A panel a problem, a line a rule and setting: median of the final loss over lr, quartiles shaded.

    Raises ValueError if there is nothing to draw, or far too much.
    """
    found = [s for s in series(rows) if any(p.lr for p in s.points)]
    if not found:
        raise ValueError("there is nothing to draw: no row has an lr and a loss")
    problems = list(dict.fromkeys(s.problem for s in found))
    labels = list(dict.fromkeys(s.label for s in found))
    if len(labels) > MOST:
        raise ValueError(
            f"{len(labels)} lines in one panel cannot be told apart: choose at most {MOST} combinations of "
            "rules and settings"
        )
    wide = min(COLUMNS, len(problems))
    high = -(-len(problems) // wide)
    with _own_settings():
        blocks = -(-len(labels) // LONG)
        size = (4.5 * wide + 1.8 * blocks, max(3.4 * high, 0.23 * min(len(labels), LONG)))
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(high, wide, squeeze=False).ravel()
        for axes, problem in zip(grid, problems, strict=False):
            _panel(axes, Instance(problem).build(), [s for s in found if s.problem == problem], labels)
        for axes in grid[len(problems) :]:
            axes.set_visible(False)
        handles = {h.get_label(): h for axes in grid for h in axes.get_lines() if h.get_label() in labels}
        figure.legend(
            [handles[label] for label in labels], labels, loc="outside right upper", frameon=False,
            ncols=blocks, handlelength=3,
        )  # fmt: skip
    return figure


def _panel(axes: Any, problem: Problem, drawn: Sequence[Series], labels: Sequence[str]) -> None:
    shift = problem.minimum.value if math.isfinite(problem.minimum.value) else 0.0
    first = [
        r["initial_value"] - shift for s in drawn for p in s.points for r in p.rows if r["initial_value"]
    ]
    finite = [x - shift for s in drawn for p in s.points for x in p.quartiles if math.isfinite(x)]
    logarithmic = bool(finite) and min(finite) > 0 and min(first, default=1) > 0
    ceiling = FAR * max(first) if logarithmic and first else math.inf
    for s in drawn:
        i = labels.index(s.label)
        colour, dashes = COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS) % len(DASHES)]
        points = [p for p in s.points if p.lr]
        lr = [p.lr for p in points]
        low, middle, high = (
            [x - shift if x - shift <= ceiling and math.isfinite(x) else math.nan for x in column]
            for column in zip(*(p.quartiles for p in points), strict=True)
        )
        top = [h if math.isfinite(h) else ceiling for h in high]
        axes.plot(
            lr, middle, color=colour, linestyle=dashes, marker=MARKERS[i % len(MARKERS)], markersize=3.5,
            linewidth=1.4, label=s.label,
        )  # fmt: skip
        if math.isfinite(max(top)):
            axes.fill_between(lr, low, top, color=colour, alpha=0.15, linewidth=0)
        lost = [x for x, y in zip(lr, middle, strict=True) if math.isnan(y)]
        axes.plot(
            lost, [0.98] * len(lost), "x", color=colour, markersize=5, transform=axes.get_xaxis_transform()
        )
    axes.set_xscale("log")
    if logarithmic:
        axes.set_yscale("log")
        axes.set_ylim(top=ceiling * 1.5)
    above = f" above its least value {shift:g}" if shift else ""
    axes.set(title=drawn[0].problem, xlabel="lr", ylabel=f"final loss{above}")


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write the figure, whole; an SVG hangs on the rows alone. ValueError for another ending."""
    path = Path(path)
    check_format(path)
    dateless = {"Date": None, "Creator": None} if path.suffix == ".svg" else None
    with _own_settings(), replacing(path) as fresh:
        figure.savefig(fresh, format=path.suffix[1:], metadata=dateless, dpi=150)


@contextmanager
def _own_settings() -> Iterator[None]:
    """The same whatever matplotlibrc says, while drawing and while writing, when ticks are made."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {"svg.hashsalt": "optverify-sweep", "svg.fonttype": "path", "path.simplify": False}
        )
        yield


def check_format(path: Path) -> None:
    """ValueError unless its ending is that of a figure."""
    if path.suffix not in FORMATS:
        raise ValueError(f"{str(path)!r}: a figure ends in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}")
