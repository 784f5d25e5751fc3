"""Counterexamples that are looked for before a proof is tried."""

from __future__ import annotations

from optverify.proof import Refuted


def refute_first(found: str | None) -> None:
    """Raise Refuted for a counterexample: where it is cheap, a changed rule is decided without a proof."""
    if found is not None:
        raise Refuted(found)
