"""optverify bench"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optverify.cli.arguments import integers, listed
from optverify.cli.group import command
from optverify.cli.output import check_writable, print_json, print_table, progress

if TYPE_CHECKING:
    from optverify.bench import Results


@command
@click.option("--rules", default="all", show_default=True, help="Names separated by commas, or all.")
@click.option(
    "--sizes",
    default="1000,100000,10000000",
    show_default=True,
    help="Numbers of parameters, separated by commas.",
)
@click.option("--dtypes", default="float32,float64", show_default=True, help="Their types.")
@click.option("--tree/--no-tree", default=True, show_default=True, help="Also 1,000 arrays of 1,000.")
@click.option("--peers/--no-peers", default=True, show_default=True, help="Also PyTorch and optax.")
@click.option(
    "--details/--no-details",
    default=True,
    show_default=True,
    help="Also what updates allocate, how their cost grows, and how long things take to start.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder to write benchmarks.md, benchmarks.svg and benchmarks.json into.",
)
@click.option(
    "--from",
    "earlier",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Measure nothing: show the benchmarks.json of an earlier run.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the measurements as JSON.")
def run(
    *,
    rules: str,
    sizes: str,
    dtypes: str,
    tree: bool,
    peers: bool,
    details: bool,
    out: Path | None,
    earlier: Path | None,
    as_json: bool,
) -> None:
    """Time the generated steps beside the textbook classes, other libraries and a bare pass, in one run."""
    if out is not None:
        check_writable(out)
    if earlier is not None:
        results = _read(earlier)
    else:
        names = None if rules == "all" else listed("--rules", rules)
        results = _measured(
            rules=names,
            sizes=integers("--sizes", sizes),
            dtypes=listed("--dtypes", dtypes),
            tree=tree,
            others=peers,
            details=details,
        )
    if out is not None:
        _write(results, out)
    if as_json:
        print_json(results.data())
    else:
        _print(results)


def _measured(
    *, rules: list[str] | None, sizes: list[int], dtypes: list[str], tree: bool, others: bool, details: bool
) -> Results:
    from optverify import bench

    jobs = bench.work(rules, sizes, dtypes, tree)
    with progress("bench", len(jobs)) as advance:
        cells = bench.run(jobs, others, progress=advance)
    more: tuple[Any, ...] = ()
    if details:
        with progress("bench", len(bench.DETAILS)) as advance:
            more = bench.details(advance)
    return bench.Results(bench.machine(), cells, *more)


def _read(path: Path) -> Results:
    from optverify.bench import Results

    try:
        return Results.read(json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} is not what `optverify bench --out` writes ({error})") from None


def _write(results: Results, folder: Path) -> None:
    from optverify.bench import Results
    from optverify.report import write_files
    from optverify.report.benchmarks import page
    from optverify.report.figures.benchmarks import benchmarks

    data = json.dumps(results.data(), ensure_ascii=False, allow_nan=False)
    results = Results.read(json.loads(data))  # the page tells what the file tells, digit by digit
    write_files(
        folder,
        {
            "benchmarks.md": page(results),
            "benchmarks.svg": benchmarks(results),
            "benchmarks.json": data + "\n",
        },
    )


def _print(results: Results) -> None:
    from optverify.report.benchmarks import tables

    for title, columns, rows in tables(results):
        click.echo(f"{title}\n")
        print_table(columns, rows)
    click.echo(", ".join(f"{name} {value}" for name, value in results.machine.items()))
