"""Hyperparameters carried between libraries: exact where a map exists, else measured and explained."""

import json

import pytest
from click.testing import CliRunner

from optverify.cli import main
from optverify.translation import EXACT, translate


@pytest.mark.parametrize(
    ("rule", "source", "target", "values", "expected"),
    [
        ("adamw", "torch", "optax", {"lr": 1e-3}, {"learning_rate": 1e-3, "weight_decay": 0.01}),
        ("gd", "torch", "keras", {"weight_decay": 0.1}, {"weight_decay": 0.1}),
        ("momentum", "torch", "keras", {"lr": 0.1, "momentum": 0.9}, {"learning_rate": 0.1, "momentum": 0.9}),
        ("nesterov", "keras", "torch", {"momentum": 0.8}, {"momentum": 0.8, "weight_decay": 0.0}),
        ("rmsprop", "torch", "optax", {"momentum": 0.9}, {"decay": 0.99, "momentum": 0.9}),
        ("adagrad", "torch", "optax", {"eps": 0.0}, {"initial_accumulator_value": 0.0, "eps": 0.0}),
        ("adam", "torch", "keras", {"eps": 0.0}, {"epsilon": 0.0}),
        ("adafactor", "keras", "torch", {"beta_2_decay": -0.7}, {"beta2_decay": -0.7, "eps[0]": 1e-30}),
        ("lamb", "keras", "optax", {"epsilon": 1e-3}, {"eps": 1e-3, "weight_decay": 0.0}),
        ("adamw", "torch", "keras", {"eps": 0.0, "betas[0]": 0.8}, {"beta_1": 0.8, "weight_decay": 0.01}),
    ],
)
def test_exact_maps(rule, source, target, values, expected):
    found = translate(rule, source, target, values)
    assert found.carried
    assert found.difference <= EXACT
    assert found.lost == ()
    assert expected.items() <= found.values.items()


def test_what_holds_for_a_constant_rate_only_says_so():
    found = translate("momentum", "torch", "keras", {"lr": 0.1, "momentum": 0.9})
    assert found.conditions == ("while lr is constant",)


def test_a_switch_of_the_target_is_used_where_it_helps():
    found = translate("rmsprop", "torch", "optax", {})
    assert "eps_in_sqrt=False" in found.switches


def test_a_switch_of_the_source_is_understood():
    found = translate("adam", "torch", "keras", {"amsgrad": True, "eps": 0.0})
    assert found.carried
    assert "amsgrad=True" in found.switches


def test_a_note_on_either_class_is_handed_on():
    found = translate("muon", "torch", "keras", {})
    assert [note.partition(":")[0] for note in found.notes] == ["torch.optim.Muon", "keras.optimizers.Muon"]
    shown = CliRunner().invoke(main, ["translate", "muon", "--from", "torch", "--to", "keras"])
    assert "bfloat16" in shown.output


def test_epsilon_cannot_be_carried_and_the_difference_is_measured():
    found = translate("adam", "torch", "keras", {"lr": 1e-3, "eps": 1e-8})
    assert not found.carried
    assert found.lost == ("epsilon is 'outside' there and 'hat' here, and no values make them the same",)
    smaller = translate("adam", "torch", "keras", {"lr": 1e-3, "eps": 1e-12})
    assert 0 < smaller.difference < found.difference


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("adma", "torch", "keras"), "unknown rule 'adma'; did you mean 'adam'"),
        (("adam", "troch", "keras"), "unknown library 'troch'; did you mean 'torch'"),
        (("adam", "torch", "keras", {"epsilon": 1.0}), "torch.optim.Adam: unknown hyperparameter 'epsilon'"),
        (("adam", "torch", "keras", {"lr": 0.0}), r"lr = 0.0 is out of range"),
        (("momentum", "torch", "keras", {}), "no default for momentum: give a value"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        translate(*arguments)


def test_the_command():
    same = CliRunner().invoke(main, ["translate", "adamw", "--from", "torch", "--to", "optax", "lr=1e-3"])
    assert same.exit_code == 0
    assert "learning_rate=0.001" in same.output
    other = CliRunner().invoke(
        main, ["translate", "adam", "--from", "torch", "--to", "keras", "lr=1e-3", "eps=1e-8", "--json"]
    )
    assert other.exit_code == 1
    assert json.loads(other.output)["values"]["epsilon"] == 1e-8
    wrong = CliRunner().invoke(main, ["translate", "adam", "--from", "torch", "--to", "keras", "lr"])
    assert wrong.exit_code == 2
    assert wrong.stderr == "error: 'lr' is not of the form name=value, for example lr=1e-3\n"
