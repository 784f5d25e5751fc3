"""The pages of claims: the ledger, a page a topic, what every rule has, and the score of the checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from optverify.claims import Result
from optverify.claims.invariances import COLUMNS, invariances
from optverify.claims.properties import PROPERTIES, pinned
from optverify.ledger import GENERIC, recorded
from optverify.report.markup import render
from optverify.rules import registry

CELL = {
    "holds": "yes",
    "holds under conditions": "on conditions",
    "refuted": "**no**",
    "not decided": "not decided",
    "error": "error",
}
CHANGE = r"\theta_1 - \theta_0 = "
LONGEST = 180
"""Characters of LaTeX of a formula that still fits into a table."""


@dataclass(frozen=True)
class Facts:
    """What the properties of a rule found, in the words that are written down."""

    rule: str
    first_step: str
    stability: str
    states: str
    influence: str
    zero_gradient: str
    descent: str


@dataclass(frozen=True)
class Column:
    """A symmetry: what is short enough for the head of a table, and the sentence."""

    short: str
    sentence: str


@dataclass(frozen=True)
class Symmetries:
    """One row a rule, one column a symmetry."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def is_textbook(result: Result) -> bool:
    """True for a sentence of its own, false for what every rule is asked alike."""
    return result.claim.topic not in GENERIC


def claims_pages(results: Sequence[Result], titles: Mapping[str, str]) -> dict[str, str]:
    """Name of the file -> text: the overview, and a page a topic. titles: of rules and schedules, by name."""
    textbook = [r for r in results if is_textbook(r)]
    generic = [r for r in results if not is_textbook(r)]
    topics = sorted({r.claim.topic for r in textbook})
    about = {topic: _first_line(topic) for topic in topics}
    overview = render(
        "claims.md.j2",
        textbook=textbook,
        generic=generic,
        counts=_counted(r.verdict for r in textbook),
        evidence=_counted(r.evidence for r in textbook),
        about=about,
        always=always(generic),
        facts=[facts_of(name, generic) for name in registry.names()],
        symmetries=symmetries(generic),
        scores=recorded(),
        percent=lambda share: f"{100 * share:.1f} %",
        titles=titles,
    )
    return {"claims.md": overview} | {
        f"claims/{topic}.md": render(
            "topic.md.j2",
            topic=topic,
            about=about[topic],
            group=[r for r in textbook if r.claim.topic == topic],
            titles=titles,
        )
        for topic in topics
    }


def _first_line(topic: str) -> str:
    return (import_module(f"optverify.claims.{topic}").__doc__ or "").strip().splitlines()[0]


def _counted(kinds: Iterable[str]) -> list[str]:
    return [f"{n} {kind}" for kind, n in sorted(Counter(kinds).items(), key=lambda item: (-item[1], item[0]))]


def always(generic: Sequence[Result]) -> list[str]:
    """Sentences of the properties that hold for every rule."""
    verdicts: dict[str, set[str]] = {}
    for r in generic:
        verdicts.setdefault(r.claim.family, set()).add(r.verdict)
    held = [p for p in PROPERTIES if verdicts.get(f"property.{p.family}") == {"holds"}]
    return [_capital(p.title.format(rule="every rule", but="")) for p in held]


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def facts_of(name: str, generic: Sequence[Result]) -> Facts:
    """What the properties found of a rule."""
    verdicts = {r.claim.family: r.verdict for r in generic if r.claim.rules == (name,)}
    known = pinned(name)
    formula = known.get("first_step", {}).get("latex", "").removeprefix(CHANGE)
    return Facts(
        name,
        formula if len(formula) <= LONGEST else "",
        known.get("stability", ""),
        known.get("bounded", "none"),
        known.get("influence", ""),
        _cell(verdicts.get("property.zero_gradient")),
        _cell(verdicts.get("property.descent")),
    )


def _cell(verdict: str | None) -> str:
    return "" if verdict is None else CELL[verdict]


def symmetries(generic: Sequence[Result]) -> Symmetries:
    """Cells as the ledger decided them; those that no slip can change are derived here."""
    decided = {(r.claim.rules[0], r.claim.family): r.verdict for r in generic}
    rows = []
    for name in registry.names():
        derived = invariances(registry.get(name))
        row = (decided.get((name, f"invariance.{c.name}"), derived[c.name].verdict) for c in COLUMNS)
        rows.append((name, tuple(CELL[verdict] for verdict in row)))
    columns = tuple(
        Column(c.name.replace("_", " "), _capital(c.title.format(rule="the rule"))) for c in COLUMNS
    )
    return Symmetries(columns, tuple(rows))
