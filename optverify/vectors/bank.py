"""The files of vectors that results are judged by: where they lie, and their tests by id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from optverify.vectors.formats import read_exact, read_hex
from optverify.vectors.header import FORMAT, VERSION
from optverify.vectors.kinds import KINDS, size_of
from optverify.vectors.reading import load
from optverify.vectors.running import POINT

File = dict[str, Any]
ETA = "eta"
INITIAL = "initial."
"""Before the name of a state: its numbers before the first update."""
LONGEST_NAME = 100
"""Characters of a wrong name that an error shows."""
INSTALLED = Path(__file__).parent / "files"
IN_TREE = Path(__file__).parents[2] / "reports" / "vectors"


def absent(kind: str, name: str, known: Iterable[str]) -> str:
    """One sentence for a name that is not known, with the nearest one: of hundreds not all are told."""
    near = get_close_matches(name[:LONGEST_NAME], list(known), n=1)
    return f"there is no {kind} {name[:LONGEST_NAME]!r}" + (f": did you mean {near[0]!r}?" if near else "")


def default_folder() -> Path:
    """The vectors that came with the package."""
    return INSTALLED if INSTALLED.is_dir() else IN_TREE


@dataclass(frozen=True)
class Test:
    """One test, with the group and the file that it stands in."""

    data: File
    group: File
    file: File

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.data["id"])

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays that are told."""
        return tuple(self.data["expected"])

    @property
    def main(self) -> str:
        """The array that must be given."""
        return ETA if ETA in self.data["expected"] else "theta"

    @property
    def input(self) -> File:
        """What it is fed; of a schedule, the test itself."""
        if "input" not in self.data:
            return self.data
        found: File = next(i for i in self.file["inputs"] if i["id"] == self.data["input"])
        return found

    @property
    def after(self) -> list[int]:
        """The updates after which results are told; of a schedule, its times."""
        return list(self.data["t"]) if self.main == ETA else list(self.input["after"])

    @property
    def initial(self) -> tuple[str, ...]:
        """The names of states before the first update, where a program starts from its own."""
        own = self.main != ETA and not self.data["t"]
        return tuple(INITIAL + n for n in self.data["initial"]) if own else ()

    def rows(self, name: str) -> list[list[Fraction]]:
        """The exact numbers of an array, a row an update; all times of a schedule in one row."""
        if name.startswith(INITIAL):
            return [[read_exact(x) for x in self.data["initial"][name.removeprefix(INITIAL)]["exact"]]]
        found = self.data["expected"][name]["exact"]
        return [
            [read_exact(x) for x in row]
            for row in (found if found and isinstance(found[0], list) else [found])
        ]

    def scales(self, name: str) -> list[list[float]]:
        """Where the unit of each number is taken: the larger of it and of the one before it."""
        rows = [[size_of(x) for x in row] for row in self.rows(name)]
        if "scale" in self.data:
            least = read_hex(self.data["scale"]) or 0.0
            return [[max(x, least) for x in row] for row in rows]
        before = rows[0] if name == POINT or name.startswith(INITIAL) else self.start(name)
        return [
            [max(pair) for pair in zip(row, old, strict=True)]
            for row, old in zip(rows, [before, *rows], strict=False)
        ]

    def touch(self) -> None:
        """Read all that judging reads; an error of any kind if something is missing or of another type."""
        for name in (*self.names, *self.initial):
            rows, scales = self.rows(name), self.scales(name)
            if [len(row) for row in rows] != [len(row) for row in scales]:
                raise ValueError(f"rows of {name} have several lengths")
        for kind in KINDS:
            if self.data["ulps"][kind] is None:
                str(self.data["why"][kind])
            else:
                dict(self.data["ulps"][kind])
            for name in self.names:
                if len(self.data["expected"][name][kind]) != len(self.data["expected"][name]["exact"]):
                    raise ValueError(f"{name} has rows of one form alone")
        for flag in self.input["flags"]:
            str(self.file["notes"][flag]["meaning"] + self.file["notes"][flag]["kind"])
        _ = self.group["id"] + self.group["comment"], list(self.file["alternatives"]), self.after

    def start(self, name: str) -> list[float]:
        """The absolute values before the first update."""
        if name == "theta":
            return [abs(x) for x in self.input["theta"]["decimal"][0]]
        return [size_of(read_exact(x)) for x in self.data["initial"][name]["exact"]]


def _tests(data: File) -> Iterator[Test]:
    """All tests of a file."""
    for group in data["groups"]:
        for test in group.get("tests", ()):
            yield Test(test, group, data)


@dataclass
class Bank:
    """A folder of vectors, read as far as it is asked."""

    folder: Path
    _files: dict[str, File] = field(default_factory=dict)

    @cached_property
    def paths(self) -> dict[str, Path]:
        """First part of an id -> file: `adam`, or `schedule/cosine`."""
        rules = {p.stem: p for p in sorted((self.folder / "rules").glob("*.json"))}
        found = rules | {f"schedule/{p.stem}": p for p in sorted((self.folder / "schedules").glob("*.json"))}
        if not found:
            raise ValueError(
                f"there are no vectors in {str(self.folder)!r}: make them with `optverify vectors write`"
            )
        return found

    def file(self, name: str) -> File:
        """The file of that name; ValueError for one that is no file of vectors."""
        if name not in self._files:
            path = self.paths[name]
            data = load(path)
            if not isinstance(data, dict) or (data.get("format"), data.get("version")) != (FORMAT, VERSION):
                raise ValueError(f"{path} is not a file of {FORMAT}, version {VERSION}: write it anew")
            try:
                for test in _tests(data):
                    test.touch()
            except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
                why = f"{type(error).__name__}: {error}"[:LONGEST_NAME]
                raise ValueError(f"{path} is damaged ({why}): write it anew") from None
            self._files[name] = data
        return self._files[name]

    def tests(self, name: str) -> Iterator[Test]:
        """All tests of a file."""
        return _tests(self.file(name))

    def name_of(self, ident: str) -> str:
        """The file that an id belongs to; ValueError, with the nearest name, if there is none."""
        parts = ident.split("/")
        name = "/".join(parts[: 2 if parts[0] == "schedule" else 1])
        if name not in self.paths:
            raise ValueError(absent("rule or schedule in the vectors", name, self.paths))
        return name

    @cached_property
    def _by_id(self) -> dict[str, dict[str, Test]]:
        return {}

    def test(self, ident: str) -> Test:
        """The test of that id; ValueError, with the nearest one, if there is none."""
        name = self.name_of(ident)
        if name not in self._by_id:
            self._by_id[name] = {t.id: t for t in self.tests(name)}
        tests = self._by_id[name]
        if ident not in tests:
            raise ValueError(absent("test", ident, tests))
        return tests[ident]

    def group(self, ident: str) -> list[Test]:
        """The tests of a group, of the one it is the same as; ValueError if there is none of that id."""
        data = self.file(self.name_of(ident))
        groups = {g["id"]: g for g in data["groups"]}
        if ident not in groups:
            raise ValueError(absent("group", ident, groups))
        found = groups[ident]
        found = groups[found["same_as"]] if "same_as" in found else found
        return [Test(t, found, data) for t in found["tests"]]

    def alternatives(self, test: Test) -> list[Test]:
        """The tests that answer the same input otherwise."""
        for entry in test.file["alternatives"]:
            if test.id in entry["tests"]:
                return [self.test(i) for i in entry["tests"] if i != test.id]
        return []
