"""The files of the report: name -> text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from optverify.language import Schedule
from optverify.ledger import cores, verify
from optverify.problems import names as problem_names
from optverify.problems import problem
from optverify.report import advice, figures
from optverify.report.ledger import claims_pages, is_textbook
from optverify.report.markup import render
from optverify.report.reference import problem_page, rule_page, schedule_page
from optverify.report.runs import RATES, RULES, Progress, Runs, make_runs
from optverify.rules import registry as rules
from optverify.rules import rule
from optverify.schedules import registry as schedules
from optverify.schedules import schedule
from optverify.training import Trace, minimize

PATH_RATES = {"gd": 1e-3, "momentum": 3e-4, "nesterov": 3e-4, "adagrad": 0.3, "rmsprop": 0.01, "adam": 0.05}
"""Learning rates that show the typical path of each rule on Rosenbrock's function."""
CONDITION = 1e3


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
    return {
        "README.md": render("README.md.j2", rules=rule_pages),
        "equations.md": render("equations.md.j2", **reference, results=textbook),
        "equations.tex": render("equations.tex.j2", **reference),
        **claims_pages(results, titles),
        "which.md": which,
        **{f"figures/{name}.svg": text for name, text in make_figures().items()},
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


# ---- figures -----------------------------------------------------------------------------------------


def make_figures() -> dict[str, str]:
    """Name -> SVG."""
    traces, bounds = quadratic_runs()
    return {
        "trajectories": figures.trajectories(
            [minimize("rosenbrock", name, steps=600, lr=rate) for name, rate in PATH_RATES.items()]
        ),
        "schedules": figures.schedules(example_schedules()),
        "convergence": figures.convergence(traces, bounds, CONDITION),
        "stability": figures.stability(),
        "inclusions": figures.inclusion_graph(),
    }


def example_schedules() -> list[Schedule]:
    """One of every schedule, and a composition."""
    drawn = [figures.example(schedules.get(name)) for name in schedules.names()]
    warmup, cosine = schedule("linear_warmup", lr=1.0, warmup=20), schedule("cosine", lr=1.0, total=80)
    return [*drawn, warmup.then(cosine)]


def quadratic_runs(steps: int = 600) -> tuple[list[Trace], list[figures.Bound]]:
    """The six rules on a rotated quadratic, the linear ones tuned by its constants; and proved rates."""
    p = problem("quadratic", dim=40, condition=CONDITION)
    L, mu, root = 1.0, 1.0 / CONDITION, math.sqrt(CONDITION)
    settings: dict[str, dict[str, Any]] = {
        "gd": {"lr": 2 / (L + mu)},
        "momentum": {
            "lr": 4 / (math.sqrt(L) + math.sqrt(mu)) ** 2,
            "momentum": ((root - 1) / (root + 1)) ** 2,
        },
        "nesterov": {"lr": 1 / L, "momentum": (root - 1) / (root + 1)},
        "adagrad": {"lr": 0.3},
        "rmsprop": {"lr": 0.005},
        "adam": {"lr": 0.02},
    }
    traces = [minimize(p, name, steps, **settings[name]) for name in RULES]
    labels = {
        "gd": (r"bound: $\left(\frac{\kappa - 1}{\kappa + 1}\right)^{2t}$", (330, 2.5)),
        "momentum": (
            "asymptotic rate:\n" + r"$\left(\frac{\sqrt{\kappa} - 1}{\sqrt{\kappa} + 1}\right)^{2t}$",
            (12, 1e-9),
        ),
    }
    bounds = []
    for name, (label, place) in labels.items():
        rate = figures.spectral_radius(rule(name), [mu, L], **settings[name]).max()
        bounds.append(figures.Bound(name, float(rate), label, place))
    return traces, bounds
