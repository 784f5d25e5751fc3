"""Formats choose files; a page is compared with its data opened and its drawings by their numbers."""

import json

import pytest
from markupsafe import Markup

from optverify.report import TEXTS, chosen
from optverify.report.manifest import NAME, page_difference
from optverify.report.web.document import page
from optverify.report.web.section import Section

FILES = {"index.html": "<p>", "claims.md": "# x", "figures/a.svg": "<svg>", "equations.tex": "x"}


@pytest.mark.parametrize(
    ("formats", "names"),
    [
        (TEXTS, set(FILES)),
        (("html",), {"index.html"}),
        (("md",), {"claims.md", "figures/a.svg"}),
        (("tex", "pdf"), {"equations.tex"}),
    ],
)
def test_formats_choose_files_and_the_manifest_lists_them(formats, names):
    found = chosen(FILES, formats)
    assert set(found) == names | {NAME}
    assert set(json.loads(found[NAME])["sha256"]) == names


def drawn(place, words="words"):
    """A page with a drawing and data."""
    svg = f'<svg viewBox="0 0 9 9"><path d="M0 {place}"/></svg>'
    return page([Section("x", "X", Markup(svg), data={"svg": svg, "words": words})])


def test_drawings_may_differ_by_a_hair_and_words_by_nothing():
    assert page_difference("index.html", drawn(1.0), drawn(1.2)) == ""
    assert "points" in page_difference("index.html", drawn(1.0), drawn(3.0))
    assert "line" in page_difference("index.html", drawn(1.0), drawn(1.0, "other words"))
