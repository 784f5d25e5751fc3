"""Write what the loops give to optverify/ledger/golden.json: python -m tests.golden.write"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from optverify.ledger.layers import FORMAT, GOLDEN, VERSION
from tests.rules.hostile import Stream

from . import streams
from .catalogue import Case, cases

ABOUT = (
    "Parameters after each update, from loops written from the papers; made by tests/golden/write.py. "
    "A row is an update, its numbers hexadecimal and in C order."
)
STREAMS = {name.lower().replace("_", " "): s for name, s in vars(streams).items() if isinstance(s, Stream)}


def row(numbers: Any) -> str:
    """Numbers to the last bit, in one line."""
    return " ".join(x.hex() for x in np.asarray(numbers, float).ravel().tolist())


def rows(numbers: Any) -> list[str]:
    """A line an update."""
    return [row(x) for x in numbers]


def content() -> dict[str, Any]:
    """The whole file as data."""
    all_cases = cases()
    used = STREAMS | {c.rule: c.stream for c in all_cases if not _shared(c)}
    return {
        "format": FORMAT,
        "version": VERSION,
        "about": ABOUT,
        "streams": {
            name: {
                "shape": list(s.start.shape),
                "start": row(s.start),
                "rates": row(s.rates),
                "gradients": rows(s.gradients),
            }
            for name, s in used.items()
        },
        "runs": [_run(c) for c in sorted(all_cases, key=lambda c: c.rule)],
    }


def _shared(case: Case) -> str:
    return next((name for name, s in STREAMS.items() if s is case.stream), "")


def _run(case: Case) -> dict[str, Any]:
    return {
        "rule": case.rule,
        "stream": _shared(case) or case.rule,
        "hyperparameters": {n: float(v).hex() for n, v in case.values.items()},
        "given": {n: rows(x) for n, x in case.given.items()},
        "tolerance": case.tolerance,
        "relative_to": "the largest of an update" if case.whole else "each coordinate",
        "expected": {n: rows(x) for n, x in case.results().items()},
    }


def write(path: Path = GOLDEN) -> None:
    """Replace the file in one go."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(content(), indent=1) + "\n", "utf-8")
    os.replace(temporary, path)


if __name__ == "__main__":
    write()
    print(f"wrote {GOLDEN}")
