"""The graph of rules: what its edges are made of, and what a changed rule does to them."""

from dataclasses import replace

import pytest
import sympy as sp

import optverify as ov
from optverify.claims import claim
from optverify.claims._claim import about
from optverify.claims._edge import ANY, Edge, statement
from optverify.claims._inclusion import decide
from optverify.claims.inclusions import CLAIMS, inclusions
from optverify.language import eps, lr, theta
from optverify.proof import NotProved
from optverify.report.figures.inclusions import inclusion_graph, ranks, shown
from optverify.views.mutants import mutants

EDGES = {e.name: e for e in inclusions()}


def test_there_are_many_edges_with_names_of_their_own():
    assert len(EDGES) == len(inclusions()) == len(CLAIMS) >= 60
    assert sum(e.refuted for e in EDGES.values()) >= 8


@pytest.mark.parametrize("edge", EDGES.values(), ids=lambda e: e.name)
def test_an_edge_is_complete(edge):
    """Its end belongs to the larger rule, and a false sentence names what is right or where the runs end."""
    assert edge.larger.name in edge.name or edge.name == "signum.forms"
    assert edge.title.endswith(".")
    assert edge.sources
    assert all(s.where for s in edge.sources)
    if edge.refuted:
        assert (edge.instead is None) != (edge.ends is None)
        assert edge.instead is None or claim(f"inclusion.{edge.instead.name}").expected != "refuted"
    else:
        assert edge.label or edge.smaller.name == edge.larger.name


def test_the_statement_names_the_substitution_and_the_states():
    text = statement(EDGES["adagrad.rmsprop"])
    assert r"\mathrm{rho} = 1 - \frac{1}{t}" in text
    assert r"\mathrm{v}_t = \frac{\mathrm{G}_t}{t}" in text
    assert r"\lim_{\mathrm{eps} \to \infty}" in statement(EDGES["gd.adadelta"])
    assert EDGES["gd.momentum"].scope_in_words == ANY


def mutant(name, line, **dialect):
    return next(m.rule for m in mutants(ov.rule(name, **dialect)) if m.description == line)


@pytest.mark.parametrize(
    ("name", "side", "changed", "words"),
    [
        ("gd.momentum", "larger", mutant("momentum", "theta_t = theta_{t-1} - v_t"), "theta_1 is 1/2 by"),
        ("rmsprop.adam", "larger", mutant("adam", "v_hat_t = v_t"), "theta_1"),
        ("adagrad.rmsprop", "smaller", mutant("adagrad", "G_t = g_t**2"), "theta_2"),
        ("adam.adamw", "smaller", ov.rule("adam", epsilon="inside"), "theta_1"),
    ],
)  # fmt: skip
def test_a_changed_rule_is_refuted_by_numbers(name, side, changed, words):
    result = claim(f"inclusion.{name}").decide(**{side: changed})
    assert result.verdict == "refuted"
    assert words in result.detail


def test_another_form_of_decay_is_the_same_without_decay():
    changed = ov.rule("lion", weight_decay_form="coupled")
    assert claim("inclusion.signum.lion").decide(larger=changed).verdict == "holds"


def test_a_sentence_known_to_be_false_is_undecided_of_another_rule():
    changed = mutant("adam", "v_hat_t = v_t")
    result = claim("inclusion.rmsprop.adam_same").decide(larger=changed)
    assert result.verdict == "not decided"
    assert "another recurrence" in result.detail


def test_values_out_of_range_are_no_inclusion():
    edge = replace(EDGES["gd.momentum"], where={"momentum": 2})
    with pytest.raises(NotProved, match="out of its range"):
        decide(edge, ov.rule("gd"), ov.rule("momentum"))


def test_a_quantity_that_is_not_there_is_no_inclusion():
    with pytest.raises(NotProved, match="has no speed here"):
        decide(replace(EDGES["gd.momentum"], where={"speed": 2}), ov.rule("gd"), ov.rule("momentum"))
    with pytest.raises(NotProved, match="has no state w here"):
        decide(replace(EDGES["gd.momentum"], states={"w": 2}), ov.rule("gd"), ov.rule("momentum"))


@pytest.mark.parametrize("other", ["gd", "momentum", "adagrad", "muon", "soap"])
def test_rules_of_another_shape_are_no_errors(other):
    for c in CLAIMS[::3]:
        for name, _ in c.subjects:
            assert c.decide(**{name: ov.rule(other)}).verdict != "error"


def test_a_wrong_change_of_states_is_refuted():
    edge = replace(EDGES["nesterov.qhm"], states={"m": sp.Symbol("v")})
    found = decide(edge, edge.smaller.load(), edge.larger.load())
    assert found.verdict == "refuted"
    assert "m_1 is 1 by the one and 2/3 by the other" in found.detail


def test_an_edge_is_data_alone():
    """A new edge needs no code: RMSProp with eps under the root, in the limit of rho to 0 and large eps."""
    edge = Edge(
        "gd.inside", "t.", about("gd"), about("rmsprop", epsilon="inside"), {"lr": sp.sqrt(eps) * lr}, (),
        limit=(eps, sp.oo),
    )  # fmt: skip
    assert decide(edge, edge.smaller.load(), edge.larger.load()).verdict == "holds"


def test_the_gradient_point_counts():
    """Momentum with its gradient at a look-ahead is no momentum, though every line is the same."""
    moved = replace(ov.rule("momentum"), gradient_point=theta.before + 1)
    result = claim("inclusion.gd.momentum").decide(larger=moved)
    assert result.verdict == "refuted"
    assert "the gradient point of update 1 is 1 by the one and 2 by the other" in result.detail


def test_the_figure_is_a_graph_from_left_to_right():
    drawn = shown(inclusions())
    columns = ranks(drawn)
    assert all(columns[e.smaller.name] < columns[e.larger.name] for e in drawn)
    assert columns["gd"] == columns["signsgd"] == 0
    text = inclusion_graph()
    assert text == inclusion_graph()
    assert text.startswith("<svg")
