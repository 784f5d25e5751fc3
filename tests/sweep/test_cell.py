"""One cell: what is run, and what is said of it."""

import math

import numpy as np
import pytest

import optverify as ov
from optverify.problems import FiniteSum, OnlineProblem, problem
from optverify.sweep import Grid
from optverify.sweep.cell import run_cell
from optverify.training import MiniBatch, Noise, minimize, train


def only(rule="adam", place="rosenbrock", seed=None, more=None, **settings):
    """The only cell of a grid."""
    (cell,) = Grid([rule], [place], {k: [v] for k, v in settings.items()}, [seed], **(more or {}))
    return cell


def test_without_a_seed_it_is_minimize():
    result = run_cell(
        only(place="sphere", lr=0.5, beta1=0.8, epsilon="hat", more={"steps": 9, "tolerance": 0.3}), 60
    )
    trace = minimize("sphere", "adam", 9, lr=0.5, beta1=0.8, epsilon="hat")
    assert result == {
        "initial_value": trace.value[0],
        "final_value": trace.value[-1],
        "best_value": trace.value.min(),
        "gradient_norm": trace.gradient_norm[-1],
        "updates": 9,
        "diverged": False,
        "steps_to_tolerance": int(np.argmax(trace.value <= 0.3)),
        "seconds": result["seconds"],
        "error": None,
    }
    assert trace.value.min() < trace.value[-1]


def test_a_seed_moves_the_start_for_all_rules_alike():
    first, again, other = (
        run_cell(only(rule, seed=seed, more={"steps": 1}), 60)["initial_value"]
        for rule, seed in (("adam", 0), ("gd", 0), ("gd", 1))
    )
    assert first == again != other
    values = [
        run_cell(only("gd", "sphere", seed, more={"steps": 1}), 60)["initial_value"] for seed in range(200)
    ]
    f = problem("sphere")
    drawn = np.random.default_rng(0).standard_normal((20000, 2))
    expected = np.std([f.value(f.start + 0.1 * z) for z in drawn])
    assert np.std(values) == pytest.approx(expected, rel=0.2)


def test_spread_of_zero_leaves_the_start():
    result = run_cell(only(seed=3, more={"spread": 0.0, "steps": 5}), 60)
    assert result["final_value"] == minimize("rosenbrock", "adam", 5).value[-1]


def test_noise_is_drawn_with_the_seed():
    cell = only("gd", "sphere", 5, more={"spread": 0.0, "noise": 0.3, "steps": 20}, lr=0.1)
    trace = minimize("sphere", "gd", 20, lr=0.1, estimate=Noise(0.3, (5, 2)))
    assert run_cell(cell, 60)["final_value"] == trace.value[-1]


def test_batches_are_drawn_with_the_seed():
    f = problem("least_squares")
    assert isinstance(f, FiniteSum)
    cell = only("gd", "least_squares", 5, more={"spread": 0.0, "batch_size": 10, "steps": 10}, lr=0.1)
    assert run_cell(cell, 60)["final_value"] == train(f, "gd", 2, MiniBatch(10, 5), lr=0.1).value[-1]


def test_batches_and_noise_go_together():
    more = {"spread": 0.0, "batch_size": 10, "steps": 3}
    both = only("gd", "least_squares", 5, more={**more, "noise": 0.3})
    batches = only("gd", "least_squares", 5, more=more)
    assert run_cell(both, 60)["final_value"] != run_cell(batches, 60)["final_value"]


def test_a_network_draws_its_weights_with_the_seed():
    values = {run_cell(only("gd", "mlp", seed, more={"steps": 1}), 60)["initial_value"] for seed in range(3)}
    assert values == {(f := problem("mlp", seed=seed)).value(f.start) for seed in range(3)}


def test_an_online_problem_starts_in_its_box():
    f = problem("reddi")
    assert isinstance(f, OnlineProblem)
    for seed in range(5):
        result = run_cell(only("gd", "reddi", seed, more={"spread": 100.0, "steps": 1}), 60)
        assert abs(result["initial_value"]) <= f.value(np.ones(1))


def test_a_run_that_diverges_says_where():
    result = run_cell(only("gd", lr=1.0), 60)
    trace = ov.minimize("rosenbrock", "gd", 500, lr=1.0)
    assert result["diverged"] is True
    assert result["error"] == trace.note
    assert result["updates"] == trace.t[-1]
    assert result["final_value"] is None
    assert result["best_value"] == min(v for v in trace.value if math.isfinite(v))


def test_the_infimum_counts_and_where_there_is_none_no_tolerance_is_reached():
    more = {"steps": 200, "tolerance": 1e-3}
    assert run_cell(only("gd", "least_squares", lr=0.3, more=more), 60)["steps_to_tolerance"]
    for place in ("mlp", "saddle"):  # not known; minus infinity
        assert run_cell(only("gd", place, lr=0.1, more=more), 60)["steps_to_tolerance"] is None


def test_an_exception_is_its_error():
    result = run_cell(only("muon"), 60)
    assert set(result) == {"error"}
    assert result["error"].startswith("ValueError: ")
    assert "\n" not in result["error"]


def test_it_stops_at_its_limit():
    result = run_cell(only(more={"steps": 10**9}), 0.2)
    assert result == {"error": "it took longer than 0.2 s"}
