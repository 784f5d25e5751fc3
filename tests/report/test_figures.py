"""Figures: the same bytes each time, well formed, for light and dark pages, with the numbers of the runs."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
import sympy as sp
from matplotlib.figure import Figure

from optverify.language import (
    Count,
    Factors,
    Hyperparameter,
    Milestones,
    hyper_symbol,
    lr,
    positive,
    real,
    unit,
)
from optverify.language.clock import count_symbol
from optverify.report import drawn, figures
from optverify.report.figures import canvas
from optverify.report.figures.canvas import COLOURS, DARK, INK, drawing, rounded, svg
from optverify.report.figures.schedules import formula
from optverify.report.figures.trajectories import scientific
from optverify.rules import rule
from optverify.schedules import registry as schedules
from optverify.schedules import schedule
from optverify.training import minimize


def draw(name="test"):
    with drawing(name):
        figure = Figure(figsize=(2, 1))
        axes = figure.subplots()
        axes.plot([0, 1, 2], [0.123456, 1, 0.5], color=INK)
        axes.set_title(r"$\theta_t$ & more")
        return svg(figure, "a line <of> three points & more")


def test_the_same_figure_has_the_same_bytes_whatever_the_readers_settings():
    """Two drawings agree, also after the reader's matplotlib settings changed; those are left alone."""
    first = draw()
    with mpl.rc_context(
        {"font.size": 30, "svg.fonttype": "none", "axes.facecolor": "red", "lines.linewidth": 9}
    ):
        assert draw() == first
        assert mpl.rcParams["font.size"] == 30
    assert draw("other") != first  # identifiers of two figures on one page must not clash


def test_a_figure_is_well_formed_and_follows_the_colour_scheme():
    text = draw()
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img"
    assert root.find("{http://www.w3.org/2000/svg}title").text == "a line <of> three points & more"
    assert "<text" not in text  # glyphs are paths, so that no font is needed
    assert "date" not in text.lower()


def test_colours_are_those_of_the_light_theme_for_renderers_that_know_no_variables():
    """Image viewers, PDF converters and wikis drew `var(--ink)` as nothing, or as black."""
    text = draw()
    assert "var(" not in text
    assert f'style="fill: none; stroke: {INK}; ' in text


def test_a_style_sheet_replaces_them_on_dark_pages():
    """A rule a colour, for fill and stroke, which finds the elements by the style that matplotlib writes."""
    text = draw()
    sheet = re.search(r"<style>@media\(prefers-color-scheme:dark\)\{(.*?)\}</style>", text).group(1)
    found = re.findall(r'\[style\*="(fill|stroke): (#\w+)"\]\{\1:(#\w+)!important\}', sheet)
    assert set(found) == {(part, light, dark) for light, dark in DARK.items() for part in ("fill", "stroke")}
    drawn = re.sub(r"<style>.*?</style>", "", text)
    assert {colour for part in ("fill", "stroke") for colour in re.findall(part + r": (#\w+)", drawn)} <= {
        *DARK
    }


def test_the_contours_of_the_valley_are_not_broken_into_pearls():
    """Each level is one line but where the panel cuts it: on a square grid the narrow ones fell apart."""
    text = figures.trajectories([minimize("rosenbrock", name, steps=2, lr=1e-4) for name in COLOURS])
    panel = text[text.index('id="axes_1"') : text.index('id="axes_2"')]
    pieces = [path.count("M") for path in re.findall(r' d="([^"]*)"', panel) if path.count("L") > 20]
    assert len(pieces) == 7
    assert max(pieces) <= 3


def test_rounding_leaves_the_scale_of_glyphs_alone():
    """0.015625 rounded to a tenth would make every letter vanish."""
    text = '<g transform="translate(1.23456 2) scale(0.015625)"><path d="M 1.2345 -0.04 L 2.06 3"/></g>'
    assert rounded(text) == '<g transform="translate(1.23 2) scale(0.015625)"><path d="M 1.2 0 L 2.1 3"/></g>'


def test_every_rule_of_the_figures_has_a_colour_of_its_own():
    assert set(drawn.PATH_RATES) == set(COLOURS) == set(drawn.RULES)
    assert len(set(COLOURS.values())) == len(COLOURS)


@pytest.mark.parametrize("name", schedules.names())
def test_every_schedule_is_drawn_with_its_formula(name):
    """Each has example values that it accepts, a largest rate of 1, and a formula unless that has cases."""
    drawn = figures.example(schedules.get(name))
    np.testing.assert_allclose(np.max(drawn(np.arange(101))), 1.0, rtol=1e-12)
    cases = isinstance(drawn.lines[-1][1], sp.Piecewise)
    assert formula(drawn) == "by cases" if cases else formula(drawn).startswith("$")


def test_a_new_schedule_is_drawn_without_an_edit():
    """Parameters of names that nobody knows: values are found by what each of them may be."""
    new = [
        Hyperparameter(lr, "a", None, positive, "rate"),
        Hyperparameter(hyper_symbol("x"), "x", None, real, "any"),
        Hyperparameter(hyper_symbol("y"), "y", None, unit, "fraction"),
        Count(count_symbol("n"), "n", "updates", default=10**6),
        Milestones(sp.Symbol("marks"), "m", "times"),
        Factors(sp.Symbol("levels"), "f", "levels"),
    ]
    family = replace(schedules.get("constant"), name="new", hyperparameters=tuple(new))
    drawn = figures.example(family)
    assert drawn.parameters == {
        "lr": 1.0, "x": 1.0, "y": 0.5, "n": 20, "marks": (40, 75), "levels": (0.6, 0.36),
    }  # fmt: skip


def test_a_composition_is_named_by_its_code():
    assert (
        formula(schedule("linear_warmup", lr=1.0, warmup=5).then(schedule("constant", lr=1.0))) == "a.then(b)"
    )


def test_the_spectral_radius_is_that_of_the_companion_matrix():
    """Against the eigenvalues NumPy finds, inside, on and outside the region of stability."""
    for rate, beta in [(0.5, 0.0), (0.1, 0.9), (3.9, 0.95), (1.0, 0.3), (2.5, 0.2)]:
        matrix = np.array([[1 - rate, beta], [-rate, beta]])
        expected = np.max(np.abs(np.linalg.eigvals(matrix)))
        found = figures.spectral_radius(rule("momentum"), 1.0, lr=rate, momentum=beta)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(
        figures.spectral_radius(rule("gd"), [1.0, 3.0], lr=0.5), [0.5, 0.5], rtol=1e-15
    )


def test_the_dashed_rates_are_those_of_the_literature_and_hold():
    """(kappa-1)/(kappa+1) and (sqrt(kappa)-1)/(sqrt(kappa)+1), derived from the rules; gd keeps its own."""
    traces, (slow, fast) = drawn.quadratic_runs(steps=20)
    kappa = drawn.CONDITION
    np.testing.assert_allclose(slow.rate, (kappa - 1) / (kappa + 1), rtol=1e-12)
    # A double root: half of the digits are lost.
    np.testing.assert_allclose(fast.rate, (kappa**0.5 - 1) / (kappa**0.5 + 1), rtol=1e-7)
    gd = traces[0]
    assert gd.rule.name == "gd"
    assert np.all(gd.value <= gd.value[0] * slow.rate ** (2 * gd.t) * (1 + 1e-12))


def test_numbers_in_panels():
    assert scientific(0.0652) == "0.065"
    assert scientific(3.2e-4) == r"3.2 \times 10^{-4}"
    assert not re.search(r"e[-+]", scientific(1e5))


def test_a_damaged_list_of_fonts_in_the_users_cache_is_made_good(monkeypatch):
    manager = canvas.fontManager
    monkeypatch.setattr(manager, "ttflist", [f for f in manager.ttflist if "STIX" not in f.name])
    canvas._own_fonts.__wrapped__()
    assert any("STIX" in f.name for f in manager.ttflist)
