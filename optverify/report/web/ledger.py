"""The section of claims: every sentence with its verdict; a sentence opens its evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from optverify.claims import Result
from optverify.ledger import recorded
from optverify.report.ledger import always, facts_of, is_textbook, symmetries
from optverify.report.markup import topic_heading
from optverify.report.web.cards import GLYPHS
from optverify.report.web.pictures import picture
from optverify.report.web.section import Section, html
from optverify.rules import registry as rules
from optverify.schedules import registry as schedules

ID = "ledger"
EVIDENCE = (
    "proved",
    "decided by SMT",
    "exact certificate",
    "exact enumeration",
    "interval arithmetic",
    "numerical",
    "none",
)
"""Strongest first."""


def ledger_section(results: Sequence[Result]) -> Section:
    """All claims; statements, derivations and counterexamples are in the data until a claim is opened."""
    textbook = sorted((r for r in results if is_textbook(r)), key=lambda r: (r.claim.topic, r.claim.id))
    generic = [r for r in results if not is_textbook(r)]
    body = html(
        "ledger.html.j2",
        results=textbook,
        properties=len(generic),
        verdicts=Counter(r.verdict for r in textbook).most_common(),
        kinds=[e for e in EVIDENCE if any(r.evidence == e for r in textbook)],
        topics={topic: topic_heading(topic) for topic in dict.fromkeys(r.claim.topic for r in textbook)},
        subjects=sorted({name for r in textbook for name in (*r.claim.rules, *r.claim.schedules)}),
        glyphs=GLYPHS,
        always=always(generic),
        facts=[facts_of(name, generic) for name in rules.names()],
        symmetries=symmetries(generic),
        scores=recorded(),
    )
    known = rules.names()
    claims = {
        r.claim.id: html(
            "claim.html.j2",
            r=r,
            claim=r.claim,
            picture=picture(r.claim.id),
            titles={n: rules.get(n).title for n in r.claim.rules if n in known},
            schedules={n: schedules.get(n).title for n in r.claim.schedules},
        )
        for r in textbook
    }
    return Section(ID, "Claims", body, ("tables.js", "ledger.js"), ("evidence.css",), {"claims": claims})
