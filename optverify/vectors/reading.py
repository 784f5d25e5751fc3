"""JSON from strangers: bounded in size, strict, with one clear error for whatever is wrong with it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from optverify.vectors.formats import read_hex

LARGEST = 16 * 2**20
"""Bytes of a file; parsed, the worst of them take some twenty times as much memory."""
LONGEST_LINE = 2**20
"""Bytes of a line of a stream."""
LONGEST_NUMBER = 400
"""Characters of a number."""
DEEPEST = 8
"""Lists within lists that hold the numbers of an array."""
LONGEST_TEXT = 200
"""Characters of a text that are kept."""
SHOWN = 60
"""Characters of a wrong value that an error shows."""


def load(path: Path) -> Any:
    """What a JSON file holds; ValueError or OSError, in one sentence, for a file that is none."""
    with opened(path) as file:
        return parse(bounded(file, str(path)), str(path))


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, to be read; OSError, in one sentence, if it cannot be."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise OSError(f"cannot read {str(path)!r}: {error.strerror or error}") from None


def bounded(file: BinaryIO, name: str) -> bytes:
    """All of a file; ValueError if it is larger than LARGEST, of which no more is read."""
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(
            f"{name} is larger than {LARGEST // 2**20} MiB: split it, or send a result a line with --stream"
        )
    return data


def lines(file: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    """(number, line) of each line that is not empty; ValueError for one longer than LONGEST_LINE."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise ValueError(
                f"{name}, line {number} is longer than {LONGEST_LINE // 2**10} KiB: one result a line"
            )
        if line.strip():
            yield number, line


def parse(data: bytes, name: str) -> Any:
    """The value of a JSON text; ValueError, in one sentence, if it is none."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name} is not UTF-8 text: byte {error.start} is {data[error.start]:#04x}"
        ) from None
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_float
        )
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply: results are at most a few levels deep") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        short = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        cut = ": it ends too early" if short else ""
        raise ValueError(f"{name} is not JSON ({error.msg.removesuffix(' at')} at {where}){cut}") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen = set[str]()
        twice = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {shown(twice)} stands twice in one object: leave one out")
    return made


def _constant(text: str) -> Any:
    raise ValueError(f'{text} is not JSON: write what is not finite as a string, "nan", "inf" or "-inf"')


def _integer(text: str) -> int:
    return int(_short(text))


def _float(text: str) -> float:
    return float(_short(text))


def _short(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number has {len(text)} characters: a float needs no more than {LONGEST_NUMBER}")
    return text


def shown(value: Any) -> str:
    """A value as an error shows it."""
    text = (
        repr(value)
        if not isinstance(value, (dict, list))
        else f"a {'list' if isinstance(value, list) else 'map'}"
    )
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def number(value: Any, where: str) -> float:
    """A float from a JSON number, a hexadecimal float as text, or null for nan; ValueError otherwise."""
    if value is None:
        return math.nan
    if isinstance(value, str):
        if (found := read_hex(value)) is not None:
            return found
        raise ValueError(
            f'{where} is {shown(value)}: give a number, a hexadecimal float like "0x1.8p-3", "nan" or "inf"'
        )
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{where} is {shown(value)}: give a number")
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def flat(value: Any, where: str, levels: int = DEEPEST) -> list[float]:
    """The numbers of nested lists, row by row; ValueError where they are nested more than `levels` deep."""
    if not isinstance(value, list):
        return [number(value, where)]
    if not levels:
        raise ValueError(f"{where} is nested too deeply: give a row of numbers for each update")
    return [x for part in value for x in flat(part, where, levels - 1)]


def words(value: str, where: str) -> str:
    """The start of a text, fit to be printed; ValueError where it is no Unicode (a lone surrogate)."""
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise ValueError(f"{where} is {value[:SHOWN]!a}, which is no Unicode text")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in value[:LONGEST_TEXT])


def field(data: Any, key: str, kind: type, where: str) -> Any:
    """A member of an object, of this type; ValueError otherwise."""
    words = {dict: "an object", list: "a list", str: "a string", int: "an integer"}
    if not isinstance(data, dict):
        raise ValueError(f"{where} is {shown(data)}: give an object with {key!r}")
    if key not in data:
        raise ValueError(f"{where} has no {key!r}: give {words[kind]}")
    found = data[key]
    if not isinstance(found, kind) or isinstance(found, bool):
        raise ValueError(f"{where}: {key!r} is {shown(found)}: give {words[kind]}")
    return found
