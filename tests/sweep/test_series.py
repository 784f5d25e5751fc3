"""What is read off a table: quartiles over seeds, series, the best lr."""

import math

import numpy as np
import pytest

from optverify.sweep import best, sweep
from optverify.sweep.cell import Cell
from optverify.sweep.series import _quartiles, series, written


def row(final, lr=0.1, rule="gd", problem="booth", seed=0, **more):
    """A row of a table; final: None for a run that diverged."""
    cell = Cell(
        rule=rule, problem=problem, hyperparameters={"lr": lr, **more.pop("settings", {})}, seed=seed,
        steps=9, version="1", options=more.pop("options", {}),
    )  # fmt: skip
    return cell.row({
        "initial_value": 10.0, "final_value": final, "diverged": final is None, "updates": 9,
        "error": None if final is not None else "diverged", **more,
    })  # fmt: skip


def test_quartiles_are_numpys_where_all_is_finite():
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 4, 5, 10, 101):
        values = rng.lognormal(size=n)
        np.testing.assert_allclose(
            _quartiles(list(values)), np.quantile(values, [0.25, 0.5, 0.75]), rtol=1e-12
        )


def test_quartiles_beside_infinity():
    inf = math.inf
    assert _quartiles([1.0, 2.0, inf]) == (1.5, 2.0, inf)
    assert _quartiles([1.0, 2.0, 3.0, 4.0, inf]) == (2.0, 3.0, 4.0)
    assert _quartiles([inf, inf]) == (inf, inf, inf)


def test_one_series_for_each_combination_that_varies():
    rows = [
        row(1.0, lr, "adam", settings={"beta1": beta1, "beta2": 0.999}, seed=seed, options=options)
        for lr in (0.1, 0.2)
        for beta1 in (0.8, 0.9)
        for seed in (0, 1)
        for options in ({}, {"epsilon": "hat"})
    ]
    found = series([*rows, *(row(2.0, lr) for lr in (0.2, 0.1))])
    assert [s.label for s in found] == [
        "adam default options beta1=0.8", "adam epsilon=hat beta1=0.8", "adam default options beta1=0.9",
        "adam epsilon=hat beta1=0.9", "gd",
    ]  # fmt: skip
    for s in found:
        assert [p.lr for p in s.points] == [0.1, 0.2]
    assert [len(p.rows) for p in found[0].points] == [2, 2]


def test_options_read_as_options():
    assert written("options", '{"epsilon": "hat", "maximize": true}') == "epsilon=hat maximize=true"
    assert written("options", "{}") == "default options"
    assert written("beta1", 0.9) == "beta1=0.9"
    assert written("steps", 100) == "steps=100"


def test_a_diverged_run_counts_as_infinite_and_a_failed_one_not_at_all():
    failed = row(1.0) | {"diverged": None, "final_value": None, "error": "ValueError"}
    (one,) = series([row(1.0), row(None, seed=1), row(3.0, seed=2), failed])
    assert one.points[0].quartiles == (2.0, 3.0, math.inf)


def test_the_best_is_the_least_median():
    rows = [row(value, lr, seed=seed) for lr, values in (
        (0.1, (5.0, 6.0, 7.0)), (0.2, (1.0, 4.0, None)), (0.3, (None, None, 0.1)), (0.4, (5.0, 5.0, 5.0))
    ) for seed, value in enumerate(values)]  # fmt: skip
    (found,) = best(rows)
    assert (found.lr, found.final_value, found.at_edge) == (0.2, 4.0, False)
    assert (found.diverged, found.rows) == (3, 12)


def test_the_best_at_the_end_of_the_grid_says_so():
    (found,) = best([row(1 / lr, lr) for lr in (0.1, 0.2, 0.3)])
    assert (found.lr, found.at_edge) == (0.3, True)


def test_steps_to_tolerance_are_those_of_the_median_seed():
    steps = [10, 30, 20, None, None]
    rows = [row(1.0, seed=seed, steps_to_tolerance=s) for seed, s in enumerate(steps)]
    assert best(rows)[0].steps_to_tolerance == 30
    assert best(rows[2:])[0].steps_to_tolerance is None


def test_where_everything_diverged_there_is_no_loss():
    (found,) = best([row(None, lr) for lr in (0.1, 0.2)])
    assert found.final_value is None
    assert best([]) == []


def test_gradient_descent_is_best_at_what_its_theory_says():
    """On f = (mu x^2 + L y^2)/2 that is 2/(mu + L), with the contraction (L - mu)/(L + mu)."""
    rows = sweep(["gd"], ["booth"], lr=[0.05, 0.1, 0.15, 0.2], seeds=range(3), steps=60, jobs=2)
    (found,) = best(rows)
    assert found.lr == 0.1  # mu = 2, L = 18
    assert found.diverged == 0
    assert found.final_value == pytest.approx(0, abs=1e-6)
