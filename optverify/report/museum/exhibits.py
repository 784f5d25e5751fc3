"""What hangs in the museum: the sentences of `exhibits.toml` with the cases of `record.json`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from optverify.report.museum.paths import Case, Kind, cases


@dataclass(frozen=True)
class Thread:
    """A public thread. repository: owner/name; kind: what it is there; number."""

    repository: str
    kind: str
    number: int

    @property
    def url(self) -> str:
        """Where it is read."""
        return f"https://github.com/{self.repository}/{self.kind}/{self.number}"

    def __str__(self) -> str:
        return f"{self.repository}#{self.number}"


def thread(text: str) -> Thread:
    """`owner/name#7` or `owner/name PR#7`."""
    place, _, number = text.partition("#")
    repository, _, pull = place.partition(" ")
    return Thread(repository, "pull" if pull == "PR" else "issues", int(number))


@dataclass(frozen=True)
class Fact:
    """Numbers of an exhibit that has no path: of what, the right ones, those that were reported."""

    of: str
    right: str
    reported: str


@dataclass(frozen=True)
class Exhibit:
    """A fault, or what was taken for one.

    id: as in the tests; wrong: what is wrong, in a sentence or two; threads: that reported it; found: the
    probe or check that tells it apart; facts: numbers without a path; cases: code and paths.
    """

    id: str
    title: str
    wrong: str
    found: str
    threads: tuple[Thread, ...]
    facts: tuple[Fact, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Hall:
    """Exhibits of one subject."""

    name: str
    exhibits: tuple[Exhibit, ...]


def halls() -> tuple[Hall, ...]:
    """Every exhibit; the right paths are derived now."""
    text = (files("optverify.report.museum") / "exhibits.toml").read_text("utf-8")
    shown = cases()
    return tuple(
        Hall(group["name"], tuple(_exhibit(told, shown) for told in group["exhibits"]))
        for group in tomllib.loads(text)["group"]
    )


def _exhibit(told: Mapping[str, Any], shown: Mapping[str, tuple[Case, ...]]) -> Exhibit:
    return Exhibit(
        told["id"],
        told["title"],
        told["wrong"],
        told["found"],
        tuple(map(thread, told["threads"])),
        tuple(Fact(*row) for row in told.get("numbers", ())),
        tuple(_named(case, told.get("kind")) for case in shown.get(told["id"], ())),
    )


def _named(case: Case, kind: Kind | None) -> Case:
    """kind: of what passes as something else than it is meant to be."""
    return replace(case, judgement=replace(case.judgement, kind=kind)) if kind else case
