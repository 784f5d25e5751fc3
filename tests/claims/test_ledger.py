"""The ledger: which claims there are, and what a check may do."""

from dataclasses import replace

import pytest

import optverify as ov
from optverify.claims import claim, claims
from optverify.proof import Missing, NotProved, Refuted


def test_sorted_by_topic_and_id_and_each_id_once():
    keys = [(c.topic, c.id) for c in claims()]
    assert keys == sorted(keys)
    assert len({c.id for c in claims()}) == len(keys)


def test_an_unknown_claim_gets_a_near_match():
    with pytest.raises(ValueError, match=r"unknown claim 'gd\.diverge'; did you mean 'gd\.diverges'"):
        claim("gd.diverge")


def test_a_correction_is_a_claim_that_holds():
    for c in claims():
        if c.corrected_by:
            assert c.expected == "refuted", c.id
            assert claim(c.corrected_by).expected in ("holds", "holds under conditions"), c.id


def _raising(error):
    def check(**_):
        raise error

    return check


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (ZeroDivisionError("by zero"), "error"),
        (RecursionError("deep"), "error"),
        (NotProved("a step"), "not decided"),
        (Refuted("x = 2"), "refuted"),
        (Missing("z3", "prove"), "not decided"),
    ],
)
def test_what_a_check_raises_is_a_verdict(error, verdict):
    result = replace(claim("gd.diverges"), check=_raising(error)).decide()
    assert (result.verdict, result.ok) == (verdict, False)
    assert str(error) in result.detail
    assert result.evidence == ("exact certificate" if verdict == "refuted" else "none")
    assert result.missing == ("prove" if isinstance(error, Missing) else "")


def test_an_interrupt_is_not_swallowed():
    with pytest.raises(KeyboardInterrupt):
        replace(claim("gd.diverges"), check=_raising(KeyboardInterrupt())).decide()


def test_a_subject_that_does_not_exist_is_refused():
    with pytest.raises(TypeError, match="no subject 'gd'; it has rule"):
        claim("gd.diverges").decide(gd=ov.rule("gd"))
