"""What is wrong with a box that computes a rule: constants that were passed and are not those that act."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from optverify.conformance import names
from optverify.conformance.diagnosis import Named
from optverify.conformance.fit import Fit, other_values
from optverify.conformance.model import Record
from optverify.conformance.rounding import in_few_bits
from optverify.conformance.spoken import differs, number, passed
from optverify.rules import rule as rule_named

READ = ("weight_decay", "momentum")
"""Hyperparameters that mean the same in every rule: who passes one and sees nothing of it is surprised."""
MEMORY = ("beta", "rho")
"""How the names of constants begin without which a rule of several means remembers nothing."""
IGNORED = "hyperparameter without influence"


def amiss(
    best: Fit, shown: Mapping[str, float], told: Mapping[str, float], library: str | None
) -> list[Named]:
    """Hyperparameters that were passed and do nothing, or act in each other's place."""
    swapped = list(_swapped(best, told))
    memory = [v for n, v in best.values.items() if n.startswith(MEMORY)]
    if len(memory) > 1 and not any(memory):
        text = "nothing is remembered: every update is a first one, the state is lost"
        return [Named("state resets every step", text)]
    return swapped or [*_uphill(best, shown), *_ignored(best, told), *_unread(best, shown, library)]


def _uphill(best: Fit, shown: Mapping[str, float]) -> Iterator[Named]:
    """It maximizes, and nobody asked for it."""
    if best.model.rule.options.get("maximize") and not shown.get("maximize"):
        text = "every update goes along the gradient, uphill, and no `maximize` was passed: a sign is wrong"
        yield Named("goes uphill", text)


def _swapped(best: Fit, told: Mapping[str, float]) -> Iterator[Named]:
    others = [n for n in told if n in best.values and n != "lr" and differs(best.values[n], told[n])]
    for i, a in enumerate(others):
        for b in others[i + 1 :]:
            if not differs(best.values[a], told[b]) and not differs(best.values[b], told[a]):
                text = f"{a} and {b} are swapped: each acts in the other's place"
                yield Named("hyperparameters swapped", text)


def _ignored(best: Fit, told: Mapping[str, float]) -> Iterator[Named]:
    """Passed, and another value acts: none, or the usual one."""
    usual = {h.name: h.default for h in best.model.rule.hyperparameters}
    for name, value in told.items():
        acts = best.values.get(name)
        if acts is None or not differs(acts, value):
            continue
        if acts == 0:
            yield _without_influence(name, value)
        elif name != "lr" and acts == usual[name] and acts not in in_few_bits(value).values():
            text = f"{name} = {number(value)} was passed, and {number(acts)}, the usual value, acts"
            yield Named(IGNORED, f"{text}: what is passed has no effect")


def _unread(best: Fit, shown: Mapping[str, float], library: str | None) -> Iterator[Named]:
    """Passed, and there is no place for it in the rule."""
    rule = best.model.rule
    read = {h.name for h in rule.hyperparameters}
    family = rule_named(rule.name) if "(" not in rule.name else rule
    told = passed(family, shown, library) if library else names.ours(family, shown, library)
    wanted = {*READ, *(n for n in ("eps",) if n in shown)}
    known = {n: v for n, v in told.items() if n in wanted} | {n: shown[n] for n in READ if n in shown}
    for name, value in known.items():
        if name not in read and value != 0:
            yield _without_influence(name, value)


def _without_influence(name: str, value: float) -> Named:
    text = (
        f"{name} = {number(value)} was passed and has no effect (no influence on any update): it is ignored"
    )
    return Named(IGNORED, text)


def undetermined(best: Fit, records: Sequence[Record]) -> list[str]:
    """Constants without influence: no other value changes an update."""
    return [
        h.name
        for h in best.model.rule.hyperparameters
        if math.isinf(best.spread.get(h.name, 0.0)) and not _shows(best, records, h.name)
    ]


def _shows(best: Fit, records: Sequence[Record], name: str) -> bool:
    h = next(h for h in best.model.rule.hyperparameters if h.name == name)
    tried = [best.values[name], *other_values(h, best.values[name])]
    rows = {n: np.full(len(tried), v) for n, v in best.values.items()} | {name: np.array(tried)}
    return any(not np.allclose(m[1:], m[:1], equal_nan=True) for m in best.model.every_move(records, rows))
