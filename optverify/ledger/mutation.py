"""The score of the checks: which slips in a rule they catch.

Every mutant of a rule (optverify.views.mutants) is put to four layers, each on its own: the textbook claims
about the rule, the properties every rule has, the step tests and the golden values. A claim kills a mutant
when it decides another verdict than the one known to be right; "not decided" and exceptions kill nothing and
are counted apart. In each layer the first that kills ends the search.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import optverify.claims as claims_package
from optverify.claims import Claim, claims
from optverify.ledger.content import claim_key, digest, rule_key
from optverify.ledger.layers import golden_catches, steps_catch
from optverify.ledger.store import Store, default_path
from optverify.rules import registry
from optverify.views.mutants import Mutant, mutants
from optverify.workers import Lost, TimeUp, outcomes, time_limit

GENERIC = ("properties", "invariances")
"""Topics of claims that every rule has by itself."""
STEP_ON_DISK = ("property.agreement", "property.float_types")
"""Properties that compare a rule with its step on disk: what they catch is counted with the step tests."""
SECONDS = 5
"""Time limit of one claim about one mutant."""
CHUNK = 16
"""Mutants that are judged, and kept, together."""
LAYERS = ("claims", "properties", "steps", "golden")
CLASSICS = ("adagrad", "adam", "gd", "momentum", "nesterov", "rmsprop")
REQUIRED, REQUIRED_OF_CLASSICS = 0.90, 0.98
REASONS = Path(claims_package.__file__).parent / "survivors.json"
"""Rule -> mutant -> why no claim kills it."""
SCORES = Path(__file__).parent / "scores.json"


@dataclass(frozen=True)
class Fate:
    """What became of a mutant.

    killers: layer -> the claim or the departure that caught it. undecided, errors: ids of claims that did not
    decide about it, and of those that ran into an exception.
    """

    rule: str
    mutant: str
    killers: dict[str, str]
    undecided: list[str]
    errors: list[str]

    @property
    def killed(self) -> bool:
        """True if a claim or a property decided against it."""
        return "claims" in self.killers or "properties" in self.killers

    @property
    def reason(self) -> str:
        """Why it may survive, as written down; empty if nobody has said."""
        return reasons().get(self.rule, {}).get(self.mutant, "")


@dataclass(frozen=True)
class Score:
    """The mutants of one rule."""

    rule: str
    fates: tuple[Fate, ...]

    def caught(self, *layers: str) -> int:
        """How many were caught by one of these layers."""
        return sum(any(layer in fate.killers for layer in layers) for fate in self.fates)

    @property
    def survivors(self) -> list[Fate]:
        """Those that neither claims nor properties kill."""
        return [fate for fate in self.fates if not fate.killed]

    @property
    def share(self) -> float:
        """Killed by claims or properties, of those not known to be equivalent to the rule."""
        equivalent = sum(fate.reason.startswith(EQUIVALENT) for fate in self.survivors)
        return self.caught("claims", "properties") / (len(self.fates) - equivalent)

    @property
    def required(self) -> float:
        """The share that the ledger promises."""
        return REQUIRED_OF_CLASSICS if self.rule in CLASSICS else REQUIRED

    @property
    def ok(self) -> bool:
        """True if enough are killed and every survivor has its reason."""
        return self.share >= self.required and all(fate.reason for fate in self.survivors)

    def summary(self) -> dict[str, Any]:
        """What the report says of it."""
        counts = {layer: self.caught(layer) for layer in LAYERS}
        return {
            "mutants": len(self.fates),
            **counts,
            "killed": self.caught("claims", "properties"),
            "equivalent": sum(fate.reason.startswith(EQUIVALENT) for fate in self.survivors),
            "share": round(self.share, 4),
            "errors": sum(bool(fate.errors) for fate in self.fates),
            "survivors": {fate.mutant: fate.reason for fate in self.survivors},
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        mutants = [asdict(fate) | {"reason": fate.reason} for fate in self.fates]
        return {"rule": self.rule, "share": self.share, "ok": self.ok, "mutants": mutants}


def recorded() -> dict[str, Any]:
    """The scores on disk, as optverify.ledger.record wrote them."""
    loaded: dict[str, Any] = json.loads(SCORES.read_text(encoding="utf-8"))
    return loaded


def totals(scores: Iterable[Score]) -> Score:
    """All of them as one."""
    return Score("all", tuple(fate for s in scores for fate in s.fates))


EQUIVALENT = "equal"
"""How the reason begins for a mutant that computes the same."""


@cache
def reasons() -> dict[str, dict[str, str]]:
    """The written reasons for survivors."""
    loaded: dict[str, dict[str, str]] = json.loads(REASONS.read_text(encoding="utf-8"))
    return loaded


def score(
    rules: Iterable[str] | None = None,
    *,
    cache: bool = True,
    jobs: int = 1,
    on_fates: Callable[[list[Fate]], None] | None = None,
) -> list[Score]:
    """Judge every mutant of the default dialects of these rules, of all rules if none are named.

    cache, jobs: as in `verify`. on_fates: called with the mutants judged since the last call.
    """
    names = sorted(registry.names() if rules is None else {registry.get(name).name for name in rules})
    fates: dict[str, dict[int, list[Fate]]] = {name: {} for name in names}
    for (name, begin), part in _parts(names, cache, jobs):
        fates[name][begin] = part
        if on_fates is not None:
            on_fates(part)
    return [Score(n, tuple(f for begin in sorted(fates[n]) for f in fates[n][begin])) for n in names]


def count_mutants(rules: Iterable[str] | None = None) -> int:
    """How many mutants `score` would judge."""
    return sum(len(_mutants(name)) for name in (registry.names() if rules is None else rules))


def _parts(names: list[str], cache: bool, jobs: int) -> Iterator[tuple[tuple[str, int], list[Fate]]]:
    store = Store(default_path())
    try:
        keys, left = {}, []
        for name in names:
            key = _key(name)
            for begin in range(0, _known_count(store, key, name), CHUNK):
                item = (name, begin)
                keys[item] = digest([key, str(begin)])
                known = store.get(keys[item]) if cache else None
                if known is None:
                    left.append(item)
                else:
                    yield item, [Fate(**f) for f in known]
        for item, found in outcomes(judge, left, min(jobs, len(left)) or 1, SECONDS * CHUNK * 10):
            if isinstance(found, Lost):
                yield item, [_lost(item[0], m, found) for m in _chunk(*item)]
                continue
            store.put(keys[item], found)
            yield item, [Fate(**f) for f in found]
    finally:
        store.close()


def _known_count(store: Store, key: str, name: str) -> int:
    """The number of mutants, from the cache if it is there: making them takes longer than reading it."""
    known = store.get(digest([key, "count"]))
    if known is None:
        known = len(_mutants(name))
        store.put(digest([key, "count"]), known)
    return int(known)


def _key(name: str) -> str:
    """All that the fates of a rule's mutants depend on."""
    about = sorted(claim_key(c) for layer in ("claims", "properties") for c, _ in _about(name, layer))
    here = Path(__file__).parent
    data = [(here / file).read_bytes() for file in ("mutation.py", "layers.py", "golden.json")]
    return digest(["mutants", rule_key(registry.get(name)), *data, *about])


@lru_cache(maxsize=4)
def _mutants(name: str) -> list[Mutant]:
    return list(mutants(registry.get(name)))


def _chunk(name: str, begin: int) -> list[Mutant]:
    return _mutants(name)[begin : begin + CHUNK]


@cache
def _about(name: str, layer: str) -> list[tuple[Claim, tuple[str, ...]]]:
    """The claims of a layer about the default dialect of a rule, and which of their subjects it is."""
    base, found = registry.get(name), []
    for c in claims():
        if c.needs == "pep" or name not in c.rules or c.family in STEP_ON_DISK:
            continue
        if (c.topic in GENERIC) != (layer == "properties"):
            continue
        subjects = tuple(n for n, s in c.subjects if s.kind == "rule" and s.name == name and s.load() == base)
        if subjects:
            found.append((c, subjects))
    return found


def judge(item: tuple[str, int]) -> list[dict[str, Any]]:
    """The fates of a chunk of mutants, in whatever process."""
    name, begin = item
    return [asdict(_fate(name, mutant)) for mutant in _chunk(name, begin)]


def _fate(name: str, mutant: Mutant) -> Fate:
    killers: dict[str, str] = {}
    undecided: list[str] = []
    errors: list[str] = []
    for layer in ("claims", "properties"):
        for c, subjects in _about(name, layer):
            verdict = _verdict(c, subjects, mutant)
            if verdict == "error":
                errors.append(c.id)
            elif verdict == "not decided":
                undecided.append(c.id)
            elif verdict != c.expected:
                killers[layer] = c.id
                break
    for layer, catches in (("steps", steps_catch), ("golden", golden_catches)):
        if departure := catches(mutant.rule):
            killers[layer] = departure
    return Fate(name, mutant.description, killers, undecided, errors)


def _verdict(c: Claim, subjects: tuple[str, ...], mutant: Mutant) -> str:
    try:
        with time_limit(SECONDS):
            return c.decide(**dict.fromkeys(subjects, mutant.rule)).verdict
    except TimeUp:
        return "not decided"


def _lost(name: str, mutant: Mutant, why: Lost) -> Fate:
    return Fate(name, mutant.description, {}, [], [str(why)])
