"""Paths on the contours of Rosenbrock's valley, a panel a rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from optverify.language.notation import tex_number
from optverify.report.figures.canvas import COLOURS, INK, MUTED, PAPER, drawing, svg
from optverify.training import Trace

DESCRIPTION = "Paths of six update rules on the contours of the Rosenbrock function"
WIDTH, HEIGHT = (-1.9, 1.6), (-0.6, 2.2)
MARGIN = 0.5
"""How far contours are followed beyond the panel, so that none ends inside it."""


def trajectories(traces: Sequence[Trace]) -> str:
    """Each run on Rosenbrock's function: start, a ring every 100 updates, and the minimum as a star."""
    with drawing("trajectories"):
        figure = Figure(figsize=(7.2, 4.3))
        panels = figure.subplots(2, 3, sharex=True, sharey=True, gridspec_kw={"wspace": 0.08, "hspace": 0.25})
        expression, symbols = traces[0].problem.expression()
        height = np.log10(sp.lambdify(symbols, expression)(*_grid()) + 1e-3)
        for panel, trace in zip(panels.flat, traces, strict=True):
            _contours(panel, height)
            _path(panel, trace)
        for panel in panels[:, 0]:
            panel.set_ylabel(r"$\theta_2$", rotation=0, labelpad=6)
        for panel in panels[1]:
            panel.set_xlabel(r"$\theta_1$")
        return svg(figure, DESCRIPTION)


def _grid() -> tuple[Any, Any]:
    """Points along the valley y = x^2, dense near its floor, where a square grid breaks narrow contours."""
    x, side = np.meshgrid(np.linspace(*WIDTH, 71), np.linspace(-2.1, 1.6, 75))
    return x, x**2 + side * np.abs(side)


def _contours(panel: Any, height: Any) -> None:
    x, y = _grid()
    outside = (y < HEIGHT[0] - MARGIN) | (y > HEIGHT[1] + MARGIN)
    panel.contour(
        x, y, np.ma.array(height, mask=outside), levels=np.linspace(-0.6, 3.2, 8), linestyles="solid",
        colors=MUTED, linewidths=0.45, alpha=0.55,
    )  # fmt: skip
    panel.set(xlim=WIDTH, ylim=HEIGHT)
    panel.xaxis.set_major_locator(FixedLocator([-1, 0, 1]))
    panel.yaxis.set_major_locator(FixedLocator([0, 1, 2]))


def _path(panel: Any, trace: Trace) -> None:
    colour, path = COLOURS[trace.rule.name], trace.theta
    panel.plot(*path.T, color=colour, lw=1.5, solid_joinstyle="round")
    panel.plot(*path[100::100].T, "o", ms=3.2, mfc=PAPER, mec=colour, mew=1.1)
    panel.plot(*path[0], "o", ms=4, color=INK)
    panel.plot(*trace.problem.minimum.all[0], marker="*", ms=8, color=INK, mec="none")
    panel.set_title(trace.rule.title, pad=4)
    rate = rf"${trace.rule.hyperparameter('lr').latex} = {tex_number(float(trace.lr[0]))}$"
    reached = rf"$f(\theta_{{{trace.t[-1]}}}) = {scientific(trace.value[-1])}$"
    for text, place in ((rate, "left"), (reached, "right")):
        panel.text(
            0.98 if place == "right" else 0.02, 0.03, text, transform=panel.transAxes, ha=place, va="bottom",
            bbox={"fc": PAPER, "ec": "none", "pad": 1, "alpha": 0.85},
        )  # fmt: skip


def scientific(value: float) -> str:
    """LaTeX of a positive number with two digits: 2.3 x 10^{-4}, and 0.12 or 3.4 near 1."""
    if 0.01 <= value < 100:
        return f"{value:.2g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}"
