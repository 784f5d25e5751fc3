"""optverify report"""

from __future__ import annotations

from itertools import count
from pathlib import Path

import click

from optverify.cli.group import FAILED, HOLDS, command
from optverify.cli.output import progress


@command
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("reports"), show_default=True,
    metavar="DIR", help="The folder to write into, or to check.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if the folder is not up to date.")
@click.option("--no-cache", is_flag=True, help="Make everything anew.")
def run(out: Path, check: bool, no_cache: bool) -> int:
    """Write the equation reference: equations, claims and figures."""
    from optverify.report import comparison, differences, write

    with progress("report") as advance:
        parts = count()
        if not check:
            written = write(out, lambda part: advance(next(parts), part), cache=not no_cache)
        else:
            found = differences(out, lambda part: advance(next(parts), part), cache=not no_cache)
    if not check:
        click.echo("\n".join(map(str, written)))
        return HOLDS
    for sentence in found:
        click.echo(sentence)
    verdict = "is not up to date" if found else "is up to date"
    click.echo(f"{out} {verdict} (compared {comparison(out)})")
    return FAILED if found else HOLDS
