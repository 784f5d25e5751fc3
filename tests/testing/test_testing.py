"""optverify.testing and the pytest plugin, as a user's repository meets them."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import optverify as ov
from optverify import _session
from optverify.conformance.examination import FLOAT32, REPRODUCIBLE, UNTOUCHED, slug
from optverify.conformance.probes import bank
from optverify.testing import CHECKS, Case, check_optimizer, parametrize_with_checks
from tests.conformance import samples

ROOT = str(Path(__file__).parents[2])
INSTALLED = any(e.value == "optverify._pytest_plugin" for e in entry_points(group="pytest11"))
PLUGIN = [] if INSTALLED else ["-p", "optverify._pytest_plugin"]
USER = """
from optverify.testing import Case, check_optimizer, parametrize_with_checks
from tests.conformance.samples import HatAdam, MyAdam, Spoils
"""
TWO = (
    USER
    + """
@parametrize_with_checks([Case(MyAdam, "adam"), Case(HatAdam, "adam", "keras")]{more})
def test_conforms(optimizer, check):
    check(optimizer)
"""
)
SOME = "random or huge or two_groups or untouched"


@pytest.fixture
def user(tmp_path):
    """user(source, *arguments): pytest on a test file of a user's, in a process of its own."""

    def run(source, *arguments):
        (tmp_path / "test_mine.py").write_text(source)
        flags = ["-p", "no:cacheprovider", "-W", "error", "--strict-markers", "--strict-config"]
        return subprocess.run(
            [sys.executable, "-m", "pytest", *PLUGIN, *flags, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": ROOT, "PYTEST_ADDOPTS": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


# ---- the checks --------------------------------------------------------------------------------------------


def test_the_checks_are_the_probes_and_their_notes():
    notes = {slug(p.name): p.note for p in bank()}
    assert list(CHECKS) == [*notes, *FLOAT32, REPRODUCIBLE, UNTOUCHED]
    assert {name: CHECKS[name] for name in notes} == notes
    assert all("-" not in name for name in CHECKS)  # ids are split at the last hyphen


def test_check_optimizer_runs_every_check_and_says_how_many():
    result = check_optimizer(samples.MyAdam, "adam")
    assert result.ok
    assert [c.check for c in result.checks] == list(CHECKS)
    run = len(result.verdict.run)
    assert str(result).startswith(f"MyAdam-adam: {run} of {len(CHECKS)} checks run: {run} passed")
    assert "two_groups: not applicable: " in str(result)


def test_check_optimizer_raises_the_explanation():
    with pytest.raises(ov.ConformanceError, match="HatAdam departs from adam at update 1"):
        check_optimizer(samples.HatAdam, "adam")
    with pytest.raises(ov.ConformanceError, match="gradients_untouched"):
        check_optimizer(samples.Spoils, "adam")
    with pytest.raises(ov.ConformanceError, match="no accelerator here"):
        check_optimizer(samples.NotMade, "adam")


def test_expected_failures_of_check_optimizer():
    reasons = {"gradients_untouched": "issue 12"}
    result = check_optimizer(samples.Spoils, "adam", expected_failed_checks=reasons)
    assert result.ok
    assert "gradients_untouched: expected failure: issue 12" in str(result)
    assert "1 expected failure" in str(result)
    with pytest.raises(
        AssertionError, match=r"expected to fail, but passed: gradients_untouched \(issue 12\)"
    ):
        check_optimizer(samples.MyAdam, "adam", expected_failed_checks=reasons)
    collected = check_optimizer(samples.MyAdam, "adam", expected_failed_checks=reasons, on_fail="collect")
    assert not collected.ok
    assert "1 unexpected pass" in str(collected)


def test_unknown_checks_are_refused():
    with pytest.raises(ValueError, match="unknown check 'hugee'; did you mean 'huge'"):
        check_optimizer(samples.MyAdam, "adam", expected_failed_checks={"hugee": "why"})
    with pytest.raises(ValueError, match="unknown check 'hugee'"):
        parametrize_with_checks([(samples.MyAdam, "adam")], expected_failed_checks=lambda case: {"hugee": ""})


def test_cases_have_names_a_person_can_read():
    assert Case(samples.MyAdam, "adam").identity == "MyAdam-adam"
    assert Case(samples.MyAdam, "adam", "keras").identity == "MyAdam-adam(keras)"
    assert Case(samples.MyAdam, "adam", epsilon="hat", lr=0.1).identity == "MyAdam-adam(epsilon=hat,lr=0.1)"
    assert Case(lambda: None, "adam", name="mine").identity == "mine-adam"
    with pytest.raises(ValueError, match="name="):
        Case(lambda: None, "adam")
    with pytest.raises(ValueError, match="two cases are called MyAdam-adam"):
        parametrize_with_checks([(samples.MyAdam, "adam"), Case(samples.MyAdam, "adam")])
    with pytest.raises(ValueError, match="no case"):
        parametrize_with_checks([])


# ---- the plugin --------------------------------------------------------------------------------------------


def test_the_plugin_imports_neither_sympy_nor_numpy(user):
    said = user(
        "import sys\n"
        "def test_nothing():\n"
        "    assert 'optverify._pytest_plugin' in sys.modules\n"
        "    assert not {'sympy', 'numpy', 'optverify.testing'} & set(sys.modules)\n"
        "    import optverify.testing\n"
        "    assert not {'sympy', 'numpy'} & set(sys.modules)\n"
    )
    assert said.returncode == 0, said.stdout
    assert "-- optverify --" not in said.stdout


@pytest.mark.parametrize("quiet", [[], ["-qq"]])
def test_the_number_of_checks_run_is_always_shown(user, quiet):
    said = user(TWO.format(more=""), "-k", SOME, *quiet)
    assert said.returncode == 0, said.stdout
    total = len(CHECKS)
    assert f"MyAdam-adam: 3 of {total} checks run: 3 passed; 1 not applicable" in said.stdout
    assert f"HatAdam-adam(keras): 3 of {total} checks run: 3 passed; 1 not applicable" in said.stdout


def test_a_check_that_is_run_twice_counts_once(user):
    source = USER + "def test_a():\n    check_optimizer(MyAdam, 'adam')\n\ntest_b = test_a\n"
    said = user(source, "-q")
    run = len(CHECKS) - 1
    assert f"MyAdam-adam: {run} of {len(CHECKS)} checks run: {run} passed; 1 not applicable" in said.stdout


def test_it_works_in_several_processes_and_in_junit(user, tmp_path):
    said = user(TWO.format(more=""), "-k", SOME, "-n", "2", "--junitxml=x.xml")
    assert said.returncode == 0, said.stdout
    assert f"MyAdam-adam: 3 of {len(CHECKS)} checks run: 3 passed; 1 not applicable" in said.stdout
    rows = [p.get("value") for p in ET.parse(tmp_path / "x.xml").iter("property")]
    assert "MyAdam-adam-huge: passed" in rows
    assert "MyAdam-adam-two_groups: not applicable" in rows


def test_ids_markers_and_the_explanation(user):
    source = TWO.format(more="").replace('"adam", "keras"', '"adam"')
    said = user(source, "-k", "random or late_gradient", "-m", "optverify", "-v")
    assert said.returncode == 1
    assert "test_conforms[MyAdam-adam-random] PASSED" in said.stdout
    assert "test_conforms[HatAdam-adam-random] FAILED" in said.stdout
    assert "HatAdam departs from adam at update 1" in said.stdout
    assert "optverify show adam --option epsilon=hat" in said.stdout
    assert "reference.py" not in said.stdout  # no source of ours in the traceback
    assert "HatAdam-adam: 2 of" in said.stdout
    assert "checks run: 2 failed" in said.stdout


EXPECTED = ', expected_failed_checks={"random": "issue 7"}'


def test_an_expected_failure_and_one_that_passes(user):
    wrong = TWO.replace('"adam", "keras"', '"adam"')
    said = user(wrong.format(more=EXPECTED), "-k", "HatAdam and random", "-rx")
    assert said.returncode == 0, said.stdout
    assert "issue 7" in said.stdout
    assert "checks run: 1 expected failure" in said.stdout
    passes = user(TWO.format(more=EXPECTED), "-k", "MyAdam and random")
    assert passes.returncode == 1
    assert "[XPASS(strict)] issue 7" in passes.stdout
    assert "checks run: 1 unexpected pass" in passes.stdout


def test_unknown_checks_end_the_collection(user):
    said = user(TWO.format(more=', expected_failed_checks={"randm": "issue 7"}'))
    assert said.returncode == 2
    assert "unknown check 'randm'; did you mean 'random'" in said.stdout


def test_a_file_of_expected_failures(user, tmp_path):
    (tmp_path / "xfails.txt").write_text(
        "# those we know of\n\nHatAdam-adam-random   issue 7: epsilon\n*-huge  issue 8\nOld-adam-huge  gone\n"
    )
    source = TWO.format(more="").replace('"adam", "keras"', '"adam"')
    said = user(source, "-k", "HatAdam and random", "--optverify-xfails", "xfails.txt", "-rx")
    assert said.returncode == 0, said.stdout
    assert "issue 7: epsilon" in said.stdout
    assert "1 expected failure" in said.stdout
    passes = user(source, "-k", "MyAdam and huge", "--optverify-xfails", "xfails.txt")
    assert passes.returncode == 1
    assert "[XPASS(strict)] issue 8" in passes.stdout
    assert "xfails.txt, line 5: Old-adam-huge fits no check of this run" in passes.stdout


def test_the_file_reaches_check_optimizer_and_can_stand_in_the_configuration(user, tmp_path):
    (tmp_path / "xfails.txt").write_text("Spoils-adam-gradients_untouched  issue 12\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\noptverify_xfails = xfails.txt\n")
    said = user(USER + "def test_it():\n    check_optimizer(Spoils, 'adam')\n", "-q")
    assert said.returncode == 0, said.stdout
    assert "1 expected failure; 1 not applicable" in said.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("MyAdam-adam-hugee  why\n", "line 1: unknown check 'hugee'; did you mean 'huge'"),
        ("MyAdam-adam-huge\n", "has no reason"),
        ("huge why\n", "is not an id like MyAdam-adam-huge"),
        (None, "cannot be read (No such file"),
    ],
)
def test_a_wrong_file_ends_the_run(user, tmp_path, text, message):
    if text is not None:
        (tmp_path / "xfails.txt").write_text(text)
    said = user(TWO.format(more=""), "--optverify-xfails", "xfails.txt")
    assert said.returncode == 4
    assert message in said.stderr + said.stdout


def test_nothing_is_left_behind(tmp_path):
    assert _session.entries == ()
    json.dumps([row.identity for row in _session.ran])
