"""optverify show NAME"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from optverify.cli import completion
from optverify.cli.arguments import pairs
from optverify.cli.group import command
from optverify.cli.output import print_json, print_table

if TYPE_CHECKING:
    from optverify.language import Rule


@command
@click.argument("name", shell_complete=completion.of(completion.rules, completion.schedules))
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="AXIS=VALUE",
    help="Choose an option on an axis; repeatable.",
)
@click.option(
    "--dialect", "dialect", default="", metavar="AXIS=VALUE,...", help="The same for several axes at once."
)
@click.option(
    "--like",
    metavar="LIBRARY",
    shell_complete=completion.of(completion.libraries),
    help="A rule as this library has it: torch, optax or keras.",
)
@click.option("--latex", "form", flag_value="latex", help="Print the LaTeX alone.")
@click.option("--python", "form", flag_value="python", help="Print the NumPy source of a rule alone.")
@click.option("--json", "form", flag_value="json", help="Print everything as JSON.")
def run(name: str, options: tuple[str, ...], dialect: str, like: str | None, form: str | None) -> None:
    """Show a rule, a schedule or a problem: equations, parameters, choices and sources."""
    options = (*options, *(part.strip() for part in dialect.split(",") if part.strip()))
    from optverify.cli.entries import show_problem, show_schedule
    from optverify.language.messages import unknown
    from optverify.problems import DATA_SETS, names
    from optverify.rules import registry as rules
    from optverify.schedules import registry as schedules

    if name in rules.names():
        _show_rule(name, pairs(options), like, form)
    elif like is not None:
        raise ValueError(f"{name!r} is no rule, and --like is for rules: leave it out")
    elif form == "python":
        raise ValueError(f"{name!r} is no rule, and only a rule has NumPy source: leave out --python")
    elif name in schedules.names():
        show_schedule(name, pairs(options), form)
    elif name in (*names(), *DATA_SETS):
        show_problem(name, pairs(options), form)
    else:
        known = [*rules.names(), *schedules.names(), *names()]
        raise ValueError(unknown("rule, schedule or problem", name, known))


def _show_rule(name: str, options: dict[str, str], like: str | None, form: str | None) -> None:
    from optverify.backends.numpy import numpy_source
    from optverify.rules import rule

    chosen = rule(name, like=like, **options)
    if form == "latex":
        click.echo(chosen.latex())
    elif form == "python":
        click.echo(numpy_source(chosen), nl=False)
    elif form == "json":
        print_json(_everything(chosen) | {"python": numpy_source(chosen)})
    else:
        _describe(chosen)
        if like is not None:
            _describe_library(name, like)


def _describe_library(rule: str, like: str) -> None:
    from optverify.libraries import library

    found = library(like)
    entry = found.entry(rule)
    note = f"; {entry.note}" if entry.note else ""
    click.echo(f"\n{found.title} {found.version}: {entry.spelled}{note}")
    print_table(["here", f"in {found.title}"], list(entry.names.items()))
    for switch, options in entry.switches.items():
        here = (f"{a}={str(o).lower() if isinstance(o, bool) else o}" for a, o in options.items())
        click.echo(f"{switch} there is {', '.join(here)} here")


def _describe(rule: Rule) -> None:
    from optverify.cli.entries import print_axes, print_parameters, print_sources
    from optverify.cli.pretty import pretty

    click.echo(f"{rule.title} ({rule.name}): {rule.summary}\n")
    for equation in rule.equations:
        click.echo("\n".join(f"  {line.rstrip()}" for line in pretty(equation).splitlines()) + "\n")
    click.echo(f"grad is the gradient at {pretty(rule.gradient_point)}; the first update is t = 1.\n")
    facts = _everything(rule)
    print_parameters("hyperparameter", facts["hyperparameters"])
    if rule.inputs:
        print_table(
            ["given with each gradient", "range", "meaning"],
            [(i["name"], i["range"], i["meaning"]) for i in facts["inputs"]],
        )
    if rule.states:
        print_table(
            ["state", "starts at", "meaning"],
            [(s["name"], s["initial"], s["meaning"]) for s in facts["states"]],
        )
    print_axes(facts["axes"])
    print_sources(facts["sources"])


def _everything(rule: Rule) -> dict[str, Any]:
    from optverify.cli.entries import axes, parameters, sources

    return {
        "name": rule.name,
        "title": rule.title,
        "summary": rule.summary,
        "options": dict(rule.options),
        "latex": rule.latex(),
        "equations": [
            {"left": str(left), "right": str(right), "latex": f"{rule.tex(left)} = {rule.tex(right)}"}
            for left, right in rule.assignments
        ],
        "gradient_point": str(rule.gradient_point),
        "hyperparameters": parameters(rule.hyperparameters),
        "inputs": [
            {"name": i.name, "range": i.domain or "an array", "meaning": i.meaning} for i in rule.inputs
        ],
        "states": [{"name": s.name, "initial": str(s.initial), "meaning": s.meaning} for s in rule.states],
        "axes": axes(rule.axes, rule.options),
        "sources": sources(rule.sources),
    }
