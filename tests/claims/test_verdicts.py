"""Every claim gets the verdict and the evidence it is known to deserve, from the rules as they are."""

import json
import re

import pytest

from optverify.claims import claims

BAD_TEX = re.compile(r"\\operatorname|\$|\\begin\{align|\\text\{[^}]*_")


@pytest.mark.parametrize("c", claims(), ids=lambda c: c.id)
def test_verdict_and_evidence(c):
    result = c.decide()
    assert (result.verdict, result.evidence) == (c.expected, c.evidence), result.detail
    assert result.ok
    assert result.detail


@pytest.mark.parametrize("c", claims(), ids=lambda c: c.id)
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
    assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", c.id)


def test_results_are_ready_for_json():
    record = json.loads(json.dumps(claims()[0].decide().to_dict()))
    assert {"id", "title", "statement", "scope", "sources", "expected", "verdict", "evidence", "ok"} <= set(
        record
    )


def test_the_issue_is_covered():
    """Each of the promised subjects has its claim."""
    assert {c.id for c in claims()} == {
        "gd.convex.rate",
        "gd.convex.rate.dual",
        "gd.convex.tight",
        "gd.diverges",
        "gd.quadratic.stability",
        "momentum.quadratic.stability",
        "momentum.terminal_velocity",
        "nesterov.forms.constant",
        "nesterov.forms.inside",
        "nesterov.forms.schedule",
        "adagrad.effective_rate",
        "adagrad.constant_gradient",
        "rmsprop.effective_rate",
        "adam.bias_correction.first",
        "adam.bias_correction.second",
        "adam.uncorrected",
        "adam.first_step",
        "gd.minibatch.unbiased",
        "gd.minibatch.variance",
        "cosine.ends",
        "cosine.recursion",
        "restarts.lengths",
        "restarts.index",
    }
