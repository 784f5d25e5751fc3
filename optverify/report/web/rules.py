"""The section of the rules: a card each, and the dialects and exports that their switches show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from markupsafe import Markup

from optverify.backends.export import export_rule
from optverify.language import Rule
from optverify.report.web.cards import Evidence, card, counted, families
from optverify.report.web.dialects import dialects, key, libraries_of
from optverify.report.web.section import Group, Link, Section

ID = "rules"
TARGETS = ("torch", "jax", "c", "javascript")
"""Languages whose files a card copies."""


def rules_section(rules: Sequence[Rule], evidence: Mapping[str, Evidence] | None = None) -> Section:
    """All rules; evidence: of each, by name."""
    evidence = evidence or {}
    cards = {rule.name: card(rule, evidence.get(rule.name)) for rule in rules}
    return Section(
        ID,
        "Rules",
        Markup("<h2>Update rules</h2>\n") + Markup("\n").join(c.front for c in cards.values()),
        ("rules.js",),
        ("rules.css", "evidence.css"),
        further={
            "details": {name: c.details for name, c in cards.items()},
            "dialects": dialects(rules),
            "exports": {rule.name: exports(rule) for rule in rules},
        },
        contents=tuple(_contents(rules, evidence)),
    )


def _contents(rules: Sequence[Rule], evidence: Mapping[str, Evidence]) -> Iterator[Group]:
    """A group a family; a rule stands in the first of its families."""
    first: dict[str, list[Rule]] = {}
    for rule in rules:
        first.setdefault(families(rule)[0], []).append(rule)
    for family in sorted(first):
        links = []
        for rule in first[family]:
            score = counted(evidence[rule.name].claims) if rule.name in evidence else {}
            links.append(Link(rule.name, rule.title, score.get("holds", 0), score.get("refuted", 0)))
        yield Group(family.capitalize(), tuple(links), open=True)


def exports(rule: Rule) -> dict[str, Any]:
    """What a card copies: files of the dialects one option away from the paper's, and of those of libraries.

    Language -> the lines for the paper's dialect under its key, and under those of the others what changes:
    from which line on, how many go, which come instead.
    """
    libraries = (rule.dialect(**e.dialect.options) for e in libraries_of(rule).values())
    kept = {key(d): d for d in (*rule.dialects(changed=1), *libraries)}
    paper = kept.pop(key(rule))
    found: dict[str, Any] = {}
    for target in TARGETS:
        lines = export_rule(paper, target).splitlines()
        changed = {name: changes(lines, export_rule(d, target).splitlines()) for name, d in kept.items()}
        found[target] = {"paper": lines, "changes": changed}
    return found


def changes(before: list[str], after: list[str]) -> list[list[Any]]:
    """How to make one text of another: line, number of lines that go, lines that come; from top to bottom."""
    codes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [[a, b - a, *after[c:d]] for kind, a, b, c, d in codes if kind != "equal"]
