"""bench prints what optverify.bench measured; nothing here depends on how fast anything is."""

import json

import pytest

from optverify import bench

TINY = ["bench", "--sizes", "10,30", "--rules", "adam,gd"]


@pytest.fixture(autouse=True)
def one_start(monkeypatch):
    """Measure how long things take to start once only."""
    starts = bench.starts
    monkeypatch.setattr(bench, "starts", lambda: starts(runs=1))


def test_json_has_a_row_a_rule_and_size(run):
    outcome = run(*TINY, "--json")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    told = json.loads(outcome.stdout)
    assert [(row["rule"], row["size"]) for row in told["updates"]] == [
        ("adam", 10), ("gd", 10), ("adam", 30), ("gd", 30),
    ]  # fmt: skip
    assert all(len(row["step_ratio"]) == 3 and row["textbook"] > 0 for row in told["updates"])
    assert [start["what"] for start in told["starts"]][1] == "optverify --help"
    assert told["machine"]["numpy"]


def test_the_table_shows_ratios_and_the_machine(run):
    lines = run(*TINY).stdout.splitlines()
    assert sum(line.split()[:1] in (["adam"], ["gd"]) for line in lines) == 4
    assert "step ratio" in lines[2]
    assert "numpy" in lines[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rules", "adm"], "unknown rule 'adm'; did you mean 'adam'?"),
        (["--sizes", "1e3"], "--sizes '1e3' is not a list of integers"),
        (["--sizes", "0"], "size = 0 is out of range"),
    ],
)
def test_what_does_not_fit_is_named(run, arguments, message):
    outcome = run("bench", *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.stderr
