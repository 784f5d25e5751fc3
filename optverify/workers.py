"""Work shared by processes: each piece has a time limit, and one that dies takes no other with it."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pickle import PicklingError
from time import monotonic
from typing import Any

GRACE = 30
"""Seconds a worker is given past its limit, for code that does not heed it, before it is killed."""
TRIES = 3
"""Processes in a row that may die before they have begun."""


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
    the other, unless apart. What work raises is raised; OSError if no process can be started.
    """
    if jobs == 1 and not apart:
        for item in items:
            yield item, work(item)
        return
    crew = _Crew(work, jobs, seconds + GRACE)
    try:
        yield from crew.outcomes(iter(items))
    finally:
        crew.stop()


class _Worker:
    """A process with a pipe of its own: whatever becomes of it, no other shares a lock or a pipe with it."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        fresh = multiprocessing.get_context("spawn")
        self.connection, theirs = fresh.Pipe()
        self.process = fresh.Process(target=_serve, args=[theirs, work], daemon=True)
        self.process.start()
        theirs.close()
        self.begun = self.busy = False
        self.item: Any = None
        self.deadline = math.inf

    def hand_out(self, item: Any, limit: float) -> None:
        self.item, self.busy, self.deadline = item, True, monotonic() + limit
        with suppress(OSError):  # it died since; that will be seen where its answer is awaited
            self.connection.send(item)

    def answer(self) -> Any:
        """What it has to say; EOFError if it died. Raises what its work raised."""
        try:
            if not self.connection.poll():
                raise EOFError
            raised, answer = self.connection.recv()
        except (OSError, EOFError):
            self.process.join(1)  # so that its own exit code is known
            raise EOFError from None
        self.busy, self.deadline = False, math.inf
        if raised:
            raise answer
        return answer

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


class _Crew:
    """Some workers; one that dies or takes too long is replaced."""

    def __init__(self, work: Callable[[Any], Any], jobs: int, limit: float) -> None:
        self.work, self.limit = work, limit
        self.failures = 0
        self.workers: list[_Worker] = []
        try:
            for _ in range(jobs):
                self.workers.append(_Worker(work))
        except BaseException:
            self.stop()
            raise

    def outcomes(self, source: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
        """Hand out what there is, wait, and hand out more before anyone is told."""
        found: list[tuple[Any, Any]] = []
        more = True
        while more or found or any(w.busy for w in self.workers):
            for worker in self.workers:
                if more and worker.begun and not worker.busy:
                    item = next(source, self)
                    if more := item is not self:
                        worker.hand_out(item, self.limit)
            yield from found
            waited_for = [w for w in self.workers if w.busy or (more and not w.begun)]
            found = list(self.some(waited_for)) if waited_for else []

    def some(self, workers: Sequence[_Worker]) -> Iterator[tuple[Any, Any]]:
        """Wait for answers, deaths and limits."""
        handles: dict[Any, _Worker] = {w.connection: w for w in workers}
        handles |= {w.process.sentinel: w for w in workers}
        pause = min(w.deadline for w in workers) - monotonic()
        ready = {handles[h] for h in wait(list(handles), None if pause == math.inf else max(0.0, pause))}
        for worker in workers:
            if worker in ready:
                begun, item = worker.begun, worker.item
                try:
                    answer = worker.answer()
                except EOFError:
                    self.replace(worker)
                    if not begun:
                        continue
                    answer = Lost(f"its process died (exit code {worker.process.exitcode})")
                worker.begun, self.failures = True, 0
                if begun:
                    yield item, answer
            elif monotonic() >= worker.deadline:
                self.replace(worker)
                yield worker.item, Lost("it did not end in time and was stopped")

    def replace(self, worker: _Worker) -> None:
        self.failures += not worker.begun
        if self.failures > TRIES:
            raise OSError(
                "worker processes die before they have done anything; a script that starts them must do so "
                "under `if __name__ == '__main__':`"
            )
        worker.stop()
        self.workers[self.workers.index(worker)] = _Worker(self.work)

    def stop(self) -> None:
        for worker in self.workers:
            worker.process.kill()  # all of them first, then one after the other is waited for
        for worker in self.workers:
            worker.stop()


def _serve(connection: Connection, work: Callable[[Any], Any]) -> None:
    """What a worker does. Ctrl-C reaches the whole group, and the parent alone decides what becomes of it;
    without the parent, the worker ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=[parent.sentinel], daemon=True).start()
    with suppress(EOFError, OSError):  # the parent is gone
        connection.send((False, None))
        while True:
            item = connection.recv()
            try:
                answer = False, work(item)
            except Exception as error:
                answer = True, error
            try:
                connection.send(answer)
            except (PicklingError, TypeError, AttributeError) as error:
                connection.send((True, TypeError(f"an outcome cannot be sent to another process: {error}")))


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
