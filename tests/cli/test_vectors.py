"""vectors: exit codes, text, JSON, JUnit, streams, and errors in one line."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from optverify.vectors.bank import Bank

VECTORS = Path(__file__).parents[2] / "reports" / "vectors"


@pytest.fixture
def results(tmp_path):
    """results(group, spoil): a file of right results of gradient descent, some spoiled."""

    def write(spoil=(), **head):
        tests = [t for t in Bank(VECTORS).group("gd/default") if "float64" in t.input["dtypes"]]
        found = []
        for t in tests:
            rows = [list(row) for row in t.data["expected"]["theta"]["float64"]]
            if t.id.rpartition("/")[2] in spoil:
                rows[0][0] = "0x1p+9"
            found.append({"test": t.id, "values": {"theta": rows}})
        path = tmp_path / "results.json"
        head = {"format": "optverify results", "version": 1, "dtype": "float64", **head}
        path.write_text(json.dumps({**head, "results": found}), "utf-8")
        return path

    return write


def check(run, path, *more):
    return run("vectors", "check", str(path), "--vectors", str(VECTORS), *more)


def test_right_results_pass(run, results):
    done = check(run, results(), "--require", "gd/default")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].endswith(" passed")


def test_wrong_ones_fail_with_place_size_and_meaning(run, results):
    done = check(run, results(spoil=["random", "steady"]))
    assert done.exit_code == 1
    assert "FAIL gd/default/random: theta[0] after update 1 is 0x1p+9, expected" in done.stdout
    assert " allowed)" in done.stdout
    assert "Usual (recurrence): the recurrence itself is another one" in done.stdout
    assert "2 failed" in done.stdout


def test_json_says_the_same(run, results):
    found = json.loads(check(run, results(spoil=["random"]), "--json").stdout)
    assert (found["format"], found["ok"], found["failed"]) == ("optverify vectors check", False, 1)
    wrong = next(t for t in found["tests"] if t["verdict"] == "fail")
    assert wrong["test"] == "gd/default/random"
    assert wrong["arrays"]["theta"]["found"] == "0x1p+9"
    assert wrong["meaning"][0]["flag"] == "Usual"


def test_junit_has_a_case_a_test(run, results, tmp_path):
    path = tmp_path / "out" / "junit.xml"
    check(run, results(spoil=["random"]), "--junit", str(path))
    suite = ET.parse(path).getroot()[0]
    assert suite.get("failures") == "1"
    assert int(suite.get("tests")) > 15
    case = next(c for c in suite if c.find("failure") is not None)
    assert (case.get("classname"), case.get("name")) == ("optverify.vectors.gd/default", "random")


def test_a_missing_test_that_is_required_fails(run, results):
    done = check(run, results(), "--require", "gd/maximize=true")
    assert done.exit_code == 1
    assert "missing: gd/maximize=true/mixed" in done.stdout


def test_a_stream_is_answered_line_by_line(results):
    from click.testing import CliRunner

    from optverify.cli import main

    data = json.loads(results(spoil=["random"]).read_text("utf-8"))
    lines = [{k: v for k, v in data.items() if k != "results"}, *data["results"]]
    text = "\n".join(map(json.dumps, lines))
    done = CliRunner().invoke(
        main, ["vectors", "check", "-", "--stream", "--vectors", str(VECTORS)], input=text
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 1
    assert [v["test"] for v in said[:-1]] == [r["test"] for r in data["results"]]
    assert said[-1]["summary"]["failed"] == 1


def test_standard_input_is_read(results):
    from click.testing import CliRunner

    from optverify.cli import main

    text = results().read_text("utf-8")
    done = CliRunner().invoke(main, ["vectors", "check", "-", "--vectors", str(VECTORS)], input=text)
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"format": "optverify results"}', "has no 'version'"),
        ('{"a": NaN}', "NaN is not JSON"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_exit_code_2(run, tmp_path, text, says):
    path = tmp_path / "results.json"
    path.write_text(text, "utf-8")
    done = check(run, path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_not_there_and_a_group_that_is_not_known(run, results, tmp_path):
    assert check(run, tmp_path / "none.json").exit_code == 2
    done = check(run, results(), "--require", "gd/defualt")
    assert (done.exit_code, done.stderr) == (
        2,
        "error: there is no group 'gd/defualt': did you mean 'gd/default'?\n",
    )


def test_write_and_lint(run, tmp_path):
    done = run("vectors", "write", "--out", str(tmp_path), "--rule", "gd", "--rule", "schedule/step")
    assert (done.exit_code, done.stdout) == (0, f"Written: 2 files into {tmp_path}\n")
    assert (tmp_path / "rules" / "gd.json").read_bytes() == (VECTORS / "rules" / "gd.json").read_bytes()
    assert run("vectors", "lint", str(tmp_path), "--rule", "gd").exit_code == 0
    path = tmp_path / "rules" / "gd.json"
    path.write_text(path.read_text("utf-8").replace('"title":"Gradient', '"title":"Other'), "utf-8")
    done = run("vectors", "lint", str(tmp_path), "--rule", "gd")
    assert done.exit_code == 1
    assert "a fresh file" in done.stdout


def test_an_unknown_rule_is_named(run, tmp_path):
    done = run("vectors", "write", "--out", str(tmp_path), "--rule", "adma")
    assert done.exit_code == 2
    assert "did you mean 'adam'?" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_a_command_it_shows_the_help(run):
    done = run("vectors")
    assert done.exit_code == 0
    assert "write" in done.stdout
    assert "check" in done.stdout


@pytest.mark.parametrize("stream", [[], ["--stream"]])
def test_a_file_that_is_not_there_and_a_folder_are_one_sentence(run, tmp_path, stream):
    for path in (tmp_path / "none.json", tmp_path):
        done = check(run, path, *stream)
        assert done.exit_code == 2
        assert done.stderr.startswith(f"error: cannot read '{path}': ")


def test_a_whole_file_is_no_stream(run, results):
    path = results()
    path.write_text(json.dumps(json.loads(path.read_text("utf-8"))), "utf-8")
    done = check(run, path, "--stream")
    assert done.exit_code == 2
    assert "line 1 is a whole file of results: leave --stream out" in done.stderr


@pytest.mark.parametrize("stream", [False, True])
def test_why_a_test_is_skipped_cannot_break_the_output(run, results, stream):
    """A lone surrogate is refused with its place; control characters are spelled out."""
    path = results()
    data = json.loads(path.read_text("utf-8"))
    ident = data["results"][0]["test"]
    for why, code, says in (
        ("\ud800", 2, "'\\ud800', which is no Unicode text"),
        ("a\x1b[2J", 0, "a\\x1b[2J"),
    ):
        one = {"test": ident, "skipped": why}
        head = {k: v for k, v in data.items() if k != "results"}
        text = f"{json.dumps(head)}\n{json.dumps(one)}" if stream else json.dumps({**head, "results": [one]})
        path.write_text(text, "utf-8")
        done = check(run, path, *(["--stream"] if stream else []))
        assert (done.exit_code if code else 0) == code
        assert says in (done.stderr if code else done.stdout.replace("\\\\", "\\"))
        assert "\x1b" not in done.output
