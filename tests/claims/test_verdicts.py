"""Every claim gets the verdict and the evidence it is known to deserve, from the rules as they are."""

import json
import re

import pytest

from optverify.claims import claims

BAD_TEX = re.compile(r"\\operatorname|\$|\\begin\{align|\\text\{[^}]*_")


TEXTBOOK = [c for c in claims() if c.family == c.id]
"""Sentences of their own; what every rule is asked alike has tests of its own."""


@pytest.mark.parametrize("c", TEXTBOOK, ids=lambda c: c.id)
def test_verdict_and_evidence(c):
    result = c.decide()
    if result.missing:
        pytest.skip(f"{result.detail}; .ci/run installs it")
    assert (result.verdict, result.evidence) == (c.expected, c.evidence), result.detail
    assert result.ok
    assert result.detail


@pytest.mark.parametrize("c", TEXTBOOK, ids=lambda c: c.id)
def test_a_claim_says_what_a_reader_needs(c):
    """A sentence, a statement that GitHub renders, a scope, sources with their places, a dotted id."""
    assert c.title.endswith(".")
    assert c.scope
    assert c.statement
    assert not BAD_TEX.search(c.statement)
    assert c.statement.count("{") == c.statement.count("}")
    assert c.sources
    assert all(s.where for s in c.sources)
    assert c.rules or c.schedules
    assert re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+", c.id)


def test_results_are_ready_for_json():
    record = json.loads(json.dumps(claims()[0].decide().to_dict()))
    assert {"id", "title", "statement", "scope", "sources", "expected", "verdict", "evidence", "ok"} <= set(
        record
    )


def test_there_are_claims_of_every_subject():
    """At least 80 sentences of textbooks, and among them those that people ask for first."""
    ids = {c.id for c in TEXTBOOK}
    assert len(ids) >= 80
    assert set(HEADLINES) <= ids, set(HEADLINES) - ids


HEADLINES = [
    "adam.step.bound.first_case",
    "adam.step.bound.second_case",
    "adam.step.bound",
    "adam.step.supremum",
    "adam.nonconvergence.constant",
    "amsgrad.convergence",
    "rmsprop.quadratic.cycle",
    "adagrad.rate_vanishes",
    "adam.unbiased_update",
    "gd.noise.escape",
    "gd.minibatch.variance",
    "adaptive.rates.ordered",
    "adam.frozen.stability",
    "gd.convex.worst_case",
    "momentum.convex.worst_case",
    "nesterov.convex.worst_case",
    "gd.subgradient.worst_case",
]
