"""optverify translate RULE"""

from __future__ import annotations

import click

from optverify.cli.group import FAILED, HOLDS, command
from optverify.cli.output import print_json


@command
@click.argument("rule")
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--from", "source", required=True, help="The library to come from: torch, optax, keras.")
@click.option("--to", "target", required=True, help="The library to go to.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def run(rule: str, values: tuple[str, ...], source: str, target: str, as_json: bool) -> int:
    """Carry the hyperparameters of a rule from one library to another.

    NAME is a name of ours or of the library it comes from; what is left out has that library's default. Exit
    code 0: the target computes the same numbers; 1: it cannot, and the difference is measured.
    """
    from optverify.translation import translate

    found = translate(rule, source, target, dict(map(_pair, values)))
    if as_json:
        print_json(found.to_dict())
        return HOLDS if found.carried else FAILED
    arguments = [
        *(f"{name}={value:g}" for name, value in found.values.items()),
        *(s for s in found.switches if not s.endswith("=...")),
    ]
    click.echo(f"{found.source}  ->  {found.target}")
    click.echo(f"  {', '.join(arguments)}")
    for note in found.notes:
        click.echo(f"  {note}")
    if found.carried:
        click.echo(f"The same numbers{''.join(f', {c}' for c in found.conditions)}.")
        return HOLDS
    click.echo(f"Not the same: in a run of 100 updates one differs by {found.difference:.2g} of the largest.")
    for sentence in found.lost:
        click.echo(f"  - {sentence}")
    return FAILED


def _pair(text: str) -> tuple[str, float | bool]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ValueError(f"{text!r} is not of the form name=value, for example lr=1e-3")
    if value in ("True", "False"):
        return name, value == "True"
    try:
        return name, float(value)
    except ValueError:
        raise ValueError(f"{name}={value}: {value!r} is not a number") from None
