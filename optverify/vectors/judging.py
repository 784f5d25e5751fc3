"""What another program computed, held against the vectors: pass or fail, in ulps, and what that means."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from optverify.language.messages import unknown
from optverify.vectors.bank import INITIAL, Bank, Test
from optverify.vectors.formats import hex_float
from optverify.vectors.kinds import KINDS
from optverify.vectors.reading import field as member
from optverify.vectors.reading import flat, shown, words

RESULTS, VERSION = "optverify results", 1
Outcome = Literal["pass", "fail", "not judged", "skipped"]
Values = Mapping[str, list[list[float]]]


@dataclass(frozen=True)
class Given:
    """One result: the rows of each array, or why the test was skipped."""

    test: Test
    dtype: str
    values: Values
    skipped: str = ""


@dataclass(frozen=True)
class Error:
    """The largest error of an array. ulps: inf for what is not finite; at: (after, index)."""

    ulps: float
    tolerance: int
    at: tuple[int, int]
    found: float
    expected: str

    @property
    def ok(self) -> bool:
        """True if it is within the tolerance."""
        return self.ulps <= self.tolerance

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "ok": self.ok,
            "ulps": round(self.ulps, 3) if math.isfinite(self.ulps) else None,
            "tolerance": self.tolerance,
            "after": self.at[0],
            "index": self.at[1],
            "found": hex_float(self.found),
            "expected": self.expected,
        }


@dataclass(frozen=True)
class Verdict:
    """What a result is. alternatives: groups that answer the same input so; why: of a test not judged."""

    test: Test
    dtype: str
    outcome: Outcome
    errors: Mapping[str, Error] = field(default_factory=dict)
    alternatives: tuple[str, ...] = ()
    why: str = ""

    @property
    def ok(self) -> bool:
        """False if it fails."""
        return self.outcome != "fail"

    @property
    def meaning(self) -> list[tuple[str, str, str]]:
        """(flag, kind of fault, what a failure means)."""
        notes = self.test.file["notes"]
        return [(f, notes[f]["kind"], notes[f]["meaning"]) for f in self.test.input["flags"]]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        failed = self.outcome == "fail"
        return {
            "test": self.test.id,
            "dtype": self.dtype,
            "verdict": self.outcome,
            "arrays": {n: e.to_dict() for n, e in self.errors.items()},
            "alternatives": list(self.alternatives),
            "meaning": [{"flag": f, "kind": k, "meaning": m} for f, k, m in self.meaning] if failed else [],
            "why": self.why,
        }

    def lines(self) -> list[str]:
        """What a reader is told of a failure: where, and what it is instead."""
        worst = [(n, e) for n, e in self.errors.items() if not e.ok]
        told = [
            f"{n}[{e.at[1]}] {'at t =' if n == 'eta' else 'after update'} {e.at[0]} is {hex_float(e.found)},"
            f" expected {e.expected} ({e.ulps:.3g} ulps, {e.tolerance} allowed)"
            for n, e in worst
        ]
        same = [f"  this is {a}" for a in self.alternatives]
        return [f"FAIL {self.test.id}: {told[0]}", *(f"  {t}" for t in told[1:]), *same]


# ---- reading results ---------------------------------------------------------------------------------------


def read(data: Any, bank: Bank, name: str) -> list[Given]:
    """The results of a file; ValueError, in one sentence, for what is none."""
    dtype = head(data, name)
    results = member(data, "results", list, name)
    if not results:
        raise ValueError(f"{name} has no results: give one a test")
    found = [one(r, bank, f"{name}, result {i}", dtype) for i, r in enumerate(results, 1)]
    seen = set[str]()
    for given in found:
        if given.test.id in seen:
            raise ValueError(f"{name} has two results of test {given.test.id!r}: leave one out")
        seen.add(given.test.id)
    return found


def head(data: Any, name: str) -> str:
    """The dtype that a head states; ValueError if it is none of ours."""
    if member(data, "format", str, name) != RESULTS or member(data, "version", int, name) != VERSION:
        raise ValueError(
            f'{name} is not a file of results: it needs "format": "{RESULTS}" and "version": {VERSION}'
        )
    return _dtype(data, name)


def _dtype(data: Any, name: str) -> str:
    dtype: str = member(data, "dtype", str, name)
    if dtype not in KINDS:
        raise ValueError(f"{name}: {unknown('dtype', dtype[:40], KINDS)}")
    return dtype


def one(data: Any, bank: Bank, where: str, dtype: str | None) -> Given:
    """One result; ValueError for a test that is not known, an array that does not fit, or no numbers."""
    ident: str = member(data, "test", str, where)
    test = bank.test(ident)
    where = f"{where} ({ident})"
    kind = dtype if dtype is not None and "dtype" not in data else _dtype(data, where)
    if "skipped" in data:
        return Given(test, kind, {}, words(member(data, "skipped", str, where), f"{where}: 'skipped'"))
    values = member(data, "values", dict, where)
    for name in values:
        if name not in (known := (*test.names, *test.initial)):
            raise ValueError(f"{where}: {unknown('array', name[:40], known)}")
    if test.main not in values:
        raise ValueError(f"{where} has no {test.main!r}: give what the program computed")
    return Given(test, kind, {n: _rows(v, test, n, where) for n, v in values.items()})


def _rows(value: Any, test: Test, name: str, where: str) -> list[list[float]]:
    """The rows of an array, as many and as long as they must be."""
    expected = test.rows(name)
    label = f"{where}: {name}"
    if not isinstance(value, list):
        raise ValueError(f"{label} is {shown(value)}: give a list, a row of numbers for each update")
    rows = [value] if test.main == "eta" or name.startswith(INITIAL) else value
    if len(rows) != len(expected):
        raise ValueError(f"{label} has {len(rows)} rows, not {len(expected)}: one after each of {test.after}")
    found = [flat(row, label) for row in rows]
    for after, row, wanted in zip(test.after, found, expected, strict=False):
        if len(row) != len(wanted):
            what = "" if test.main == "eta" else f" after update {after}"
            raise ValueError(f"{label} has {len(row)} numbers{what}, not {len(wanted)}")
    return found


# ---- judging -----------------------------------------------------------------------------------------------


def judge(given: Given, bank: Bank) -> Verdict:
    """Pass or fail, with the largest errors and the alternatives that a failure matches."""
    test, dtype = given.test, given.dtype
    if given.skipped:
        return Verdict(test, dtype, "skipped", why=given.skipped)
    tolerances = test.data["ulps"][dtype]
    if tolerances is None:
        return Verdict(test, dtype, "not judged", why=test.data["why"][dtype])
    errors = compare(given, test, tolerances)
    if all(e.ok for e in errors.values()):
        return Verdict(test, dtype, "pass", errors)
    same = [a for a in bank.alternatives(test) if _matches(given, a)]
    return Verdict(test, dtype, "fail", errors, tuple(_called(a) for a in same))


def _called(test: Test) -> str:
    return f"{test.group['id']}: {test.group['comment']}"


def compare(given: Given, test: Test, tolerances: Mapping[str, int | None]) -> dict[str, Error]:
    """The largest error of each array that is given and judged."""
    found = {}
    for name, rows in given.values.items():
        allowed = 1 if name.startswith(INITIAL) else tolerances.get(name)
        if allowed is not None:
            found[name] = _largest(rows, test, name, allowed, given.dtype)
    return found


def _largest(rows: Sequence[Sequence[float]], test: Test, name: str, allowed: int, dtype: str) -> Error:
    kind, worst = KINDS[dtype], None
    expected, scales = test.rows(name), test.scales(name)
    for k, row in enumerate(rows):
        for i, x in enumerate(row):
            exact = expected[k][i]
            unit = kind.spacing(min(scales[k][i], kind.top))
            ulps = _ratio(abs(Fraction(x) - exact), unit) if math.isfinite(x) else math.inf
            if worst is None or ulps > worst[0]:
                worst = (ulps, k, i, x)
    if worst is None:
        raise ValueError(f"{test.id}: {name} has no numbers")
    ulps, k, i, x = worst
    if name.startswith(INITIAL):
        text = test.data["initial"][name.removeprefix(INITIAL)][dtype][i]
        return Error(ulps, allowed, (0, i), x, text)
    told = test.data["expected"][name][dtype]
    if test.main == "eta":
        return Error(ulps, allowed, (test.after[i], 0), x, told[i])
    return Error(ulps, allowed, (test.after[k], i), x, told[k][i])


def _ratio(error: Fraction, unit: float) -> float:
    try:
        return float(error / Fraction(unit))
    except OverflowError:
        return math.inf


def _matches(given: Given, other: Test) -> bool:
    """True if the results are those of another test of the same input."""
    tolerances = other.data["ulps"][given.dtype]
    if tolerances is None:
        return False
    fits = {
        n: r
        for n, r in given.values.items()
        if n in other.names and [len(x) for x in r] == [len(x) for x in other.rows(n)]
    }
    errors = compare(Given(other, given.dtype, fits), other, tolerances)
    return other.main in errors and all(e.ok for e in errors.values())


# ---- all of them -------------------------------------------------------------------------------------------


@dataclass
class Report:
    """The verdicts on a file of results."""

    verdicts: list[Verdict]
    missing: list[str] = field(default_factory=list)

    def count(self, outcome: Outcome) -> int:
        """How many there are of an outcome."""
        return sum(v.outcome == outcome for v in self.verdicts)

    @property
    def ok(self) -> bool:
        """True if something was judged, nothing failed and nothing that is required is missing."""
        return bool(self.count("pass")) and not self.count("fail") and not self.missing

    @property
    def meanings(self) -> list[tuple[str, str, str]]:
        """The notes of all failures, the most frequent first: (flag, kind of fault, what a failure means)."""
        told = Counter(note for v in self.verdicts if v.outcome == "fail" for note in v.meaning)
        return [note for note, _ in told.most_common()]

    @property
    def identified(self) -> dict[str, list[str]]:
        """Group that fails -> the groups that all its results agree with where both answer an input."""
        failing = {v.test.group["id"] for v in self.verdicts if v.outcome == "fail"}
        found = {}
        for ident in sorted(failing):
            mine = [v for v in self.verdicts if v.test.group["id"] == ident and v.outcome == "fail"]
            told = [set(v.alternatives) for v in mine if v.alternatives]
            found[ident] = sorted(set.intersection(*told)) if told else []
        return found

    def summary(self) -> dict[str, Any]:
        """For JSON: counts, and what the failures agree with."""
        return {
            "ok": self.ok,
            "passed": self.count("pass"),
            "failed": self.count("fail"),
            "not_judged": self.count("not judged"),
            "skipped": self.count("skipped"),
            "missing": self.missing,
            "identified": self.identified,
        }

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        head = {"format": "optverify vectors check", "version": 1}
        return {**head, **self.summary(), "tests": [v.to_dict() for v in self.verdicts]}


def report(results: Iterable[Given], bank: Bank, required: Sequence[str] = ()) -> Report:
    """Judge all results. required: groups whose every test must be there."""
    verdicts = [judge(given, bank) for given in results]
    return Report(verdicts, missing(verdicts, bank, required))


def missing(verdicts: Iterable[Verdict], bank: Bank, required: Sequence[str]) -> list[str]:
    """The tests of these groups that were not answered, but for those that say nothing in the dtype."""
    done = {v.test.id for v in verdicts}
    dtypes = {v.dtype for v in verdicts}
    return [
        t.id
        for group in required
        for t in bank.group(group)
        if t.id not in done and any(t.data["ulps"][d] is not None for d in dtypes or KINDS)
    ]
