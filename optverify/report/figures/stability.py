"""Where momentum converges on a quadratic: the spectral radius of its step matrix."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import sympy as sp
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from optverify.language import Rule
from optverify.report.figures.canvas import INK, drawing, svg
from optverify.rules import rule
from optverify.views.linear import step_matrix

DESCRIPTION = "Spectral radius of momentum on a quadratic, with the proved edge of stability"
LEVELS = [0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0]


def spectral_radius(rule: Rule, curvature: ArrayLike, **values: ArrayLike) -> NDArray[np.float64]:
    """The factor by which a rule with one or two states shrinks an error per update, in the long run.

    curvature: of the quadratic, and values of all hyperparameters; arrays are broadcast.
    """
    symbol = sp.Symbol("curvature", positive=True)
    matrix = step_matrix(rule, symbol)
    symbols = [rule.hyperparameter(name).symbol for name in values]
    determinant = matrix.det() if matrix.rows == 2 else 0  # without a second state, its eigenvalue is 0
    functions = sp.lambdify([symbol, *symbols], [matrix.trace() / 2, determinant])
    half, det = functions(np.asarray(curvature, float), *(np.asarray(v, float) for v in values.values()))
    root = np.sqrt(np.asarray(half**2 - det, complex))
    radius: NDArray[np.float64] = np.maximum(np.abs(half + root), np.abs(half - root))
    return radius


def stability() -> str:
    """The radius over lr lambda and beta, and the line lr lambda = 2 (1 + beta)."""
    with drawing("stability"):
        figure = Figure(figsize=(6.4, 3.4))
        axes = figure.subplots()
        steps, beta = np.meshgrid(np.linspace(0, 4.2, 253), np.linspace(0, 1, 121))
        radius = spectral_radius(rule("momentum"), 1.0, lr=steps, momentum=beta)
        filled = axes.contourf(steps, beta, radius, levels=LEVELS, cmap=mpl.colormaps["viridis_r"])
        filled.set(edgecolor="face", linewidth=0.3)  # no light seams between the bands
        axes.plot([2, 4], [0, 1], color=INK, lw=2)
        axes.set(xlim=(0, 4.2), ylim=(0, 1), xlabel=r"$\varepsilon \lambda$  (lr times curvature)")
        axes.set_ylabel(r"$\mu$", rotation=0, labelpad=10)
        axes.set_title("Momentum on a quadratic: spectral radius of a step", pad=8)
        axes.text(3.2, 0.25, "diverges", color=INK, fontweight="bold", ha="left")
        axes.annotate(
            r"$\varepsilon \lambda = 2 (1 + \mu)$", (3.0, 0.5), xytext=(8, 0), textcoords="offset points",
            color=INK, va="top",
        )  # fmt: skip
        _scale(figure, axes, filled)
        return svg(figure, DESCRIPTION)


def _scale(figure: Figure, axes: Any, filled: Any) -> None:
    bar = figure.colorbar(filled, ax=axes, ticks=LEVELS, pad=0.03)
    bar.outline.set_linewidth(0.4)
    bar.ax.set_title(r"$\rho$")
