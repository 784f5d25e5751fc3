"""Estimates of a gradient, for `minimize(estimate=...)`: with noise added, or on batches of examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from optverify.problems import FiniteSum
from optverify.problems.arguments import real
from optverify.problems.points import Tree, tree_map

from .sampling import Estimator, Indices

Estimate = Callable[[Tree, Tree, int], Tree]
"""(point, exact gradient there, t) -> the gradient that update t is given."""


class Noise:
    """grad f(theta) + deviation * z_t, with z_t standard normal, independent in every coordinate and update.

    seed: of z_1, z_2, ..., a number or a sequence of them. The draws do not depend on theta, so runs of
    different rules with one seed see the same noise. Raises ValueError or TypeError for a deviation that is
    no number > 0.
    """

    def __init__(self, deviation: float, seed: int | tuple[int, ...] = 0) -> None:
        self.deviation = real("Noise", "deviation", deviation)
        self.rng = np.random.default_rng(seed)

    def __call__(self, point: Tree, gradient: Tree, t: int) -> Tree:
        """As in Estimate."""
        return tree_map(lambda leaf: leaf + self._drawn(leaf), gradient)

    def _drawn(self, leaf: np.ndarray) -> np.ndarray:
        drawn: np.ndarray = (self.deviation * self.rng.standard_normal(leaf.shape)).astype(leaf.dtype)
        return drawn


class BatchGradients:
    """The gradient of a finite sum on one batch after the other, epoch after epoch, as `train` takes it."""

    def __init__(self, problem: FiniteSum, estimator: Estimator) -> None:
        self.problem = problem
        self.batches = self._all(estimator)

    def _all(self, estimator: Estimator) -> Iterator[Indices]:
        for epoch in estimator.epochs(self.problem.n):
            yield from epoch

    def __call__(self, point: Tree, gradient: Tree, t: int) -> Tree:
        """As in Estimate."""
        return self.problem.batch_gradient(point, next(self.batches))
