"""sweep() by local processes: a cell stops no other, and the same cells give the same bits."""

import multiprocessing
import os
import signal

import pytest

from optverify.sweep import Grid, opened, read, run_grid, sweep
from optverify.sweep.store import Store

from .conftest import numbers

SETTINGS = {"lr": [1e-3, 1e-2, 1.0], "epsilon": ["outside", "hat"]}


@pytest.mark.parametrize("place", ["mlp(hidden=(64, 64))", "least_squares"])
def test_the_same_bits_whatever_the_number_of_processes(place):
    one, three = (
        sweep(
            ["adam", "gd"], [place], seeds=[0, 1], steps=12, batch_size=16, noise=0.1, jobs=jobs, **SETTINGS
        )
        for jobs in (1, 3)
    )
    assert len(one) == 2 * 3 * (2 + 1)
    assert numbers(one) == numbers(three)


def test_rows_come_in_the_order_of_the_grid_and_go_to_the_file(tmp_path):
    path, told = tmp_path / "r.sqlite", []
    rows = sweep(["gd", "adam"], ["booth"], lr=[0.01, 0.02], steps=5, out=path, jobs=2, on_row=told.append)
    assert [(r["rule"], r["lr"]) for r in rows] == [
        ("gd", 0.01),
        ("gd", 0.02),
        ("adam", 0.01),
        ("adam", 0.02),
    ]
    assert sorted(rows, key=lambda r: r["key"]) == sorted(read(path), key=lambda r: r["key"])
    assert {r["key"] for r in told} == {r["key"] for r in rows}


def test_what_is_there_is_not_run_again_and_other_grids_add_theirs(tmp_path):
    path, told = tmp_path / "r.sqlite", []
    settings = {"steps": 5, "out": path, "jobs": 1, "on_row": told.append}
    first = sweep(["gd"], ["booth"], lr=[0.01, 0.02], **settings)
    assert sweep(["gd"], ["booth"], lr=[0.01, 0.02], **settings) == first
    assert len(told) == 2
    more = sweep(["gd", "adam"], ["booth"], lr=[0.02, 0.03], **settings)
    assert more[0].items() >= first[1].items()
    assert len(told) == 2 + 3
    assert len(read(path)) == 5
    assert "beta1" in read(path)[0]


def test_an_exception_a_divergence_and_a_time_limit_stop_nothing():
    rows = sweep(["gd", "muon"], ["rosenbrock"], lr=[1e-4, 1.0], steps=20, jobs=2)
    assert [r["diverged"] for r in rows] == [False, True, None, None]
    assert rows[2]["error"].startswith("ValueError")
    (slow,) = sweep(["gd"], ["booth"], steps=10**9, time_limit=0.3, jobs=1)
    assert slow["error"] == "it took longer than 0.3 s"
    assert slow["final_value"] is None


def test_a_killed_worker_costs_its_cell_alone_and_retry_runs_it(tmp_path):
    path, killed = tmp_path / "r.sqlite", []

    def kill_one(row):
        if not killed:
            killed.append(multiprocessing.active_children()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    settings = {"lr": [1e-4 * k for k in range(1, 9)], "steps": 800, "out": path, "jobs": 2}
    rows = sweep(["gd"], ["booth"], on_row=kill_one, **settings)
    lost = [row for row in rows if row["error"]]
    assert [row["error"] for row in lost] == ["its process died (exit code -9)"]
    assert sum(row["final_value"] is not None for row in rows) == 7
    assert sweep(["gd"], ["booth"], **settings) == rows  # not by itself
    again = sweep(["gd"], ["booth"], retry=True, **settings)
    assert [row["error"] for row in again] == [None] * 8
    assert [row for row in again if row["key"] != lost[0]["key"]] == [r for r in rows if not r["error"]]


def test_retry_leaves_divergence_alone():
    store = Store(None)
    grid = Grid(["gd"], ["rosenbrock"], {"lr": [1.0]})
    assert run_grid(grid, store, jobs=1).diverged == 1
    assert run_grid(grid, store, jobs=1, retry=True).done == 0


def test_the_tally_counts(tmp_path):
    with opened(tmp_path / "r.sqlite") as store:
        first = run_grid(Grid(["gd"], ["rosenbrock"], {"lr": [1e-4, 1.0]}, steps=9), store, jobs=1)
        second = run_grid(Grid(["gd", "muon"], ["rosenbrock"], {"lr": [1e-4, 1.0]}, steps=9), store, jobs=1)
    assert vars(first) == {"cells": 2, "known": 0, "done": 2, "diverged": 1, "failed": 0}
    assert vars(second) == {"cells": 4, "known": 2, "done": 2, "diverged": 0, "failed": 2}


def test_threads_of_this_process_are_as_before(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    seen = []
    sweep(["gd"], ["booth"], steps=1, jobs=1, on_row=lambda row: seen.append(os.environ["OMP_NUM_THREADS"]))
    assert seen == ["1"]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_a_wrong_grid_makes_no_file(tmp_path):
    with pytest.raises(ValueError, match="did you mean 'adam'"):
        sweep(["adm"], ["booth"], out=tmp_path / "r.sqlite")
    assert list(tmp_path.iterdir()) == []
