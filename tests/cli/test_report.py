"""report writes a folder, or says whether it is up to date."""

from pathlib import Path

import pytest


@pytest.fixture
def report(monkeypatch):
    """A report of one file, made in no time."""

    def write(folder, progress=None, *, cache=True, formats=(), engine="auto"):
        progress("equations")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "equations.md").write_text("x")
        return [folder / "equations.md"]

    def differences(folder, progress=None, *, cache=True):
        progress("equations")
        return [] if (folder / "equations.md").is_file() else ["equations.md is missing"]

    monkeypatch.setattr("optverify.report.write", write)
    monkeypatch.setattr("optverify.report.differences", differences)


@pytest.mark.usefixtures("report")
def test_report_writes_and_names_its_files(run, tmp_path):
    outcome = run("report", "--out", str(tmp_path / "new"))
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.stdout == f"{tmp_path / 'new' / 'equations.md'}\n"


@pytest.mark.usefixtures("report")
def test_the_folder_is_reports_unless_said_otherwise(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("report").stdout == f"{Path('reports/equations.md')}\n"


@pytest.mark.usefixtures("report")
def test_check_writes_nothing_and_fails_on_a_difference(run, tmp_path):
    outcome = run("report", "--check", "--out", str(tmp_path))
    assert outcome.exit_code == 1
    assert outcome.stdout.startswith(f"equations.md is missing\n{tmp_path} is not up to date (compared ")
    assert list(tmp_path.iterdir()) == []
    run("report", "--out", str(tmp_path))
    outcome = run("report", "--check", "--out", str(tmp_path))
    assert outcome.exit_code == 0
    assert outcome.stdout.startswith(f"{tmp_path} is up to date (compared ")


def test_a_folder_that_is_a_file_is_refused(run, tmp_path):
    (tmp_path / "file").write_text("")
    outcome = run("report", "--out", str(tmp_path / "file"))
    assert outcome.exit_code == 2
    assert len(outcome.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--out", "/dev/null/x"], ["--check", "--out", "missing"]])
def test_a_folder_that_is_no_use_is_one_line_at_once(run, monkeypatch, tmp_path, arguments):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("optverify.report._made", lambda progress: pytest.fail("the report was made first"))
    outcome = run("report", *arguments)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert len(outcome.stderr.splitlines()) == 1


def test_formats_are_handed_on_and_unknown_ones_refused(run, tmp_path, monkeypatch):
    seen = []

    def write(folder, progress=None, *, cache=True, formats=(), engine="auto"):
        seen.append((formats, engine, cache))
        return [folder / "x"]

    monkeypatch.setattr("optverify.report.write", write)
    assert run("report", "--out", str(tmp_path)).exit_code == 0
    assert run("report", "--format", "pdf, html", "--engine", "typst", "--out", str(tmp_path)).exit_code == 0
    assert seen == [(("md", "html", "tex"), "auto", True), (("pdf", "html"), "typst", True)]
    outcome = run("report", "--format", "docx")
    assert outcome.exit_code == 2
    assert "unknown format 'docx'; known: html, md, pdf, tex" in outcome.stderr
