"""The generated steps beside the textbook, other libraries and a bare pass over memory, in one run.

`work` says what to measure, `run` measures it; `Results` holds everything, and knows which of the required
figures are reached.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

import numpy as np

from optverify.bench import ours, peers
from optverify.bench.growth import Growth, growths
from optverify.bench.memory import MIB, Allocation, allocations
from optverify.bench.ours import BARE, NUMBA, NUMPY, TEXT
from optverify.bench.startup import Start, starts
from optverify.bench.textbook import TEXTBOOK
from optverify.bench.timing import Cell, Load, Spread, compete, summary
from optverify.language.messages import unknown
from optverify.steps import _engine

__all__ = [
    "BARE", "NUMBA", "NUMPY", "TEXT", "TEXTBOOK", "Cell", "Figure", "Load", "Results", "Spread",
    "allocations", "growths", "run", "starts", "work",
]  # fmt: skip

SIZES = (10**3, 10**5, 10**7)
TREE = (10**3, 10**3)
"""Size and number of the arrays of a tree."""
DTYPES = ("float32", "float64")
Progress = Callable[[int, str], None]


@dataclass(frozen=True)
class Figure:
    """A ratio that is required: of whom, under which loads, at least or at most how much."""

    claim: str
    ratio: str
    size: int
    count: int
    bound: float
    at_most: bool = False

    def verdict(self, value: Spread) -> str:
        """ "yes", "no", or "level" where the bound lies between the quartiles."""
        low, middle, high = value
        if middle <= self.bound if self.at_most else middle >= self.bound:
            return "yes"
        return "level" if low <= self.bound <= high else "no"


REQUIRED = (
    Figure("at most 1.15 times a bare pass", f"{NUMBA}/{BARE}", 10**7, 1, 1.15, at_most=True),
    Figure("not slower than torch fused", f"torch fused/{NUMBA}", 10**7, 1, 1.0),
    Figure("not slower than optax under jit", f"optax/{NUMBA}", 10**7, 1, 1.0),
    Figure("at least 4 times as fast as torch", f"torch/{NUMBA}", 10**3, 1, 4.0),
    Figure("at least 4 times as fast as torch foreach", f"torch foreach/{NUMBA}", 10**3, 1, 4.0),
    Figure("at least 4 times as fast as torch fused", f"torch fused/{NUMBA}", 10**3, 1, 4.0),
    Figure("at least 4 times as fast as optax under jit", f"optax/{NUMBA}", 10**3, 1, 4.0),
    Figure("at least 5 times as fast as torch foreach", f"torch foreach/{NUMBA}", 10**3, 10**3, 5.0),
    Figure("NumPy at least 2.3 times as fast as the textbook", f"{TEXT}/{NUMPY}", 10**7, 1, 2.3),
)
PAIRS = (
    (NUMBA, BARE),
    (NUMPY, BARE),
    (TEXT, NUMPY),
    (TEXT, NUMBA),
    (NUMPY, NUMBA),
    *((name, NUMBA) for name in peers.NAMES),
)


@dataclass(frozen=True)
class Results:
    """All that was measured.

    machine: on what, with which versions; cells: rules under loads; allocations, growths, starts: as their
    files say.
    """

    machine: Mapping[str, str]
    cells: Sequence[Cell]
    allocations: Sequence[Allocation] = ()
    growths: Sequence[Growth] = ()
    starts: Sequence[Start] = ()

    def required(self) -> Iterator[tuple[Figure, Cell, Spread, str]]:
        """Every required figure with each cell it is about, its value, and whether it is reached."""
        for figure in REQUIRED:
            for cell in self.cells:
                if (cell.load.size, cell.load.count) != (figure.size, figure.count):
                    continue
                if value := cell.ratios.get(figure.ratio):
                    yield figure, cell, value, figure.verdict(value)

    def allocates_little(self, found: Allocation) -> bool:
        """True if an update takes less than 1 MiB, a pure one besides its results."""
        return found.traced - found.results < MIB

    def data(self) -> dict[str, Any]:
        """As plain data, times to four digits."""
        data: dict[str, Any] = _rounded(asdict(self))
        return data

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Results:
        """What `data` gave."""
        return cls(
            data["machine"],
            [Cell(**{**c, "load": Load(**c["load"]), **_triples(c)}) for c in data["cells"]],
            [Allocation(**{**a, "load": Load(**a["load"])}) for a in data["allocations"]],
            [
                Growth(**{**g, "numbers": tuple(g["numbers"]), "seconds": tuple(g["seconds"])})
                for g in data["growths"]
            ],
            [Start(**s) for s in data["starts"]],
        )


def _triples(cell: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {part: {name: tuple(x) for name, x in cell[part].items()} for part in ("seconds", "ratios")}


def _rounded(x: Any) -> Any:
    if isinstance(x, float):
        return float(f"{x:.4g}")
    if isinstance(x, dict):
        return {key: _rounded(value) for key, value in x.items()}
    return [_rounded(value) for value in x] if isinstance(x, list | tuple) else x


# ---- measuring ---------------------------------------------------------------------------------------------


def work(
    rules: Iterable[str] | None = None,
    sizes: Sequence[int] = SIZES,
    dtypes: Sequence[str] = DTYPES,
    tree: bool = True,
) -> list[tuple[Load, str]]:
    """What is to be measured: rules under loads.

    rules: names, None for all elementwise ones; tree: also 1,000 arrays of 1,000. Raises ValueError for an
    unknown rule, one that is not elementwise, a size below 1, or another type than float32 and float64.
    """
    known = ours.elementwise()
    names = known if rules is None else list(rules)
    for name in names:
        if name not in known:
            raise ValueError(unknown("elementwise rule", name, known))
    for size in sizes:
        if size < 1:
            raise ValueError(f"size = {size} is out of range: it must be an integer >= 1")
    for dtype in dtypes:
        if dtype not in DTYPES:
            raise ValueError(unknown("type", dtype, DTYPES))
    shapes = [(int(size), 1) for size in sizes] + ([TREE] if tree else [])
    loads = [Load(size, count, dtype) for size, count in shapes for dtype in dtypes]
    return [(load, name) for load in loads for name in names]


def run(
    jobs: Sequence[tuple[Load, str]],
    others: bool = True,
    rounds: int | None = None,
    progress: Progress | None = None,
) -> list[Cell]:
    """Time the default dialects, in place and, for the classics, pure.

    jobs: from `work`; others: also the libraries that are installed; rounds: how often each takes its turn,
    None: as often as fits. progress is told how many cells are done, and which comes next.
    """
    cells: list[Cell] = []
    for load, group in groupby(jobs, key=lambda job: job[0]):
        slope = ours.gradient(load)
        for _, rule in group:
            if progress is not None:
                progress(len(cells), f"{rule}, {load}")
            cells.append(measure(rule, load, slope, others, rounds))
    return cells


def details(progress: Progress | None = None) -> tuple[list[Allocation], list[Growth], list[Start]]:
    """What updates allocate, how their cost grows, how long things take to start."""
    found: list[Any] = []
    for what, look in DETAILS.items():
        if progress is not None:
            progress(len(found), what)
        found.append(look())
    return found[0], found[1], found[2]


DETAILS: dict[str, Callable[[], Any]] = {
    "memory": lambda: allocations(
        "adam", [Load(10**5, 1, "float32"), Load(10**7, 1, "float32"), Load(*TREE, "float32")]
    ),
    "growth": lambda: growths("adam"),
    "starts": starts,
}


def measure(rule: str, load: Load, slope: Any, others: bool = True, rounds: int | None = None) -> Cell:
    """One rule under one load."""
    made = ours.competitors(rule, load, slope)
    if others:
        made |= peers.competitors(rule, load, slope)
    return summary(rule, load, compete(made, rounds), PAIRS)


def machine() -> dict[str, str]:
    """What the numbers were taken on, and how busy it was: the load average of the last 15 minutes."""
    load = {"load": f"{os.getloadavg()[2]:.1f}"} if hasattr(os, "getloadavg") else {}
    return {
        "processor": _processor(),
        "cpus": str(_engine.CPUS),
        **load,
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        **peers.versions(),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
