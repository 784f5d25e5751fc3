"""Time a parameter for every rule, and time of an Adam update for every size."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from optverify.bench import Cell, Results
from optverify.bench.ours import BARE, NUMBA, NUMPY, TEXT
from optverify.report.figures.canvas import INK, MUTED, drawing, svg

DESCRIPTION = "Time a parameter of every rule on large arrays, and time of an Adam update against size"
STYLES: dict[str, tuple[str, str]] = {
    BARE: (MUTED, "|"),
    NUMBA: ("#D55E00", "o"),
    NUMPY: ("#0072B2", "s"),
    TEXT: (INK, "x"),
    "torch": ("#CC79A7", "v"),
    "torch foreach": ("#56B4E9", "^"),
    "torch fused": ("#009E73", "D"),
    "optax": ("#E69F00", "P"),
}
"""Competitor -> colour and marker: colour is never the only cue."""
DTYPE, EXAMPLE = "float32", "adam"


def benchmarks(results: Results) -> str:
    """Left: the largest arrays. Right: all single arrays of Adam; dashed is time in proportion to size."""
    cells = [c for c in results.cells if c.load.count == 1 and c.load.dtype == DTYPE]
    largest = max((c.load.size for c in cells), default=0)
    big = [c for c in cells if c.load.size == largest]
    example = [c for c in cells if c.rule == EXAMPLE]
    with drawing("benchmarks"):
        figure = Figure(figsize=(7.6, 1.6 + 0.19 * max(len(big), 14)))
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
        _rules(left, big, largest)
        if example:
            _sizes(right, example)
        names = [n for n in STYLES if any(n in c.seconds for c in cells)]
        handles = [right.plot([], [], color=STYLES[n][0], marker=STYLES[n][1], ms=4, lw=0)[0] for n in names]
        figure.legend(handles, names, ncols=4, loc="lower center", frameon=False, bbox_to_anchor=(0.5, -0.06))
        figure.tight_layout()
        return svg(figure, DESCRIPTION)


def _rules(axes: Any, cells: list[Cell], size: int) -> None:
    order = sorted(cells, key=lambda c: c.nanoseconds(NUMBA if NUMBA in c.seconds else NUMPY))
    for row, cell in enumerate(order):
        axes.axhline(row, color=MUTED, alpha=0.22, lw=0.4)
        for name, (colour, marker) in STYLES.items():
            if name in cell.seconds:
                wide = 11 if name == BARE else 4
                axes.plot(cell.nanoseconds(name), row, color=colour, marker=marker, ms=wide, lw=0)
    axes.set_xscale("log")
    axes.set_yticks(range(len(order)), [c.rule for c in order])
    axes.set_ylim(-0.7, len(order) - 0.3)
    axes.set_xlabel("ns a parameter")
    axes.set_title(f"{size:,} parameters, {DTYPE}", fontweight="normal", pad=8)


def _sizes(axes: Any, cells: list[Cell]) -> None:
    order = sorted(cells, key=lambda c: c.load.size)
    sizes = [c.load.size for c in order]
    for name, (colour, marker) in STYLES.items():
        points = [(c.load.size, 1e6 * c.seconds[name][1]) for c in order if name in c.seconds]
        if points:
            axes.loglog(*zip(*points, strict=True), color=colour, marker=marker, ms=4, lw=1)
    floor = min(c.seconds[n][1] / c.load.size for c in order for n in c.seconds)
    axes.loglog(
        [sizes[0], sizes[-1]], [1e6 * floor * sizes[0], 1e6 * floor * sizes[-1]], color=MUTED, ls=":", lw=1
    )
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("parameters")
    axes.set_ylabel("µs an update")
    axes.grid(axis="y", color=MUTED, alpha=0.22, lw=0.4)
    axes.set_title(f"{EXAMPLE}, {DTYPE}", fontweight="normal", pad=8)
