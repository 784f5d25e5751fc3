"""optverify vectors write | check | lint"""

from __future__ import annotations

import json
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optverify.cli.group import FAILED, HOLDS, command, group
from optverify.cli.output import check_writable, print_json, progress

if TYPE_CHECKING:
    from optverify.vectors.bank import Bank
    from optverify.vectors.judging import Report, Verdict

FOLDER = click.Path(file_okay=False, path_type=Path)
OUT = Path("reports/vectors")


@group
@click.pass_context
def run(context: click.Context) -> int | None:
    """Golden vectors for programs in any language: write them, check results, lint the files.

    A file a rule and a file a schedule, in JSON: what is fed, and what comes out, exactly and in hexadecimal
    floats. A program reads them, computes, and writes its results; `vectors check` judges those.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
    return None


@command
@click.option("--out", type=FOLDER, default=OUT, show_default=True, help="The folder to write into.")
@click.option(
    "--rule", "rules", multiple=True, metavar="NAME", help="Only this rule, or schedule/NAME; repeatable."
)
def write(out: Path, rules: tuple[str, ...]) -> int:
    """Write the vectors of all rules and schedules, with their JSON Schemas."""
    from optverify.vectors import files

    wanted = files.chosen(rules)
    check_writable(out)
    done = count(1)
    with progress("files", len(wanted)) as advance:
        written = files.write(out, rules, lambda name: advance(next(done), name))
    click.echo(f"Written: {len(written)} files into {out}")
    return HOLDS


@command
@click.argument("results", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--vectors", "folder", type=FOLDER, help="The folder of vectors; those of the package by default."
)
@click.option(
    "--stream", is_flag=True, help="Read a result a line, and answer each with a verdict in a line."
)
@click.option(
    "--require", "required", multiple=True, metavar="GROUP",
    help="Fail unless every test of this group is answered: adam/default; repeatable.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the verdicts as JSON.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML too.")
def check(
    *,
    results: Path,
    folder: Path | None,
    stream: bool,
    required: tuple[str, ...],
    as_json: bool,
    junit: Path | None,
) -> int:
    """Judge what a program computed: RESULTS is a file, or - for standard input.

    Exit code 0: all that was judged passes; 1: a test fails, one that is required is missing, or nothing was
    judged; 2: the results cannot be read.
    """
    from optverify.vectors import judging, reading
    from optverify.vectors.bank import Bank, default_folder

    bank = Bank(folder or default_folder())
    for name in required:
        bank.group(name)
    shown = "standard input" if str(results) == "-" else str(results)
    if stream:
        found = _streamed(results, shown, bank, required)
    else:
        data = (
            reading.parse(reading.bounded(sys.stdin.buffer, shown), shown)
            if str(results) == "-"
            else reading.load(results)
        )
        found = judging.report(judging.read(data, bank, shown), bank, required)
    if junit is not None:
        _write_junit(junit, found)
    if as_json and not stream:
        print_json(found.to_dict())
    elif not stream:
        _print(found)
    return HOLDS if found.ok else FAILED


def _streamed(path: Path, shown: str, bank: Bank, required: tuple[str, ...]) -> Report:
    """A verdict a line while it reads, and a summary at the end; a line that is wrong ends it."""
    from optverify.vectors import reading
    from optverify.vectors.judging import Report, missing
    from optverify.vectors.streaming import verdicts

    found: list[Verdict] = []
    with sys.stdin.buffer if str(path) == "-" else reading.opened(path) as file:
        for verdict in verdicts(file, shown, bank):
            found.append(verdict)
            _say(verdict.to_dict())
    report = Report(found, missing(found, bank, required))
    _say({"summary": report.summary()})
    return report


def _say(data: dict[str, Any]) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    sys.stdout.flush()


def _print(found: Report) -> None:
    """Failures with their meaning, then counts and what the failures agree with."""
    for verdict in found.verdicts:
        if not verdict.ok:
            click.echo("\n".join(verdict.lines()))
    if notes := found.meanings:
        click.echo("\nWhat failures may mean:")
    for flag, kind, meaning in notes:
        click.echo(f"  {flag} ({kind}): {meaning}")
    for verdict in found.verdicts:
        if verdict.outcome in ("skipped", "not judged"):
            click.echo(f"{verdict.outcome}: {verdict.test.id} ({verdict.why})")
    for name in found.missing:
        click.echo(f"missing: {name}")
    counts = found.summary()
    told = [
        f"{counts[k]} {k.replace('_', ' ')}"
        for k in ("passed", "failed", "not_judged", "skipped")
        if counts[k]
    ]
    told += [f"{len(found.missing)} missing"] if found.missing else []
    click.echo(f"{len(found.verdicts)} results: {', '.join(told)}")
    for name, groups in found.identified.items():
        for other in groups:
            click.echo(f"What fails {name} is {other}")


def _write_junit(path: Path, found: Report) -> None:
    """A testcase a test."""
    from optverify.cli.junit import Case, write_cases

    def case(verdict: Verdict) -> Case:
        ident, _, name = verdict.test.id.rpartition("/")
        place = f"optverify.vectors.{ident}"
        if verdict.outcome == "fail":
            first, *more = verdict.lines()
            return Case(place, name, kind="failure", problem=first, type="fail", text="\n".join(more))
        if verdict.outcome != "pass":
            return Case(place, name, kind="skipped", problem=verdict.why)
        told = ", ".join(f"{n} {e.ulps:.3g} of {e.tolerance} ulps" for n, e in verdict.errors.items())
        return Case(place, name, output=told)

    gone = [
        Case("optverify.vectors.missing", n, kind="failure", problem="no result", type="missing")
        for n in found.missing
    ]
    write_cases(path, [*map(case, found.verdicts), *gone])


@command
@click.argument("folder", type=FOLDER, default=OUT, required=False)
@click.option(
    "--rule", "rules", multiple=True, metavar="NAME", help="Only this rule, or schedule/NAME; repeatable."
)
@click.option("--no-recompute", is_flag=True, help="Schemas and ids alone: do not make the files anew.")
@click.option("--json", "as_json", is_flag=True, help="Print what is wrong as JSON.")
def lint(folder: Path, rules: tuple[str, ...], no_recompute: bool, as_json: bool) -> int:
    """Hold a folder of vectors against the schemas, its list of ids, and what would be written now.

    Exit code 0: all as it should be, byte for byte; 1: something differs.
    """
    from optverify.vectors import files
    from optverify.vectors.lint import lint as linted

    wanted = files.chosen(rules)
    done = count(1)
    with progress("files", len(wanted)) as advance:
        wrong = linted(
            folder, rules, recompute=not no_recompute, on_file=lambda name: advance(next(done), name)
        )
    if as_json:
        print_json({"format": "optverify vectors lint", "version": 1, "ok": not wrong, "wrong": wrong})
    else:
        for line in wrong:
            click.echo(line)
        click.echo(
            f"{len(wanted)} files of {folder}: {'as they should be' if not wrong else f'{len(wrong)} faults'}"
        )
    return FAILED if wrong else HOLDS


for name, made in (("write", write), ("check", check), ("lint", lint)):
    run.add_command(made, name)
