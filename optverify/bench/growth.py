"""How cost grows with parameters and with steps: the slope of log time over log number, 1 for linear."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optverify.bench import ours
from optverify.bench.timing import Compete, Load, compete

PARAMETERS = (10**6, 2 * 10**6, 5 * 10**6, 10**7, 2 * 10**7)
"""All beyond the caches: the step from one cache to the next is no growth of the work."""
STEPS = (100, 300, 1000, 3000, 10000)
STEP_SIZE = 1000


@dataclass(frozen=True)
class Growth:
    """Time against parameters or steps.

    of: "parameters" or "steps"; numbers, seconds: the points; slope: of the line through their logarithms.
    """

    rule: str
    competitor: str
    of: str
    numbers: tuple[int, ...]
    seconds: tuple[float, ...]
    slope: float


def growths(rule: str, parameters: Sequence[int] = PARAMETERS, steps: Sequence[int] = STEPS) -> list[Growth]:
    """Both backends, in float32."""
    found: list[Growth] = []
    backends = list(ours.PURE) if ours.has_numba() else [ours.NUMPY]

    def add(of: str, numbers: Sequence[int], make: Callable[[int], Mapping[str, Compete]]) -> None:
        columns: dict[str, list[float]] = {name: [] for name in backends}
        for number in numbers:
            made = make(number)
            times = compete({name: made[name] for name in backends}, seconds=0.1)
            for name in backends:
                columns[name].append(min(times[name]))
        for name, column in columns.items():
            found.append(Growth(rule, name, of, tuple(numbers), tuple(column), slope(numbers, column)))

    def sized(size: int) -> Mapping[str, Compete]:
        load = Load(size, 1, "float32")
        return ours.competitors(rule, load, ours.gradient(load))

    few = sized(STEP_SIZE)
    add("parameters", parameters, sized)
    add("steps", steps, lambda count: {name: _repeated(few[name], count) for name in backends})
    return found


def _repeated(update: Compete, count: int) -> Compete:
    def updates() -> None:
        for _ in range(count):
            update()

    return updates


def slope(numbers: Sequence[float], seconds: Sequence[float]) -> float:
    """Of the least-squares line through the logarithms."""
    return float(np.polyfit(np.log(numbers), np.log(seconds), 1)[0])
