"""sweep: from the command line to a table on disk, a summary and a figure."""

import json

import pytest

from optverify.sweep import read

FEW = ["--rules", "adam,gd", "--problems", "rosenbrock,booth", "--steps", "30", "--jobs", "1"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with the table of a sweep."""
    from click.testing import CliRunner

    from optverify.cli import main

    folder = tmp_path_factory.mktemp("sweep")
    arguments = ["sweep", *FEW, "--lr", "1e-3:1:4", "--seeds", "0:2", "--set", "beta1=0.8,0.9"]
    files = ["--out", str(folder / "r.sqlite"), "--plot", str(folder / "s.svg")]
    outcome = CliRunner().invoke(main, [*arguments, *files])
    assert (outcome.exit_code, outcome.stderr) == (0, "")  # no bar in a pipe
    return folder, arguments, outcome.stdout


def test_rows_summary_and_figure(made):
    folder, _, out = made
    rows = read(folder / "r.sqlite")
    assert len(rows) == 2 * 4 * 2 * (2 + 1)
    lines = [line.split() for line in out.splitlines()]
    (gd,) = [line for line in lines if line[:2] == ["rosenbrock", "gd"]]
    assert gd[2] == "0.001"
    assert ["48", "cells:", "48", "run,", "0", "known", "before,", "0", "failed"] in lines
    assert (folder / "s.svg").read_text().startswith("<?xml")


def test_the_same_again_runs_nothing_and_json_says_so(run, made):
    folder, arguments, _ = made
    outcome = run(*arguments, "--out", str(folder / "r.sqlite"), "--json")
    told = json.loads(outcome.stdout)
    assert (told["cells"], told["run"], told["known"], told["failed"]) == (48, 0, 48, 0)
    assert told["files"] == [str(folder / "r.sqlite")]
    (one,) = [b for b in told["best"] if (b["problem"], b["rule"]) == ("booth", "adam")]
    assert one["lr"] == 1.0
    assert one["at_edge"] is True
    assert one["settings"]["beta1"] in (0.8, 0.9)
    assert one["rows"] == 16


def test_plot_draws_what_is_there(run, made, tmp_path):
    folder, *_ = made
    whole, part = tmp_path / "whole.svg", tmp_path / "part.svg"
    outcome = run("sweep", "plot", str(folder / "r.sqlite"), "--out", str(whole))
    assert (outcome.exit_code, outcome.stdout) == (0, f"48 rows drawn: {whole}\n")
    assert whole.read_bytes() == (folder / "s.svg").read_bytes()
    outcome = run(
        "sweep", "plot", str(folder / "r.sqlite"), "--out", str(part), "--rules", "gd", "--problems", "booth"
    )
    assert outcome.stdout == f"8 rows drawn: {part}\n"


def test_failing_cells_are_told_and_do_not_fail_the_command(run, tmp_path):
    outcome = run(
        "sweep", "--rules", "gd,muon", "--problems", "booth", "--steps", "3", "--jobs", "1",
        "--out", str(tmp_path / "r.sqlite"),
    )  # fmt: skip
    assert outcome.exit_code == 0
    assert "2 cells: 2 run, 0 known before, 1 failed" in outcome.stdout
    assert "failed: ValueError" in outcome.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--problems", "booth"], "error: Missing option '--rules'"),
        (["--rules", "gd"], "error: Missing option '--problems'"),
        (["--rules", "gdd", "--problems", "booth"], "error: unknown rule 'gdd'; did you mean 'gd'"),
        (["--rules", "gd", "--problems", "boot"], "error: unknown problem 'boot'; did you mean 'booth'"),
        ([*FEW, "--lr", "1e-4:1"], "error: lr: '1e-4:1' is not a grid low:high:count"),
        ([*FEW, "--set", "beta1"], "error: --set: 'beta1' is not of the form name=values"),
        ([*FEW, "--set", "lr=1", "--lr", "2"], "error: lr is set twice"),
        ([*FEW, "--seeds", "5:0"], "error: seeds: '5:0' has none"),
        ([*FEW, "--noise", "0.1"], "error: sweep: noise must be drawn with seeds"),
        (["--rules", "gd", "--problems", "rosenbrock(dim=999999999)"], "would need 999,999,999 numbers"),
        (
            ["--rules", "sam(" * 3000 + "gd" + ")" * 3000, "--problems", "booth"],
            "at most 8 are taken",
        ),
        ([*FEW, "--time-limit", "nan"], "nan is not a finite number"),
        ([*FEW, "--tolerance", "inf"], "inf is not a finite number"),
        ([*FEW, "--out", "r.csv"], "error: 'r.csv': the file of a sweep ends in"),
        ([*FEW, "--plot", "s.txt"], "error: 's.txt': a figure ends in"),
        ([*FEW, "--out", "none/../r.sqlite", "--jobs", "0"], "error: Invalid value for '--jobs'"),
        ([*FEW, "--out", "{text}"], "is no table of a sweep: name another file"),
        (["plot", "none.sqlite", "--out", "s.svg"], "error: there is no file 'none.sqlite'"),
        (["plot", "{text}", "--out", "s.svg"], "is no table of a sweep: name another file"),
        (["plt"], "error: No such command 'plt'"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.sqlite").write_text("lr,loss\n" * 100)
    outcome = run("sweep", *(a.format(text=tmp_path / "text.sqlite") for a in arguments))
    assert outcome.exit_code == 2, outcome.output
    (line,) = outcome.stderr.splitlines()
    assert message in line
    assert [p.name for p in tmp_path.iterdir()] == ["text.sqlite"]


def test_help_names_the_parts(run):
    outcome = run("sweep", "--help")
    assert outcome.exit_code == 0
    assert "plot" in outcome.stdout
    assert run("sweep", "plot", "--help").exit_code == 0
