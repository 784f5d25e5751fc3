"""How a proof ends when it does not succeed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class NotProved(Exception):  # noqa: N818 -- an outcome, no error
    """A step that could not be shown. It may still be true."""


class Missing(NotProved):
    """A tool is not installed: nothing is decided, and that is no fault of the statement."""

    def __init__(self, tool: str, extra: str) -> None:
        super().__init__(f"{tool} is not installed: pip install 'optverify[{extra}]'")
        self.extra = extra


class Refuted(Exception):  # noqa: N818
    """The statement is false; the message holds an exact counterexample."""


@contextmanager
def unless(counterexample: Callable[[], str | None]) -> Iterator[None]:
    """Run a sufficient proof: if a step of it fails, the statement is refuted only by a counterexample.

    counterexample: looks for one when the proof fails, and returns it in words, or None.
    """
    try:
        yield
    except Missing:
        raise
    except (NotProved, Refuted) as failed:
        found = counterexample()
        if found is not None:
            raise Refuted(found) from failed
        raise NotProved(str(failed)) from failed
