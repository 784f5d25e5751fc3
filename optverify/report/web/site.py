"""The page itself: which sections it has, in which order, and what they are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from optverify.claims import Result
from optverify.conformance.matrix import Matrix
from optverify.conformance.recorded import recorded
from optverify.problems import names as problem_names
from optverify.problems import problem
from optverify.report.web.cards import Evidence
from optverify.report.web.document import page
from optverify.report.web.gallery import gallery
from optverify.report.web.home import home
from optverify.report.web.ledger import ledger_section
from optverify.report.web.matrix import matrix_row, matrix_section, search_entries
from optverify.report.web.museum import museum
from optverify.report.web.playground import playground
from optverify.report.web.reference import problems_section, schedules_section
from optverify.report.web.rules import rules_section
from optverify.rules import registry as rules
from optverify.schedules import registry as schedules
from optverify.vectors.bank import default_folder
from optverify.vectors.files import IDS, path_of


def index_page(results: Sequence[Result], figures: Mapping[str, str]) -> str:
    """`index.html`. results: of all claims; figures: name -> SVG text."""
    every = [rules.get(name) for name in rules.names()]
    shown = [schedules.get(name) for name in schedules.names()]
    problems = [problem(name) for name in problem_names()]
    matrix = recorded()
    return page(
        [
            home(every, shown, problems, results, search_entries(matrix)),
            rules_section(every, evidence(results, matrix)),
            schedules_section(shown),
            problems_section(problems),
            playground(),
            ledger_section(results),
            matrix_section(matrix),
            museum(),
            gallery(figures),
        ]
    )


def evidence(results: Sequence[Result], matrix: Matrix) -> dict[str, Evidence]:
    """What the cards of the rules say beside the recurrence."""
    ids = (default_folder() / IDS).read_text("utf-8").split()
    tests = Counter(id.partition("/")[0] for id in ids)
    return {
        name: Evidence(
            [r for r in results if name in r.claim.rules],
            matrix_row(matrix, name),
            (f"vectors/{path_of(name)}", tests[name]) if tests[name] else None,
        )
        for name in rules.names()
    }
