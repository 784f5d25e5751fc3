"""optverify matrix writes what was run, keeps what was, and is clear about the rest."""

import json

import pytest

from optverify.conformance import matrix as module
from optverify.conformance.matrix_cell import Cell


@pytest.fixture
def quick(monkeypatch):
    """Two libraries are here, and running an optimizer takes no time."""
    monkeypatch.setattr(module, "installed", lambda name: "2.0" if name in ("torch", "sklearn") else None)
    monkeypatch.setattr(module, "cell", lambda name, entry, version, date: Cell(
        name, version, date, entry.rule, entry.spelled, "paper"))  # fmt: skip


def test_it_writes_both_files(run, quick, tmp_path):
    outcome = run("matrix", "--out", str(tmp_path / "reports"))
    assert outcome.exit_code == 0
    assert "Not installed, so not run: keras, optax" in outcome.stdout
    data = json.loads((tmp_path / "reports" / "conformance.json").read_text())
    assert data["libraries"]["sklearn"]["version"] == "2.0"
    assert "## scikit-learn" in (tmp_path / "reports" / "conformance.md").read_text()


def test_one_library_keeps_the_others(run, quick, tmp_path):
    for name in ("torch", "sklearn"):
        outcome = run("matrix", "--library", name, "--rule", "adam", "--out", str(tmp_path), "--json")
        assert outcome.exit_code == 0
    data = json.loads(outcome.stdout)
    assert set(data["libraries"]) == {"torch", "sklearn"}


def test_it_need_not_write(run, quick, tmp_path):
    assert run("matrix", "--no-write", "--out", str(tmp_path)).exit_code == 0
    assert not list(tmp_path.iterdir())


def test_check_compares_what_is_of_the_same_version(run, quick, tmp_path, monkeypatch):
    check = ("matrix", "--rule", "adam", "--check", "--out", str(tmp_path))
    assert run(*check).exit_code == 2  # nothing to compare with
    run("matrix", "--rule", "adam", "--out", str(tmp_path))
    before = (tmp_path / "conformance.json").read_text()
    agreed = run(*check)
    assert agreed.exit_code == 0
    assert "2 optimizers compared" in agreed.stderr
    verdicts = {"torch": "departs", "sklearn": "paper"}
    monkeypatch.setattr(module, "cell", lambda name, entry, version, date: Cell(
        name, version, date, entry.rule, entry.spelled, verdicts[name]))  # fmt: skip
    differs = run(*check)
    assert differs.exit_code == 1
    assert "torch 2.0, adam as torch.optim.Adam: departs now, paper before" in differs.stderr
    monkeypatch.setattr(module, "installed", lambda name: "3.0" if name == "torch" else None)
    newer = run(*check)
    assert newer.exit_code == 1  # nothing was compared
    assert "torch 3.0 is not compared: " in newer.stderr
    assert "has 2.0" in newer.stderr
    assert (tmp_path / "conformance.json").read_text() == before


def test_bad_input_is_one_line(run, quick, tmp_path):
    outcome = run("matrix", "--library", "troch", "--out", str(tmp_path))
    assert outcome.exit_code == 2
    assert "torch" in outcome.stderr
    (tmp_path / "conformance.json").write_text("{}")
    outcome = run("matrix", "--out", str(tmp_path))
    assert outcome.exit_code == 2
    assert "no earlier matrix" in outcome.stderr
