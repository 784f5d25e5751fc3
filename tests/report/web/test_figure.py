"""Figures in the page: nothing that the policy refuses, names of their own, the same drawing."""

import math
import re
from itertools import pairwise

import pytest

from optverify.report.figures.canvas import INK, MUTED, PAPER
from optverify.report.figures.stability import stability
from optverify.report.web.document import static
from optverify.report.web.figure import inline, path, thinned

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">'


@pytest.fixture(scope="module")
def drawn():
    return stability()


def test_nothing_that_the_policy_refuses(drawn):
    text = inline(drawn, "a")
    assert "style" not in text
    assert "<script" not in text
    assert "http" not in text


def test_the_colours_of_the_theme_are_left_to_the_style_sheet(drawn):
    css = static("figure.css").decode()
    for colour in (INK, MUTED, PAPER):
        assert f'[fill="{colour}"]' in css
        assert f'[stroke="{colour}"]' in css
    assert f'fill="{INK}"' in inline(drawn, "a")


def test_names_have_the_prefix_and_each_reference_its_element(drawn):
    text = inline(drawn, "st")
    names = re.findall(r' id="([^"]+)"', text)
    references = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)
    assert names
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"st\d+", name) for name in names)
    assert {a or b for a, b in references} == set(names)


def test_the_title_is_its_name(drawn):
    assert "<title>Spectral radius of momentum" in inline(drawn, "a")
    assert "<title>a &lt; b &amp; c</title>" in inline(HEAD + "<title>a &lt; b &amp; c</title></svg>", "a")


def test_it_is_much_shorter_and_the_same_every_time(drawn):
    assert len(inline(drawn, "a")) < len(drawn) / 2
    assert inline(drawn, "a") == inline(drawn, "a")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<script/>", "'script' has no place"),
        ("<a xlink:href='https://x'><path d='M 0 0'/></a>", "'a' has no place"),
        ("<path d='M 0 0' onclick='x()'/>", "'onclick' has no place"),
        ("<path d='M 0 0' style='position: fixed'/>", "'position' is no attribute"),
    ],
)
def test_what_is_no_figure_is_refused(body, why):
    with pytest.raises(ValueError, match=re.escape(why)):
        inline(f"{HEAD}{body}</svg>", "a")


@pytest.mark.parametrize("text", ["", "no svg", "<html/>"])
def test_what_is_no_svg_is_refused(text):
    with pytest.raises(ValueError, match="figure 'a' is no SVG"):
        inline(text, "a")


# ---- path data ---------------------------------------------------------------------------------------------


def points(data):
    """Where a polyline goes, of absolute M and relative l."""
    start, _, rest = data.removeprefix("M").rstrip("z").partition("l")
    x, y = map(float, re.findall(r"-?[\d.]+", start))
    steps = [float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", rest)]
    found = [(x, y)]
    for dx, dy in zip(steps[::2], steps[1::2], strict=True):
        x, y = x + dx, y + dy
        found.append((round(x, 6), round(y, 6)))
    return found


def test_points_on_a_line_are_left_out():
    assert path("M 0 0 L 1 1 L 2 2 L 3 0 z ") == "M0 0l2 2 1-2z"


def test_rounding_does_not_add_up():
    zigzag = [(0.1234 * i, (-1) ** i * 3.3333) for i in range(500)]
    drawn = points(path("M " + " L ".join(f"{x} {y}" for x, y in zigzag)))
    assert len(drawn) == 500
    assert (
        max(abs(a - b) for p, q in zip(drawn, zigzag, strict=True) for a, b in zip(p, q, strict=True))
        < 0.0051
    )


def test_no_point_that_is_left_out_is_far_from_the_line():
    parabola = [(x / 10, (x / 10) ** 2 / 40) for x in range(-400, 401)]
    kept = thinned(parabola, 0.1)
    assert len(kept) < 40
    for x, y in parabola:
        (a, b), (c, d) = next((p, q) for p, q in pairwise(kept) if p[0] <= x <= q[0])
        slope = (d - b) / (c - a)
        assert abs(b + slope * (x - a) - y) / math.hypot(1, slope) < 0.1001


def test_curves_stay_as_they_are():
    assert path("M 0 0 Q 1 -2 3 4 Q 5 6 7 0.50 L 1 1 z") == "M0 0Q1-2 3 4 5 6 7 .5L1 1z"
