"""Work shared by processes: each piece has a time limit, and one that dies takes no other with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import wait as wait_for
from typing import Any

from pebble import ProcessExpired, ProcessPool

GRACE = 30
"""Seconds a worker is given past its limit, for code that does not heed it, before it is killed."""
STUCK = 10
"""Seconds past that without any outcome, after which a pool counts as stuck."""
AHEAD = 4
"""Pieces of work handed out for each process: enough that none waits, few enough that any number can come."""
TRIES = 3
"""New pools in a row, after ones that broke or got stuck with nothing done."""


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
    work: Callable[[Any], Any], items: Iterable[Any], jobs: int, seconds: float, *, apart: bool = False
) -> Iterator[tuple[Any, Any]]:
    """Yield (item, work(item)) as they are done, by `jobs` processes; an outcome can be a Lost.

    work: a function of a module, which heeds `seconds` itself; GRACE after that its process is killed.
    items: drawn as they are needed, so there may be any number. With jobs = 1 this process does it, one after
    the other, unless apart. Raises OSError if no process can be kept alive.
    """
    if jobs == 1 and not apart:
        for item in items:
            yield item, work(item)
        return
    pool = _Pool(work, jobs, seconds)
    source = iter(items)
    try:
        while True:
            for item in islice(source, AHEAD * jobs - len(pool.under_way)):
                pool.hand_out(item)
            if not pool.under_way:
                break
            yield from pool.done()
    finally:
        pool.stop()


class _Pool:
    """A pool of pebble's, and another one when it breaks: what was under way is handed out again."""

    def __init__(self, work: Callable[[Any], Any], jobs: int, seconds: float) -> None:
        self.work, self.jobs, self.limit = work, jobs, seconds + GRACE
        self.under_way: dict[Future[Any], Any] = {}
        self.failures = 0
        self.pool = self._open()

    def _open(self) -> ProcessPool:
        fresh = multiprocessing.get_context("spawn")
        return ProcessPool(max_workers=self.jobs, context=fresh, initializer=_prepare)

    def hand_out(self, item: Any) -> None:
        try:
            future = self.pool.schedule(self.work, args=[item], timeout=self.limit)
        except RuntimeError:  # the pool broke since the last outcome
            self._renew()
            future = self.pool.schedule(self.work, args=[item], timeout=self.limit)
        self.under_way[future] = item

    def done(self) -> list[tuple[Any, Any]]:
        """Wait for an outcome. Without any for so long that a limit must have struck, the pool is stuck:
        a process died between taking its work and saying so.
        """
        ready, _ = wait(self.under_way, timeout=self.limit + STUCK, return_when=FIRST_COMPLETED)
        found, broken = [], not ready
        for future in ready:
            try:
                outcome = future.result()
            except TimeoutError:
                outcome = Lost("it did not end in time and was stopped")
            except BrokenProcessPool:
                broken = True
                continue
            except ProcessExpired as died:
                outcome = Lost(f"its process died (exit code {died.exitcode})")
            found.append((self.under_way.pop(future), outcome))
        if found:
            self.failures = 0
        if broken:
            self._renew()
        return found

    def _renew(self) -> None:
        self.failures += 1
        if self.failures > TRIES:
            raise OSError(
                "worker processes die before they have done anything; a script that starts them must do so "
                "under `if __name__ == '__main__':`"
            )
        self.stop()
        self.pool = self._open()
        again, self.under_way = list(self.under_way.values()), {}
        for item in again:
            self.hand_out(item)

    def stop(self) -> None:
        self.pool.stop()
        self.pool.join()


def _prepare() -> None:
    """Ctrl-C reaches the whole group, and the parent alone decides what becomes of it; without it, end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=[parent.sentinel], daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(1)
