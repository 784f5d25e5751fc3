"""optverify export RULE"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

import click

from optverify.cli.arguments import pairs
from optverify.cli.group import command

TARGETS = ("numpy", "numba", "torch", "jax", "c", "javascript", "julia", "rust", "latex", "markdown")


@command
@click.argument("rule")
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="AXIS=VALUE",
    help="Choose an option on an axis; repeatable.",
)
@click.option("--like", metavar="LIBRARY", help="The rule as this library has it: torch, optax or keras.")
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
        write_text(out, text)


def write_text(path: Path, text: str) -> None:
    """Write a file in one move, the one that a link names; into a device or a pipe as it is.

    OSError, in one sentence, if it cannot be written.
    """
    temporary, named = None, path
    try:
        if path.exists() and not path.is_file():  # /dev/stdout, /dev/null: to be written to, never replaced
            path.write_text(text, "utf-8", newline="\n")
            return
        path = path.resolve()
        with NamedTemporaryFile("w", encoding="utf-8", newline="\n", dir=path.parent, delete=False) as file:
            temporary = Path(file.name)
            file.write(text)
        temporary.chmod(0o666 & ~_umask())  # a temporary file is its owner's alone
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            temporary.unlink(missing_ok=True)
        raise OSError(f"cannot write {str(named)!r} ({error.strerror}): name another file") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
