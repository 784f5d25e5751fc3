"""What a library calls things: its class for a rule, its dialect, its defaults, its names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from optverify.language.axis import Option
from optverify.language.messages import unknown


@dataclass(frozen=True)
class Entry:
    """One rule as a library has it.

    rule: our name. spelled: theirs, `torch.optim.Adam`. options: the dialect with their default arguments.
    names: our hyperparameter -> their argument. defaults: ours where theirs differ from the paper's; a value
    they ask the user for is None. switches: their argument and value, `amsgrad=True` -> the options it sets.
    tolerance: how far, relative to the largest update, a float64 run of theirs was from ours; larger than
    rounding only where they keep numbers in float32. note: what a user should know, in one sentence.
    """

    rule: str
    spelled: str
    options: Mapping[str, Option] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, float | None] = field(default_factory=dict)
    switches: Mapping[str, Mapping[str, Option]] = field(default_factory=dict)
    tolerance: float = 1e-12
    note: str = ""

    def __hash__(self) -> int:
        return hash((self.rule, self.spelled))


@dataclass(frozen=True)
class Library:
    """A library at the version that was run against the rules. entries: one a rule it has."""

    name: str
    title: str
    version: str
    entries: tuple[Entry, ...]

    def entry(self, rule: str) -> Entry:
        """Its entry for a rule; ValueError with the rules it has."""
        for entry in self.entries:
            if entry.rule == rule:
                return entry
        known = [entry.rule for entry in self.entries]
        raise ValueError(f"{self.title} {self.version}: {unknown('rule', rule, known)}")
