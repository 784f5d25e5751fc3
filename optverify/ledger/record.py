"""Write `scores.json`, the score of the checks as the report shows it: python -m optverify.ledger.record

With --check nothing is written; exit code 1 and one sentence if the file is not what the ledger finds.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from typing import Any

from optverify.ledger.mutation import SCORES, recorded, score, totals
from optverify.workers import cores


def found() -> dict[str, Any]:
    """The scores as the ledger finds them now, from its cache where nothing has changed."""
    scores = score(jobs=cores())
    kills = Counter(
        f.killers[layer]
        for s in scores
        for f in s.fates
        for layer in ("claims", "properties")
        if layer in f.killers
    )
    return {
        "rules": {s.rule: s.summary() for s in scores},
        "all": totals(scores).summary() | {"survivors": {}},
        "kills": dict(sorted(kills.items(), key=lambda item: (-item[1], item[0]))),
    }


def _settled(scores: dict[str, Any]) -> dict[str, Any]:
    """What does not hang on which claim was the first to end in time."""
    kept = ("mutants", "killed", "equivalent", "steps", "golden", "survivors")
    return {name: {key: s[key] for key in kept} for name, s in scores["rules"].items()}


def main(arguments: list[str]) -> int:
    """Write the file, or compare it."""
    now = found()
    if arguments == ["--check"]:
        if SCORES.exists() and _settled(recorded()) == _settled(now):
            return 0
        print(
            f"{SCORES.name} is not what the ledger finds: run python -m optverify.ledger.record",
            file=sys.stderr,
        )
        return 1
    fresh = SCORES.with_suffix(".new")
    fresh.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    os.replace(fresh, SCORES)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
