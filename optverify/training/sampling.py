"""Which examples a gradient is estimated on: all of them, one, or a mini-batch.

For f(theta) = (1/n) sum_i f_i(theta), the estimate on a batch B is (1/|B|) sum_{i in B} grad f_i(theta). Each
batch of a random permutation is by itself a uniform sample without replacement, so at parameters that do not
depend on the permutation the estimate is unbiased. In training that is so for the first batch of an epoch:
the parameters at a later one depend on the batches before it, whose examples it cannot have, so given those
its estimate has the mean of the examples that are left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optverify.problems.arguments import integer

Indices = NDArray[np.intp]


def batches(n: int, size: int, rng: np.random.Generator, drop_last: bool = False) -> list[Indices]:
    """The index arrays of one epoch: a permutation of 0 ... n-1, cut into batches of `size`.

    When size does not divide n, the last batch is shorter; drop_last leaves it out. A size above n gives one
    batch of all n. Raises TypeError or ValueError for an n or a size that is not an integer of at least 1,
    and ValueError if dropping the last batch leaves none.
    """
    n, size = integer("batches", "n", n, least=1), integer("batches", "size", size, least=1)
    if drop_last and size > n:
        raise ValueError(
            f"batch size {size} is above n = {n}, so dropping the short last batch leaves none: "
            "take a smaller batch size or drop_last=False"
        )
    order = rng.permutation(n)
    stop = n - n % size if drop_last else n
    return [order[start : start + size] for start in range(0, stop, size)]


class Estimator(Protocol):
    """Anything that says on which examples the gradients of each epoch are taken."""

    def epochs(self, n: int) -> Iterator[list[Indices]]:
        """Epoch after epoch, without end, the batches of n examples; each call starts anew."""
        ...


@dataclass(frozen=True)
class FullBatch:
    """Every gradient is that of the whole sum: one update an epoch (gradient descent proper)."""

    def epochs(self, n: int) -> Iterator[list[Indices]]:
        """As in Estimator."""
        everything = np.arange(integer("FullBatch", "n", n, least=1))
        while True:
            yield [everything]


@dataclass(frozen=True)
class MiniBatch:
    """Batches of `size` examples, shuffled every epoch; 32 to 256 are usual, 1 to n possible.

    drop_last: leave out the last batch of an epoch when it is short. The same seed gives the same batches.
    """

    size: int
    seed: int = 0
    drop_last: bool = False

    def __post_init__(self) -> None:
        integer("MiniBatch", "size", self.size, least=1)
        integer("MiniBatch", "seed", self.seed, least=0)

    def epochs(self, n: int) -> Iterator[list[Indices]]:
        """As in Estimator."""
        rng = np.random.default_rng(self.seed)
        while True:
            yield batches(n, self.size, rng, self.drop_last)


@dataclass(frozen=True)
class OneExample:
    """One example a gradient, every example once an epoch, in an order drawn anew each time (SGD)."""

    seed: int = 0

    def __post_init__(self) -> None:
        integer("OneExample", "seed", self.seed, least=0)

    def epochs(self, n: int) -> Iterator[list[Indices]]:
        """As in Estimator."""
        return MiniBatch(1, self.seed).epochs(n)
