"""Competitors that take turns, so that what else the machine does falls on all of them.

Ratios are taken inside each round; medians and quartiles are over the rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter, sleep

Compete = Callable[[], object]
"""Makes one update."""
Spread = tuple[float, float, float]
"""Lower quartile, median, upper quartile."""

TURN_SECONDS = 2e-3
"""A turn makes enough updates to last about this long, at least one."""
SECONDS = 0.1
"""A competitor takes as many turns as last about this long together, within FEW and MOST."""
FEW, MOST = 3, 9
QUICK, TRIALS = 2e-2, 5
"""An update that takes less is tried as often again."""
PAUSE = 1e-3
"""Before each turn: threads of the one before that wait for more work, spinning, go to sleep."""


@dataclass(frozen=True)
class Load:
    """What an update has to do: `count` arrays of `size` numbers of a type."""

    size: int
    count: int
    dtype: str

    @property
    def numbers(self) -> int:
        """How many parameters there are."""
        return self.size * self.count

    def __str__(self) -> str:
        arrays = f"{self.count:,} arrays of {self.size:,}" if self.count > 1 else f"{self.size:,}"
        return f"{arrays}, {self.dtype}"


@dataclass(frozen=True)
class Cell:
    """A rule under a load.

    rounds: how many the quickest took part in; seconds: competitor -> time of an update; ratios: "a/b" ->
    time of a over that of b in the same round.
    """

    rule: str
    load: Load
    rounds: int
    seconds: Mapping[str, Spread]
    ratios: Mapping[str, Spread]

    def nanoseconds(self, name: str) -> float:
        """Median time for one parameter."""
        return 1e9 * self.seconds[name][1] / self.load.numbers


def compete(
    competitors: Mapping[str, Compete], rounds: int | None = None, seconds: float = SECONDS
) -> dict[str, list[float]]:
    """Seconds an update of each competitor, one number a round it took part in, which are the first ones.

    rounds: how many; None: for each as many as fit into the seconds, within FEW and MOST.
    """
    counts, turns = {}, {}
    for name, update in competitors.items():
        update()  # the first one makes the state, or compiles
        trial = max(_trial(update), 1e-9)
        counts[name] = max(1, int(TURN_SECONDS / trial))
        turns[name] = rounds or min(MOST, max(FEW, int(seconds / (counts[name] * trial))))
    times: dict[str, list[float]] = {name: [] for name in competitors}
    for name in _order(turns):
        sleep(PAUSE)
        times[name].append(_time(competitors[name], counts[name]) / counts[name])
    return times


def _order(turns: Mapping[str, int]) -> Iterator[str]:
    """Round by round, those who have turns left; each begins as often."""
    for k in range(max(turns.values())):
        names = [name for name, count in turns.items() if k < count]
        first = k % len(names)
        yield from (*names[first:], *names[:first])


def _trial(update: Compete) -> float:
    """Seconds of an update; of a quick one the least of several, or one that was interrupted would pass."""
    first = _time(update, 1)
    return first if first > QUICK else min(first, *(_time(update, 1) for _ in range(TRIALS)))


def _time(update: Compete, updates: int) -> float:
    began = perf_counter()
    for _ in range(updates):
        update()
    return perf_counter() - began


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles."""
    if len(values) == 1:
        return (values[0],) * 3
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, median(values), high


def summary(
    rule: str, load: Load, times: Mapping[str, Sequence[float]], pairs: Sequence[tuple[str, str]]
) -> Cell:
    """The cell of these times, with the ratios of the pairs that were measured, over the rounds of both."""
    ratios = {
        f"{a}/{b}": spread([x / y for x, y in zip(times[a], times[b], strict=False)])
        for a, b in pairs
        if a in times and b in times
    }
    rounds = max(map(len, times.values()))
    return Cell(rule, load, rounds, {name: spread(column) for name, column in times.items()}, ratios)
