"""Write down what the properties of rules compare with: `python -m optverify.claims.pin [NAME ...]`.

One JSON file a rule, the same bytes each time: a change of a recurrence shows as a change of numbers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from optverify.claims import properties
from optverify.claims._bounds import in_text as bounds_in_text
from optverify.claims._first_update import first_step_tex, first_step_text
from optverify.claims._influence import in_text as influences_in_text
from optverify.claims._responses import FAMILIES, written
from optverify.claims._stability import in_text as stability_in_text
from optverify.language import Rule
from optverify.rules import names, rule


def facts(subject: Rule) -> dict[str, Any]:
    """What is written down of a rule, its verdicts first."""
    found: dict[str, Any] = {
        "first_step": {"text": first_step_text(subject), "latex": first_step_tex(subject)},
        "stability": stability_in_text(subject),
        **{family: written(subject, family) for family in FAMILIES},
    }
    if subject.hyperparameters:
        found["influence"] = influences_in_text(subject)
    if subject.states:
        found["bounded"] = bounds_in_text(subject)
    return {"verdicts": _verdicts(subject, found), **found}


def _verdicts(subject: Rule, found: dict[str, Any]) -> dict[str, str]:
    out = {}
    for p in properties.PROPERTIES:
        if p.applies(subject):
            result = properties.claim_of(subject, p, found).decide(rule=subject)
            if result.verdict in ("not decided", "error"):
                raise ValueError(f"{result.claim.id} is {result.verdict}: {result.detail}")
            out[p.family] = f"{result.verdict}, {result.evidence}"
    return out


def write(chosen: Sequence[str], folder: Path = properties.FOLDER) -> list[Path]:
    """Write the files of these rules; returns those that changed."""
    folder.mkdir(exist_ok=True)
    changed = []
    for name in chosen:
        path = folder / f"{name}.json"
        text = json.dumps(facts(rule(name)), indent=1, ensure_ascii=False) + "\n"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def main() -> None:
    """Write the rules named on the command line, or all."""
    for path in write(sys.argv[1:] or names()):
        print(f"changed {path.name}")


if __name__ == "__main__":
    main()
