"""Work shared by processes: each piece has a time limit, and one that dies takes no other with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, as_completed
from contextlib import contextmanager
from typing import Any

from pebble import ProcessExpired, ProcessPool

GRACE = 30
"""Seconds a worker is given past its limit, for code that does not heed it, before it is killed."""


class TimeUp(BaseException):
    """The time limit has passed. No Exception: a check that catches those must not catch it."""


class Lost(Exception):  # noqa: N818
    """A piece of work without an outcome: its process died, or did not end in time."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeUp inside the block when it takes longer; no limit where there are no signals to be had."""
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: Any) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def outcomes(
    work: Callable[[Any], Any], items: Iterable[Any], jobs: int, seconds: float
) -> Iterator[tuple[Any, Any]]:
    """Yield (item, work(item)) as they are done, by `jobs` processes; an outcome can be a Lost.

    work: a function of a module, which heeds `seconds` itself; GRACE after that its process is killed.
    With jobs = 1 this process does it, one after the other.
    """
    if jobs == 1:
        for item in items:
            yield item, work(item)
        return
    fresh = multiprocessing.get_context("spawn")
    pool = ProcessPool(max_workers=jobs, context=fresh, initializer=_ignore_interrupts)
    try:
        futures: dict[Future[Any], Any] = {
            pool.schedule(work, args=[item], timeout=seconds + GRACE): item for item in items
        }
        for future in as_completed(futures):
            yield futures[future], _outcome(future)
        pool.close()
    finally:
        pool.stop()
        pool.join()


def _ignore_interrupts() -> None:
    """Ctrl-C reaches the whole group; the parent alone decides what becomes of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _outcome(future: Future[Any]) -> Any:
    try:
        return future.result()
    except TimeoutError:
        return Lost("it did not end in time and was stopped")
    except ProcessExpired as died:
        return Lost(f"its process died (exit code {died.exitcode})")
