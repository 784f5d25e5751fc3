"""The PDF: whole, the same bytes every time, and in one sentence where a tool is missing."""

import sys

import pytest

from optverify.report import paper
from optverify.report.drawn import make_figures
from optverify.report.markup import render
from optverify.report.web.gallery import CAPTIONS


@pytest.fixture(scope="module")
def files():
    return {f"figures/{name}.svg": text for name, text in make_figures().items()} | {
        "equations.tex": r"\documentclass{article}\begin{document}x\end{document}"
    }


def test_typst_makes_the_same_pdf_twice_without_a_network(files, tmp_path):
    pytest.importorskip("typst", reason="typst is not installed: no PDF is made")
    first = paper.write_pdf(tmp_path, files).read_bytes()
    assert first.startswith(b"%PDF")
    assert len(first) > 1_000_000
    assert paper.write_pdf(tmp_path, files).read_bytes() == first


def test_every_rule_claim_and_figure_is_in_the_text():
    from optverify.ledger import cores, verify
    from optverify.report.ledger import is_textbook
    from optverify.rules import registry

    text = paper.source(dict.fromkeys(CAPTIONS, "words"))
    assert all(f'== #"{registry.get(n).title}"' in text for n in registry.names())
    assert all(f'#raw("{r.claim.id}")' in text for r in verify(jobs=cores()) if is_textbook(r))
    assert all(f"figures/{name}.svg" in text for name in CAPTIONS)


def test_a_missing_engine_is_one_sentence_and_nothing_is_written(files, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    monkeypatch.setattr(paper.shutil, "which", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="no PDF engine was found"):
        paper.write_pdf(tmp_path, files)
    with pytest.raises(ModuleNotFoundError, match="typst is not installed"):
        paper.write_pdf(tmp_path, files, "typst")
    assert list(tmp_path.iterdir()) == []


def test_a_complaint_of_latex_is_shown_with_its_line(files, tmp_path):
    if paper.shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    with pytest.raises(RuntimeError, match=r"equations.tex:1: Undefined control sequence"):
        paper.write_pdf(
            tmp_path,
            {**files, "equations.tex": r"\documentclass{article}\nosuch\begin{document}x\end{document}"},
            "latex",
        )
    assert list(tmp_path.iterdir()) == []
    assert paper.write_pdf(tmp_path, files, "latex").read_bytes().startswith(b"%PDF")


def test_words_of_users_are_strings():
    assert render(
        "paper.typ.j2", version='"#evil', rules=[], schedules=[], problems=[], results=[], figures={}
    )
