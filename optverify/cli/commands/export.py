"""optverify export RULE"""

from __future__ import annotations

from pathlib import Path

import click

from optverify.cli import completion
from optverify.cli.arguments import pairs
from optverify.cli.group import command

TARGETS = ("numpy", "numba", "torch", "jax", "c", "javascript", "julia", "rust", "latex", "markdown")


@command
@click.argument("rule", shell_complete=completion.of(completion.rules))
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="AXIS=VALUE",
    help="Choose an option on an axis; repeatable.",
)
@click.option(
    "--like",
    metavar="LIBRARY",
    shell_complete=completion.of(completion.libraries),
    help="The rule as this library has it: torch, optax or keras.",
)
@click.option("--to", "target", required=True, type=click.Choice(TARGETS), help="The language.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write into this file, not to standard output.",
)
def run(rule: str, options: tuple[str, ...], like: str | None, target: str, out: Path | None) -> None:
    """Write a rule as source code in another language, or as a page of equations.

    What is written needs nothing of this package. RULE is the name of a rule, or of a wrapped one, such as
    "clip_by_norm(adam)".
    """
    from optverify.report.exports import export

    text = export(rule, target, like=like, **pairs(options))
    if out is None:
        click.echo(text, nl=False)
    else:
        from optverify.files import write_text

        write_text(out, text)
