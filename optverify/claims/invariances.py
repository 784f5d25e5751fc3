"""The invariance table of the catalogue: a claim for each rule and symmetry, derived for any other rule."""

from __future__ import annotations

from optverify.claims._claim import Decision
from optverify.claims._invariance import claim_of, decide
from optverify.claims._invariance_table import NO_SLIP, NOTES, expected
from optverify.claims._symmetries import PERMUTATION, SYMMETRIES
from optverify.language import Rule
from optverify.proof import NotProved

COLUMNS = (*SYMMETRIES, PERMUTATION)


def invariances(rule: Rule) -> dict[str, Decision]:
    """Symmetry -> what is derived for this rule, in the catalogue or not: every cell of its row."""
    row = {}
    for symmetry in COLUMNS:
        try:
            row[symmetry.name] = decide(symmetry, rule)
        except NotProved as failed:
            row[symmetry.name] = Decision("not decided", "none", str(failed))
    return row


CLAIMS = tuple(
    claim_of(symmetry, name, *row[symmetry.name], NOTES.get((name, symmetry.name), ""))
    for name, row in expected().items()
    for symmetry in COLUMNS
    # No slip makes a rule depend on the order of coordinates: where it does not, there is nothing to claim.
    if symmetry != PERMUTATION or row[symmetry.name][0] != "holds"
    if (name, symmetry.name) not in NO_SLIP
)
