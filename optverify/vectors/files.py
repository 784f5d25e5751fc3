"""The folder of vectors: what is in it, how it is written, and whether it is what would be written now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path

from optverify.language.messages import unknown
from optverify.rules import registry as rules
from optverify.schedules import registry as schedules
from optverify.vectors.bank import Bank
from optverify.vectors.layout import text, write_text
from optverify.vectors.page import page
from optverify.vectors.rulefile import File, rule_file
from optverify.vectors.schedulefile import COMPOSED, composed_file, schedule_file

IDS = "ids.txt"
README = "README.md"
SCHEMAS = ("rule", "schedule", "results")


def names() -> list[str]:
    """All files by name: a rule, `schedule/cosine`, `schedule/composed`."""
    return [*rules.names(), *(f"schedule/{n}" for n in (*schedules.names(), COMPOSED))]


def path_of(name: str) -> str:
    """Where a file stands in the folder."""
    kind, _, schedule = name.partition("/")
    return f"schedules/{schedule}.json" if schedule else f"rules/{kind}.json"


def make(name: str) -> File:
    """A file, made anew."""
    if name == f"schedule/{COMPOSED}":
        return composed_file()
    _, _, schedule = name.partition("/")
    return schedule_file(schedule) if schedule else rule_file(name)


def schema(name: str) -> str:
    """The text of a JSON Schema: of the file of a rule, of a schedule, or of results."""
    return resources.files(__package__).joinpath("schema", f"{name}.json").read_text("utf-8")


def chosen(wanted: Sequence[str]) -> list[str]:
    """These files, or all of them; ValueError with the nearest name for one that is not known."""
    known = names()
    for name in wanted:
        if name not in known:
            raise ValueError(unknown("file of vectors", name, known))
    return list(wanted) or known


def write(
    folder: Path, wanted: Sequence[str] = (), on_file: Callable[[str], None] = lambda name: None
) -> list[str]:
    """Write these files, or all with their page, the schemas and new ids. Each is whole or untouched.

    Returns the paths of the files of vectors and of the page. on_file: called before each file.
    """
    written = []
    known = set(promised(folder))
    for name in chosen(wanted):
        on_file(name)
        data = make(name)
        write_text(folder / path_of(name), text(data))
        written.append(path_of(name))
        known.update(ids(data))
    write_text(folder / IDS, "".join(f"{ident}\n" for ident in sorted(known)))
    for name in SCHEMAS:
        write_text(folder / "schema" / f"{name}.json", schema(name))
    if not wanted:
        write_text(folder / README, page(Bank(folder), names()))
        written.append(README)
    return written


def promised(folder: Path) -> list[str]:
    """The ids that stay from release to release: written once, they are only added to."""
    path = folder / IDS
    return path.read_text("utf-8").split("\n")[:-1] if path.is_file() else []


def ids(data: File) -> Iterator[str]:
    """The ids of the tests of a file."""
    for group in data["groups"]:
        for test in group.get("tests", ()):
            yield str(test["id"])
