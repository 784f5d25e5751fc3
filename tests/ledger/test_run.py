"""Running the ledger: selection, order, callbacks, the cache, and one broken claim among others."""

from dataclasses import replace

import pytest

import optverify as ov
from optverify.claims import _ledger, claim, claims
from optverify.ledger import chosen, run, verify
from optverify.proof import Missing, NotProved, Refuted
from optverify.workers import TimeUp

TWO = ["cosine.ends", "gd.diverges"]


@pytest.fixture
def ledger(monkeypatch):
    """ledger(claim, ...): let these be all claims."""
    return lambda *those: monkeypatch.setattr(_ledger, "_all", lambda: {c.id: c for c in those})


def _raising(error):
    def check(**_):
        raise error

    return check


def broken(error, id="bad"):
    return replace(claim("gd.diverges"), id=id, check=_raising(error))


def test_selection_by_id_and_by_rule():
    assert {c.id for c in chosen(TWO)} == set(TWO)
    assert [r.claim.id for r in verify(TWO)] == [c.id for c in claims() if c.id in TWO]
    assert {c.id for c in chosen(rules=["nesterov"])} == {
        c.id for c in claims() if "nesterov" in c.rules and c.needs != "pep"
    }
    assert chosen(["gd.diverges"], ["adam"]) == []
    assert verify(ids=[]) == []


def test_slow_claims_are_taken_when_they_are_asked_for(ledger):
    slow = replace(claim("gd.diverges"), id="slow", needs="pep")
    ledger(claim("cosine.ends"), slow)
    assert [c.id for c in chosen()] == ["cosine.ends"]
    assert [c.id for c in chosen(pep=True)] == ["cosine.ends", "slow"]
    assert [c.id for c in chosen(["slow"])] == ["slow"]


def test_verify_is_the_public_one_and_reports_each_result_as_it_is_there():
    seen = []
    results = ov.verify(ids=TWO, on_result=seen.append)
    assert {r.claim.id for r in seen} == {r.claim.id for r in results} == set(TWO)


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


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("by zero"), NotProved("a step"), Refuted("x = 2"), TimeUp()]
)
def test_a_broken_claim_hides_no_other(ledger, error):
    ledger(broken(error), claim("gd.diverges"))
    first, second = verify()
    assert not first.ok
    assert second.ok


def test_a_second_run_decides_nothing(ledger, monkeypatch):
    verify(TWO)
    monkeypatch.setattr(run, "decide", lambda id: pytest.fail("decided again"))
    again = verify(TWO)
    assert all(r.ok and r.seconds > 0 for r in again)
    with pytest.raises(pytest.fail.Exception):
        verify(TWO, cache=False)


@pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), Missing("z3", "prove"), TimeUp()])
def test_what_may_end_differently_next_time_is_not_kept(ledger, error):
    ledger(broken(error))
    first = verify()[0]
    assert first.verdict == ("error" if isinstance(error, ZeroDivisionError) else "not decided")
    ledger(replace(claim_of(first), check=lambda **_: run_ok()))
    assert verify()[0].verdict == "holds"


def claim_of(result):
    return result.claim


def run_ok():
    from optverify.claims import Decision

    return Decision("holds", "proved", "because")


def test_an_interrupted_run_leaves_what_was_decided(ledger, monkeypatch):
    good = claim("cosine.ends")
    ledger(good, broken(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        verify()
    ledger(good)
    monkeypatch.setattr(run, "decide", lambda id: pytest.fail("decided again"))
    assert verify()[0].ok


def test_several_processes_find_the_same(monkeypatch):
    monkeypatch.setattr(run, "WORTH_A_PROCESS", 1)
    ids = [c.id for c in claims() if c.topic == "quadratics"][:6]
    apart, here = verify(ids, jobs=2, cache=False), verify(ids, cache=False)
    assert [(r.claim.id, r.verdict, r.detail) for r in apart] == [
        (r.claim.id, r.verdict, r.detail) for r in here
    ]
