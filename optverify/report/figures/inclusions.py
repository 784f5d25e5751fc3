"""The graph of rules: a curve from a rule to each rule that contains it, with the substitution at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke

from optverify.claims._edge import Edge
from optverify.claims.inclusions import inclusions
from optverify.report.figures.canvas import COLOURS, INK, MUTED, PAPER, drawing, svg

DESCRIPTION = (
    "Which update rule is another one with its hyperparameters set: an arrow points to the larger rule"
)
LINE, GAP, COLUMN = 1.0, 0.75, 10.0
"""Height of a label, space between rules, width of a column."""
NAME, LABEL = 0.34, 0.2
"""Width of a letter in the name of a rule and in a label."""
HALO: dict[str, Any] = {"path_effects": [withStroke(linewidth=2.5, foreground=PAPER)], "zorder": 3}
SWEEPS = 8
Places = dict[str, float]


def shown(edges: Sequence[Edge]) -> list[Edge]:
    """The edges that are drawn: those that hold, between two rules, one for each pair."""
    pairs = {(e.smaller.name, e.larger.name): e for e in reversed(edges) if not e.refuted}
    return [e for (small, large), e in reversed(pairs.items()) if small != large]


def ranks(edges: Sequence[Edge]) -> dict[str, int]:
    """Rule -> length of the longest chain of rules below it."""
    below: dict[str, set[str]] = {}
    for edge in edges:
        below.setdefault(edge.larger.name, set()).add(edge.smaller.name)
        below.setdefault(edge.smaller.name, set())

    def rank(name: str) -> int:
        return 1 + max(map(rank, below[name]), default=-1)

    return {name: rank(name) for name in sorted(below)}


def places(edges: Sequence[Edge], columns: Mapping[str, int]) -> Places:
    """Rule -> height of its middle: near those it is joined to, none overlapping."""
    heights = {name: max(1, sum(e.larger.name == name for e in edges)) * LINE for name in columns}
    pairs = [(e.smaller.name, e.larger.name) for e in edges]
    joined = {n: [b for b, c in pairs if c == n] + [c for b, c in pairs if b == n] for n in columns}
    by_column = [[n for n, c in columns.items() if c == k] for k in sorted(set(columns.values()))]
    y = {name: -2.0 * i for names in by_column for i, name in enumerate(names)}
    for sweep in range(SWEEPS):
        for names in by_column if sweep % 2 == 0 else reversed(by_column):
            wanted = {n: sum(y[o] for o in joined[n]) / len(joined[n]) for n in names}
            order = sorted(names, key=lambda n: (-wanted[n], n))
            y |= _stacked(order, wanted, heights)
    return y


def _stacked(order: Sequence[str], wanted: Places, heights: Places) -> Places:
    """The rules of a column from top to bottom, as near to where they want to be as their heights allow."""
    total = sum(heights[n] for n in order) + GAP * (len(order) - 1)
    top = sum(wanted[n] for n in order) / len(order) + total / 2
    found = {}
    for name in order:
        found[name] = top - heights[name] / 2
        top -= heights[name] + GAP
    return found


def inclusion_graph(edges: Sequence[Edge] | None = None) -> str:
    """The graph from left to right: gradient descent and signSGD first, what contains most last.

    Dashed: under a condition that no hyperparameter is. Dotted: in a limit.
    """
    drawn = shown(inclusions() if edges is None else edges)
    columns = ranks(drawn)
    y = places(drawn, columns)
    with drawing("inclusions"):
        figure = Figure(figsize=(13, 8.2))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        for name, column in columns.items():
            colour = COLOURS.get(name, INK)
            axes.text(
                column * COLUMN, y[name], name, color=colour, fontweight="bold", fontsize=8, va="center"
            )
        for name in columns:
            into = [e for e in drawn if e.larger.name == name]
            into.sort(key=lambda e: -y[e.smaller.name])
            for i, edge in enumerate(into):
                end = y[name] + LINE * ((len(into) - 1) / 2 - i)
                _arrow(axes, edge, columns, y[edge.smaller.name], end)
        _legend(axes, min(y.values()) - 2 * LINE)
        axes.set(
            xlim=(-0.3, max(columns.values()) * COLUMN + 4.5), ylim=(min(y.values()) - 3, max(y.values()) + 2)
        )
        return svg(figure, DESCRIPTION)


def _arrow(axes: Any, edge: Edge, columns: Mapping[str, int], start: float, end: float) -> None:
    """A curve to the label of the edge, which stands left of the larger rule."""
    x0 = columns[edge.smaller.name] * COLUMN + NAME * len(edge.smaller.name) + 0.2
    x1 = columns[edge.larger.name] * COLUMN - 0.3
    label = edge.label.replace("->", "→").replace("oo", "∞")
    axes.text(x1, end, label, color=MUTED, fontsize=6.5, ha="right", va="center", **HALO)
    x1 -= LABEL * len(label) + 0.2
    bend = min(2.5, max(0.5, (x1 - x0) / 2))
    curve = Path(
        [(x0, start), (x0 + bend, start), (x1 - bend, end), (x1, end)],
        [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
    )
    axes.add_patch(
        PathPatch(curve, fill=False, lw=0.9, ls=_style(edge), edgecolor=COLOURS.get(edge.smaller.name, MUTED))
    )


def _style(edge: Edge) -> Any:
    if edge.limit is not None:
        return (0, (1, 1.6))
    return "-" if edge.expected == "holds" else (0, (4, 2))


def _legend(axes: Any, height: float) -> None:
    styles = {"by hyperparameters alone": "-", "under a condition": (0, (4, 2)), "in a limit": (0, (1, 1.6))}
    for i, (name, style) in enumerate(styles.items()):
        axes.plot([i * 8, i * 8 + 1.5], [height, height], color=MUTED, lw=0.9, ls=style)
        axes.text(i * 8 + 1.8, height, name, color=MUTED, fontsize=7, va="center")
