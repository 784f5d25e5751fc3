"""What an update allocates: by tracemalloc, which sees NumPy's arrays, and by the pages of the process."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from pathlib import Path

from optverify.bench import ours
from optverify.bench.timing import Compete, Load

MIB = 1 << 20
UPDATES = 3
PROCESS = Path("/proc/self")


@dataclass(frozen=True)
class Allocation:
    """What updates of a rule allocate at most, in bytes.

    traced: at the peak of one update, above what was there before; resident: by how much the process grew at
    most, None where that cannot be read; results: what a pure update returns, 0 for one in place.
    """

    rule: str
    load: Load
    competitor: str
    traced: int
    resident: int | None
    results: int


def allocations(rule: str, loads: list[Load]) -> list[Allocation]:
    """The updates in place and pure, under every load."""
    found = []
    for load in loads:
        made = ours.competitors(rule, load, ours.gradient(load))
        wanted = [n for n in (*ours.PURE, *ours.PURE.values(), ours.TEXT) if n in made]
        found += [measured(rule, load, name, made[name]) for name in wanted]
    return found


def measured(rule: str, load: Load, name: str, update: Compete) -> Allocation:
    """One competitor, after its first updates."""
    for _ in range(UPDATES):
        update()
    traced = max(_traced(update) for _ in range(UPDATES))
    resident = _resident(update)
    arrays = 1 + len(ours.states(rule))
    size = load.numbers * arrays * (8 if load.dtype == "float64" else 4)
    return Allocation(rule, load, name, traced, resident, size if name in ours.PURE.values() else 0)


def _traced(update: Compete) -> int:
    tracemalloc.start()
    try:
        update()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        update()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _resident(update: Compete) -> int | None:
    """Growth of the process at its peak; the kernel is told to forget earlier peaks."""
    try:
        (PROCESS / "clear_refs").write_text("5")
        before = _status("VmRSS")
        for _ in range(UPDATES):
            update()
        return max(0, _status("VmHWM") - before)
    except (OSError, ValueError):
        return None


def _status(name: str) -> int:
    for line in (PROCESS / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    raise ValueError(name)
