"""Which rule is another one with its hyperparameters set: the edges of the graph of rules, each a claim."""

from __future__ import annotations

from optverify.claims._edge import Edge
from optverify.claims._edges_adaptive import EDGES as ADAPTIVE
from optverify.claims._edges_momentum import EDGES as MOMENTUM
from optverify.claims._inclusion import claim_of


def inclusions() -> list[Edge]:
    """All edges, in the order of their files."""
    return [*MOMENTUM, *ADAPTIVE]


CLAIMS = tuple(claim_of(edge) for edge in inclusions())
