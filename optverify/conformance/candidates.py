"""What a box is held against: the dialects of all rules, written out when they are asked for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from optverify.language import Rule
from optverify.libraries import library
from optverify.libraries import names as libraries
from optverify.rules import names as rule_names
from optverify.rules import rule as rule_named

NAMED = {"adamw": "adam", "amsgrad": "adam", "sgdw": "momentum"}
"""Rules whose dialects are those of another rule, under a name of their own."""
SPARE = ("svrg",)
"""Rules that are given more than a gradient and a loss."""
WITHIN = ("in_direction", "before_step", "proximal")
"""Weight decay that a rule takes part in; that of other forms is fitted beside it."""


@lru_cache(maxsize=64)
def named(name: str) -> Rule:
    """The rule of that name in its default dialect."""
    return rule_named(name)


@dataclass(frozen=True)
class Dialect:
    """A dialect, written out when it is asked for. changes: how many axes are not at their default."""

    name: str
    options: tuple[tuple[str, Any], ...]
    changes: int = 0

    def rule(self) -> Rule:
        """The dialect as a rule."""
        return _written(self)


@lru_cache(maxsize=4096)
def _written(dialect: Dialect) -> Rule:
    return named(dialect.name).dialect(**dict(dialect.options))


@lru_cache(maxsize=1)
def families() -> tuple[str, ...]:
    """Rules with dialects of their own."""
    return tuple(n for n in rule_names() if n not in NAMED and n not in SPARE)


@lru_cache(maxsize=64)
def bases(name: str) -> tuple[Dialect, ...]:
    """The dialects of a rule that stand for all: without decay, or with one it takes part in; minimizing."""
    family = named(name)
    axes = [a for a in family.axes if a.name != "maximize"]
    choices = [
        [o for o in a.options if a.name != "weight_decay_form" or o in ("none", *WITHIN)] for a in axes
    ]
    found = []
    for choice in itertools.product(*choices):
        options = {a.name: o for a, o in zip(axes, choice, strict=True)}
        if not any(e.applies({**family.options, **options}) for e in family.excluded):
            found.append(options)
    plain = {a.name: a.default for a in axes}

    def changes(options: dict[str, Any]) -> int:
        return sum(options[n] != plain[n] for n in options if n != "weight_decay_form")

    return tuple(Dialect(name, tuple(o.items()), changes(o)) for o in sorted(found, key=changes))


def couples(rule: Rule) -> bool:
    """True if the gradient of one coordinate moves another."""
    return bool(rule.operators) or rule.needs_matrix


@lru_cache(maxsize=1)
def every_name() -> frozenset[str]:
    """The hyperparameters of all rules."""
    return frozenset(h.name for n in rule_names() for h in named(n).every_hyperparameter)


@lru_cache(maxsize=1)
def spread_dialects() -> frozenset[tuple[str, frozenset[tuple[str, Any]]]]:
    """The dialects that libraries have, by default or by a switch, and the papers: what people copy."""
    found = {(n, _choice({a.name: a.default for a in named(n).axes})) for n in families()}
    for home in map(library, libraries()):
        for entry in home.entries:
            if entry.rule not in rule_names() or entry.rule in SPARE:
                continue
            options = {**named(entry.rule).options, **entry.options}
            name = NAMED.get(entry.rule, entry.rule)
            found |= {(name, _choice({**options, **more})) for more in ({}, *entry.switches.values())}
    return frozenset(found)


def is_spread(rule: Rule) -> bool:
    """Is it what some library, or the paper, has?"""
    return (rule.name, _choice(rule.options)) in spread_dialects()


def _choice(options: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
    return frozenset((a, o) for a, o in options.items() if a not in ("weight_decay_form", "maximize"))
