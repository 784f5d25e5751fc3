"""verify: exit codes, table, JSON and JUnit say what the claims found."""

import dataclasses
import json
import xml.etree.ElementTree as ET

import pytest

from optverify.claims import claims, verify

FEW = ["adam.uncorrected", "adam.first_step", "nesterov.forms.schedule"]


@pytest.fixture
def changed(monkeypatch):
    """changed(verdict): let the first claim of every run have that verdict."""

    def change(verdict, detail="because"):
        def faulty(ids=None, rules=None, on_result=None):
            results = verify(ids, rules, on_result)
            return [dataclasses.replace(results[0], verdict=verdict, detail=detail), *results[1:]]

        monkeypatch.setattr("optverify.claims.verify", faulty)

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
    found = json.loads(run("verify", "--rule", "nesterov", "--rule", "adagrad", "--json").stdout)
    assert {r["id"] for r in found} == {c.id for c in claims() if {"nesterov", "adagrad"} & set(c.rules)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["adam.uncorrectd"], "unknown claim 'adam.uncorrectd'; did you mean 'adam.uncorrected'?"),
        (["--rule", "adm"], "unknown rule 'adm'; did you mean 'adam'?"),
        (["adam.uncorrected", "--rule", "gd"], "no claim is among those asked for"),
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
