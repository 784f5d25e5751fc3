"""A Dask cluster: the same rows, and workers, schedulers and releases that fail."""

import json
import operator
import os
import subprocess
import sys
import time
from functools import partial

import dask
import pytest
from distributed import Client, LocalCluster

from optverify.sweep import cluster, read, sweep
from optverify.workers import Lost

from .conftest import SMALL, numbers

QUIET = {"dashboard_address": ":0", "silence_logs": 50, "host": "127.0.0.1"}


@pytest.fixture(scope="module")
def local():
    """A cluster of two processes with two threads each."""
    with LocalCluster(n_workers=2, threads_per_worker=2, **QUIET) as made:
        yield made


@pytest.fixture
def frail():
    """Three processes; Dask gives up a cell when its first worker dies."""
    settings = {"distributed.scheduler.allowed-failures": 0}
    with dask.config.set(settings), LocalCluster(n_workers=3, threads_per_worker=1, **QUIET) as made:
        yield made


def job(key, *call):
    """What on_cluster takes for a cell: it has a key, and operator.call runs it."""
    made = partial(*call)
    made.key = key
    return made


def test_it_gives_the_rows_of_local_processes(local, command, whole, tmp_path):
    path = tmp_path / "r.sqlite"
    code, _, err = command(*SMALL, "--out", path, "--scheduler", local.scheduler_address).wait()
    assert (code, err) == (0, "")
    assert numbers(read(path)) == numbers(whole)


def test_what_a_cell_runs_into_is_its_error(local):
    rows = sweep(["gd", "muon"], ["rosenbrock"], lr=[1e-4, 1.0], steps=10, scheduler=local.scheduler_address)
    assert [r["diverged"] for r in rows] == [False, True, None, None]
    (slow,) = sweep(["gd"], ["booth"], steps=10**9, time_limit=0.3, scheduler=local.scheduler_address)
    assert slow["error"] == "it took longer than 0.3 s"


def test_a_cell_that_takes_workers_along_is_lost_alone(frail):
    """Those that waited on the same worker are blamed by Dask, too, and have another try."""
    jobs = [job("deadly", os._exit, 9), *(job(f"{k}", dict, {"updates": k}) for k in range(8))]
    outcomes = cluster.on_cluster(frail.scheduler_address, operator.call, jobs)
    found = {one.key: outcome for one, outcome in outcomes}
    assert isinstance(found["deadly"], Lost)
    assert str(found.pop("deadly")) == "the workers that ran it died"
    assert found == {f"{k}": {"updates": k} for k in range(8)}


def test_a_worker_that_dies_costs_its_cells_another_try(frail, tmp_path):
    path = str(tmp_path / "died")
    code = f"open({path!r}, 'x') and __import__('os')._exit(9)"  # the second time it is there
    ((_, outcome),) = cluster.on_cluster(frail.scheduler_address, operator.call, [job("a", eval, code)])
    assert isinstance(outcome, Lost)
    assert str(outcome).startswith("FileExistsError")


def test_a_cluster_that_has_lost_all_workers_is_one_sentence(local, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    monkeypatch.setattr(cluster, "LOOK", 0.2)
    monkeypatch.setattr(Client, "nthreads", lambda client: {})
    began = time.monotonic()
    with pytest.raises(OSError, match="has no workers: what is done is kept"):
        list(cluster.on_cluster(local.scheduler_address, operator.call, [job("x", time.sleep, 9)]))
    assert time.monotonic() - began < 8


def test_without_a_scheduler_it_is_one_sentence(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    with pytest.raises(OSError, match=r"there is no Dask scheduler at 'tcp://127\.0\.0\.1:1'"):
        sweep(["gd"], ["booth"], scheduler="tcp://127.0.0.1:1")
    with pytest.raises(OSError, match="there is no Dask scheduler at 'nonsense'"):
        sweep(["gd"], ["booth"], scheduler="nonsense")


def test_workers_of_another_release_are_refused(local, monkeypatch):
    monkeypatch.setattr(cluster, "__version__", "9.9")
    with pytest.raises(ValueError, match=r"this is optverify 9\.9 and workers of .* have 0\.1\.0"):
        sweep(["gd"], ["booth"], scheduler=local.scheduler_address)


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler with one worker, processes of their own: (its process, its address)."""
    place = tmp_path / "scheduler.json"
    settings = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    file = ["--scheduler-file", place, "--no-dashboard"]
    dask = [sys.executable, "-m"]
    head = subprocess.Popen(
        [*dask, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *file], **settings
    )
    worker = subprocess.Popen(
        [*dask, "distributed.cli.dask_worker", "--no-nanny", "--death-timeout", "20", *file], **settings
    )
    try:
        end = time.monotonic() + 60
        while not place.exists() and time.monotonic() < end:
            time.sleep(0.1)
        yield head, json.loads(place.read_text())["address"]
    finally:
        for one in (head, worker):
            one.kill()
            one.wait()


def test_a_scheduler_that_goes_away_leaves_the_rows(scheduler, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 5)  # how long a client hopes for its return
    process, address = scheduler
    path, rows = tmp_path / "r.sqlite", []

    def fifth(row):
        rows.append(row)
        if len(rows) == 5:
            process.kill()

    rates = [1e-4 * k for k in range(1, 100)]
    with pytest.raises(OSError, match="is gone: what is done is kept, and the same command does the rest"):
        sweep(["gd"], ["booth"], lr=rates, out=path, scheduler=address, on_row=fifth)
    assert 5 <= len(read(path)) == len(rows) < 99


def test_missing_dask_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'optverify\[cluster\]'"):
        sweep(["gd"], ["booth"], scheduler="tcp://127.0.0.1:1")
