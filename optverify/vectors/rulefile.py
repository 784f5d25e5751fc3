"""The file of a rule: header, notes, inputs, groups of tests, and which tests are alternatives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from typing import Any

from optverify import libraries
from optverify.language import Rule
from optverify.rules import rule as rule_named
from optverify.vectors import probes
from optverify.vectors.constants import GIVEN_EACH_TIME, dyadic, fixed, paper
from optverify.vectors.formats import columns, decimal, hex_text
from optverify.vectors.header import header, notes
from optverify.vectors.kinds import KINDS
from optverify.vectors.probes import Probe, Row
from optverify.vectors.rivals import alike, alternatives
from optverify.vectors.running import POINT, Result, Undecided, looks_ahead, run, short, state_shape

File = dict[str, Any]
SLOW = {"power_of", "eigenvectors", "orthonormal"}
"""Operators that take milliseconds in many digits; the rules that have them keep many states."""
SETTLED = 64
"""Updates after which states that are made up for a later time are taken."""
MANY_STATES = 4
"""Updates of a probe where every update leaves many numbers."""


@dataclass(frozen=True, eq=False)
class Group:
    """A dialect with its hyperparameters. name: default, axis=option, like=library or paper."""

    name: str
    rule: Rule
    values: Mapping[str, Fraction]
    comment: str


def groups(name: str) -> Iterator[Group]:
    """The default dialect, each one option away, those of libraries, and the paper's defaults."""
    base = rule_named(name)
    for dialect in base.dialects(1):
        changed = dialect.changed_options
        label, comment = "default", "the dialect of the paper"
        for axis, option in changed.items():
            label = f"{axis}={_word(option)}"
            comment = next(a for a in base.axes if a.name == axis).options[option]
        yield Group(label, dialect, dyadic(dialect), comment)
    for library in libraries.names():
        found = libraries.library(library)
        if any(e.rule == name for e in found.entries):
            entry = found.entry(name)
            dialect = base.dialect(**entry.options)
            theirs = dyadic(dialect) | fixed(rule_named(name, like=library), entry.names)
            comment = f"{entry.spelled}, {found.title} {found.version}"
            yield Group(f"like={library}", dialect, theirs, comment)
    yield Group("paper", base, paper(base), "the dialect of the paper with its default hyperparameters")


def _word(option: Any) -> str:
    return str(option).lower() if isinstance(option, bool) else str(option)


# ---- probes of a rule --------------------------------------------------------------------------------------


def rule_probes(base: Rule) -> dict[str, Probe]:
    """Every probe that fits the rule, by name."""
    slow = any(type(f).__name__ in SLOW for d in base.dialects(1) for f in d.operators)
    shape: probes.Shape = (2, 2) if base.needs_matrix else (2,)
    found = [probes.mixed((3, 2) if base.needs_matrix and not slow else shape), *probes.bank(shape)]
    if not base.elementwise:
        found.append(probes.from_zero(shape))
        shapes: dict[str, probes.Shape] = (
            {"tall": (3, 2), "row": (1, 3), "wide": probes.MATRIX}
            if base.needs_matrix
            else {"matrix": (2, 2)}
        )
        found += [probes.of_shape(n, s) for n, s in shapes.items()]
    if not base.needs_matrix:
        found.append(probes.of_shape("number", ()))
    small = (2, 2) if base.needs_matrix else (1,) if base.elementwise else (2,)
    updates = 16 if slow else probes.LONG // 8 if base.needs_matrix else probes.LONG
    found += [probes.long(small, updates), probes.late(small)]
    if slow:
        found = [p if p.updates else p.first_updates(MANY_STATES) for p in found]
    return {p.name: _fed(base, p) for p in found}


def _fed(base: Rule, probe: Probe) -> Probe:
    """With whatever else some dialect of the rule is given."""
    arrays = [i.name for i in base.every_input if not i.scalar]
    numbers = [i.name for i in base.every_input if i.scalar]
    numbers += [h.name for h in base.every_hyperparameter if h.name in GIVEN_EACH_TIME]
    return replace(probe, given=probes.inputs(probe.name, len(probe.gradients), probe.shape, arrays, numbers))


def wanted(group: Group) -> tuple[str, ...] | None:
    """The probes of a group, None for all of them."""
    if group.name == "default":
        return None
    if group.name == "paper":
        return ("random", "zero_gradient", "late")
    return ("mixed", "zero_gradient") if "weight_decay" in group.values else ("mixed",)


# ---- the file ----------------------------------------------------------------------------------------------


class _Book:
    """The tests of a rule as they are made. used: the inputs they take; left_out: what has no value."""

    def __init__(self, base: Rule) -> None:
        self.base, self.bank = base, rule_probes(base)
        self.tests: dict[Group, list[File]] = {}
        self.used: dict[str, Probe] = {}
        self.left_out: list[File] = []

    def fill(self, group: Group) -> None:
        """Make the tests of a group."""
        self.tests[group] = []
        whole = group.name in ("default", "paper")
        fed, states = _with_late_state(group, self.bank) if whole else (self.bank, None)
        chosen = wanted(group)
        for probe in fed.values():
            if chosen is None or probe.name in chosen:
                self.add(group, probe, states if probe.first else None)

    def add(self, group: Group, probe: Probe, states: Mapping[str, Row] | None = None) -> None:
        """Make one test, unless there is no value."""
        ident = f"{self.base.name}/{group.name}"
        try:
            made = _test(ident, group, probe, run(group.rule, group.values, probe, states))
        except Undecided as error:
            self.left_out.append({"test": f"{ident}/{probe.name}", "why": str(error)})
            return
        self.used[_input_name(group, probe)] = probe
        self.tests[group].append(made)

    def separate(self) -> None:
        """Give dialects that agree on all inputs so far the first further input on which they do not."""
        rivals = [g for g in self.tests if g.name != "paper"]
        for one, other in combinations(rivals, 2):
            shared = self._shared(one, other)
            if shared and all(alike(a, b) for a, b in shared):
                self._part(one, other)

    def _shared(self, one: Group, other: Group) -> list[tuple[File, File]]:
        """The tests of two groups that have the same input."""
        others = {t["input"]: t for t in self.tests[other]}
        return [(t, others[t["input"]]) for t in self.tests[one] if t["input"] in others]

    def _part(self, one: Group, other: Group) -> None:
        for probe in self.bank.values():
            if probe.name in ("long", "late"):
                continue
            try:
                pair = [_test("", g, probe, run(g.rule, g.values, probe)) for g in (one, other)]
            except Undecided:
                continue
            if not alike(*pair):
                for group in (one, other):
                    if probe.name not in (t["input"] for t in self.tests[group]):
                        self.add(group, probe)
                return


def rule_file(name: str) -> File:
    """The vectors of a rule, ready to be written."""
    book = _Book(rule_named(name))
    facts: list[tuple[File, Group | None]] = []
    seen: dict[Any, str] = {}
    for group in groups(name):
        ident = f"{name}/{group.name}"
        dialect = group.rule
        key = (dialect.assignments, dialect.gradient_point, dialect.states, tuple(group.values.items()))
        head = _group_facts(ident, group)
        if key in seen:
            facts.append((head | {"same_as": seen[key]}, None))
            continue
        seen[key] = ident
        book.fill(group)
        facts.append((head, group))
    book.separate()
    made = [head if group is None else head | {"tests": book.tests[group]} for head, group in facts]
    flags = sorted({flag for p in book.used.values() for flag in p.flags})
    return {
        **header(book.base),
        "notes": notes(flags),
        "inputs": [_input(n, p) for n, p in book.used.items()],
        "groups": made,
        "alternatives": alternatives(_by_input(made)),
        "left_out": book.left_out,
    }


def _with_late_state(group: Group, bank: dict[str, Probe]) -> tuple[dict[str, Probe], dict[str, Row] | None]:
    """Put where a long run ends, in few bits, at the start of the late one; leave that out if none ends."""
    long, first = bank["long"], probes.LATER if group.name == "paper" else probes.LATE
    brief = replace(long, updates=SETTLED, after=(SETTLED,))
    for probe in (brief,) if group.name == "paper" else (long, brief):
        try:
            given = {name: short(row) for name, row in run(group.rule, group.values, probe).end.items()}
        except Undecided:
            continue
        return bank | {"late": replace(bank["late"], theta=given["theta"], first=first)}, given
    return {n: p for n, p in bank.items() if n != "late"}, None


def _input_name(group: Group, probe: Probe) -> str:
    return "late_paper" if probe.name == "late" and group.name == "paper" else probe.name


def _input(name: str, probe: Probe) -> File:
    """What a test is fed: every number is exact in float32, or float64 where dtypes says so."""
    return {
        "id": name,
        "comment": probe.comment,
        "flags": list(probe.flags),
        "shape": list(probe.shape),
        "dtypes": list(probe.dtypes),
        "updates": probe.count,
        "after": list(probe.told),
        "theta": _plain([probe.theta]),
        "gradients": _plain(probe.gradients),
        "lr_factors": [decimal(x) for x in probe.rates],
        **({"given": {n: _plain(r) for n, r in probe.given.items()}} if probe.given else {}),
    }


def _plain(rows: Any) -> File:
    return {
        "decimal": [[decimal(x) for x in row] for row in rows],
        "hex": [[hex_text(x, KINDS["float64"]) for x in row] for row in rows],
    }


def _group_facts(ident: str, group: Group) -> File:
    return {
        "id": ident,
        "comment": group.comment,
        "dialect": dict(group.rule.options),
        "hyperparameters": {n: constant(x) for n, x in group.values.items()},
    }


def constant(x: Fraction) -> File:
    """One hyperparameter in its forms."""
    return {"decimal": decimal(x), "exact": str(x), **{n: hex_text(x, kind) for n, kind in KINDS.items()}}


def _test(ident: str, group: Group, probe: Probe, result: Result) -> File:
    names = [*(s.name for s in group.rule.states)]
    initial = {n: columns([result.before[n]]) for n in names}
    told = ["theta", *([POINT] if looks_ahead(group.rule) else []), *names]
    return {
        "id": f"{ident}/{probe.name}",
        "input": _input_name(group, probe),
        "t": probe.first,
        "shapes": {n: state_shape(group.rule, n, probe.shape) for n in told},
        "initial": {n: {k: rows[0] for k, rows in x.items()} for n, x in initial.items()},
        "expected": {n: columns(result.after[n]) for n in told},
        "ulps": {k: v if v is None else dict(v) for k, v in result.ulps.items()},
        **({"why": dict(result.why)} if result.why else {}),
        **({"sampled": list(result.sampled)} if result.sampled else {}),
    }


def _by_input(made: list[File]) -> dict[str, list[File]]:
    """Input -> the tests that take it; those with the paper's hyperparameters rival nobody."""
    found: dict[str, list[File]] = {}
    for group in made:
        for test in group.get("tests", ()):
            if not group["id"].endswith("/paper"):
                found.setdefault(test["input"], []).append(test)
    return found
