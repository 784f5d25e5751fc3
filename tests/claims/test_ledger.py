"""Running the ledger: selection, order, callbacks, and one broken claim among others."""

from dataclasses import replace

import pytest

import optverify as ov
from optverify.claims import _ledger, claim, claims, verify
from optverify.proof import NotProved, Refuted


def test_sorted_by_topic_and_id_and_each_id_once():
    keys = [(c.topic, c.id) for c in claims()]
    assert keys == sorted(keys)
    assert len({c.id for c in claims()}) == len(keys)
    assert {c.topic for c in claims()} == {
        "adaptive", "convex", "momentum", "quadratics", "schedules", "stochastic",
    }  # fmt: skip


def test_selection_by_id_and_by_rule():
    assert [r.claim.id for r in verify(ids=["gd.diverges", "cosine.ends"])] == ["gd.diverges", "cosine.ends"]
    about = verify(rules=["nesterov"])
    assert [r.claim.id for r in about] == [f"nesterov.forms.{n}" for n in ("constant", "inside", "schedule")]
    assert verify(ids=["gd.diverges"], rules=["adam"]) == []
    assert verify(ids=[]) == []


def test_verify_is_the_public_one_and_reports_each_result_as_it_is_there():
    seen = []
    results = ov.verify(ids=["gd.diverges", "cosine.ends"], on_result=seen.append)
    assert seen == results


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ids": ["gd.diverge"]}, "unknown claim 'gd.diverge'; did you mean 'gd.diverges'"),
        ({"rules": ["adm"]}, "did you mean 'adam'"),
    ],
)
def test_unknown_names_get_a_near_match(arguments, message):
    with pytest.raises(ValueError, match=message):
        verify(**arguments)


def test_one_string_is_not_a_list():
    with pytest.raises(TypeError, match="give a list"):
        verify(ids="gd.diverges")


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
    ],
)
def test_what_a_check_raises_is_a_verdict_and_hides_no_other_claim(monkeypatch, error, verdict):
    good = claim("gd.diverges")
    bad = replace(good, id="bad", check=_raising(error))
    monkeypatch.setattr(_ledger, "_all", lambda: (bad, good))
    first, second = verify()
    assert (first.verdict, first.ok, second.ok) == (verdict, False, True)
    assert str(error) in first.detail
    assert first.evidence == ("exact certificate" if verdict == "refuted" else "none")


def test_an_interrupt_is_not_swallowed():
    with pytest.raises(KeyboardInterrupt):
        replace(claim("gd.diverges"), check=_raising(KeyboardInterrupt())).decide()


def test_a_subject_that_does_not_exist_is_refused():
    with pytest.raises(TypeError, match="no subject 'gd'; it has rule"):
        claim("gd.diverges").decide(gd=ov.rule("gd"))
