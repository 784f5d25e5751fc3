"""optverify matrix"""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optverify.cli.arguments import listed
from optverify.cli.group import FAILED, HOLDS, command
from optverify.cli.output import check_writable, print_json, print_table, progress

if TYPE_CHECKING:
    from optverify.conformance.matrix import Matrix

JSON, PAGE = "conformance.json", "conformance.md"


@command
@click.option("--library", "libraries", metavar="NAMES", help="Only these libraries, separated by commas.")
@click.option("--rule", "rules", metavar="NAMES", help="Only these rules, separated by commas.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="The folder to write conformance.md and conformance.json into.",
)
@click.option("--no-write", is_flag=True, help="Print only.")
@click.option(
    "--check",
    "compared",
    is_flag=True,
    help="Write nothing: compare with the results in the folder that are of the same versions.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the matrix as JSON.")
def run(
    *,
    libraries: str | None,
    rules: str | None,
    out: Path,
    no_write: bool,
    compared: bool,
    as_json: bool,
) -> int:
    """Run every installed library against its rules, and write which dialect each optimizer computes.

    What is not installed is not run: an earlier result in the folder is kept, with its date and version. Exit
    code 0 whatever is found: a departure is a fact about a library, not an error; with --check 1 if something
    is not as it was.
    """
    from optverify.conformance.matrix import installed, known_libraries, matrix, subjects

    wanted = None if libraries is None else listed("--library", libraries)
    chosen = None if rules is None else listed("--rule", rules)
    writes = not (no_write or compared)
    if writes:
        check_writable(out)
    earlier = None if no_write and not compared else _earlier(out / JSON)
    if compared and earlier is None:
        raise ValueError(f"there is no {out / JSON} to compare with: name its folder by --out")
    here = [n for n in wanted or known_libraries() if n in known_libraries() and installed(n)]
    done, total = count(1), sum(len(list(subjects(n, chosen))) for n in here)
    with progress("optimizers", total) as advance:
        before = earlier if writes else None
        found = matrix(wanted, chosen, before, on_cell=lambda c: advance(next(done), f"{c.library} {c.rule}"))
    if writes:
        _write(found, out)
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found, out, written=writes)
    return _compared(found, earlier, out / JSON) if compared and earlier else HOLDS


def _compared(found: Matrix, earlier: Matrix, path: Path) -> int:
    """Say on stderr what differs, and of which libraries another version is kept; the exit code."""
    from optverify.conformance.matrix import comparable, differences

    for name, (version, _) in found.ran.items():
        if name not in comparable(found, earlier):
            kept = earlier.ran[name][0] if name in earlier.ran else "nothing"
            click.echo(f"{name} {version} is not compared: {path} has {kept}", err=True)
    differing = differences(found, earlier)
    for line in differing:
        click.echo(line, err=True)
    count = sum(c.library in comparable(found, earlier) for c in found.cells)
    click.echo(f"{count} optimizers compared with {path}, {len(differing)} differences", err=True)
    return FAILED if differing or not count else HOLDS


def _earlier(path: Path) -> Matrix | None:
    """What the folder holds; ValueError for a file that is not ours."""
    from optverify.conformance.matrix import Matrix

    if not path.exists():
        return None
    try:
        return Matrix.from_dict(json.loads(path.read_text("utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no earlier matrix ({error}): remove it or name another folder") from None


def _write(found: Matrix, out: Path) -> None:
    from optverify.conformance.matrix_page import page
    from optverify.files import write_text

    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(out / JSON, text + "\n")
    write_text(out / PAGE, page(found))


def _print(found: Matrix, out: Path, *, written: bool) -> None:
    rows = [
        (c.library, c.version, c.rule, c.verdict, ", ".join(f"{n}={x!r}" for n, x in c.options.items()))
        for c in found.cells
    ]
    print_table(("library", "version", "rule", "verdict", "dialect, or what differs from the paper"), rows)
    if found.missing:
        click.echo(f"Not installed, so not run: {', '.join(found.missing)}.")
    if written:
        click.echo(f"Written: {out / PAGE}, {out / JSON}")
