"""Cells on a Dask cluster that is there already (extra `cluster`)."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from time import monotonic, sleep
from typing import Any

from optverify._version import __version__
from optverify.workers import Lost

from .cell import Cell
from .columns import Row

PATIENCE = 30
"""Seconds to wait for the scheduler, and for a worker where there is none."""
LOOK, POLL = 5.0, 0.02
"""Seconds between two looks at which workers there are, and at what is done."""
AHEAD = 4
"""Cells handed out for each thread of the cluster: enough that none waits."""
KEPT = "what is done is kept, and the same command does the rest"
_one = threading.Lock()


def on_cluster(
    address: str, work: Callable[[Cell], Row], cells: Sequence[Cell]
) -> Iterator[tuple[Cell, Row | Lost]]:
    """Yield (cell, outcome) as they are done by the workers of the scheduler at `address` ("tcp://host:8786").

    A worker that dies costs the cells it had another try elsewhere; one that takes several workers along, and
    does so again when it runs alone, is Lost. Raises ModuleNotFoundError without dask.distributed, ValueError
    for workers with another release of optverify, OSError if there is no scheduler or no worker, or if the
    scheduler goes away.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "a Dask cluster needs dask.distributed: pip install 'optverify[cluster]'"
        ) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it has to say is said in one sentence
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise OSError(f"there is no Dask scheduler at {address!r} ({error})") from None
    try:
        yield from _Run(client, address, work).outcomes(cells)
    finally:
        client.close()


class _Run:
    """Cells under way on a cluster."""

    def __init__(self, client: Any, address: str, work: Callable[[Cell], Row]) -> None:
        from distributed import as_completed

        self.client, self.address, self.work = client, address, work
        self.done = as_completed(loop=client.loop)
        self.under_way: dict[Any, Cell] = {}
        self.workers: set[str] = set()
        self.looked, self.alive, self.room = -math.inf, monotonic(), AHEAD

    def outcomes(self, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Row | Lost]]:
        """All of them; a cell whose workers died may not be to blame, and has another try alone."""
        source, suspects = iter(cells), []
        while True:
            self.look()
            for cell in islice(source, max(0, self.room - len(self.under_way))):
                self.hand_out(cell)
            if not self.under_way:
                break
            for cell, outcome in self.some():
                if outcome is None:
                    suspects.append(cell)
                else:
                    yield cell, outcome
        for suspect in suspects:
            self.hand_out(suspect, "-alone")
            for cell, outcome in self.some():
                yield cell, Lost("the workers that ran it died") if outcome is None else outcome

    def look(self) -> None:
        """See which workers there are by now: how many cells they can take, and whether they are ours.

        While the scheduler does not answer there is nothing to see; in the end it is back, or cells are lost.
        """
        if monotonic() - self.looked < LOOK or self.client.status != "running":
            return
        threads = self.client.nthreads()
        self.check_releases(threads.keys() - self.workers)
        self.workers |= threads.keys()
        self.looked, self.room = monotonic(), AHEAD * max(1, sum(threads.values()))
        if threads:
            self.alive = monotonic()
        elif monotonic() - self.alive > PATIENCE:
            raise OSError(f"the Dask scheduler at {self.address!r} has no workers: {KEPT}")

    def check_releases(self, workers: Collection[str]) -> None:
        """ValueError unless these have this release: one without it would swallow its cells."""
        if not workers:
            return
        answers = self.client.run(_release, workers=list(workers), on_error="return")
        for answer in answers.values():
            if isinstance(answer, ImportError | AttributeError):
                raise ValueError(f"workers of {self.address!r} cannot import optverify.sweep ({answer})")
            if isinstance(answer, str) and answer != __version__:
                raise ValueError(
                    f"this is optverify {__version__} and workers of {self.address!r} have {answer}"
                )

    def hand_out(self, cell: Cell, suffix: str = "") -> None:
        key = f"optverify-{cell.key}{suffix}"
        future = self.client.submit(_alone, self.work, cell, key=key, pure=False)
        self.under_way[future] = cell
        self.done.add(future)

    def some(self) -> list[tuple[Cell, Row | Lost | None]]:
        """Wait for outcomes; None where workers died."""
        while not self.done.has_ready():
            sleep(POLL)
            self.look()
        batch = self.done.next_batch(block=False)
        ready = [future for future in batch if future.status == "finished"]
        try:
            rows = dict(zip(ready, self.client.gather(ready), strict=True))
        except Exception:  # one was lost since: they are asked for one by one
            rows = {}
        found = [rows[future] if future in rows else self.outcome(future) for future in batch]
        return [(self.under_way.pop(future), outcome) for future, outcome in zip(batch, found, strict=True)]

    def outcome(self, future: Any) -> Row | Lost | None:
        from distributed import KilledWorker

        try:
            row: Row = future.result()
            return row
        except KilledWorker:
            return None
        except Exception as error:
            if self.client.status != "running" or future.status != "error":
                raise OSError(f"the Dask scheduler at {self.address!r} is gone: {KEPT}") from None
            return Lost(f"{type(error).__name__}: {error}")


def _alone(work: Callable[[Cell], Row], cell: Cell) -> Row:
    """One cell at a time in a process, whatever its threads: they would share one interpreter anyway, and
    autograd keeps count of its tapes in one place.
    """
    with _one:
        return work(cell)


def _release() -> str:
    return __version__
