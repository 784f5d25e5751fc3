"""Which cells a grid has: every one once, and nothing that cannot be."""

from itertools import product

import pytest

import optverify as ov
from optverify.rules import registry
from optverify.sweep import Grid, every_rule
from optverify.sweep.columns import check_names


def cells(rules=("adam",), problems=("rosenbrock",), seeds=(None,), more=None, **settings):
    return list(Grid(rules, problems, settings, seeds, **(more or {})))


def test_it_is_the_product():
    found = cells(["adam"], ["rosenbrock", "booth"], [0, 1], lr=[0.1, 0.2, 0.3], beta1=[0.8, 0.9])
    assert len(found) == len({cell.key for cell in found}) == 2 * 2 * 3 * 2
    told = {(c.problem, c.seed, c.hyperparameters["lr"], c.hyperparameters["beta1"]) for c in found}
    assert told == set(product(["rosenbrock", "booth"], [0, 1], [0.1, 0.2, 0.3], [0.8, 0.9]))


def test_its_length_is_that_of_its_cells():
    grid = Grid(["adam", "gd"], ["booth"], {"lr": [0.1, 0.1, 0.2], "beta1": [0.8, 0.9]}, [0, 1, 1])
    assert len(grid) == len(list(grid)) == 2 * (2 * 2 + 2)


def test_a_rule_goes_through_what_it_reads_alone():
    found = cells(["adam", "gd"], lr=[0.1], beta1=[0.8, 0.9])
    assert [(c.rule, c.hyperparameters.get("beta1")) for c in found] == [
        ("adam", 0.8), ("adam", 0.9), ("gd", None),
    ]  # fmt: skip


def test_every_hyperparameter_of_the_dialect_is_in_the_cell():
    for name in every_rule():
        (cell,) = cells([name])
        assert cell.hyperparameters == {h.name: h.default for h in ov.rule(name).hyperparameters}


def test_axes_make_dialects_and_those_that_do_not_exist_are_left_out():
    found = cells(amsgrad=["none", "v_hat"], epsilon=["outside", "hat"])
    assert [dict(c.options) for c in found] == [{}, {"amsgrad": "v_hat"}, {"epsilon": "hat"}]
    assert cells(["aggmo"], velocities=[2, 3.0, "4"])  # options that read like numbers
    with pytest.raises(ValueError, match="has no dialect with"):
        cells(amsgrad=["v_hat"], epsilon=["hat"])


def test_an_axis_may_bring_a_hyperparameter():
    found = cells(weight_decay_form=["none", "decoupled"], weight_decay=[0.1, 0.2])
    assert [c.hyperparameters.get("weight_decay") for c in found] == [None, 0.1, 0.2]
    with pytest.raises(ValueError, match="weight_decay is set, but no rule here reads it"):
        cells(weight_decay=[0.1])


def test_wrappers_are_rules():
    (cell,) = cells(["lookahead(clip_by_norm(adam))"], lr=[0.1])
    assert cell.rule == "lookahead(clip_by_norm(adam))"


def test_a_key_is_of_all_that_a_cell_is_and_of_nothing_else():
    grids = [
        {}, {"lr": [0.5]}, {"epsilon": ["hat"]}, {"rules": ["gd"]}, {"problems": ["booth"]}, {"seeds": [0]},
        {"seeds": [1]}, *({"seeds": [0], "more": more} for more in (
            {"steps": 7}, {"noise": 0.1}, {"spread": 0.2}, {"tolerance": 1e-3},
        )),
    ]  # fmt: skip
    keys = [cell.key for given in grids for cell in cells(**given)]
    assert len(set(keys)) == len(keys) == len(grids)
    assert keys == [cell.key for given in grids for cell in cells(**given)]
    assert cells(problems=["rosenbrock( dim=3 )"])[0].key == cells(problems=["rosenbrock(dim=3)"])[0].key


def test_a_rule_that_was_edited_makes_new_cells(monkeypatch):
    (before,) = cells()
    monkeypatch.setattr("optverify.sweep.grid._digest", lambda chosen: "another")
    (after,) = cells()
    assert before.version.startswith(f"{ov.__version__}+")
    assert before.key != after.key


def test_batches_are_for_finite_sums_and_spread_for_what_does_not_draw_itself():
    found = cells(
        ["gd"], ["least_squares", "booth", "mlp", "mlp(seed=3)"], [0], more={"batch_size": 10, "noise": 0.1}
    )
    assert [(c.batch_size, c.spread) for c in found] == [(10, 0.1), (None, 0.1), (10, 0.0), (10, 0.1)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rules": ["adm"]}, "unknown rule 'adm'; did you mean 'adam'"),
        ({"rules": "adam"}, "rules = 'adam' is one value: give a list"),
        ({"rules": []}, "rules is empty"),
        ({"rules": ["svrg"]}, "needs snapshot_grad and full_grad besides gradients"),
        ({"rules": ["polyak_step"]}, "no default for loss"),
        ({"problems": ["rosenbrok"]}, "did you mean 'rosenbrock'"),
        ({"problems": ["rosenbrock(dim=0)"]}, "dim must be at least"),
        ({"problems": ["rosenbrock(size=3)"]}, "no parameter 'size'"),
        ({"lr": [0.1, -1]}, "lr = -1 is out of range"),
        ({"lr": ["much"]}, "lr = 'much' is not a number"),
        ({"lr": []}, "lr is empty"),
        ({"lr": 0.1}, "lr = 0.1 is one value"),
        ({"bta1": [0.1]}, "unknown hyperparameter or axis 'bta1'; did you mean 'beta1'"),
        ({"epsilon": ["nowhere"]}, "unknown option for axis epsilon 'nowhere'"),
        ({"seeds": [-1]}, "seed must be at least 0"),
        ({"seeds": [0.5]}, "seed must be an integer"),
        ({"more": {"steps": 0}}, "steps must be at least 1"),
        ({"more": {"noise": -1.0}, "seeds": [0]}, "noise must be a finite number >= 0"),
        ({"more": {"noise": 0.1}}, "noise must be drawn with seeds"),
        ({"more": {"batch_size": 4}, "problems": ["mlp"]}, "batches must be drawn with seeds"),
        ({"more": {"batch_size": 4}, "seeds": [0]}, "none of the problems"),
    ],
)
def test_what_does_not_fit_is_one_sentence(given, message):
    with pytest.raises((ValueError, TypeError), match=message):
        cells(**given)


def test_every_rule_leaves_out_those_that_need_more():
    assert "svrg" not in every_rule()
    assert {"adam", "gd"} < set(every_rule())


def test_no_hyperparameter_has_the_name_of_a_column():
    check_names(h.name for name in registry.names() for h in registry.get(name).every_hyperparameter)
    with pytest.raises(ValueError, match="'Steps' has the name of a column"):
        check_names(["Steps"])
