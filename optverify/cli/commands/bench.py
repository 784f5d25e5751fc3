"""optverify bench"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from optverify.cli.arguments import integers, listed
from optverify.cli.group import command
from optverify.cli.output import print_json, print_table, progress

if TYPE_CHECKING:
    from optverify.bench import Row


@command
@click.option("--rules", default="all", show_default=True, help="Names separated by commas, or all.")
@click.option(
    "--sizes",
    default="1000,100000,10000000",
    show_default=True,
    help="Numbers of elements, separated by commas.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the measurements as JSON.")
def run(rules: str, sizes: str, as_json: bool) -> None:
    """Time the generated steps beside the classes of the textbooks, in one run."""
    from optverify import bench

    names = None if rules == "all" else listed("--rules", rules)
    counts = integers("--sizes", sizes)
    with progress("bench", len(counts) * len(names or bench.TEXTBOOK)) as advance:
        rows = bench.run(counts, names, progress=lambda done, total: advance(done, "bench"))
    starts, machine = bench.starts(), bench.machine()
    if as_json:
        print_json(
            {
                "machine": machine,
                "updates": [asdict(row) for row in rows],
                "starts": [asdict(s) for s in starts],
            }
        )
        return
    click.echo("Nanoseconds an element and update; ratios to the textbook class: median (quartiles).\n")
    columns = ["rule", "elements>", "dtype", "textbook>", "step>", "update>", "step ratio>", "update ratio>"]
    print_table(columns, [_cells(row) for row in rows])
    print_table(
        ["start", "least, ms>", "median, ms>"],
        [(s.what, f"{s.least:.0f}", f"{s.median:.0f}") for s in starts],
    )
    click.echo(", ".join(f"{name} {value}" for name, value in machine.items()))


def _cells(row: Row) -> list[str]:
    times = [f"{time:.2f}" for time in (row.textbook, row.step, row.update)]
    ratios = [f"{mid:.2f} ({low:.2f}-{high:.2f})" for low, mid, high in (row.step_ratio, row.update_ratio)]
    return [row.rule, str(row.size), row.dtype, *times, *ratios]
