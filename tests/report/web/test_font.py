"""The font of formulas has a glyph for every character of every formula in the page."""

import html
import re

import pytest

from optverify.report.web.document import opened
from optverify.report.web.font import NAME, PLACE, characters
from tests.report.web.conftest import PAGE


def test_no_character_of_a_formula_lacks_a_glyph():
    ttlib = pytest.importorskip("fontTools.ttLib", reason="fontTools is not installed: the font is not read")
    pytest.importorskip("brotli", reason="brotli is not installed: the font is not read")
    font = ttlib.TTFont(PLACE)
    known = font.getBestCmap()
    text = " ".join(re.findall(r"<math.*?</math>", opened(PAGE.read_text("utf-8")), re.DOTALL))
    shown = set(html.unescape(re.sub(r"<[^>]*>", "", text)))
    assert {c for c in shown if ord(c) not in known and not c.isspace()} == set()
    assert "MATH" in font
    assert str(font["name"].getDebugName(1)) == NAME
    assert len(characters()) > 300
