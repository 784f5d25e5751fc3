"""The score of the checks: what counts as a kill, what is counted apart, and what every survivor needs."""

from dataclasses import replace

import pytest

from optverify.claims import Decision, claim
from optverify.ledger import mutation, score, totals
from optverify.ledger.mutation import Fate, Score
from optverify.proof import NotProved
from optverify.rules import rule
from optverify.views.mutants import mutants

GD = [m.description for m in mutants(rule("gd"))]


@pytest.fixture
def one_claim(monkeypatch):
    """one_claim(check): let a claim with this check be all that is said of gradient descent."""

    def only(check):
        mutation._about.cache_clear()
        c = replace(claim("gd.diverges"), id="only", check=check)
        monkeypatch.setattr(mutation, "claims", lambda: [c])

    yield only
    mutation._about.cache_clear()


def fates(**settings):
    (found,) = score(["gd"], cache=False, **settings)
    return found.fates


def test_every_mutant_has_its_fate():
    assert [f.mutant for f in fates()] == GD


@pytest.mark.parametrize("verdict", ["refuted", "holds under conditions"])
def test_another_verdict_than_the_expected_one_kills(one_claim, verdict):
    one_claim(lambda rule: Decision(verdict, "proved", "because"))
    assert all(f.killers["claims"] == "only" and f.killed for f in fates())


def test_what_is_not_decided_or_fails_kills_nothing_and_is_counted_apart(one_claim):
    def check(rule):
        raise NotProved("a step")

    one_claim(check)
    assert all(f.undecided == ["only"] and not f.errors and not f.killed for f in fates())

    def failing(rule):
        raise ZeroDivisionError

    one_claim(failing)
    assert all(f.errors == ["only"] and not f.undecided and not f.killed for f in fates())


def test_a_claim_that_does_not_end_decides_nothing(one_claim, monkeypatch):
    monkeypatch.setattr(mutation, "SECONDS", 0.02)

    def endless(rule):
        while True:
            pass

    one_claim(endless)
    assert all(f.undecided == ["only"] for f in fates())


def test_layers_are_searched_each_on_its_own(one_claim):
    one_claim(lambda rule: Decision("holds", "proved", "blind"))
    found = fates()
    assert all("claims" not in f.killers for f in found)
    assert all("steps" in f.killers and "golden" in f.killers for f in found)


def test_a_second_run_judges_nothing(one_claim, monkeypatch):
    one_claim(lambda rule: Decision("refuted", "proved", "because"))
    first = score(["gd"])
    monkeypatch.setattr(mutation, "judge", lambda item: pytest.fail("judged again"))
    assert score(["gd"]) == first


def fate(mutant, killed, reason=""):
    return Fate("gd", mutant, {"claims": "c"} if killed else {}, [], [])


def test_equivalent_mutants_do_not_count_and_a_survivor_needs_a_reason(monkeypatch):
    written = {"a": "equal: the same", "b": "outside: why"}
    monkeypatch.setattr(mutation, "reasons", lambda: {"gd": written})
    found = Score("gd", (*(fate(str(k), True) for k in range(98)), fate("a", False), fate("b", False)))
    assert found.share == 98 / 99
    assert found.ok
    assert [f.mutant for f in found.survivors] == ["a", "b"]
    assert not replace(found, fates=(*found.fates, fate("c", False))).ok
    assert totals([found, found]).caught("claims") == 196
    assert found.summary()["survivors"] == written


def test_classic_rules_are_held_to_more():
    assert (Score("adam", ()).required, Score("lion", ()).required) == (0.98, 0.90)


def test_every_written_reason_is_about_a_mutant_that_there_is():
    for name, written in mutation.reasons().items():
        assert set(written) <= {m.description for m in mutants(rule(name))}
        assert all(reason.startswith(("equal: ", "outside: ")) for reason in written.values())
