r"""Worst-case rates over all L-smooth convex functions, certified by multipliers.

A rule that is run on symbols visits points that are linear in theta_0 - theta* and the gradients. For an
L-smooth convex f and any two of its points i, j,

    f_i >= f_j + <g_j, x_i - x_j> + |g_i - g_j|^2 / (2 L)

(Nesterov, Lectures on convex optimization, Theorem 2.1.5; these inequalities characterise such functions:
Taylor, Hendrickx and Glineur 2017, Corollary 1). A rate is certified by nonnegative multipliers of these
inequalities whose sum it exceeds by a positive semidefinite quadratic form (Drori and Teboulle 2014).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from optverify.language import Rule
from optverify.proof.outcome import NotProved
from optverify.proof.semidefinite import show_form_nonnegative
from optverify.proof.signs import show_nonnegative
from optverify.views.run import run

STAR = -1
"""The index of the minimum."""


@dataclass(frozen=True)
class Interpolation:
    """What a first-order method knows of f: points, gradients and values at 0, ..., N, and at the minimum.

    start: theta_0 - theta*. points, gradients: linear forms in start and directions, symbols that are the
    gradients over the smoothness; values: symbols. The entries at STAR are those of the minimum, all 0.
    """

    smoothness: sp.Expr
    start: sp.Symbol
    directions: tuple[sp.Symbol, ...]
    points: tuple[sp.Expr, ...]
    gradients: tuple[sp.Expr, ...]
    values: tuple[sp.Expr, ...]

    @classmethod
    def of(
        cls, rule: Rule, horizon: int, smoothness: Any, hyperparameters: Mapping[str, Any]
    ) -> Interpolation:
        """Run the rule for horizon updates; the last point is theta_N, the others those of the gradients."""
        start = sp.Symbol("x_0", real=True)
        directions = sp.symbols(f"d_0:{horizon + 1}", real=True)
        gradients = tuple(smoothness * d for d in directions)
        visited: list[sp.Expr] = []

        def oracle(point: sp.Expr) -> sp.Expr:
            visited.append(sp.expand(point))
            return gradients[len(visited) - 1]

        last = run(rule, [oracle] * horizon, start=start, values=hyperparameters)[-1]["theta"]
        zero = sp.Integer(0)
        values = sp.symbols(f"f_0:{horizon + 1}", real=True)
        points = (*visited, sp.expand(last), zero)
        return cls(smoothness, start, directions, points, (*gradients, zero), (*values, zero))

    def slack(self, i: int, j: int) -> sp.Expr:
        """What is >= 0 by the inequality between the points i and j."""
        x, g, f = self.points, self.gradients, self.values
        return f[i] - f[j] - g[j] * (x[i] - x[j]) - (g[i] - g[j]) ** 2 / (2 * self.smoothness)


def show_certificate(
    known: Interpolation, multipliers: Mapping[tuple[int, int], Any], factor: Any, what: str
) -> None:
    """Show f(theta_N) - f* <= factor |theta_0 - theta*|^2 for every f of this smoothness, in every dimension.

    multipliers: (i, j) -> weight of the inequality between the points i and j. Raises NotProved or Refuted if
    they certify nothing; the rate may be true all the same.
    """
    for (i, j), weight in multipliers.items():
        show_nonnegative(sp.sympify(weight), f"{what}: multiplier {i, j}")
    combined = sp.Add(*(w * known.slack(i, j) for (i, j), w in multipliers.items()))
    rest = sp.expand(factor * known.start**2 - known.values[-2] - combined)
    if rest.has(*known.values[:-1]):
        raise NotProved(f"{what}: the multipliers leave function values over")
    form = sp.expand(rest / known.smoothness)
    show_form_nonnegative(form, (*known.directions, known.start), what)
