"""check and diagnose: exit codes, JSON, JUnit, and verdicts on code that crashes or hangs."""

import json
import os
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[2])
SAMPLES = "tests.conformance.samples"
CHECK = {"right": ["check", f"{SAMPLES}:MyAdam", "--rule", "adam"],
         "wrong": ["check", f"{SAMPLES}:HatAdam", "--rule", "adam"]}  # fmt: skip


@pytest.fixture(autouse=True)
def _found(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([ROOT, os.environ.get("PYTHONPATH", "")]))
    monkeypatch.chdir(ROOT)


def test_a_right_one_gives_code_0(run):
    outcome = run(*CHECK["right"])
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("MyAdam is adam: ")


def test_a_wrong_one_gives_code_1_and_the_explanation_in_every_form(run, tmp_path):
    outcome = run(*CHECK["wrong"])
    assert outcome.exit_code == 1
    assert outcome.stdout.startswith("HatAdam departs from adam at update 1")
    assert "optverify show adam --option epsilon=hat" in outcome.stdout
    path = tmp_path / "x.xml"
    as_json = run(*CHECK["wrong"], "--json", "--junit", str(path))
    assert as_json.exit_code == 1
    facts = json.loads(as_json.stdout)
    assert facts["format"] == "optverify check"
    assert facts["version"] == 1
    assert facts["verdict"] == "departs"
    assert facts["subject"] == f"{SAMPLES}:HatAdam"
    suite = ET.parse(path).getroot().find("testsuite")
    assert int(suite.get("tests")) == len(facts["checks"])
    assert int(suite.get("failures")) == sum(c["status"] == "departs" for c in facts["checks"])
    assert int(suite.get("skipped")) == sum(c["status"] == "not applicable" for c in facts["checks"])
    assert "departs at update 1" in suite.find("testcase[@name='random']/failure").get("message")


def test_options_hyperparameters_libraries_and_arguments(run):
    for more in (["--option", "epsilon=hat"], ["--like", "keras"]):
        assert run(*CHECK["wrong"], *more).exit_code == 0
    outcome = run(*CHECK["right"], "--with", "lr=0.5", "--json")
    assert json.loads(outcome.stdout)["values"]["lr"] == {"value": 0.5, "from": "its own"}
    assert run("check", f"{SAMPLES}:Quiet", "--rule", "gd", "lr=0.5").exit_code == 0
    assert run("check", f"{SAMPLES}:Quiet", "--rule", "gd", "lr=0.25").exit_code == 1


@pytest.mark.parametrize(
    ("name", "verdict", "words"),
    [
        ("Crashes", "crashes", "SIGSEGV"),
        ("Hangs", "hangs", "did not end within 6 s in check zero_gradient"),
        ("Exits", "raises", "sys.exit(3)"),
        ("NotMade", "raises", "no accelerator here"),
    ],
)
def test_a_crash_and_a_hang_are_verdicts(run, tmp_path, name, verdict, words):
    path = tmp_path / "x.xml"
    outcome = run(
        "check", f"{SAMPLES}:{name}", "--rule", "adam", "--time-limit", "6", "--json", "--junit", str(path)
    )
    assert (outcome.exit_code, outcome.stderr) == (1, "")
    facts = json.loads(outcome.stdout)
    assert facts["verdict"] == verdict
    assert facts["ok"] is False
    assert words in facts["explanation"]
    assert int(ET.parse(path).getroot().find("testsuite").get("failures")) == 1


ADAM = [f"{SAMPLES}:MyAdam", "--rule", "adam"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nothing", "--rule", "adam"], "'nothing' is not of the form module:Class"),
        (["check", f"{SAMPLES}:MyAdm", "--rule", "gd"], f"{SAMPLES}: unknown name 'MyAdm'; did you mean"),
        (["check", f"{SAMPLES}:MyAdam", "--rule", "adma"], "unknown rule 'adma'; did you mean 'adam'?"),
        (["check", *ADAM, "--adapter", "troch"], "unknown adapter 'troch'"),
        (["check", *ADAM, "lr=x"], "lr=x: 'x' is not a number"),
        (["check", *ADAM, "lr"], "'lr' is not of the form name=value"),
        (["check", f"{SAMPLES}:MyAdam"], "Missing option '--rule'"),
        (["check", f"{SAMPLES}:Nothing", "--rule", "gd"], "it makes a Nothing, which is not an optimizer"),
        (["diagnose", "no.module:Adam"], "there is no module 'no'"),
        (["diagnose", f"{SAMPLES}:MyAdam", "--with", "lr"], "'lr' is not of the form name=value"),
    ],
)
def test_wrong_usage_gives_code_2_and_one_line(run, arguments, message):
    outcome = run(*arguments)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    (line,) = outcome.stderr.splitlines()
    assert line.startswith(f"error: {message}")


CHILD = f"{sys.executable} {Path(ROOT) / 'tests' / 'conformance' / 'adapters' / 'child.py'}"
PROGRAM = ["--rule", "momentum", "--adapter", "process", "--time-limit", "20"]


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("", 0, "checks agree, largest error"),
        ("die", 1, "the process ended, exit code 1: segmentation fault, more or less"),
        ("slow start", 1, "TimeoutError: the process did not answer within 2 seconds and was killed"),
        ("old", 1, "it speaks version 0 of the format, not 1"),
    ],
)
def test_a_program_in_another_language(run, fault, code, words):
    limit = ["--time-limit", "4"] if fault == "slow start" else []
    outcome = run("check", f"{CHILD} '{fault}'", *PROGRAM, *limit)
    assert (outcome.exit_code, outcome.stderr) == (code, "")
    assert words in outcome.stdout


def test_a_program_that_there_is_not(run):
    outcome = run("check", "./no_such_program --fast", *PROGRAM)
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("error: there is no program './no_such_program': give its path")


def test_a_fault_of_our_own_is_told_from_one_of_theirs(run, monkeypatch):
    """As if the task were broken: no verdict on the optimizer."""
    from optverify.conformance import sandbox

    ending = sandbox.Ending("broken", "Traceback ...", "raises NameError: name 'I' is not defined")
    monkeypatch.setattr("optverify.conformance.sandbox.run", lambda *arguments, **job: ending)
    outcome = run(*CHECK["right"])
    assert (outcome.exit_code, outcome.stdout) == (70, "")
    assert outcome.stderr.startswith("internal error: RuntimeError: raises NameError")
    assert "Traceback ..." in run(*CHECK["right"], "--debug").stderr


def test_diagnose_names_rule_dialect_and_constants(run, tmp_path):
    path = tmp_path / "x.xml"
    outcome = run("diagnose", f"{SAMPLES}:HatAdam", "--with", "b1=0.8", "--json", "--junit", str(path))
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    facts = json.loads(outcome.stdout)
    assert facts["format"] == "optverify diagnosis"
    assert facts["rule"] == "adam"
    assert facts["options"] == {"epsilon": "hat"}
    assert facts["values"]["beta1"] == pytest.approx(0.8)
    assert int(ET.parse(path).getroot().find("testsuite").get("failures")) == 0


def test_diagnose_gives_code_1_for_a_fault(run, tmp_path):
    path = tmp_path / "x.xml"
    outcome = run("diagnose", f"{SAMPLES}:Spoils", "--junit", str(path))
    assert (outcome.exit_code, outcome.stderr) == (1, "")
    assert "Adam" in outcome.stdout
    assert "in place" in outcome.stdout
    assert int(ET.parse(path).getroot().find("testsuite").get("failures")) == 1


def test_diagnose_says_that_it_hangs(run):
    outcome = run("diagnose", f"{SAMPLES}:Hangs", "--time-limit", "5")
    assert outcome.exit_code == 1
    assert "hangs: it did not end within 5 s while it is diagnosed, in step (" in outcome.stdout
