"""Where a linear rule converges on a quadratic, as a drawing: the spectral radius of a step."""

from __future__ import annotations

import numpy as np
import sympy as sp
from markupsafe import Markup

from optverify.language import Rule
from optverify.report.web.curves import Curve, Drawing
from optverify.views.linear import step_matrix

FARTHEST = 4.2
"""In lr times curvature."""
POINTS = 169
HIGHEST = 1.6
"""What is drawn of the radius."""


def radii(rule: Rule) -> list[tuple[float, float]] | None:
    """lr times curvature, and the spectral radius of a step there; other hyperparameters at their defaults.

    None where a step is not linear, not the same for every t, or needs a number that has no default.
    """
    if not rule.elementwise or any(s.nonnegative for s in rule.states):
        return None  # divides by what it has seen, so it is not linear
    curvature = sp.Symbol("curvature", positive=True)
    values = {h.symbol: sp.nsimplify(h.default) for h in rule.hyperparameters if h.default is not None}
    values |= {h.symbol: sp.Integer(1) for h in rule.hyperparameters if h.name == "lr"}
    try:
        matrix = step_matrix(rule, curvature).subs(values)
    except ValueError:
        return None
    if matrix.free_symbols - {curvature}:
        return None
    at = sp.lambdify(curvature, matrix.tolist(), "numpy")
    steps = np.linspace(0, FARTHEST, POINTS)
    return [(float(s), float(np.abs(np.linalg.eigvals(np.array(at(s), float))).max())) for s in steps]


def stability_drawing(rule: Rule) -> Markup | None:
    """The radius over lr times curvature, up to a little above the edge; None as for `radii`."""
    found = radii(rule)
    if found is None:
        return None
    title = f"{rule.title} on a quadratic: spectral radius of a step over lr times curvature"
    edge = Curve("1: the edge", [(0.0, 1.0), (FARTHEST, 1.0)], 1)
    shown = Curve("radius", [(s, r) for s, r in found if r <= HIGHEST])
    return Drawing(title, [shown, edge], "lr · curvature", "spectral radius").svg()
