"""The page that goes with a folder of vectors: what a file holds, how to use it, and what it catches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from typing import Any

from optverify.vectors.bank import Bank
from optverify.vectors.header import FLAGS
from optverify.vectors.kills import fates, figures

INTRODUCTION = "introduction.md"
"""The text above the tables."""
CATCHES = """## What the vectors catch

Every slip that `optverify.views.mutants` makes in the default dialect of a rule, run in float64 on the groups
`default` and `paper`. Equal: it computes the same, with the reason in `optverify/claims/survivors.json`.
"""


def page(bank: Bank, wanted: Sequence[str], on_rule: Callable[[str], None] = lambda name: None) -> str:
    """The page of a folder. wanted: the files, in order; on_rule: called before the mutants of each rule."""
    rules = [n for n in wanted if "/" not in n]
    rows, total = [], dict.fromkeys(("mutants", "killed", "equivalent", "open"), 0)
    for name in rules:
        on_rule(name)
        found = figures(fates(name, bank))
        total = {k: total[k] + found[k] for k in total}
        rows.append((f"[{name}](rules/{name}.json)", *_counts(bank, name), *found.values()))
    rows.append(("all", *(sum(r[i] for r in rows) for i in (1, 2)), *total.values()))  # type: ignore[misc]
    schedules = [
        (f"[{n.partition('/')[2]}](schedules/{n.partition('/')[2]}.json)", *_counts(bank, n))
        for n in wanted
        if "/" in n
    ]
    return "\n".join(
        (
            resources.files(__package__).joinpath(INTRODUCTION).read_text("utf-8"),
            CATCHES,
            *_table(("rule", "groups", "tests", "slips", "caught", "equal", "missed"), rows),
            "",
            "## Schedules",
            "",
            *_table(("schedule", "groups", "tests"), schedules),
            "",
            "## Flags",
            "",
            *_table(("flag", "kind", "a failure means"), [(n, f[1], f[0]) for n, f in FLAGS.items()]),
            "",
        )
    )


def _counts(bank: Bank, name: str) -> tuple[int, int]:
    """The groups and the tests of a file."""
    return len(bank.file(name)["groups"]), sum(1 for _ in bank.tests(name))


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """A table in Markdown, numbers to the right."""
    numbers = [all(isinstance(row[i], int) for row in rows) for i in range(len(head))]
    yield "| " + " | ".join(head) + " |"
    yield "|" + "|".join("--:" if right else "---" for right in numbers) + "|"
    for row in rows:
        yield "| " + " | ".join(str(x).replace("|", r"\|") for x in row) + " |"
