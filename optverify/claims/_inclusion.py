"""Inclusions between rules: one checker decides every edge from the two recurrences."""

from __future__ import annotations

from functools import partial

from optverify.claims._claim import Claim, Decision, Evidence, holds, holds_under_conditions, refuted
from optverify.claims._conjugacy import GRADIENTS, Difference, Pair, difference, pair, show_inclusion, trial
from optverify.claims._edge import ANY, Edge, dialects, statement
from optverify.language import Rule
from optverify.proof import NotProved


def decide(edge: Edge, smaller: Rule, larger: Rule) -> Decision:
    """Derive the verdict of an edge from the two rules: a counterexample if there is one, else the proof."""
    if edge.instead is not None and decide(edge.instead, smaller, larger).verdict == "refuted":
        raise NotProved("another recurrence: the substitution that is right does not hold")
    both = pair(edge, smaller, larger)
    found = difference(edge, both)
    if found is None:
        show_inclusion(edge, both)
        detail = f"{edge.substitution}: the first update agrees, and every later one for symbolic t"
        return (holds if edge.scope_in_words == ANY else holds_under_conditions)(detail)
    if edge.ends is not None and edge.ends != (found.small, found.large):
        raise NotProved(f"another recurrence: {found}")
    evidence: Evidence = "exact certificate" if found.rational else "interval arithmetic"
    return refuted(_counterexample(edge, both, found), evidence)


def _counterexample(edge: Edge, both: Pair, found: Difference) -> str:
    names = {h.symbol: h.name for h in both.smaller.rule.hyperparameters}
    numbers = trial(both.smaller.rule, edge.given)
    values = ", ".join(f"{names[s]} = {v}" for s, v in numbers.items() if s in names)
    used = ", ".join(map(str, GRADIENTS[: max(found.step, 1)]))
    begin = f"with {edge.substitution} from theta_0 = {1 if edge.start is None else edge.start}"
    return f"{begin}, gradients {used} and {values}, {found}"


def claim_of(edge: Edge) -> Claim:
    """The edge as a claim of the ledger, about both rules."""
    evidence: Evidence = edge.evidence if edge.refuted else "proved"
    free = edge.nonzero or edge.buffer
    gradients = "" if free else "any gradients, "
    constant = f"constant hyperparameters of {edge.smaller.name}"
    scope = f"{dialects(edge)}{edge.scope_in_words}, {gradients}every t, {constant}"
    if edge.refuted:
        scope += "; the counterexample is in dimension 1"
    if edge.limit is not None:
        scope += "; a limit for each number of updates, with the gradients held fixed"
    return Claim(
        edge.id, edge.title, statement(edge), scope, edge.sources, "inclusions",
        (("smaller", edge.smaller), ("larger", edge.larger)), edge.expected, evidence, partial(decide, edge),
        edge.corrected_by,
    )  # fmt: skip
