"""What a library calls things: its class for a rule, its dialect, its defaults, its names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from optverify.language.axis import Option
from optverify.language.messages import unknown

LINEAR = re.compile(r"(-?)(?:(\d+)\*)?([a-z]\w*(?:\[\d\])?)(?:\+(\d+))?")


@dataclass(frozen=True)
class Entry:
    """One rule as a library has it.

    rule: our name. spelled: theirs, `torch.optim.Adam`. options: the dialect with their default arguments.
    names: our hyperparameter -> their argument, or what it is of theirs: `-beta2_decay`, `2*l2`, `t0+1`;
    `betas[0]` is the first of a tuple. defaults: ours where theirs differ from the paper's; a value
    they ask the user for is None. switches: their argument and value, `amsgrad=True`, or another class of
    theirs, `optax.nadamw` -> the options it sets. tolerance: how far a float64 run of theirs may be from
    ours, relative to each coordinate of an update; above rounding only where they keep numbers in float32,
    and then relative to the largest coordinate. note: what a user should know, in one sentence.
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

    def argument(self, name: str) -> str:
        """Their argument for our hyperparameter, without factor and shift."""
        return self._linear(name)[0]

    def to_theirs(self, name: str, value: float) -> float:
        """The value of their argument when ours has this value."""
        _, factor, shift = self._linear(name)
        return (value - shift) / factor

    def to_ours(self, name: str, value: float) -> float:
        """The value of our hyperparameter when their argument has this value."""
        _, factor, shift = self._linear(name)
        return factor * value + shift

    def _linear(self, name: str) -> tuple[str, float, float]:
        found = LINEAR.fullmatch(self.names[name])
        if found is None:
            raise ValueError(
                f"{self.spelled}: {self.names[name]!r} is not an argument of theirs, with a sign or a factor "
                "before it and a shift behind where needed: write it like decay, -decay, 2*l2 or t0+1"
            )
        sign, factor, argument, shift = found.groups()
        return argument, (-1 if sign else 1) * float(factor or 1), float(shift or 0)


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
