"""Every formula of the project reads, and comes out as well-formed MathML and as Typst that compiles."""

from xml.etree import ElementTree

import pytest

from optverify.claims import claims
from optverify.formulas import line, mathml, typst
from optverify.formulas import tree as t
from optverify.formulas.tex import parse
from optverify.problems import names, problem
from optverify.report.markup import typst_string
from optverify.report.reference import rows
from optverify.rules import registry as rules
from optverify.schedules import registry as schedules


def lines():
    """`left &= right` of every rule one option away from the paper's, and of every schedule."""
    found = [d.latex() for name in rules.names() for d in rules.get(name).dialects(changed=1)]
    for name in schedules.names():
        family = schedules.get(name)
        found += [family.latex(**{a.name: o}) for a in family.axes for o in a.options] or [family.latex()]
    return list(dict.fromkeys(x for block in found for x in rows(block).values()))


def formulas():
    """Of problems and claims."""
    return [*(problem(n).latex for n in names()), *(c.statement for c in claims())]


def test_every_formula_is_well_formed_mathml_without_styles():
    seen = [x for tex in lines() for x in line(tex)] + [mathml(tex, True) for tex in formulas()]
    assert len(seen) > 1500
    for text in filter(None, seen):
        root = ElementTree.fromstring(text)
        assert root.tag == "math"
        assert not [
            e for e in root.iter() if "style" in e.attrib or any(a.startswith("on") for a in e.attrib)
        ]


def test_every_formula_compiles_in_typst(tmp_path):
    compiler = pytest.importorskip("typst", reason="typst is not installed: its mathematics is not compiled")
    text = tmp_path / "all.typ"
    text.write_text("\n\n".join(f"$ {typst(tex)} $" for tex in (*lines(), *formulas())), "utf-8")
    assert compiler.compile(str(text)).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (r"\beta_1^{t}", "<msup><msub><mi>β</mi><mn>1</mn></msub><mi>t</mi></msup>"),
        (r"\hat{m}", '<mover accent="true"><mi>m</mi><mo stretchy="false" class="hat">ˆ</mo></mover>'),
        (r"\frac{a}{b}", "<mfrac><mi>a</mi><mi>b</mi></mfrac>"),
        (r"\sqrt{x}", "<msqrt><mi>x</mi></msqrt>"),
        (r"\Delta", '<mi mathvariant="normal">Δ</mi>'),
        (r"a < b", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
        (r"\text{if } x", "<mtext>if\xa0</mtext><mi>x</mi>"),
        (r"\mathbb{R}", "<mi>ℝ</mi>"),
    ],
)  # fmt: skip
def test_mathml_of_each_form(tex, expected):
    assert mathml(tex) == f"<math>{expected}</math>"


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (r"\beta_1^{t}", "β_(1)^(t)"),
        (r"\frac{a}{b}", "frac(a, b)"),
        (r"\hat{m}_t", "hat(m)_(t)"),
        (r"\lVert g \rVert", "‖ g ‖"),
        (r"|x|", 'class("opening", \\|) x class("closing", \\|)'),
        (r"m_t &= g_t", "m_(t) &= g_(t)"),
        (r"\text{if \_ \% x}", '"if _ % x"'),
    ],
)
def test_typst_of_each_form(tex, expected):
    assert typst(tex) == expected


@pytest.mark.parametrize(
    ("tex", "what"),
    [
        (r"\newcommand{x}", r"\newcommand"),
        (r"\frac{a}", "ends too early"),
        ("{a", "not closed"),
        ("a}", "closes nothing"),
        ("a_b_c", "two indices"),
        (r"\begin{tikz}", "tikz"),
        (r"\left( x", "without"),
        ("a & b", "outside a table"),
    ],
)
def test_what_is_none_of_our_latex_is_refused_with_its_place(tex, what):
    with pytest.raises(ValueError, match="LaTeX that cannot be read") as caught:
        parse(tex)
    assert what in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_word_in_a_formula_is_text():
    """Names come from users' rules: nothing in them is markup."""
    assert "<script>" not in mathml(r"\text{<script>}")
    assert "&lt;script&gt;" in mathml(r"\text{<script>}")
    assert parse(r"\text{a\_b}") == t.Text("a_b")
    assert typst_string('a "b" \\c #d') == '"a \\"b\\" \\\\c #d"'
