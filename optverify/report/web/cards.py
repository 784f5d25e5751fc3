"""The card of a rule: everything this project knows of it, its equations first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from markupsafe import Markup

from optverify.claims import Result
from optverify.claims.properties import pinned
from optverify.language import Hyperparameter, Rule, theta
from optverify.language.notation import tex_number
from optverify.language.operators import Operator
from optverify.report.ledger import is_textbook
from optverify.report.reference import rows, rule_page
from optverify.report.web.dialects import Elsewhere, code_lines, key, libraries_of, without
from optverify.report.web.section import html
from optverify.report.web.stability import stability_drawing

GLYPHS = {
    "holds": ("ok", "✓"),
    "holds under conditions": ("ok", "✓"),
    "refuted": ("bad", "✗"),
    "not decided": ("warn", "?"),
    "error": ("bad", "!"),
}
"""Verdict -> class and glyph."""


@dataclass(frozen=True)
class Default:
    """A value of a hyperparameter somewhere. differs: from the paper's; argument: its name there."""

    value: str
    argument: str = ""
    differs: bool = False


@dataclass(frozen=True)
class Evidence:
    """What other parts of the page know of a rule.

    claims: results about it; libraries: its row of the matrix, as Markup; vectors: file and number of tests.
    """

    claims: Sequence[Result] = ()
    libraries: str = ""
    vectors: tuple[str, int] | None = None


@dataclass(frozen=True)
class Card:
    """A rule on the page: what is seen at once, and what is folded under it."""

    front: Markup
    details: Markup


def card(rule: Rule, evidence: Evidence | None = None) -> Card:
    """A rule in its default dialect, with a switch for each axis; `dialects` has the others."""
    evidence = evidence or Evidence()
    shown = rule_page(rule)
    elsewhere = libraries_of(rule)
    told = {
        "rule": rule,
        "page": shown,
        "libraries": elsewhere,
        "defaults": {name: defaults(rule, there) for name, there in elsewhere.items()},
        "glyphs": GLYPHS,
        "named": option_name,
    }
    front = html(
        "card.html.j2",
        key=key(rule),
        without=without(rule),
        families=families(rule),
        lines=rows(shown.latex).values(),
        counted=counted(evidence.claims),
        **told,
    )
    details = html(
        "card_details.html.j2",
        code="\n".join(code_lines(rule)),
        claims=[r for r in evidence.claims if is_textbook(r)],
        properties=[r for r in evidence.claims if not is_textbook(r)],
        facts=facts(rule),
        drawing=stability_drawing(rule),
        evidence=evidence,
        excluded=[(_dialect(e.options), e.reason) for e in rule.excluded],
        **told,
    )
    return Card(front, details)


def counted(claims: Sequence[Result]) -> dict[str, int]:
    """Verdict -> how many textbook claims have it; those that hold are counted together."""
    found = {"holds": 0, "refuted": 0, "not decided": 0}
    for r in claims:
        if is_textbook(r):
            found["holds" if r.verdict.startswith("holds") else r.verdict] += 1
    return found


def facts(rule: Rule) -> dict[str, str]:
    """What its properties found, in words: name -> sentence."""
    known = pinned(rule.name)
    told = {
        "Stability on a quadratic": known.get("stability", ""),
        "States under gradients within G": known.get("bounded", ""),
        "What acts from which update": known.get("influence", ""),
    }
    return {name: text for name, text in told.items() if text}


def families(rule: Rule) -> tuple[str, ...]:
    """What kinds of rule it belongs to, read off its recurrence."""
    right = [rhs for _, rhs in rule.assignments]
    kinds = {
        "divides by past gradients": any(s.nonnegative and not s.scalar for s in rule.states),
        "keeps a direction (momentum)": any(not s.nonnegative and not s.scalar for s in rule.states),
        "takes signs": any(rhs.has(sp.sign) for rhs in right),
        "multiplies matrices": rule.needs_matrix,
        "measures whole arrays": not rule.needs_matrix and any(rhs.atoms(Operator) for rhs in right),
        "looks ahead": rule.gradient_point != theta.before,
        "needs more than a gradient": bool(rule.inputs),
    }
    return tuple(name for name, holds in kinds.items() if holds) or ("keeps nothing",)


def option_name(option: Any) -> str:
    """An option as a link spells it."""
    return str(option).lower() if isinstance(option, bool) else str(option)


def _dialect(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{axis} = {option_name(option)}" for axis, option in options.items())


def defaults(rule: Rule, there: Elsewhere) -> dict[str, Default]:
    """Of every hyperparameter, in a library."""
    numbers = {h.name: h.default for h in there.dialect.every_hyperparameter}
    names = there.entry.names
    return {h.name: _default(h, names.get(h.name, ""), numbers[h.name]) for h in rule.every_hyperparameter}


def _default(h: Hyperparameter, argument: str, value: float | None) -> Default:
    if not argument:
        return Default("")
    return Default("" if value is None else tex_number(value), argument, value != h.default)
