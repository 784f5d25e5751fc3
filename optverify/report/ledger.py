"""The page of claims: the ledger, what every rule has, and the score of the checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optverify.claims import Result
from optverify.ledger import GENERIC, recorded
from optverify.report.markup import render

SHORT = {
    "holds": "yes",
    "holds under conditions": "under conditions",
    "refuted": "**no**",
    "not decided": "not decided",
    "error": "error",
}


@dataclass(frozen=True)
class Family:
    """A column: id, what is short enough for its head, and the sentence."""

    id: str
    short: str
    sentence: str


@dataclass(frozen=True)
class Table:
    """One row a rule, one column a family of claims."""

    title: str
    families: tuple[Family, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def is_textbook(result: Result) -> bool:
    """True for a sentence of its own, false for what every rule is asked alike."""
    return result.claim.topic not in GENERIC


def claims_page(results: Sequence[Result], titles: Mapping[str, str]) -> str:
    """The page. titles: of rules and schedules, by name."""
    textbook = [r for r in results if is_textbook(r)]
    generic = [r for r in results if not is_textbook(r)]
    return render(
        "claims.md.j2",
        textbook=textbook,
        generic=generic,
        counts=_counted(r.verdict for r in textbook),
        evidence=_counted(r.evidence for r in textbook),
        tables=[table for topic in GENERIC if (table := _table(topic, generic)).rows],
        scores=recorded(),
        percent=lambda share: f"{100 * share:.1f} %",
        titles=titles,
    )


def _counted(kinds: Any) -> list[str]:
    return [f"{n} {kind}" for kind, n in sorted(Counter(kinds).items(), key=lambda item: (-item[1], item[0]))]


def _table(topic: str, generic: Sequence[Result]) -> Table:
    found = [r for r in generic if r.claim.topic == topic]
    families = tuple(
        Family(
            id,
            id.rpartition(".")[2].replace("_", " "),
            _sentence(next(r for r in found if r.claim.family == id)),
        )
        for id in dict.fromkeys(r.claim.family for r in found)
    )
    cells = {(r.claim.rules[0], r.claim.family): SHORT[r.verdict] for r in found}
    names = sorted({name for name, _ in cells})
    rows = tuple((n, tuple(cells.get((n, f.id), "") for f in families)) for n in names)
    return Table(topic.capitalize(), families, rows)


def _sentence(result: Result) -> str:
    return result.claim.title
