"""The files of the report: name -> text."""

from __future__ import annotations

from collections.abc import Mapping

from optverify.ledger import cores, verify
from optverify.problems import names as problem_names
from optverify.problems import problem
from optverify.report import advice
from optverify.report.drawn import make_figures
from optverify.report.ledger import claims_pages, is_textbook
from optverify.report.markup import render
from optverify.report.reference import problem_page, rule_page, schedule_page
from optverify.report.runs import RATES, Progress, Runs, make_runs
from optverify.report.web.site import index_page
from optverify.rules import registry as rules
from optverify.schedules import registry as schedules


def make_files(progress: Progress) -> dict[str, str]:
    """Every file of the report but the manifest."""
    progress("equations")
    rule_pages = [rule_page(rules.get(name)) for name in rules.names()]
    schedule_pages = [schedule_page(schedules.get(name)) for name in schedules.names()]
    reference = {
        "rules": rule_pages,
        "schedules": schedule_pages,
        "problems": [problem_page(problem(name)) for name in problem_names()],
    }
    progress("claims")
    results = verify(jobs=cores())
    titles = {p.name: p.title for p in (*rule_pages, *schedule_pages)}
    textbook = [r for r in results if is_textbook(r)]
    which = which_page(make_runs(progress), {r.claim.id: r.verdict for r in results})
    progress("figures")
    figures = make_figures()
    progress("the page")
    return {
        "index.html": index_page(results, figures),
        "README.md": render("README.md.j2", rules=rule_pages),
        "equations.md": render("equations.md.j2", **reference, results=textbook),
        "equations.tex": render("equations.tex.j2", **reference),
        **claims_pages(results, titles),
        "which.md": which,
        **{f"figures/{name}.svg": text for name, text in figures.items()},
    }


def which_page(runs: Runs, verdicts: Mapping[str, str]) -> str:
    """Which optimizer when, and the runs."""
    return render(
        "which.md.j2",
        lines=advice.lines(runs, verdicts),
        verdicts=verdicts,
        tables={run.name: run for run in runs.tables},
        rates=", ".join(f"{rate:g}" for rate in RATES),
    )
