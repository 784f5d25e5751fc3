"""Convergence on an ill-conditioned quadratic, against the proved bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from optverify.report.figures.canvas import COLOURS, INK, MUTED, drawing, svg
from optverify.training import Trace

DESCRIPTION = (
    "Suboptimality of six update rules on a rotated quadratic, with the rates of step matrices dashed"
)
FLOOR = 1e-11
LEVELS = {"momentum": 1e-4, "nesterov": 1e-9}
"""Where the curves that leave the figure are named: momentum above the point where the two cross."""


@dataclass(frozen=True)
class Bound:
    """A curve rate^(2t). rule: whose; rate: per update; label: LaTeX; place: where it is written."""

    rule: str
    rate: float
    label: str
    place: tuple[float, float]


def convergence(traces: Sequence[Trace], bounds: Sequence[Bound], condition: float) -> str:
    """(f(theta_t) - f*)/(f(theta_0) - f*) of each run; each bound dashed in the colour of its rule."""
    with drawing("convergence"):
        figure = Figure(figsize=(7.2, 3.9))
        axes = figure.subplots()
        for bound in bounds:
            _bound(axes, bound, len(traces[0].t))
        ends = [(trace, _curve(axes, trace)) for trace in traces]
        _labels(axes, [(trace, y) for trace, y in ends if y[-1] > FLOOR], len(traces[0].t) - 1)
        for trace, y in ends:
            if y[-1] <= FLOOR:
                _label_on_curve(axes, trace, y, LEVELS[trace.rule.name])
        axes.set(xlim=(0, len(traces[0].t) - 1), ylim=(FLOOR, 30), xlabel="updates $t$")
        axes.yaxis.set_major_locator(FixedLocator([10.0**k for k in range(-10, 1, 2)]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.grid(axis="y", color=MUTED, alpha=0.22, lw=0.4)
        axes.set_title(
            r"$(f(\theta_t) - f^\star) / (f(\theta_0) - f^\star)$ on a rotated quadratic,"
            rf" $\kappa = {condition:g}$, $n = {traces[0].problem.dim}$",
            fontweight="normal", pad=8,
        )  # fmt: skip
        return svg(figure, DESCRIPTION)


def _curve(axes: Any, trace: Trace) -> Any:
    least = trace.problem.minimum.value
    y = np.maximum((trace.value - least) / (trace.value[0] - least), FLOOR / 10)
    end = int(np.argmax(y <= FLOOR)) + 1 if y[-1] <= FLOOR else len(y)
    axes.semilogy(trace.t[:end], y[:end], color=COLOURS[trace.rule.name], lw=1.6)
    return y


def _bound(axes: Any, bound: Bound, points: int) -> None:
    last = min(points - 1, np.log(FLOOR) / (2 * np.log(bound.rate)))
    axes.semilogy([0, last], [1, bound.rate ** (2 * last)], color=COLOURS[bound.rule], lw=1, ls=(0, (4, 3)))
    axes.text(*bound.place, bound.label, color=INK, va="center")


def _labels(axes: Any, ends: Sequence[tuple[Trace, Any]], last: int) -> None:
    """Names right of the curves, pushed apart where they would overlap."""
    place = 2.0
    for trace, y in sorted(ends, key=lambda end: -float(end[1][-1])):
        place = min(place - 0.75, float(np.log10(y[-1])))
        line = {
            "arrowstyle": "-",
            "color": COLOURS[trace.rule.name],
            "lw": 1.2,
            "relpos": (0, 0.5),
            "shrinkA": 2,
            "shrinkB": 0,
        }
        axes.annotate(
            trace.rule.title, (last, y[-1]), xytext=(last * 1.035, 10**place), color=INK, va="center",
            annotation_clip=False, arrowprops=line,
        )  # fmt: skip


def _label_on_curve(axes: Any, trace: Trace, y: Any, level: float) -> None:
    """The name of a curve that leaves the figure at the bottom, to its right at this level."""
    there = int(np.argmax(y <= level))
    axes.annotate(
        trace.rule.title, (there, y[there]), xytext=(6, 0), textcoords="offset points", color=INK, va="center"
    )
