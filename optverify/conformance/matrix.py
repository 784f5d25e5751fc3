"""Which rule, in which dialect, every installed library computes: run here, with date and version.

Every optimizer of a library that we have a name for is driven through the probes. It matches the paper, if
it does so with whatever the paper does not have turned off; or a dialect, which is named; or it departs, and
the first place is told. What is not installed is not run, and said to be not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata, util
from typing import Any

from optverify.conformance.adapters import adapters
from optverify.conformance.matrix_cell import Cell, cell
from optverify.conformance.peers import PEERS
from optverify.language.library import Entry, Library
from optverify.libraries import library
from optverify.libraries import names as translated

FORMAT, VERSION = "optverify matrix", 1

MODULES = {"sklearn": "sklearn", "autograd": "autograd", "jax": "jax", "mlx": "mlx.optimizers"}


# ---- libraries ---------------------------------------------------------------------------------------------


def known_libraries() -> dict[str, Library]:
    """Name -> what its optimizers are called."""
    return {name: library(name) for name in translated()} | PEERS


def distribution(name: str) -> str:
    """The distribution whose version counts."""
    return adapters()[name].library


def installed(name: str) -> str | None:
    """The version of a library, or None."""
    module = MODULES.get(name, name)
    try:
        if util.find_spec(module) is None:
            return None
        return metadata.version(distribution(name))
    except (ModuleNotFoundError, ValueError):
        return None


def subjects(name: str, rules: Iterable[str] | None = None) -> Iterator[Entry]:
    """What is run of a library."""
    wanted = None if rules is None else set(rules)
    for entry in known_libraries()[name].entries:
        if wanted is None or entry.rule in wanted:
            yield entry


@dataclass(frozen=True)
class Matrix:
    """What was run. cells: today's, and those kept of libraries that are not installed here.

    missing: libraries that are not installed here, and of which no earlier run is kept.
    """

    date: str
    cells: Sequence[Cell]
    missing: Sequence[str] = ()

    @property
    def ran(self) -> Mapping[str, tuple[str, str]]:
        """Library -> version and date."""
        return {c.library: (c.version, c.date) for c in self.cells}

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "date": self.date,
            "libraries": {n: {"version": v, "date": d} for n, (v, d) in sorted(self.ran.items())},
            "not_installed": list(self.missing),
            "cells": [c.to_dict() for c in self.cells],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Matrix:
        """What to_dict gave; ValueError for another format or version."""
        if (data.get("format"), data.get("version")) != (FORMAT, VERSION):
            raise ValueError(f"this is not a file of {FORMAT}, version {VERSION}")
        return cls(data["date"], [Cell(**c) for c in data["cells"]], data["not_installed"])


def matrix(
    wanted: Iterable[str] | None = None,
    rules: Iterable[str] | None = None,
    before: Matrix | None = None,
    on_cell: Callable[[Cell], None] = lambda c: None,
) -> Matrix:
    """Run every installed library, or these. before: an earlier matrix, whose cells stay where none is run.

    Raises ValueError for a library that is not known.
    """
    date = datetime.now(UTC).date().isoformat()
    known = known_libraries()
    for name in wanted or ():
        if name not in known:
            from optverify.language.messages import unknown

            raise ValueError(unknown("library", name, known))
    cells: list[Cell] = []
    for name in wanted or known:
        version = installed(name)
        if version is None:
            continue
        for entry in subjects(name, rules):
            cells.append(cell(name, entry, version, date))
            on_cell(cells[-1])
    done = {(c.library, c.rule, c.spelled) for c in cells}
    ran = {c.library for c in cells} if rules is None else set()
    kept = [
        c
        for c in (before.cells if before else ())
        if c.library not in ran and (c.library, c.rule, c.spelled) not in done
    ]
    order = {n: k for k, n in enumerate(known)}
    both = sorted((*cells, *kept), key=lambda c: (order.get(c.library, len(order)), c.rule, c.spelled))
    missing = [n for n in known if n not in {c.library for c in both} and installed(n) is None]
    return Matrix(date, both, missing)


# ---- an earlier matrix -------------------------------------------------------------------------------------

SAID = ("departs", "agrees", "not run")
"""What a path or a switch can come to; the numbers behind it are those of a machine."""


def differences(now: Matrix, before: Matrix) -> list[str]:
    """What an optimizer comes to now and came to before in the same version of its library, if that differs.

    Verdict, dialect, and whether its paths and switches agree are compared; errors are those of a machine.
    """
    kept = {(c.library, c.rule, c.spelled): c for c in before.cells}
    same, found = comparable(now, before), []
    for c in now.cells:
        if c.library not in same:
            continue
        earlier = kept.get((c.library, c.rule, c.spelled))
        head = f"{c.library} {c.version}, {c.rule} as {c.spelled}"
        if earlier is None:
            found.append(f"{head}: {_whole(c)} now, and not in the earlier run")
        elif _whole(c) != _whole(earlier):
            found.append(f"{head}: {_whole(c)} now, {_whole(earlier)} before")
        else:
            found.extend(f"{head}: {said}" for said in _ways_apart(c, earlier))
    return found


def comparable(now: Matrix, before: Matrix) -> list[str]:
    """The libraries that were run in the same version before."""
    versions = {name: _public(version) for name, (version, _) in before.ran.items()}
    return [name for name, (version, _) in now.ran.items() if versions.get(name) == _public(version)]


def _public(version: str) -> str:
    """Without the build: 2.13.0+cpu is 2.13.0."""
    return version.partition("+")[0]


def _whole(c: Cell) -> str:
    """Verdict and dialect."""
    return c.verdict + (f" ({', '.join(f'{n}={x!r}' for n, x in c.options.items())})" if c.options else "")


def _ways_apart(c: Cell, earlier: Cell) -> Iterator[str]:
    """Paths and switches that come to something else."""
    before = {**earlier.paths, **earlier.switches}
    for name, words in {**c.paths, **c.switches}.items():
        said, once = _said(words), _said(before.get(name, ""))
        if said != once:
            yield f"{name} {said} now, {once or 'was not run'} before"


def _said(words: str) -> str:
    return next((said for said in SAID if said in words), "")
