"""Running a sweep: the cells that are not in the table yet, by local processes or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from optverify.workers import Lost, cores, outcomes

from .cell import Cell, run_cell
from .columns import Row
from .grid import Grid
from .store import Store
from .table import check_ending, opened

SECONDS = 60.0
"""Time limit of a cell."""
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass
class Tally:
    """How a sweep went: cells in the grid, those that were in the table before, and those done now."""

    cells: int
    known: int = 0
    done: int = 0
    diverged: int = 0
    failed: int = 0

    def count(self, row: Row) -> None:
        """Count a row that was done now."""
        self.done += 1
        self.diverged += bool(row["diverged"])
        self.failed += row["diverged"] is None


def sweep(
    rules: Sequence[str],
    problems: Sequence[str],
    *,
    seeds: Iterable[int] | None = None,
    steps: int = 500,
    spread: float = 0.1,
    noise: float = 0.0,
    batch_size: int | None = None,
    tolerance: float = 1e-6,
    out: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    time_limit: float = SECONDS,
    retry: bool = False,
    on_row: Callable[[Row], None] | None = None,
    **settings: Sequence[Any],
) -> list[Row]:
    """Run every rule on every problem with every combination of settings and seeds; the rows, in that order.

        sweep(["adam", "gd"], ["rosenbrock"], lr=[1e-3, 1e-2], beta1=[0.8, 0.9], seeds=range(5))

    settings: hyperparameter or axis -> its values; see `Grid` for these and for seeds, steps, spread, noise,
    batch_size and tolerance, and `columns` for what stands in a row. out: a .sqlite or .parquet file that
    rows go into as they are done; what it holds already is not run again. jobs: local processes, one for each
    core if None; a script needs the usual `if __name__ == "__main__":`. scheduler: the address of a Dask
    cluster that runs the cells instead. time_limit: seconds for the updates of one cell. retry: run again
    the cells that failed (no result; divergence is one). on_row: called with each row as it is there.

    A cell that diverges, fails, takes too long or takes its process along is a row with an error. Raises
    ValueError or TypeError for settings that do not fit, OSError for a file or cluster that cannot be used.
    """
    grid = Grid(
        rules, problems, settings, (None,) if seeds is None else tuple(seeds), steps, spread, noise,
        batch_size, tolerance,
    )  # fmt: skip
    path = None if out is None else Path(out)
    if path is not None:
        check_ending(path)
    with opened(path) as store:
        run_grid(
            grid,
            store,
            jobs=jobs,
            scheduler=scheduler,
            time_limit=time_limit,
            retry=retry,
            on_row=None if on_row is None else lambda row, _: on_row(row),
        )
        found = {row["key"]: row for row in store.rows()}
    return [found[cell.key] for cell in grid]


def run_grid(
    grid: Grid,
    store: Store,
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
    time_limit: float = SECONDS,
    retry: bool = False,
    on_row: Callable[[Row, Tally], None] | None = None,
) -> Tally:
    """Run the cells of a grid that the store does not have; a row is in it before the next is waited for.

    on_row: called with each row and the tally so far. The rest is as in `sweep`.
    """
    store.widen(grid.hyperparameters)
    known = store.keys(failed=False if retry else None)
    left = [cell for cell in grid if cell.key not in known]
    tally = Tally(cells=len(grid), known=len(grid) - len(left))
    work = partial(run_cell, seconds=time_limit)
    if not left:
        return tally
    if scheduler is None:
        started = _local(work, left, jobs or cores(), time_limit)
    else:
        from .cluster import on_cluster

        started = on_cluster(scheduler, work, left)
    with closing(started) as results:
        for cell, outcome in results:
            row = cell.row({"error": str(outcome)} if isinstance(outcome, Lost) else outcome)
            store.put([row], again=retry)
            tally.count(row)
            if on_row is not None:
                on_row(row, tally)
    return tally


def _local(work: Callable[[Cell], Row], cells: list[Cell], jobs: int, limit: float) -> Any:
    with _one_thread():
        yield from outcomes(work, cells, min(jobs, len(cells)), limit, apart=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    """For the processes started meanwhile: the threads of BLAS cost more than they save on small arrays, and
    how many there are can show in the last bit.
    """
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
