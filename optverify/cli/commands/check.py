"""optverify check TARGET --rule RULE"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from optverify.cli.group import FAILED, HOLDS, command
from optverify.cli.output import print_json
from optverify.cli.targets import answered, called, options, pair, python_values, report_failure


@command
@click.argument("target")
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--rule", required=True, help="The rule it is to be: adam, momentum, ...; see `list rules`.")
@click.option("--like", metavar="LIBRARY", help="The rule as this library has it: torch, optax or keras.")
@click.option(
    "--option", "chosen", multiple=True, metavar="AXIS=VALUE", help="An option on an axis; repeatable."
)
@options
def run(
    *,
    target: str,
    values: tuple[str, ...],
    rule: str,
    like: str | None,
    chosen: tuple[str, ...],
    arguments: tuple[str, ...],
    adapter: str | None,
    time_limit: float,
    as_json: bool,
    junit: Path | None,
) -> int:
    """Hold an optimizer against a rule: does it compute the same updates, and where do they part?

    TARGET is module:Class, or path/to/file.py:Class: a class, or a function that makes the optimizer or is
    its step; with --adapter process, a program that speaks JSON lines, with its arguments. NAME=VALUE are
    hyperparameters of the rule, where the optimizer does not show them itself. The code runs in a process of
    its own. Exit code 0: the same; 1: it departs, raises, crashes or hangs.
    """
    from optverify.conformance import sandbox

    given: dict[str, Any] = {**dict(map(pair, chosen)), **{n: _number(n, v) for n, v in map(pair, values)}}
    ending = sandbox.run(
        "optverify.conformance.jobs:check", target, time_limit,
        rule=rule, like=like, adapter=adapter, given=given, subject=called(target),
        arguments=python_values(arguments),
    )  # fmt: skip
    verdict = answered(ending)
    facts = {"format": "optverify check", "version": 1, "subject": target, "rule": rule, "like": like}
    if verdict is None:
        return report_failure(ending, facts, as_json, junit)
    if junit is not None:
        _write_junit(junit, verdict)
    if as_json:
        print_json({**verdict, "subject": target})
    else:
        click.echo(verdict["explanation"])
    return HOLDS if verdict["ok"] else FAILED


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        hint = f"is not a number; an option is chosen by --option {name}={text}"
        raise ValueError(f"{name}={text}: {text!r} {hint}") from None


def _write_junit(path: Path, verdict: dict[str, Any]) -> None:
    """A testcase a check."""
    from optverify.cli.junit import Case, write_cases

    def case(outcome: dict[str, Any]) -> Case:
        group = f"optverify.{verdict['subject']}.{verdict['rule']}"
        if outcome["status"] == "not applicable":
            return Case(group, outcome["check"], kind="skipped", problem=outcome["detail"])
        if outcome["status"] in ("matches", "near miss"):
            return Case(group, outcome["check"], output=f"{outcome['status']}, {outcome['ulps']} ulps")
        lines = verdict["explanation"].splitlines()
        found = outcome["departure"]
        where = f"departs at update {found['update']}" if found else outcome["detail"]
        return Case(group, outcome["check"], kind="failure", problem=where, type=outcome["status"],
                    text="\n".join(lines))  # fmt: skip

    write_cases(path, [case(outcome) for outcome in verdict["checks"]])
