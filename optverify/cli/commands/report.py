"""optverify report"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optverify.cli.group import FAILED, HOLDS, command
from optverify.cli.output import progress

if TYPE_CHECKING:
    from optverify.report import Engine, Format

KNOWN = ("md", "html", "tex", "pdf")


def _formats(context: click.Context, option: click.Parameter, text: str) -> tuple[str, ...]:
    """Names between commas; one that is not known is refused by its name."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for name in names:
        if name not in KNOWN:
            from optverify.language.messages import unknown

            raise click.BadParameter(unknown("format", name, KNOWN))
    return names


@command
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("reports"), show_default=True,
    metavar="DIR", help="The folder to write into, or to check.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if the folder is not up to date.")
@click.option(
    "--format", "formats", default="md,html,tex", show_default=True, metavar="FORMATS", callback=_formats,
    help="What to write, separated by commas: md, html, tex, pdf.",
)  # fmt: skip
@click.option(
    "--engine", type=click.Choice(["auto", "typst", "latex"]), default="auto", show_default=True,
    help="What makes the PDF; LaTeX makes one of the equations alone.",
)  # fmt: skip
@click.option("--no-cache", is_flag=True, help="Make everything anew.")
def run(out: Path, check: bool, formats: tuple[Format, ...], engine: Engine, no_cache: bool) -> int:
    """Write the reference: a page, equations, claims and figures; on demand a PDF."""
    from optverify.report import comparison, differences, write

    with progress("report") as advance:
        parts = count()
        if not check:
            written = write(out, lambda part: advance(next(parts), part), cache=not no_cache, formats=formats,
                            engine=engine)  # fmt: skip
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
