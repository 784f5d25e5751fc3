"""Cells on a Dask cluster that is there already (extra `cluster`)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from time import monotonic
from typing import Any

from optverify._version import __version__
from optverify.workers import AHEAD, Lost

from .cell import Cell
from .columns import Row

PATIENCE = 30
"""Seconds to wait for the scheduler, and for its first worker."""
LOOK = 5
"""Seconds between two looks at how many workers there are."""
_one = threading.Lock()


def on_cluster(
    address: str, work: Callable[[Cell], Row], cells: Sequence[Cell]
) -> Iterator[tuple[Cell, Row | Lost]]:
    """Yield (cell, outcome) as they are done by the workers of the scheduler at `address` ("tcp://host:8786").

    A worker that dies costs its cells another try elsewhere; cells that take several along are Lost. Raises
    ModuleNotFoundError without dask.distributed, ValueError for workers with another release of optverify,
    OSError if there is no scheduler or worker, or the scheduler goes away.
    """
    try:
        from distributed import Client, as_completed
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
        _check(client, address)
        source = iter(cells)
        under_way: dict[Any, Cell] = {}
        done = as_completed(loop=client.loop)
        looked, room = 0.0, 0
        while True:
            if monotonic() - looked > LOOK:
                looked, room = monotonic(), AHEAD * max(1, sum(client.nthreads().values()))
            for cell in islice(source, max(0, room - len(under_way))):
                future = client.submit(_alone, work, cell, key=f"optverify-{cell.key}", pure=False)
                under_way[future] = cell
                done.add(future)
            if not under_way:
                return
            batch = done.next_batch()
            ready = [future for future in batch if future.status == "finished"]
            rows = _rows(client, ready)
            for future in batch:
                found = rows[future] if future in rows else _outcome(client, address, future)
                yield under_way.pop(future), found
    finally:
        client.close()


def _alone(work: Callable[[Cell], Row], cell: Cell) -> Row:
    """One cell at a time in a process, whatever its threads: they would share one interpreter anyway, and
    autograd keeps count of its tapes in one place.
    """
    with _one:
        return work(cell)


def _check(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise OSError(f"the Dask scheduler at {address!r} has no workers") from None
    try:
        versions = set(client.run(_version).values())
    except Exception as error:
        raise ValueError(f"the workers of {address!r} cannot import optverify ({error})") from None
    if versions != {__version__}:
        others = ", ".join(sorted(versions - {__version__}))
        raise ValueError(f"this is optverify {__version__} and workers of {address!r} have {others}")


def _version() -> str:
    return __version__


def _rows(client: Any, futures: list[Any]) -> dict[Any, Row]:
    """Their results in one message; none if one was lost since, and they are asked for one by one."""
    try:
        return dict(zip(futures, client.gather(futures), strict=True))
    except Exception:
        return {}


def _outcome(client: Any, address: str, future: Any) -> Row | Lost:
    from distributed import KilledWorker

    try:
        found: Row = future.result()
    except KilledWorker:
        return Lost("the workers that ran it died")
    except BaseException as error:
        if future.status == "error" and isinstance(error, Exception):
            return Lost(f"{type(error).__name__}: {error}")
        if client.status == "running" and isinstance(error, Exception):
            return Lost(f"the cluster gave it up ({type(error).__name__})")
        raise
    return found
