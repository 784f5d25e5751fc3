"""What the sandbox runs for the command line: the tasks, from what JSON carries to what JSON carries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from optverify.conformance.sandbox import JobError, is_ours

Say = Callable[[str], None]


def check(make: Any, *, say: Say, rule: str, like: str | None, adapter: str | None, **job: Any) -> Any:
    """`judge`, as a dictionary. job: given, options and hyperparameters; subject."""
    from optverify.conformance.check import judge

    given: Mapping[str, Any] = job["given"]
    with wrong_questions():
        verdict = judge(
            make, rule, like, adapter=adapter, subject=job["subject"],
            on_check=lambda name: say(f"in check {name}"), **given,
        )  # fmt: skip
    return verdict.to_dict()


def diagnose(make: Any, *, say: Say, adapter: str | None, **job: Any) -> Any:
    """The diagnosis as a dictionary, with its text as `explanation`."""
    from optverify.conformance.diagnose import diagnose as found_by

    say("while it is diagnosed")
    with wrong_questions():
        found = found_by(make, adapter=adapter, subject=job["subject"])
    return {**found.to_dict(), "explanation": str(found)}


@contextmanager
def wrong_questions() -> Iterator[None]:
    """What optverify itself refuses (a rule it does not know, a thing it cannot drive) is a JobError."""
    try:
        yield
    except (ValueError, TypeError) as error:
        if is_ours(error):
            raise JobError(str(error)) from error
        raise
