"""optverify verify"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optverify.cli.group import FAILED, HOLDS, command
from optverify.cli.output import print_json, print_table, progress, width

if TYPE_CHECKING:
    from optverify.claims import Result

ROOM_FOR_SENTENCES = 140


@command
@click.argument("ids", nargs=-1)
@click.option("--rule", "rules", multiple=True, help="Only the claims about this rule; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="PATH", help="Also write JUnit XML."
)
def run(ids: tuple[str, ...], rules: tuple[str, ...], as_json: bool, junit: Path | None) -> int:
    """Run the claims, all of them or those with these IDS, and say which verdicts are as expected."""
    from optverify.claims import claims, verify

    total = sum((not ids or c.id in ids) and (not rules or bool(set(rules) & set(c.rules))) for c in claims())
    with progress("claims", total) as advance:
        done = count(1)
        results = verify(ids or None, rules or None, on_result=lambda r: advance(next(done), r.claim.id))
    if not results:
        raise ValueError(
            "no claim is among those asked for: leave out an id or a --rule, or see the list of claims"
        )
    if junit is not None:
        from optverify.cli.junit import write_junit

        write_junit(junit, results)
    if as_json:
        print_json([result.to_dict() for result in results])
    else:
        _table(results)
    return HOLDS if all(result.ok for result in results) else FAILED


def _table(results: list[Result]) -> None:
    columns = ["", "claim", "s>", "verdict", "evidence"]
    rows: list[tuple[str, ...]] = [
        ("ok" if r.ok else "FAILED", r.claim.id, f"{r.seconds:.2f}", r.verdict, r.evidence) for r in results
    ]
    if width() >= ROOM_FOR_SENTENCES:
        columns.append("statement")
        rows = [(*row, r.claim.title) for row, r in zip(rows, results, strict=True)]
    print_table(columns, rows)
    failed = [r for r in results if not r.ok]
    for r in failed:
        click.echo(f"{r.claim.id}: expected {r.claim.expected!r}, found {r.verdict!r}: {r.detail}")
    seconds = sum(r.seconds for r in results)
    click.echo(f"{len(results) - len(failed)} of {len(results)} claims as expected in {seconds:.1f} s")
