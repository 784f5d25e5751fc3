"""How long things take to start, each in a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from optverify.bench import ours

RUNS = 5
IMPORT_ADAM = (
    "import numpy; from time import perf_counter as now; began = now(); from optverify.steps import adam; "
    "print(now() - began)"
)
NUMBA = """
from time import perf_counter as now
import numpy
began = now(); import numba; print(now() - began)
import optverify as ov; ov.rule("adam")
began = now(); adam = ov.step("adam", backend="numba"); print(now() - began)
theta = numpy.zeros(1000, "f"); grad = numpy.ones(1000, "f"); state = adam.init(theta)
began = now(); state = adam.update(theta, grad, state); print(now() - began)
began = now(); state = adam.update(theta, grad, state); print(now() - began)
"""
NUMBA_PARTS = (
    "import numba, above numpy",
    'ov.step("adam", backend="numba")',
    "first update",
    "second update",
)


@dataclass(frozen=True)
class Start:
    """How long something takes to start, in milliseconds: the least and the median of several runs."""

    what: str
    least: float
    median: float


def starts(runs: int = RUNS) -> list[Start]:
    """The import of the NumPy steps, the command line, and the Numba steps with and without their cache."""
    added, shown = [], []
    for _ in range(runs):
        added.append(_printed(IMPORT_ADAM)[0])
        began = perf_counter()
        subprocess.run([sys.executable, "-m", "optverify", "--help"], capture_output=True, check=True)
        shown.append(perf_counter() - began)
    found = [
        _start("from optverify.steps import adam, above import numpy", added),
        _start("optverify --help", shown),
    ]
    return found + (_of_numba(runs) if ours.has_numba() else [])


def _of_numba(runs: int) -> list[Start]:
    """Compiling in an empty cache, and taking what was compiled from it."""
    compiled, taken = [], []
    for _ in range(max(1, runs // 2)):
        with tempfile.TemporaryDirectory() as folder:
            cache = {**os.environ, "XDG_CACHE_HOME": folder}
            compiled.append(_printed(NUMBA, cache))
            taken += [_printed(NUMBA, cache) for _ in range(2)]
    rows = [_start(NUMBA_PARTS[0], [run[0] for run in taken])]
    rows.append(_start(NUMBA_PARTS[1], [run[1] for run in taken]))
    rows.append(_start(f"{NUMBA_PARTS[2]}, compiled", [run[2] for run in compiled]))
    rows.append(_start(f"{NUMBA_PARTS[2]}, from the cache", [run[2] for run in taken]))
    rows.append(_start(NUMBA_PARTS[3], [run[3] for run in taken]))
    return rows


def _printed(code: str, environment: Mapping[str, str] | None = None) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return [float(line) for line in done.stdout.split()]


def _start(what: str, seconds: list[float]) -> Start:
    return Start(what, 1e3 * min(seconds), 1e3 * median(seconds))
