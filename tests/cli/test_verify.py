"""verify: exit codes, table, JSON and JUnit say what the claims found."""

import dataclasses
import json
import xml.etree.ElementTree as ET

import pytest

from optverify.claims import claims
from optverify.ledger import Fate, Score, verify

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of its own, and this process alone."""
    for module in ("run", "mutation"):
        monkeypatch.setattr(f"optverify.ledger.{module}.default_path", lambda: tmp_path / "v.sqlite")
    monkeypatch.setattr("optverify.ledger.cores", lambda: 1)


FEW = ["adam.uncorrected", "adam.first_step", "nesterov.forms.schedule"]


@pytest.fixture
def changed(monkeypatch):
    """changed(verdict): let the first claim of every run have that verdict."""

    def change(verdict, detail="because", missing=""):
        def faulty(ids=None, rules=None, **settings):
            results = verify(ids, rules, **settings | {"jobs": 1})
            wrong = {"verdict": verdict, "detail": detail, "missing": missing}
            return [dataclasses.replace(results[0], **wrong), *results[1:]]

        monkeypatch.setattr("optverify.ledger.verify", faulty)

    return change


def test_claims_as_expected_give_code_0(run):
    outcome = run("verify", *FEW)
    assert outcome.exit_code == 0
    assert outcome.stderr == ""  # no bar in a pipe
    for name in FEW:
        assert name in outcome.stdout
    assert "3 of 3 claims as expected" in outcome.stdout


@pytest.mark.parametrize("verdict", ["refuted", "not decided", "error"])
def test_an_unexpected_verdict_gives_code_1_in_every_form(run, changed, verdict, tmp_path):
    changed(verdict)
    outcome = run("verify", "adam.uncorrected")
    assert outcome.exit_code == 1
    assert f"adam.uncorrected: expected 'holds', found '{verdict}': because" in outcome.stdout
    assert "0 of 1 claims as expected" in outcome.stdout
    assert run("verify", "adam.uncorrected", "--json").exit_code == 1
    assert run("verify", "adam.uncorrected", "--junit", str(tmp_path / "x.xml")).exit_code == 1


def test_json_is_the_results(run):
    (result,) = json.loads(run("verify", "adam.uncorrected", "--json").stdout)
    assert result["id"] == "adam.uncorrected"
    assert (result["verdict"], result["expected"], result["ok"]) == ("holds", "holds", True)


def test_a_rule_selects_its_claims(run):
    found = json.loads(run("verify", "--rule", "lion", "--rule", "yogi", "--json").stdout)
    assert {r["id"] for r in found} == {c.id for c in claims() if {"lion", "yogi"} & set(c.rules)}


def test_what_every_rule_is_asked_is_one_line_unless_a_rule_is_named(run, monkeypatch):
    about = [c for c in claims() if c.family == "property.descent"][:3]
    monkeypatch.setattr("optverify.claims._ledger._all", lambda: {c.id: c for c in about})
    assert "property.descent.*" in run("verify").stdout
    in_full = run("verify", "--rule", about[0].rules[0]).stdout
    assert about[0].id in in_full
    assert ".*" not in in_full


def test_a_missing_solver_is_said_and_fails_nothing(run, changed):
    changed("not decided", missing="prove")
    outcome = run("verify", *FEW)
    assert outcome.exit_code == 0
    assert "1 claims not decided, for want of tools: pip install 'optverify[prove]'" in outcome.stdout
    assert "2 of 3 claims as expected" in outcome.stdout


@pytest.fixture
def judged(monkeypatch):
    """judged(fate, ...): let these be the mutants of gradient descent."""

    def change(*fates):
        monkeypatch.setattr("optverify.ledger.score", lambda *_, **__: [Score("gd", fates)])

    return change


KILLED = Fate("gd", "theta_t = -grad", {"claims": "gd.diverges", "steps": "other"}, [], [])
ALIVE = Fate("gd", "theta_t = 1", {}, ["gd.descent"], [])


def test_mutants_say_what_kills_them(run, judged):
    judged(KILLED)
    outcome = run("verify", "--rule", "gd", "--mutants")
    assert outcome.exit_code == 0
    (line,) = (line for line in outcome.stdout.splitlines() if "theta_t = -grad" in line)
    assert line.split()[-2:] == ["gd.diverges", "-"]
    assert "100.0%" in outcome.stdout
    found = json.loads(run("verify", "--rule", "gd", "--mutants", "--json").stdout)
    assert found["mutants"][0]["mutants"][0]["killers"]["claims"] == "gd.diverges"


def test_a_survivor_without_a_reason_gives_code_1(run, judged):
    judged(KILLED, ALIVE)
    outcome = run("verify", "--rule", "gd", "--mutants")
    assert outcome.exit_code == 1
    assert "gd: theta_t = 1 survives: NO REASON IS WRITTEN DOWN" in outcome.stdout
    assert "gd: 50.0% of the mutants are killed; 98% are required" in outcome.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["adam.uncorrectd"], "unknown claim 'adam.uncorrectd'; did you mean 'adam.uncorrected'?"),
        (["adam"], "'adam' is a rule, not a claim: for what is claimed about it give --rule adam"),
        (["--rule", "adm"], "unknown rule 'adm'; did you mean 'adam'?"),
        (["adam.uncorrected", "--rule", "gd"], "no claim is among those asked for"),
        (["adam.uncorrected", "--mutants"], "give --rule instead of ids of claims"),
    ],
)
def test_what_is_unknown_gives_code_2(run, arguments, message):
    outcome = run("verify", *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.stderr


def test_junit_of_success(run, tmp_path):
    path = tmp_path / "new" / "folder" / "claims.xml"
    run("verify", *FEW, "--junit", str(path))
    (suite,) = ET.parse(path).getroot()
    assert (suite.tag, suite.get("tests"), suite.get("failures"), suite.get("errors")) == (
        "testsuite",
        "3",
        "0",
        "0",
    )
    names = [f"{case.get('classname')}.{case.get('name')}" for case in suite.iter("testcase")]
    assert sorted(names) == sorted(f"optverify.{name}" for name in FEW)


@pytest.mark.parametrize(("verdict", "kind"), [("refuted", "failure"), ("error", "error")])
def test_junit_of_failure_is_escaped(run, changed, tmp_path, verdict, kind):
    changed(verdict, 'a < b & "c" \x00 \x1b[0m]]> ok')
    run("verify", *FEW, "--junit", str(tmp_path / "claims.xml"))
    (suite,) = ET.parse(tmp_path / "claims.xml").getroot()
    assert suite.get(f"{kind}s") == "1"
    assert int(suite.get("failures")) + int(suite.get("errors")) == 1
    (failure,) = suite.iter(kind)
    assert failure.text == 'a < b & "c" ? ?[0m]]> ok'
    assert failure.get("type") == verdict
