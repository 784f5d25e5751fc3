"""What the pytest plugin and `optverify.testing` tell each other: expected failures, and the checks that ran.

Nothing is imported here but the standard library: the plugin is loaded by every pytest run of a user.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A line of a file of expected failures: a pattern of ids, and the reason."""

    pattern: str
    reason: str
    where: str

    @property
    def check(self) -> str:
        """The name of the check it is about, maybe a pattern too."""
        return self.pattern.rpartition("-")[2]

    def fits(self, identity: str) -> bool:
        """True for `MyAdam-adam-huge` if the pattern is `MyAdam-adam-huge`, or `*-huge`."""
        return fnmatchcase(identity, self.pattern)


@dataclass(frozen=True)
class Row:
    """A check that ran: its id and what came of it."""

    identity: str
    outcome: str


PASSED, FAILED = "passed", "failed"
EXPECTED, UNEXPECTED, INAPPLICABLE = "expected failure", "unexpected pass", "not applicable"
RAN = (PASSED, FAILED, EXPECTED, UNEXPECTED)

entries: tuple[Entry, ...] = ()
"""Expected failures of the running pytest session."""

ran: list[Row] = []
"""Checks that ran since the plugin last looked; nobody looks outside pytest."""


def read(path: Path) -> tuple[Entry, ...]:
    """The entries of a file: a line an entry, the id, then the reason; `#` begins a comment.

    Raises ValueError for a line without a reason or without a check.
    """
    found = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        pattern, _, reason = line.partition("#")[0].strip().partition(" ")
        where = f"{path}, line {number}"
        if not pattern:
            continue
        if not reason.strip():
            raise ValueError(f"{where}: {pattern!r} has no reason: write it behind the id")
        if "-" not in pattern:
            raise ValueError(f"{where}: {pattern!r} is not an id like MyAdam-adam-huge or *-huge")
        found.append(Entry(pattern, reason.strip(), where))
    return tuple(found)


def refuse_unknown(checks: Iterable[str], known: Iterable[str], where: str) -> None:
    """ValueError, with the nearest name, for a check that there is not; a pattern must fit one."""
    names = list(known)
    for check in checks:
        if not any(fnmatchcase(name, check) for name in names):
            from optverify.language.messages import unknown

            raise ValueError(f"{where}: {unknown('check', check, names)}")


def expected(identity: str) -> str | None:
    """Why this check is expected to fail, by the files of the session; None if it is not."""
    return next((e.reason for e in entries if e.fits(identity)), None)


def counted(outcomes: Counter[str], total: int) -> str:
    """`17 of 19 checks run: 16 passed, 1 expected failure; 2 not applicable`."""
    run = sum(outcomes[kind] for kind in RAN)
    kinds = ", ".join(f"{outcomes[kind]} {kind}" for kind in RAN if outcomes[kind])
    rest = f"; {outcomes[INAPPLICABLE]} {INAPPLICABLE}" if outcomes[INAPPLICABLE] else ""
    return f"{run} of {total} checks run" + (f": {kinds}" if kinds else "") + rest
