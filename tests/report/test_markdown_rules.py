"""The linter of the pages finds what it is there to find."""

import pytest

from .markdown_rules import faults, slugs

GOOD = "# Title\n\nText $`a_t`$ text.\n\n```math\na &= b\n```\n\n[up](#title)\n"


def lint(tmp_path, text):
    path = tmp_path / "page.md"
    path.write_text(text, "utf-8")
    return faults(path)


def test_a_good_page_has_no_faults(tmp_path):
    assert lint(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("operatorname", GOOD.replace("a &= b", r"\operatorname{sign} x")),
        ("newcommand", GOOD.replace("a &= b", r"\newcommand{\x}{y}")),
        ("environment align", GOOD.replace("a &= b", "\\begin{align}\\end{align}")),
        ("begin and end", GOOD.replace("a &= b", "\\begin{aligned}")),
        ("braces", GOOD.replace("a &= b", "a_{t")),
        ("left and right", GOOD.replace("a &= b", r"\left(a")),
        ("indented", GOOD.replace("```math\na &= b\n```", "  ```math\n  a\n  ```")),
        ("blank line", GOOD.replace("text.\n\n", "text.\n")),
        ("does not close", GOOD.replace("```\n\n[", "\n\n[")),
        ("space around", GOOD.replace("$`a_t`$ text", "$`a_t`$, text")),
        ("outside mathematics", GOOD.replace("$`a_t`$", "$$a_t$$")),
        ("outside mathematics", GOOD.replace("$`a_t`$", "$a_t$")),
        ("in a heading", GOOD.replace("# Title", "# Title $`x`$")),
        ("in a link", GOOD.replace("[up]", "[$`x`$ up]")),
        ("no heading", GOOD.replace("#title", "#elsewhere")),
        ("does not exist", GOOD.replace("#title", "missing.md")),
        ("does not exist", GOOD + "![a](figures/none.svg)\n"),
        ("cells in a table", GOOD + "\n| a | b |\n|---|---|\n| $`|x|`$ | y |\n"),
        ("raw HTML", GOOD + "<details>\n"),
    ],
)
def test_a_planted_fault_is_found(tmp_path, fault, text):
    assert any(fault in sentence for sentence in lint(tmp_path, text)), lint(tmp_path, text)


def test_anchors_are_those_of_github():
    assert slugs(["Reddi's counterexample", "Adam: NumPy", "a.b_c", "Adam", "Adam"]) == {
        "reddis-counterexample", "adam-numpy", "ab_c", "adam", "adam-1"
    }  # fmt: skip
