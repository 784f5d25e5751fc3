"""Tests of one input: conventions that exclude each other, and those that give the same there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

from optverify.vectors.formats import read_exact

File = dict[str, Any]
TOLD = ("theta", "point", "eta")
"""The arrays that decide: parameters, where their gradient is taken, and the rate of a schedule."""
SAME = Fraction(1, 10**36)
"""Relative difference up to which two of 40 digits are one number."""


def alternatives(by_input: Mapping[str, Sequence[File]]) -> list[File]:
    """For each input the tests that answer it, by their ids, and the pairs that agree."""
    return [
        {
            "input": name,
            "tests": [t["id"] for t in tests],
            "alike": [[a["id"], b["id"]] for a, b in combinations(tests, 2) if alike(a, b)],
        }
        for name, tests in by_input.items()
        if len(tests) > 1
    ]


def alike(one: File, other: File) -> bool:
    """True if two tests have the same theta, points and rates, to 36 digits."""
    for name in TOLD:
        found = [list(_flat(t["expected"].get(name, {}).get("exact", ()))) for t in (one, other)]
        if len(found[0]) != len(found[1]):
            return False
        for a, b in zip(*found, strict=True):
            x, y = read_exact(a), read_exact(b)
            if abs(x - y) > SAME * max(abs(x), abs(y)):
                return False
    return True


def _flat(rows: Any) -> Iterator[str]:
    for x in rows:
        if isinstance(x, str):
            yield x
        else:
            yield from x
