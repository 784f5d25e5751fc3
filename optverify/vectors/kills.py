"""Which slips in a rule the vectors catch: every mutant of its default dialect is run on them in float64."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from optverify.language import Rule
from optverify.ledger.mutation import EQUIVALENT, reasons
from optverify.rules import rule as rule_named
from optverify.vectors.bank import Bank, Test
from optverify.vectors.kinds import DOUBLE
from optverify.vectors.programs import Program
from optverify.views.mutants import mutants

GROUPS = ("default", "paper")
"""The groups of the default dialect."""


@dataclass(frozen=True)
class Fate:
    """What became of a mutant. by: the test that it fails first, empty if none; reason: why it may pass."""

    mutant: str
    by: str
    reason: str

    @property
    def killed(self) -> bool:
        """True if some test fails."""
        return bool(self.by)

    @property
    def equivalent(self) -> bool:
        """True if it survives and is known to compute the same."""
        return not self.killed and self.reason.startswith(EQUIVALENT)


class Target:
    """A test with its numbers as float64 arrays, to be compared with thousands of programs."""

    def __init__(self, test: Test) -> None:
        self.test = test
        tolerances: Mapping[str, int | None] = test.data["ulps"]["float64"] or {}
        self.arrays: list[tuple[str, Any, Any]] = []
        for name, allowed in {**tolerances, **dict.fromkeys(test.initial, 1)}.items():
            if allowed is None or not tolerances:
                continue
            expected = np.array([[float(x) for x in row] for row in test.rows(name)])
            units = np.array([[DOUBLE.spacing(x) for x in row] for row in test.scales(name)])
            self.arrays.append((name, expected, (allowed + 1) * units))

    @cached_property
    def cost(self) -> int:
        """Updates to make."""
        return int(self.test.input["updates"])

    def fails(self, program: Program) -> bool:
        """True if the program does not pass the test; a program that raises does not."""
        try:
            with np.errstate(all="ignore"):
                found = program.compute(self.test)
                return any(
                    not np.all(np.abs(np.array(found[name], float) - expected) <= allowed)
                    for name, expected, allowed in self.arrays
                )
        except Exception:  # whatever a slip makes a rule raise, a program would see it
            return True


def targets(name: str, bank: Bank) -> list[Target]:
    """The tests of the default dialect, cheap ones first."""
    found = [Target(t) for g in GROUPS for t in bank.group(f"{name}/{g}")]
    return sorted((t for t in found if t.arrays), key=lambda t: t.cost)


def fates(name: str, bank: Bank) -> Iterator[Fate]:
    """The fate of every mutant of a rule."""
    tests = targets(name, bank)
    known = reasons().get(name, {})
    for mutant in mutants(rule_named(name)):
        yield Fate(mutant.description, _killer(mutant.rule, tests), known.get(mutant.description, ""))


def _killer(rule: Rule, tests: Sequence[Target]) -> str:
    try:
        program = Program.of(rule)
    except Exception:  # a slip that does not even compile
        return "compiling"
    return next((t.test.id for t in tests if t.fails(program)), "")


def figures(found: Iterable[Fate]) -> dict[str, int]:
    """How many there are, are killed, and survive as the rule itself or otherwise."""
    all_ = list(found)
    return {
        "mutants": len(all_),
        "killed": sum(f.killed for f in all_),
        "equivalent": sum(f.equivalent for f in all_),
        "open": sum(not f.killed and not f.equivalent for f in all_),
    }
