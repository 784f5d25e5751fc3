"""optverify report"""

from __future__ import annotations

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
def run(out: Path, check: bool) -> int:
    """Write the equation reference: equations, claims and figures."""
    from optverify.report import differences, write

    if check:
        found = differences(out)
        for difference in found:
            click.echo(difference)
        click.echo(f"{out} differs from a fresh report" if found else f"{out} is up to date")
        return FAILED if found else HOLDS
    with progress("report") as advance:
        written = write(out, progress=lambda part: advance(0, part))
    for path in written:
        click.echo(path)
    return HOLDS
