"""The sections of schedules and problems: their formulas, symbols and sources."""

from __future__ import annotations

from collections.abc import Sequence

from optverify.language import ScheduleFamily
from optverify.problems import Problem
from optverify.report.reference import problem_page, rows, schedule_page
from optverify.report.web.cards import option_name
from optverify.report.web.section import Group, Link, Section, html


def schedules_section(families: Sequence[ScheduleFamily]) -> Section:
    """All schedules, with the lines that each option changes."""
    pages = [schedule_page(family) for family in families]
    return Section(
        "schedules",
        "Schedules",
        html("schedules.html.j2", pages=pages, rows=rows, named=option_name),
        styles=("rules.css",),
        contents=(Group("All", tuple(Link(f"schedule.{p.name}", p.title) for p in pages)),),
    )


def problems_section(problems: Sequence[Problem]) -> Section:
    """All test problems."""
    pages = [problem_page(p) for p in problems]
    return Section(
        "problems",
        "Problems",
        html("problems.html.j2", pages=pages),
        styles=("rules.css",),
        contents=(Group("All", tuple(Link(f"problem.{p.name}", p.title) for p in pages)),),
    )
