"""optverify sweep"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optverify.cli.arguments import Finite, listed
from optverify.cli.group import command, group
from optverify.cli.output import check_writable, print_json, print_table, progress

if TYPE_CHECKING:
    from optverify.sweep import Best, Grid, Row, Tally

FILE = click.Path(dir_okay=False, path_type=Path)
SHOWN = 3
"""Errors; all of them are in the file."""


@group
@click.option("--rules", help="Names separated by commas, or all.")
@click.option("--problems", help='Names separated by commas; with parameters: "rosenbrock(dim=10)".')
@click.option("--lr", metavar="VALUES", help="Learning rates: 1e-3,1e-2 or low:high:count, in equal ratios.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUES",
    help="Values of a hyperparameter or an axis: beta1=0.8,0.9; momentum=0:0.9:4:linear; repeatable.",
)
@click.option("--seeds", metavar="SEEDS", help="0:5 are five of them.  [default: none, the usual start]")
@click.option("--steps", type=click.IntRange(min=1), default=500, show_default=True, help="Updates.")
@click.option(
    "--spread",
    type=Finite(min=0),
    default=0.1,
    show_default=True,
    help="Standard deviation of the starts of seeds around the usual one.",
)
@click.option(
    "--noise",
    type=Finite(min=0),
    default=0.0,
    show_default=True,
    help="Standard deviation of noise on every coordinate of every gradient.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    help="Examples a gradient, for finite sums.  [default: all of them]",
)
@click.option(
    "--tolerance",
    type=Finite(min=0),
    default=1e-6,
    show_default=True,
    help="The loss above its infimum at which steps_to_tolerance are counted.",
)
@click.option(
    "--out",
    type=FILE,
    default="sweep.sqlite",
    show_default=True,
    metavar="FILE",
    help="Where rows go as they are done, .sqlite or .parquet; what it has is not run again.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Processes.  [default: one for each core]")
@click.option("--scheduler", metavar="tcp://HOST:PORT", help="Run on the Dask cluster of this scheduler.")
@click.option(
    "--time-limit",
    type=Finite(min=0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="For the updates of one cell.",
)
@click.option("--retry", is_flag=True, help="Run again the cells that have failed.")
@click.option("--plot", type=FILE, metavar="FILE", help="Also draw the final loss over lr: .svg, .png, .pdf.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def run(ctx: click.Context, /, **given: Any) -> None:
    """Run rules x problems x hyperparameters x seeds, and say which lr is best.

    Rows are in the file as soon as they are done: the same command goes on where it was interrupted, another
    one adds its cells. A run that diverges, fails or takes too long is a row with an error. `optverify sweep
    plot FILE` draws what is there.
    """  # fmt: skip
    if ctx.invoked_subcommand is not None:
        return
    grid = _grid(given)
    out, plot = given["out"], given["plot"]
    from optverify.sweep.table import check_ending

    check_ending(out)
    check_writable(out.parent)
    if plot is not None:
        from optverify.sweep.figures import check_format

        check_format(plot)
        check_writable(plot.parent)
    tally, rows = _run(grid, given)
    if plot is not None:
        _draw(rows, plot)
    _tell(tally, rows, given)


@command
@click.argument("file", type=FILE)
@click.option("--out", type=FILE, required=True, metavar="FILE", help="The figure: .svg, .png or .pdf.")
@click.option("--rules", help="Only these, separated by commas.")
@click.option("--problems", help="Only these, separated by commas.")
def plot(file: Path, out: Path, rules: str | None, problems: str | None) -> None:
    """Draw the final loss over lr from the FILE of a sweep: median and quartiles over seeds."""
    from optverify.sweep import read
    from optverify.sweep.cell import canonical
    from optverify.sweep.figures import check_format
    from optverify.sweep.values import split

    check_format(out)
    rows = read(file)
    for column, wanted in (
        ("rule", listed("--rules", rules) if rules else None),
        ("problem", [canonical(p) for p in split(problems)] if problems else None),
    ):
        rows = [row for row in rows if wanted is None or row[column] in wanted]
    _draw(rows, out)
    click.echo(f"{len(rows)} rows drawn: {out}")


plot.name = "plot"
run.add_command(plot)


def _grid(given: dict[str, Any]) -> Grid:
    from optverify.sweep import Grid, every_rule, seeds, values
    from optverify.sweep.values import split

    for option in ("rules", "problems"):
        if not given[option]:
            raise click.UsageError(f"Missing option '--{option}'.")
    settings = {} if given["lr"] is None else {"lr": values("lr", given["lr"])}
    for text in given["settings"]:
        name, equals, listing = text.partition("=")
        if not (name.isidentifier() and equals):
            raise click.UsageError(f"--set: {text!r} is not of the form name=values, as beta1=0.8,0.9 is")
        if name in settings:
            raise click.UsageError(f"{name} is set twice: give all its values at once")
        settings[name] = values(name, listing)
    return Grid(
        rules=every_rule() if given["rules"] == "all" else listed("--rules", given["rules"]),
        problems=split(given["problems"]),
        settings=settings,
        seeds=(None,) if given["seeds"] is None else tuple(seeds(given["seeds"])),
        **{name: given[name] for name in ("steps", "spread", "noise", "batch_size", "tolerance")},
    )


def _run(grid: Grid, given: dict[str, Any]) -> tuple[Tally, list[Row]]:
    from optverify.sweep import opened, run_grid

    settings = {name: given[name] for name in ("jobs", "scheduler", "time_limit", "retry")}
    try:
        with opened(given["out"]) as store, progress("cells", len(grid)) as advance:
            tally = run_grid(
                grid, store, **settings, on_row=lambda row, t: advance(t.known + t.done, row["rule"])
            )
            wanted = {cell.key for cell in grid}
            return tally, [row for row in store.rows() if row["key"] in wanted]
    except KeyboardInterrupt:
        click.echo(f"what is done is in {given['out']}; the same command does the rest", err=True)
        raise


def _draw(rows: list[Row], path: Path) -> None:
    from optverify.sweep.figures import save, sensitivity

    save(sensitivity(rows), path)


def _tell(tally: Tally, rows: list[Row], given: dict[str, Any]) -> None:
    from optverify.sweep import best

    found = best(rows)
    errors = sorted({row["error"] for row in rows if row["diverged"] is None})
    failed = sum(row["diverged"] is None for row in rows)
    files = [str(path) for path in (given["out"], given["plot"]) if path is not None]
    if given["as_json"]:
        facts = {"cells": tally.cells, "run": tally.done, "known": tally.known, "failed": failed}
        print_json({**facts, "errors": errors[:SHOWN], "best": [vars(b) for b in found], "files": files})
        return
    heads = ["problem", "rule", "best lr>", "with", "final loss>", "steps to tolerance>", "diverged>", ""]
    print_table(heads, map(_line, found))
    click.echo(f"{tally.cells} cells: {tally.done} run, {tally.known} known before, {failed} failed")
    for error in errors[:SHOWN]:
        click.echo(f"failed: {error}")
    click.echo(f"Files: {', '.join(files)}")


def _line(b: Best) -> tuple[str, ...]:
    from optverify.sweep.series import written

    return (
        b.problem,
        b.rule,
        "-" if b.lr is None else f"{b.lr:g}",
        " ".join(written(name, value) for name, value in b.settings.items()),
        "-" if b.final_value is None else f"{b.final_value:.4g}",
        "-" if b.steps_to_tolerance is None else str(b.steps_to_tolerance),
        f"{b.diverged} of {b.rows}",
        "at the edge of the grid" if b.at_edge else "",
    )
