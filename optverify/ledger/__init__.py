"""Running the claims, and scoring them: cached by content, by several processes, within time limits."""

from optverify.ledger.mutation import GENERIC, LAYERS, Fate, Score, count_mutants, recorded, score, totals
from optverify.ledger.run import chosen, verify
from optverify.workers import cores

__all__ = [
    "GENERIC",
    "LAYERS",
    "Fate",
    "Score",
    "chosen",
    "cores",
    "count_mutants",
    "recorded",
    "score",
    "totals",
    "verify",
]
