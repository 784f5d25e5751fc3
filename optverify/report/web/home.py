"""The first section: what this page is, how to read it, where everything stands; the index of the search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from optverify.claims import Result
from optverify.language import Rule, ScheduleFamily
from optverify.problems import Problem
from optverify.report.ledger import is_textbook
from optverify.report.web.cards import GLYPHS
from optverify.report.web.dialects import every_dialect
from optverify.report.web.section import Section, html

Entry = tuple[str, str, str, str]
"""An anchor, what kind of thing it is, its title, and words to find it by."""


def home(
    rules: Sequence[Rule],
    schedules: Sequence[ScheduleFamily],
    problems: Sequence[Problem],
    results: Sequence[Result],
    further: Iterable[Entry] = (),
) -> Section:
    """further: entries of the search that other sections bring."""
    textbook = [r for r in results if is_textbook(r)]
    body = html(
        "home.html.j2",
        rules=rules,
        dialects=sum(len(every_dialect(rule)) for rule in rules),
        schedules=schedules,
        problems=problems,
        claims=len(textbook),
        verdicts=Counter(r.verdict for r in textbook).most_common(),
        glyphs=GLYPHS,
    )
    entries = [*_named(rules, schedules, problems), *_claims(textbook), *further]
    return Section("home", "Start", body, further={"search": {"entries": entries}})


def _named(
    rules: Sequence[Rule], schedules: Sequence[ScheduleFamily], problems: Sequence[Problem]
) -> Iterator[Entry]:
    for rule in rules:
        words = [rule.name, rule.summary, *(s.authors for s in rule.sources), *(a.name for a in rule.axes)]
        words += [h.name for h in rule.every_hyperparameter] + [s.name for s in rule.every_state]
        yield rule.name, "rule", rule.title, " ".join(words)
        for axis in rule.axes:
            yield (
                rule.name,
                "choice",
                f"{rule.title}: {axis.name}",
                f"{axis.question} {' '.join(map(str, axis.options))}",
            )
    for family in schedules:
        yield f"schedule.{family.name}", "schedule", family.title, family.summary
    for problem in problems:
        yield f"problem.{problem.name}", "problem", problem.title, " ".join(sorted(problem.tags))


def _claims(results: Iterable[Result]) -> Iterator[Entry]:
    for r in results:
        yield f"claim.{r.claim.id}", f"claim, {r.verdict}", r.claim.title, " ".join(r.claim.rules)
