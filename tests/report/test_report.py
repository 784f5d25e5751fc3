"""The committed report is the one that would be made now; writing it is safe."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from optverify import report
from optverify.claims import claims
from optverify.ledger import GENERIC
from optverify.report import comparison, differences, manifest, write
from optverify.report.markup import slug
from optverify.rules import registry as rules

from .markdown_rules import faults

REPORTS = Path(__file__).parents[2] / "reports"


def test_the_committed_report_is_the_one_that_is_made_now():
    """Every file is made anew and compared; `comparison` says how."""
    print(comparison(REPORTS))
    assert differences(REPORTS) == []


def test_the_comparison_was_byte_for_byte():
    """Skipped, visibly, where versions are not those of the manifest: then figures have a tolerance."""
    if comparison(REPORTS) != "byte for byte":
        pytest.skip(f"not the environment of the manifest: the report was compared as {comparison(REPORTS)}")
    assert manifest.same_environment((REPORTS / manifest.NAME).read_text("utf-8"))


def test_nothing_else_lies_in_the_report():
    """No file is left over from an earlier report."""
    listed = set(manifest.json.loads((REPORTS / manifest.NAME).read_text("utf-8"))["sha256"]) | {
        manifest.NAME
    }
    present = {p.relative_to(REPORTS).as_posix() for p in REPORTS.rglob("*") if p.is_file()}
    assert {name for name in present if not manifest.is_beside(name)} == listed


@pytest.mark.parametrize(
    ("name", "beside"),
    [("vectors/rules/adam.json", True), ("benchmarks.svg", True), ("conformance.md", True),
     ("claims.md", False), ("figures/benchmarks.svg", False), ("vectors.md", False)],
)  # fmt: skip
def test_files_of_other_commands(name, beside):
    assert manifest.is_beside(name) is beside


@pytest.mark.parametrize("page", sorted(REPORTS.glob("*.md")), ids=lambda p: p.name)
def test_every_page_renders_on_github(page):
    """Fences, macros, tables, links, anchors and images, by the rules in markdown_rules."""
    assert faults(page) == []


def test_equations_tex_compiles(tmp_path):
    """With nothing but LaTeX's base and recommended packages, twice, without an error or an overfull line."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed (Debian: texlive-latex-base, texlive-latex-recommended)")
    shutil.copy(REPORTS / "equations.tex", tmp_path)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "equations.tex"]
    for _ in range(2):
        done = subprocess.run(
            command, check=False, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120
        )
        assert done.returncode == 0, done.stdout[-2000:]
    log = (tmp_path / "equations.log").read_text("latin-1")
    assert (tmp_path / "equations.pdf").stat().st_size > 10_000
    assert "undefined" not in log
    assert "Overfull" not in log


# ---- writing and comparing, with small files in place of the real ones --------------------------------

SMALL = {"README.md": "# One\n", "figures/a.svg": '<svg id="x"><path d="M 1.5 2"/></svg>\n'}


@pytest.fixture
def small(monkeypatch):
    """A report of two files."""

    def use(**changed):
        files = SMALL | changed
        monkeypatch.setattr(
            report, "_made", lambda progress, cache: {**files, manifest.NAME: manifest.manifest(files)}
        )

    use()
    return use


def test_write_makes_the_folder_and_differences_finds_none(small, tmp_path):
    paths = write(tmp_path / "new" / "reports")
    assert sorted(p.name for p in paths) == ["MANIFEST.json", "README.md", "a.svg"]
    assert {p.read_text("utf-8") for p in paths} > set(SMALL.values())
    assert differences(tmp_path / "new" / "reports") == []


def test_write_leaves_old_files_whole_when_it_is_interrupted(small, tmp_path, monkeypatch):
    """A crash at the moment of replacing leaves neither a half-written nor a temporary file."""
    write(tmp_path)
    small(**{"README.md": "# Two\n"})

    def crash(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path)
    assert (tmp_path / "README.md").read_text("utf-8") == "# One\n"
    assert not list(tmp_path.rglob("*.new"))


@pytest.fixture
def unmade(monkeypatch):
    """Making the report fails the test: what is refused must be refused before."""
    monkeypatch.setattr(report, "_made", lambda progress, cache: pytest.fail("the report was made first"))


@pytest.mark.usefixtures("unmade")
def test_a_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    """A path through a file, a file system that takes no folders, figures that is a file."""
    (tmp_path / "file").write_text("")
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "figures").write_text("")
    for folder in (tmp_path / "file" / "x", Path("/dev/null/x"), tmp_path / "reports"):
        with pytest.raises(OSError, match=f"cannot write into '{folder}.*: name another folder"):
            write(folder)


@pytest.mark.usefixtures("unmade")
def test_a_folder_without_report_is_refused_before_the_work(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FileNotFoundError, match=f"no report to check in '{folder}': it has no MANIFEST"):
            differences(folder)


@pytest.mark.usefixtures("small")
def test_nothing_is_left_behind_by_the_look(tmp_path):
    write(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"MANIFEST.json", "README.md", "figures"}


def test_differences_name_the_file_and_the_line(small, tmp_path):
    write(tmp_path)
    (tmp_path / "README.md").write_text("# Other\n", "utf-8")
    (tmp_path / "figures" / "a.svg").unlink()
    assert differences(tmp_path) == [
        "README.md, line 1: has '# Other', a fresh one '# One'",
        "figures/a.svg is missing",
    ]


def test_a_folder_without_manifest_is_compared_by_numbers(small, tmp_path):
    write(tmp_path)
    assert comparison(tmp_path) == "byte for byte"
    (tmp_path / manifest.NAME).write_text("{}", "utf-8")
    assert comparison(tmp_path) == "texts exactly, figures by their numbers"
    assert differences(tmp_path) == []


def test_numbers_of_figures_have_a_tolerance_elsewhere_and_none_here(small, tmp_path):
    write(tmp_path)
    small(**{"figures/a.svg": '<svg id="y"><path d="M 1.6 2"/></svg>\n'})
    assert len(differences(tmp_path)) == 2  # the figure and its checksum
    (tmp_path / manifest.NAME).write_text("{}", "utf-8")
    assert differences(tmp_path) == []
    small(**{"figures/a.svg": '<svg id="y"><path d="M 9 2"/></svg>\n'})
    assert differences(tmp_path) == ["figures/a.svg differs from a fresh one by 7.5 points"]
    small(**{"figures/a.svg": '<svg id="y"><path d="M 1.5 2 L 3 4"/></svg>\n'})
    assert differences(tmp_path) == ["figures/a.svg draws something else than a fresh one"]


def test_a_manifest_names_no_machine_and_no_time():
    """Versions, seeds and checksums only."""
    content = manifest.json.loads(manifest.manifest(SMALL))
    assert set(content) == {"environment", "seeds", "sha256"}
    assert set(content["environment"]) == {
        "optverify", "python", "numpy", "sympy", "matplotlib", "zlib", "platform", "simd"
    }  # fmt: skip


def test_the_pages_hold_every_claim_and_every_rule():
    """A claim has a heading on the page of its topic, and a link from the page of each rule it is about."""
    overview, equations = ((REPORTS / name).read_text("utf-8") for name in ("claims.md", "equations.md"))
    pages = {c.topic: (REPORTS / "claims" / f"{c.topic}.md").read_text("utf-8") for c in TEXTBOOK}
    for c in TEXTBOOK:
        assert f"\n## {c.id}\n" in pages[c.topic]
        link = f"](claims/{c.topic}.md#{slug(c.id)})"
        assert link in overview
        listed = [n for n in c.rules if n in rules.names()]
        assert equations.count(link) == len(listed) + len(c.schedules), c.id
    assert {p.stem for p in (REPORTS / "claims").iterdir()} == set(pages)
    for name in rules.names():
        title = rules.get(name).title
        assert f"\n### {title}\n" in equations
        assert overview.count(f"\n| [{title}](equations.md#{slug(title)}) |") == 3  # facts, symmetries, score


TEXTBOOK = [c for c in claims() if c.topic not in GENERIC and c.needs != "pep"]
