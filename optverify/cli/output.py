"""What the commands print: results on stdout, progress on stderr. rich is imported when it is needed."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import click

Advance = Callable[[float, str], None]
WIDE = 10_000


def width() -> int:
    """Characters in a line of the terminal; as many as one likes in a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE


def check_writable(folder: Path) -> None:
    """OSError, in one sentence, if the folder cannot be made or written into; asked before long work."""
    from tempfile import TemporaryFile

    try:
        with TemporaryFile(dir=next(p for p in (folder, *folder.absolute().parents) if p.exists())):
            pass
    except OSError as error:
        raise OSError(f"cannot write into {str(folder)!r} ({error.strerror}): name another folder") from None


def print_json(data: Any) -> None:
    """Print data as JSON; a number that is not finite must have become None before."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table; a column headed "name>" is aligned to the right.

    On a terminal the last column is wrapped where the line is too long; a pipe gets one line a row.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        side: Literal["left", "right"] = "right" if column.endswith(">") else "left"
        table.add_column(column.rstrip(">"), justify=side, no_wrap=column != columns[-1])
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console = Console(width=width())
    with console.capture() as printed:
        console.print(table)
    lines = [line.rstrip() for line in printed.get().splitlines()]
    click.echo("\n".join(lines).strip("\n") + "\n")


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Advance]:
    """Yield advance(done, description), which moves a bar on a terminal and does nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda done, description: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)
        yield lambda done, description: bar.update(task, completed=done, description=description)
