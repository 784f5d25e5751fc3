"""Text and mathematics come through Markdown and LaTeX as they were meant."""

import pytest

from optverify.report.markup import (
    fence,
    github_tex,
    inline,
    markdown_text,
    quoted,
    render,
    slug,
    tex_address,
    tex_code,
    tex_text,
)

from .markdown_rules import slugs


def test_bars_become_delimiters_that_a_table_cell_survives():
    assert github_tex(r"\|x\|^2 + |y|") == r"\lVert x \rVert^2 + \lvert y \rvert"
    assert "|" not in github_tex("|a| + |b")


def test_mathematics_is_fenced():
    assert inline("a_t") == "$`a_t`$"
    assert fence("a_t") == "```math\na_t\n```"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("lr * weight_decay", "lr * weight_decay"),
        ("f* and *x*", r"f\* and \*x\*"),
        ("_x_ and x_k", r"\_x\_ and x_k"),
        ("in [0, 1)", r"in \[0, 1)"),
        ("|g| < 1, $5, `x`", r"\|g\| \< 1, \$5, \`x\`"),
        ("two\n  lines", "two lines"),
    ],
)
def test_markdown_text_escapes_what_markdown_would_read(text, escaped):
    assert markdown_text(text) == escaped


def test_tex_text_escapes_every_special_character():
    assert tex_text("50% & #1_a ^2 {x}") == r"50\% \& \#1\_a \textasciicircum{}2 \{x\}"
    assert tex_text('a "b" c') == "a ``b'' c"
    assert tex_code('x = "none"') == r'\texttt{x = "none"}'
    assert tex_code("a_b") == r"\texttt{a\_\allowbreak{}b}"
    assert tex_address("https://a.b/c#d%20e") == r"https://a.b/c\#d\%20e"


@pytest.mark.parametrize("heading", ["Adam: symbols", "Reddi's online counterexample", "gd.convex.rate"])
def test_slug_is_the_anchor_of_github(heading):
    assert {slug(heading)} == slugs([heading])


def test_options_are_written_as_in_python():
    assert quoted("hat") == '"hat"'
    assert quoted(False) == "False"


def test_a_page_with_a_missing_value_is_an_error():
    """A name that the template asks for and nobody gives must not leave a hole in the page."""
    with pytest.raises(Exception, match="'rules' is undefined"):
        render("README.md.j2")
