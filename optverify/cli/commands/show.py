"""optverify show RULE"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from optverify.cli.group import command
from optverify.cli.output import print_json, print_table

if TYPE_CHECKING:
    from optverify.language import Rule


@command
@click.argument("rule")
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="AXIS=VALUE",
    help="Choose an option on an axis; repeatable.",
)
@click.option("--like", metavar="LIBRARY", help="As this library has it: torch, optax or keras.")
@click.option("--latex", "form", flag_value="latex", help="Print the LaTeX aligned block alone.")
@click.option("--python", "form", flag_value="python", help="Print the NumPy source alone.")
@click.option("--json", "form", flag_value="json", help="Print everything as JSON.")
def run(rule: str, options: tuple[str, ...], like: str | None, form: str | None) -> None:
    """Show a rule: equations, hyperparameters, states, choices and sources."""
    from optverify.backends.numpy import numpy_source
    from optverify.rules import rule as get

    chosen = get(rule, like=like, **_pairs(options))
    if form == "latex":
        click.echo(chosen.latex())
    elif form == "python":
        click.echo(numpy_source(chosen), nl=False)
    elif form == "json":
        print_json(_everything(chosen) | {"python": numpy_source(chosen)})
    else:
        _describe(chosen)
        if like is not None:
            _describe_library(rule, like)


def _describe_library(rule: str, like: str) -> None:
    from optverify.libraries import library

    found = library(like)
    entry = found.entry(rule)
    click.echo(f"\n{found.title} {found.version}: {entry.spelled}" + (f"; {entry.note}" if entry.note else ""))
    print_table(["here", f"in {found.title}"], list(entry.names.items()))
    for switch, options in entry.switches.items():
        click.echo(f"{switch} there is {', '.join(f'{a}={_word(o)}' for a, o in options.items())} here")


def _pairs(options: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for option in options:
        axis, equals, value = option.partition("=")
        if not (axis and equals and value):
            raise ValueError(f"--option {option!r} is not of the form axis=value, for example epsilon=hat")
        if axis in pairs:
            raise ValueError(f"--option gives axis {axis!r} twice: give it once")
        pairs[axis] = value
    return pairs


def _describe(rule: Rule) -> None:
    from optverify.cli.pretty import pretty

    click.echo(f"{rule.title} ({rule.name}): {rule.summary}\n")
    for equation in rule.equations:
        click.echo("\n".join(f"  {line.rstrip()}" for line in pretty(equation).splitlines()) + "\n")
    click.echo(f"grad is the gradient at {pretty(rule.gradient_point)}; the first update is t = 1.\n")
    facts = _everything(rule)
    print_table(
        ["hyperparameter", "default>", "range", "meaning"],
        [
            (
                h["name"],
                "to be given" if h["default"] is None else f"{h['default']:g}",
                h["domain"],
                h["meaning"],
            )
            for h in facts["hyperparameters"]
        ],
    )
    if rule.states:
        print_table(
            ["state", "starts at", "meaning"],
            [(s["name"], s["initial"], s["meaning"]) for s in facts["states"]],
        )
    print_table(
        ["axis", "option", "what it does"],
        [
            (a["name"] if not i else "", f"{'* ' if o == a['chosen'] else '  '}{o}", meaning)
            for a in facts["axes"]
            for i, (o, meaning) in enumerate(a["options"].items())
        ],
    )
    click.echo("(* chosen here; --option axis=value chooses another)\n")
    for source in facts["sources"]:
        click.echo(f"Source: {source['citation']}" + (f" <{source['link']}>" if source["link"] else ""))


def _everything(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "title": rule.title,
        "summary": rule.summary,
        "options": {axis: _word(option) for axis, option in rule.options.items()},
        "latex": rule.latex(),
        "equations": [
            {"left": str(left), "right": str(right), "latex": f"{rule.tex(left)} = {rule.tex(right)}"}
            for left, right in rule.assignments
        ],
        "gradient_point": str(rule.gradient_point),
        "hyperparameters": [
            {
                "name": h.name,
                "latex": h.latex,
                "default": h.default,
                "domain": str(h.domain),
                "meaning": h.meaning,
            }
            for h in rule.hyperparameters
        ],
        "states": [{"name": s.name, "initial": str(s.initial), "meaning": s.meaning} for s in rule.states],
        "axes": [
            {
                "name": a.name,
                "question": a.question,
                "options": {_word(o): meaning for o, meaning in a.options.items()},
                "default": _word(a.default),
                "chosen": _word(rule.options[a.name]),
            }
            for a in rule.axes
        ],
        "sources": [{"citation": str(s), "link": s.link} for s in rule.sources],
    }


def _word(option: str | bool) -> str:
    """An option as --option takes it."""
    return str(option).lower() if isinstance(option, bool) else option
