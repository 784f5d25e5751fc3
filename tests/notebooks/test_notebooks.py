"""What a notebook shows: in a real kernel, and escaped."""

from xml.etree import ElementTree

import pytest

from optverify import claims as claims_package
from optverify.claims import Result
from optverify.conformance.check import check
from optverify.conformance.diagnose import diagnose
from optverify.formulas import notebook
from optverify.language import Source, rule
from optverify.language.symbols import g, grad, t, theta
from optverify.schedules import schedule

CELLS = {
    "rule": 'import optverify as ov; ov.rule("adam", epsilon="hat")',
    "schedule": 'ov.schedule("cosine", lr=1.0, total=100)',
    "family": "from optverify.schedules import registry; registry.get('cosine')",
    "trace": 'ov.minimize("rosenbrock", "adam", steps=20, lr=0.01)',
    "claim": "from optverify.claims import claim; claim('gd.quadratic.boundary').decide()",
}


def well_formed(html):
    """Parsed as XML, once what HTML lets stand is closed."""
    return ElementTree.fromstring(f"<x>{html}</x>")


@pytest.fixture(scope="module")
def shown():
    """Cell -> MIME type -> what the kernel displays."""
    nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed: no kernel is tried")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: no kernel is tried")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed: no kernel is tried")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS.values()])
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute()
    return {
        name: {k: v for out in cell.outputs for k, v in out.get("data", {}).items()}
        for name, cell in zip(CELLS, book.cells, strict=True)
    }


@pytest.mark.parametrize(
    ("name", "html", "latex"),
    [
        ("rule", "<math", r"\alpha_t"),
        ("schedule", "<table", r"\cos"),
        ("family", "<math", r"\cos"),
        ("trace", "gradient_norm", None),
        ("claim", "✗ refuted", r"\theta"),
    ],
)
def test_a_kernel_shows_html_and_latex(shown, name, html, latex):
    data = shown[name]
    assert html in data["text/html"]
    well_formed(data["text/html"])
    assert (latex in data["text/latex"]) if latex else ("text/latex" not in data)


class Mine:
    """Gradient descent, as somebody writes it."""

    def __init__(self, lr=0.1):
        self.lr = lr

    def step(self, params, grads):
        for p, x in zip(params, grads, strict=True):
            p -= self.lr * x


def test_verdicts_and_diagnoses_are_shown_as_the_terminal_shows_them():
    found, verdict = diagnose(Mine), check(Mine, "gd")
    assert notebook.text(found) in found._repr_html_()
    assert notebook.text(verdict) in verdict._repr_html_()
    assert "✓" in verdict._repr_html_()


def test_names_of_users_are_escaped():
    evil = '<script>alert("x")</script>'

    @rule("evil", title=evil, sources=[Source(evil, 2026, evil, evil)], hyperparameters=[])
    def made(d):
        """<b>bold</b>"""
        yield g[t], grad
        yield theta[t], theta[t - 1] - g[t]

    html = made._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "&lt;b&gt;" in html
    claim = next(iter(claims_package.claims()))
    result = Result(claim, "refuted", "numerical", evil, 0.0)
    assert "<script" not in result._repr_html_()


def test_a_formula_that_is_none_of_ours_is_shown_as_it_is():
    assert notebook.formula(r"\newcommand{<}") == r"<pre>\newcommand{&lt;}</pre>"
    assert notebook.inline(r"\oops<") == r"<code>\oops&lt;</code>"


def test_rates_of_a_schedule_are_in_its_table():
    html = schedule("linear_warmup", lr=1.0, warmup=10)._repr_html_()
    assert "<td>1</td><td>0.1</td>" in html
