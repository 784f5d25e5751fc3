"""The invariance table: a row for each rule, and cells that change when a symmetry is broken."""

import pytest

import optverify as ov
from optverify.claims import claim
from optverify.claims._invariance_table import expected
from optverify.claims.invariances import CLAIMS, COLUMNS, invariances
from optverify.language import (
    Hyperparameter,
    Source,
    beta1,
    g,
    grad,
    lr,
    norm,
    positive,
    rule,
    t,
    theta,
    unit,
)
from optverify.views.mutants import mutants

TABLE = expected()
MARKS = {"holds": "+", "holds under conditions": "c", "refuted": "-", "not decided": "?"}


def row(rule):
    return {name: MARKS[d.verdict] for name, d in invariances(rule).items()}


def test_every_rule_has_a_row():
    """A rule without one gets its cells all the same, from invariances(); its row is still to be added."""
    assert set(TABLE) == set(ov.rules())
    assert all(list(cells) == [c.name for c in COLUMNS] for cells in TABLE.values())


@pytest.mark.parametrize("name", ov.rules())
def test_the_row_is_derived(name):
    derived = {column: (d.verdict, d.evidence) for column, d in invariances(ov.rule(name)).items()}
    assert derived == TABLE[name]


def test_the_ledger_has_the_cells():
    ids = {c.id for c in CLAIMS}
    assert {"invariance.scale.adam", "invariance.rotation.gd", "invariance.two_sided.muon"} <= ids
    assert len(ids) == len(CLAIMS)
    assert all(c.family == c.id.rpartition(".")[0] for c in CLAIMS)


def mutant(name, line):
    return next(m.rule for m in mutants(ov.rule(name)) if m.description == line)


@pytest.mark.parametrize(
    ("cell", "line", "verdict"),
    [
        ("scale.signsgd", "theta_t = -lr*g_t + theta_{t-1}", "refuted"),
        ("scale.adam", "v_t = beta2*v_{t-1} + g_t*(1 - beta2)", "not decided"),
        ("mirror.gd", "theta_t = -lr*g_t + theta_{t-1} + 1", "refuted"),
        ("translation.gd", "theta_t = -lr*g_t", "refuted"),
        ("rotation.gd", "theta_t = -lr*g_t + theta_{t-1} + 1", "refuted"),
        ("rotation.adagrad_norm", "theta_t = -lr*g_t + theta_{t-1}", "holds"),
        ("rate.momentum", "v_t = -lr + momentum*v_{t-1}", "refuted"),
    ],
)  # fmt: skip
def test_a_broken_symmetry_is_seen(cell, line, verdict):
    changed = mutant(cell.rpartition(".")[2], line)
    assert claim(f"invariance.{cell}").decide(rule=changed).verdict == verdict


def test_the_counterexample_is_exact():
    result = claim("invariance.scale.gd").decide()
    assert result.evidence == "exact certificate"
    assert (
        "from (1, -2) with gradients (1, 3) and lr = 1/2 an entry of theta_1 should become 1/2"
        in result.detail
    )


@pytest.mark.parametrize(
    ("name", "options", "column", "mark"),
    [
        ("adam", {"weight_decay_form": "decoupled"}, "translation", "c"),
        ("adam", {"weight_decay_form": "coupled"}, "scale", "c"),
        ("adamw", {"weight_decay_form": "none"}, "translation", "+"),
        ("muon", {"epsilon": "floor"}, "two_sided", "+"),
        ("soap", {"basis": "eigh"}, "two_sided", "?"),
        ("shampoo", {"exponent": "half"}, "two_sided", "+"),
        ("lamb", {"weight_decay_form": "none"}, "rotation", "-"),
        ("asgd", {"step_size": "falling"}, "translation", "-"),
        ("clip_by_norm(gd)", {}, "rotation", "+"),
        ("clip_by_value(gd)", {}, "rotation", "-"),
        ("clip_by_norm(gd)", {}, "mirror", "+"),
        ("clip_by_value(gd)", {}, "mirror", "+"),
        ("lookahead(adam)", {}, "translation", "+"),
    ],
)  # fmt: skip
def test_dialects_and_wrapped_rules_have_rows_too(name, options, column, mark):
    assert row(ov.rule(name, **options))[column] == mark


@pytest.mark.parametrize("name", ov.rules())
def test_no_dialect_raises(name):
    for dialect in ov.rule(name).dialects(changed=1):
        assert "error" not in {d.verdict for d in invariances(dialect).values()}


def test_a_rule_made_on_the_fly_has_a_row():
    @rule(
        "normalized",
        title="Normalized",
        sources=[Source("Nobody", 2026, "Nothing", "nowhere")],
        hyperparameters=[
            Hyperparameter(lr, r"\eta", 0.1, positive, "step size"),
            Hyperparameter(beta1, r"\beta", 0.9, unit, "unused"),
        ],
    )
    def normalized(d):
        """A step of length lr."""
        yield g[t], grad
        yield theta[t], theta[t - 1] - lr * g[t] / norm(g[t])

    assert "".join(row(normalized).values()) == "+---+++++"


def test_adadelta_has_the_units_of_the_parameters_but_for_epsilon():
    """Its epsilon is a squared step in one place and a squared gradient in the other."""
    assert TABLE["adadelta"]["units"][0] == "refuted"
    assert "eps -> c^2 eps" in invariances(ov.rule("adadelta"))["rate"].detail
