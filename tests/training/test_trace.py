"""What a run leaves behind: columns, JSON, CSV and figures say the same numbers."""

import csv
import json

import numpy as np
import pytest

from optverify.training import minimize, train
from optverify.training.figures import plot, save


@pytest.fixture(scope="module")
def run():
    return minimize("rosenbrock", "adam", steps=20, lr=0.01)


@pytest.fixture(scope="module")
def epochs():
    return train("mlp", "adam", 2, lr=0.01)


def test_shapes(run):
    assert run.theta.shape == (21, 2)
    assert run.t.shape == run.value.shape == run.gradient_norm.shape == run.lr.shape == (21,)
    assert (run.problem.name, run.rule.name) == ("rosenbrock", "adam")


def test_columns_hold_the_coordinates(run):
    assert list(run.columns) == ["t", "lr", "value", "gradient_norm", "theta_0", "theta_1"]
    assert (run.columns["theta_1"] == run.theta[:, 1]).all()


def test_csv_keeps_every_digit(run, tmp_path):
    run.to_csv(tmp_path / "run.csv")
    with (tmp_path / "run.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["value"]) for row in rows] == run.value.tolist()
    assert [float(row["theta_0"]) for row in rows] == run.theta[:, 0].tolist()
    assert [int(row["t"]) for row in rows] == list(range(21))


def test_json_keeps_every_digit(run, tmp_path):
    run.to_json(tmp_path / "run.json")
    data = json.loads((tmp_path / "run.json").read_text())
    assert data["value"] == run.value.tolist()
    assert data["theta_1"] == run.theta[:, 1].tolist()
    assert (data["problem"], data["rule"], data["note"]) == ("rosenbrock", "adam", "")
    assert data["options"]["epsilon"] == "outside"


def test_json_of_a_diverged_run_has_null_for_what_is_not_finite(tmp_path):
    trace = minimize("rosenbrock", "gd", steps=100, lr=1.0)
    trace.to_json(tmp_path / "run.json")
    data = json.loads((tmp_path / "run.json").read_text(), parse_constant=pytest.fail)
    assert data["value"][-1] is None
    assert data["note"] == trace.note


def test_epochs_have_their_own_columns(epochs):
    assert list(epochs.columns) == [
        "epoch", "t", "lr", "value", "gradient_norm", "train_accuracy", "test_accuracy", "seconds",
    ]  # fmt: skip
    assert epochs.epoch.tolist() == [0, 1, 2]
    assert epochs.to_dict()["test_accuracy"] == epochs.test_accuracy.tolist()


def curves(axis):
    return {line.get_label(): line.get_xydata() for line in axis.lines}


def test_the_figure_shows_the_distance_to_the_least_value(run):
    (axis,) = run.plot().axes
    np.testing.assert_array_equal(curves(axis)["Adam"], np.column_stack([run.t, run.value]))
    assert axis.get_yscale() == "log"
    lower = minimize("styblinski_tang", "gd", steps=5, lr=0.01)
    (axis,) = lower.plot().axes
    least = lower.problem.minimum.value
    np.testing.assert_allclose(curves(axis)["Gradient descent"][:, 1], lower.value - least, rtol=1e-12)
    assert f"{least:g}" in axis.get_ylabel()


def test_the_figure_of_a_network_has_a_panel_for_accuracy(epochs):
    loss, accuracy = epochs.plot().axes
    np.testing.assert_array_equal(curves(loss)["Adam"], np.column_stack([epochs.t, epochs.value]))
    np.testing.assert_allclose(curves(accuracy)["Adam"][:, 1], 100 * epochs.test_accuracy)


def test_the_figure_of_a_diverged_run_is_drawn_without_warning(tmp_path):
    save(minimize("rosenbrock", "gd", steps=100, lr=1.0).plot(), tmp_path / "run.svg")
    assert (tmp_path / "run.svg").read_text().count("</svg>") == 1


def test_an_svg_has_the_same_bytes_again(run, epochs, tmp_path):
    for trace in (run, epochs):
        first, again = tmp_path / "first.svg", tmp_path / "again.svg"
        save(plot([trace, trace]), first)
        save(plot([trace, trace]), again)
        assert first.read_bytes() == again.read_bytes()


def test_no_run_no_figure():
    with pytest.raises(ValueError, match="give at least one Trace"):
        plot([])
