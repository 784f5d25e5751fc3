"""train: from the command line to trained networks, tables and curves."""

import csv
import json

import numpy as np
import pytest

import optverify.problems.data as data_sets
from optverify.cli.commands.train import Plan
from optverify.problems import load
from optverify.rules import registry
from optverify.training.rates import NETWORK_RATES


@pytest.fixture
def few_digits(monkeypatch):
    """MNIST with 400 of its images, so that an epoch is short."""

    def load_few(name, **settings):
        whole = load(name, **settings)
        return data_sets.DataSet(
            whole.train_x[:400], whole.train_y[:400], whole.test_x[:100], whole.test_y[:100],
            whole.classes, whole.title, whole.source,
        )  # fmt: skip

    monkeypatch.setattr("optverify.problems.load", load_few)


def test_mnist_end_to_end(run, few_digits, tmp_path):
    outcome = run(
        "train", "mnist", "--rules", "adam,gd", "--epochs", "2", "--hidden", "16", "--batch-size", "32",
        "--out", str(tmp_path),
    )  # fmt: skip
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.stderr == ""  # no bar in a pipe
    assert "test %" in outcome.stdout
    with (tmp_path / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["rule"], row["epoch"], row["t"]) for row in rows] == [
        (rule, str(epoch), str(13 * epoch)) for rule in ("adam", "gd") for epoch in (0, 1, 2)
    ]
    assert float(rows[2]["test_accuracy"]) > 0.5 > float(rows[0]["test_accuracy"])
    assert (tmp_path / "curves.svg").read_text().startswith("<?xml")


def test_json_holds_the_table(run, tmp_path):
    outcome = run("train", "blobs", "--epochs", "3", "--json", "--out", str(tmp_path))
    told = json.loads(outcome.stdout)
    assert sorted([*(result["rule"] for result in told["results"]), *told["left_out"]]) == registry.names()
    for result in told["results"]:
        if result["rule"] == "adamax":  # as in its paper it divides 0 by 0 where no gradient has come yet
            assert result["note"].startswith("diverged: theta is not finite after 1 update")
            continue
        assert result["test_accuracy"] > 0.5 or result["rule"] not in NETWORK_RATES
        assert result["note"] == ""
        assert result["updates"] == 9
    assert told["files"] == [str(tmp_path / name) for name in ("curves.svg", "curves.csv")]


def test_all_leaves_out_rules_that_need_more_than_a_gradient_and_says_so(run, tmp_path):
    """Of one line; who names such a rule hears from the rule itself what is missing."""
    settings = ["train", "booth", "--steps", "2", "--out", str(tmp_path)]
    outcome = run(*settings)
    assert outcome.exit_code == 0, outcome.stderr
    (line,) = [line for line in outcome.stdout.splitlines() if line.startswith("Left out: ")]
    assert "muon (needs a matrix)" in line
    assert "polyak_step (needs loss)" in line
    assert "adam " not in line
    named = run(*settings, "--rules", "polyak_step")
    assert named.exit_code == 2
    assert "loss" in named.stderr


def test_a_test_function_goes_by_steps(run, tmp_path):
    outcome = run(
        "train",
        "booth",
        "--rules",
        "gd,momentum",
        "--steps",
        "50",
        "--lr",
        "0.02",
        "--json",
        "--out",
        str(tmp_path),
    )
    results = json.loads(outcome.stdout)["results"]
    assert [(r["rule"], r["updates"], r["first_lr"]) for r in results] == [
        ("gd", 50, 0.02),
        ("momentum", 50, 0.02),
    ]
    assert all("test_accuracy" not in r for r in results)
    with (tmp_path / "curves.csv").open() as file:
        assert sum(1 for _ in file) == 2 * 51 + 1


def test_a_run_that_diverges_says_so(run, tmp_path):
    arguments = ["train", "rosenbrock", "--rules", "gd", "--lr", "1", "--out", str(tmp_path)]
    outcome = run(*arguments)
    assert outcome.exit_code == 0
    assert "diverged: the value is not finite" in outcome.stdout
    (result,) = json.loads(run(*arguments, "--json").stdout)["results"]
    assert result["loss"] is None
    assert result["note"].startswith("diverged")


def test_a_schedule_gets_lr_and_the_number_of_updates(run, tmp_path):
    path = tmp_path / "curves.csv"
    run("train", "booth", "--rules", "gd", "--steps", "40", "--schedule", "cosine", "--out", str(tmp_path))
    with path.open() as file:
        rates = [float(row["lr"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(
        rates, 0.01 * (1 + np.cos(np.pi * np.arange(41) / 40)) / 2, rtol=1e-12, atol=1e-18
    )
    run(
        "train", "booth", "--rules", "gd", "--steps", "40", "--lr", "0.02", "--out", str(tmp_path),
        "--schedule", "step,step_size=10,gamma=0.5",
    )  # fmt: skip
    with path.open() as file:
        rates = [float(row["lr"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(rates, 0.02 * 0.5 ** (np.arange(41) // 10), rtol=1e-14)


def plan(**changes):
    settings = {
        "epochs": 1,
        "steps": None,
        "batch_size": 64,
        "hidden": "64",
        "lr": None,
        "schedule": None,
        "seed": 0,
    }
    return Plan(**settings | changes)


def test_the_seed_draws_the_weights():
    first, again, other = (plan(seed=seed).problem("blobs").start[0]["W"] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_the_seed_draws_the_batches():
    blobs = plan().problem("blobs")
    first, again, other = (
        plan(seed=seed).run(blobs, "adam", lambda done, total: None).value for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_the_network_has_the_hidden_layers_asked_for():
    shapes = [layer["W"].shape for layer in plan(hidden="8,4").problem("digits").start]
    assert shapes == [(64, 8), (8, 4), (4, 10)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rosenbrok"], "unknown problem 'rosenbrok'; did you mean 'rosenbrock'?"),
        (["booth", "--rules", "gd,adm"], "unknown rule 'adm'; did you mean 'adam'?"),
        (["booth", "--rules", ","], "--rules ',' names nothing"),
        (["booth", "--epochs", "3"], "has no examples to go through in epochs: give --steps"),
        (["blobs", "--epochs", "3", "--steps", "3"], "--epochs and --steps exclude each other"),
        (["blobs", "--hidden", "a"], "--hidden 'a' is not a list of integers"),
        (["booth", "--lr", "-1"], "lr = -1.0 is out of range"),
        (["booth", "--schedule", "cosin"], "unknown schedule 'cosin'; did you mean 'cosine'?"),
        (["booth", "--schedule", "step,gamma"], "'gamma' is not of the form argument=value"),
    ],
)
def test_what_does_not_fit_is_named(run, tmp_path, arguments, message):
    outcome = run("train", *arguments, "--out", str(tmp_path / "none"))
    assert outcome.exit_code == 2
    assert len(outcome.stderr.splitlines()) == 1
    assert message in outcome.stderr
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(run, tmp_path):
    """A path through a file: one sentence, exit code 2, no training."""
    (tmp_path / "file").write_text("")
    outcome = run("train", "rosenbrock", "--rules", "adam", "--out", str(tmp_path / "file" / "sub"))
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    assert "cannot write into" in outcome.stderr
    assert "name another folder" in outcome.stderr
