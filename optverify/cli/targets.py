"""What `check` and `diagnose` share: the code to be judged, and how a job in the sandbox ended."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from optverify.cli.arguments import Finite
from optverify.cli.group import FAILED
from optverify.cli.junit import Case, write_cases
from optverify.cli.output import print_json
from optverify.conformance.sandbox import Ending

F = TypeVar("F", bound=Callable[..., Any])

VERDICTS = {"hung": "hangs", "crashed": "crashes", "raised": "raises"}


def options(function: F) -> F:
    """The options that both commands take."""
    for option in reversed(
        [
            click.option(
                "--with", "arguments", multiple=True, metavar="NAME=VALUE",
                help="An argument with which TARGET is called, as Python writes it: lr=0.1; repeatable.",
            ),
            click.option("--adapter", metavar="NAME", help="How it is driven, where that cannot be seen."),
            click.option(
                "--time-limit", type=Finite(min=0, min_open=True), default=60.0,
                show_default=True, metavar="SECONDS", help="After this it counts as hanging, and is killed.",
            ),
            click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
            click.option(
                "--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="PATH",
                help="Also write JUnit XML.",
            ),
        ]
    ):  # fmt: skip
        function = option(function)
    return function


def pair(text: str) -> tuple[str, str]:
    """`lr=0.1` as name and text; ValueError for anything else."""
    name, equals, value = text.partition("=")
    if not (name.isidentifier() and equals and value):
        raise ValueError(f"{text!r} is not of the form name=value, for example lr=1e-3")
    return name, value


def called(target: str) -> str:
    """A name for what is judged: `MyAdam` of mine.py:MyAdam, the program of a command."""
    return target.rpartition(":")[2] if " " not in target else Path(target.partition(" ")[0]).name


def python_values(texts: Sequence[str]) -> dict[str, Any]:
    """The arguments of --with: Python literals, and what is none as text."""
    return {name: _literal(value) for name, value in map(pair, texts)}


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def answered(ending: Ending) -> Any:
    """The answer, or None where the code crashed or hung; ValueError if the job was wrong.

    RuntimeError, with the traceback, for a fault of our own.
    """
    if ending.how == "refused":
        raise ValueError(ending.detail)
    if ending.how == "broken":
        error = RuntimeError(ending.detail)
        error.add_note(ending.answer)
        raise error
    return ending.answer if ending.how == "answered" else None


def report_failure(ending: Ending, facts: dict[str, Any], as_json: bool, junit: Path | None) -> int:
    """Print that the code raised, crashed or hung: a verdict like any other."""
    verdict = VERDICTS[ending.how]
    says = "" if ending.how == "raised" else f" {verdict}"
    explanation = f"{facts['subject']}{says}: {ending.detail}"
    if junit is not None:
        case = Case(
            "optverify.check",
            facts["subject"],
            ending.seconds,
            "failure",
            ending.detail,
            verdict,
            explanation,
        )
        write_cases(junit, [case])
    if as_json:
        seconds = round(ending.seconds, 3)
        more = {"verdict": verdict, "ok": False, "explanation": explanation, "seconds": seconds}
        print_json({**facts, **more})
    else:
        click.echo(explanation)
    return FAILED
