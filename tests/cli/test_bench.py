"""bench prints and writes what optverify.bench measured; nothing here depends on how fast anything is."""

import json

import pytest

from optverify import bench

TINY = ["bench", "--sizes", "10,30", "--rules", "adam,gd", "--dtypes", "float32", "--no-tree", "--no-peers"]


@pytest.fixture(autouse=True)
def little(monkeypatch):
    """Details of a moment."""
    details = {
        "memory": lambda: bench.allocations("gd", [bench.Load(10, 1, "float32")]),
        "growth": lambda: bench.growths("gd", parameters=(10, 20), steps=(1, 2)),
        "starts": lambda: bench.starts(runs=1),
    }
    monkeypatch.setattr(bench, "DETAILS", details)


def test_json_has_a_cell_a_rule_and_size(run):
    outcome = run(*TINY, "--json")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    told = json.loads(outcome.stdout)
    assert [(cell["rule"], cell["load"]["size"]) for cell in told["cells"]] == [
        ("adam", 10), ("gd", 10), ("adam", 30), ("gd", 30),
    ]  # fmt: skip
    assert all(len(cell["ratios"]["textbook/numpy"]) == 3 for cell in told["cells"])
    assert [start["what"] for start in told["starts"]][1] == "optverify --help"
    assert told["machine"]["numpy"]
    assert {found["competitor"] for found in told["allocations"]} >= {"numpy", "textbook"}
    assert {found["of"] for found in told["growths"]} == {"parameters", "steps"}


def test_the_tables_show_times_and_the_machine(run):
    lines = run(*TINY, "--no-details").stdout.splitlines()
    assert sum(line.split()[:1] in (["adam"], ["gd"]) for line in lines) == 4
    assert "10, float32: µs" in lines
    assert not any("Memory" in line for line in lines)
    assert "numpy" in lines[-1]


def test_a_report_is_written_and_made_again_from_its_json(run, tmp_path):
    first, again = tmp_path / "first", tmp_path / "again"
    shown = run(*TINY, "--out", str(first)).stdout
    files = ["benchmarks.json", "benchmarks.md", "benchmarks.svg"]
    assert sorted(p.name for p in first.iterdir()) == files
    outcome = run("bench", "--from", str(first / "benchmarks.json"), "--out", str(again))
    assert outcome.exit_code == 0
    for name in files:
        assert (again / name).read_bytes() == (first / name).read_bytes()
    assert outcome.stdout.splitlines()[-1] == shown.splitlines()[-1]


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"machine": {}, "cells": [1]}', '{"machine": {}, "cells": [{}]}']
)
def test_another_file_is_refused(run, tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    outcome = run("bench", "--from", str(path))
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(f"error: {path} is not what `optverify bench --out` writes")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rules", "adm"], "unknown elementwise rule 'adm'; did you mean 'adam'?"),
        (["--sizes", "1e3"], "--sizes '1e3' is not a list of integers"),
        (["--sizes", "0"], "size = 0 is out of range"),
        (["--dtypes", "float16"], "unknown type 'float16'"),
        (["--from", "nowhere.json"], "nowhere.json"),
    ],
)
def test_what_does_not_fit_is_named(run, arguments, message):
    outcome = run("bench", *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.stderr
