"""Whether a folder of vectors is as it should be: its schemas, its ids, and its bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from optverify.vectors import files
from optverify.vectors.bank import Bank
from optverify.vectors.layout import text
from optverify.vectors.page import page
from optverify.vectors.reading import load, parse


def lint(
    folder: Path,
    wanted: Sequence[str] = (),
    recompute: bool = True,
    on_file: Callable[[str], None] = lambda name: None,
) -> list[str]:
    """What is wrong, a sentence each: of these files, or of all.

    recompute: whether each file is made anew and its bytes compared. ModuleNotFoundError without jsonschema.
    """
    chosen = files.chosen(wanted)
    wrong = [] if wanted else list(_stray(folder))
    for name in files.SCHEMAS:
        path = folder / "schema" / f"{name}.json"
        if not path.is_file() or path.read_text("utf-8") != files.schema(name):
            wrong.append(f"{path} is not the schema of this version: write the folder anew")
    seen: dict[str, str] = {}
    for name in chosen:
        on_file(name)
        wrong += _file(folder, name, recompute, seen)
    if not wanted:
        wrong += _ids(folder, seen)
        wrong += _page(folder) if recompute and not wrong else ()
    return wrong


def _file(folder: Path, name: str, recompute: bool, seen: dict[str, str]) -> Iterator[str]:
    path = folder / files.path_of(name)
    try:
        data = load(path)
    except (OSError, ValueError) as error:
        yield str(error)
        return
    faults = list(schema_faults(data, "schedule" if name.startswith("schedule/") else "rule"))
    if faults:
        yield from (f"{path}: {fault}" for fault in faults)
        return
    yield from (f"{path}: {fault}" for fault in _structure(data, seen, name))
    if recompute:
        fresh, found = text(files.make(name)), path.read_text("utf-8")
        if fresh != found:
            yield f"{path}: {_difference(found, fresh)}"


def schema_faults(data: Any, schema: str, most: int = 5) -> Iterator[str]:
    """Where data departs from one of the schemas."""
    try:
        from jsonschema import Draft202012Validator
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "lint needs the package jsonschema: pip install 'optverify[test]'"
        ) from None

    validator = Draft202012Validator(parse(files.schema(schema).encode(), schema))
    for count, error in enumerate(validator.iter_errors(data)):
        if count == most:
            yield "and more"
            return
        yield f"{error.json_path[:120]}: {error.message[:200]}"


def _structure(data: dict[str, Any], seen: dict[str, str], name: str) -> Iterator[str]:
    """Ids that stand twice, and references to what is not there."""
    groups = {g["id"] for g in data["groups"]}
    inputs = {i["id"] for i in data.get("inputs", ())}
    mine = list(files.ids(data))
    for ident in mine:
        if ident in seen:
            yield f"the id {ident!r} stands twice"
        seen[ident] = name
    for group in data["groups"]:
        if group.get("same_as", group["id"]) not in groups:
            yield f"group {group['id']!r} is the same as {group['same_as']!r}, which is not there"
        for test in group.get("tests", ()):
            if not test["id"].startswith(group["id"] + "/"):
                yield f"test {test['id']!r} does not belong to group {group['id']!r}"
            if inputs and test["input"] not in inputs:
                yield f"test {test['id']!r} has the input {test['input']!r}, which is not there"
    for entry in data["alternatives"]:
        for ident in set(entry["tests"]) - set(mine):
            yield f"{ident!r} is named as an alternative, and is not there"


def _stray(folder: Path) -> Iterator[str]:
    """Files that nothing is known of."""
    known = {files.path_of(n) for n in files.names()} | {f"schema/{n}.json" for n in files.SCHEMAS}
    for path in sorted(folder.rglob("*.json")):
        if path.relative_to(folder).as_posix() not in known:
            yield f"{path} belongs to no rule or schedule: remove it"


def _ids(folder: Path, seen: dict[str, str]) -> Iterator[str]:
    """Ids that were promised and are gone, and new ones that are not promised yet."""
    path = folder / files.IDS
    if not path.is_file():
        yield f"{path} is missing: it lists every id, a line each"
        return
    promised = files.promised(folder)
    for ident in promised:
        if ident not in seen:
            yield f"the id {ident!r} is gone: ids stay from release to release"
    for ident in seen:
        if ident not in set(promised):
            yield f"the id {ident!r} is new: `optverify vectors write` adds it to {path}"


def _page(folder: Path) -> Iterator[str]:
    path = folder / files.README
    found, fresh = path.read_text("utf-8") if path.is_file() else "", page(Bank(folder), files.names())
    if found != fresh:
        yield f"{path}: {_difference(found, fresh)}"


def _difference(found: str, fresh: str) -> str:
    pairs = enumerate(zip(found.splitlines(), fresh.splitlines(), strict=False), 1)
    line, old, new = next(((i, a, b) for i, (a, b) in pairs if a != b), (0, "", ""))
    if not line:
        return f"has {len(found.splitlines())} lines, a fresh one {len(fresh.splitlines())}"
    return f"line {line} has {old.strip()[:80]!r}, a fresh file {new.strip()[:80]!r}"
