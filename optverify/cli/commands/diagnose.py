"""optverify diagnose TARGET"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from optverify.cli.group import FAILED, HOLDS, command
from optverify.cli.output import print_json
from optverify.cli.targets import answered, called, options, python_values, report_failure


@command
@click.argument("target")
@options
def run(
    *,
    target: str,
    arguments: tuple[str, ...],
    adapter: str | None,
    time_limit: float,
    as_json: bool,
    junit: Path | None,
) -> int:
    """Say which rule, dialect and constants an optimizer computes, or what is wrong with it.

    TARGET is module:Class, or path/to/file.py:Class: a class, or a function that makes the optimizer or is
    its step; with --adapter process, a program that speaks JSON lines, with its arguments. The code runs in a
    process of its own. Exit code 0: it is a known rule; 1: it is none, and the nearest one and the kind of
    fault are named, or it raises, crashes or hangs.
    """
    from optverify.conformance import sandbox

    ending = sandbox.run(
        "optverify.conformance.jobs:diagnose", target, time_limit,
        adapter=adapter, subject=called(target), arguments=python_values(arguments),
    )  # fmt: skip
    found = answered(ending)
    if found is None:
        facts = {"format": "optverify diagnosis", "version": 1, "subject": target}
        return report_failure(ending, facts, as_json, junit)
    if junit is not None:
        _write_junit(junit, found, ending.seconds)
    if as_json:
        print_json({**found, "subject": target})
    else:
        click.echo(found["explanation"])
    return HOLDS if found["ok"] else FAILED


def _write_junit(path: Path, found: dict[str, Any], seconds: float) -> None:
    from optverify.cli.junit import Case, write_cases

    text, name = found["explanation"], found["subject"]
    if found["ok"]:
        case = Case("optverify.diagnose", name, seconds, output=text)
    else:
        head = text.partition("\n")[0]
        case = Case("optverify.diagnose", name, seconds, "failure", head, "no known rule", text)
    write_cases(path, [case])
