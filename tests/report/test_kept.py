"""A report is made once of the same sources, and again of others; a broken cache costs only time."""

import pytest

from optverify.report import kept as module
from optverify.report.kept import KEPT, kept, key

FILES = {"README.md": "# Ä\n", "figures/a.svg": "<svg/>"}


@pytest.fixture
def made():
    """A maker that counts its calls."""

    def make():
        make.calls += 1
        return dict(FILES)

    make.calls = 0
    return make


def test_the_second_report_of_the_same_sources_is_read(made, tmp_path):
    assert [kept(made, tmp_path), kept(made, tmp_path)] == [FILES, FILES]
    assert made.calls == 1


def test_other_sources_make_another_report(made, tmp_path, monkeypatch):
    """A byte of any file of the package, wherever it lies, is another key."""
    (tmp_path / "package" / "deep").mkdir(parents=True)
    file = tmp_path / "package" / "deep" / "page.js"
    file.write_text("a")
    monkeypatch.setattr(module, "ROOT", tmp_path / "package")
    first = key()
    kept(made, tmp_path / "cache")
    file.write_text("b")
    assert key() != first
    kept(made, tmp_path / "cache")
    assert made.calls == 2
    file.write_text("a")
    assert key() == first


@pytest.mark.parametrize("broken", [b"", b"no gzip", b"\x1f\x8b\x08\x00" + b"\x00" * 20])
def test_what_cannot_be_read_is_made_anew(made, tmp_path, broken):
    kept(made, tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(broken)
    assert kept(made, tmp_path) == FILES
    assert made.calls == 2


def test_a_folder_that_cannot_be_written_does_no_harm(made, tmp_path):
    (tmp_path / "file").write_text("")
    assert kept(made, tmp_path / "file") == FILES


def test_only_a_few_reports_are_kept(made, tmp_path, monkeypatch):
    for k in range(KEPT + 2):
        monkeypatch.setattr(module, "key", lambda k=k: f"key{k}")
        kept(made, tmp_path)
    assert len(list(tmp_path.iterdir())) == KEPT
