"""Results as JSON lines: each is judged as soon as it is there, and no more than one is held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from optverify.vectors.bank import Bank
from optverify.vectors.judging import Verdict, head, judge, one
from optverify.vectors.reading import lines, parse


def verdicts(file: BinaryIO, name: str, bank: Bank) -> Iterator[Verdict]:
    """The verdict on each line: {"test": id, "dtype": "float64", "values": {...}}.

    A first line {"format": "optverify results", "version": 1, "dtype": "float64"} states the dtype of all.
    Raises ValueError, with the number of the line, for one that is wrong.
    """
    dtype: str | None = None
    seen = set[str]()
    for number, line in lines(file, name):
        where = f"{name}, line {number}"
        data = parse(line, where)
        if isinstance(data, dict) and "format" in data and "test" not in data:
            if seen or dtype is not None:
                raise ValueError(f"{where}: a head belongs into the first line")
            dtype = head(data, where)
            if "results" in data:
                raise ValueError(
                    f"{where} is a whole file of results: leave --stream out, or give one a line"
                )
            continue
        given = one(data, bank, where, dtype)
        if given.test.id in seen:
            raise ValueError(f"{where}: there was a result of test {given.test.id!r} before: leave one out")
        seen.add(given.test.id)
        yield judge(given, bank)
