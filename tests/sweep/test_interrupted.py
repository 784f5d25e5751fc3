"""A sweep that is killed or interrupted at any moment goes on: no row lost, none twice, the same numbers."""

import os
import random
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from optverify.sweep import read

from .conftest import SMALL, numbers

KILLS = 3


def left_over(group):
    """Of a process group, those that do not end by themselves."""
    end = time.monotonic() + 20
    while (found := running(group)) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def running(group):
    """Of a process group, those that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                state, _, its_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            except OSError:
                continue
            if int(its_group) == group and state != "Z":
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("name", ["r.sqlite", "r.parquet"])
def test_killed_again_and_again_it_ends_with_the_rows_of_an_uninterrupted_run(command, whole, tmp_path, name):
    path, moments = tmp_path / name, random.Random(name)
    rows, kills, seen = [], 0, {}
    while True:
        started = command(*SMALL, "--out", path, "--jobs", 2)
        if kills == KILLS or not started.wait_for(moments.randint(3, len(whole) // KILLS), path):
            code, _, err = started.wait()
            assert (code, err) == (0, "")
            break
        time.sleep(moments.random() / 5)
        started.kill()
        kills += 1
        before, rows = len(rows), read(path)
        assert len({row["key"] for row in rows}) == len(rows) >= before
        seen |= {row["key"]: row for row in rows if row["key"] not in seen}
    assert kills >= 2
    assert len(seen) >= len(whole) // 4
    ended = read(path)
    assert numbers(ended) == numbers(whole)
    for row in ended:  # with its seconds: what was done is not done again
        assert row == seen.get(row["key"], row)
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["r.sqlite", "r.parquet"])
def test_ctrl_c_ends_it_cleanly(command, whole, tmp_path, name):
    path = tmp_path / name
    started = command(*SMALL, "--out", path, "--jobs", 2)
    assert started.wait_for(5, path)
    group = started.process.pid
    os.killpg(group, signal.SIGINT)
    code, out, err = started.wait()
    assert code == 130
    assert out == ""
    assert err.splitlines()[-1] == "interrupted"
    assert "the same command does the rest" in err
    assert left_over(group) == []
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert 1 <= len(read(path)) < len(whole)
    assert command(*SMALL, "--out", path, "--jobs", 1).wait()[0] == 0
    assert numbers(read(path)) == numbers(whole)


def test_workers_go_with_a_killed_parent(command, tmp_path):
    path = tmp_path / "r.sqlite"
    started = command(*SMALL[:-1], "1000000", "--out", path, "--jobs", 2)
    assert started.wait_for(1, path)
    time.sleep(2)  # both are in the middle of a cell
    assert len(running(started.process.pid)) >= 3
    started.process.kill()
    started.process.wait()
    assert left_over(started.process.pid) == []
    for pipe in (started.process.stdout, started.process.stderr):
        pipe.close()


def test_two_sweeps_at_once_share_a_file(command, whole, tmp_path):
    path = tmp_path / "r.sqlite"
    both = [command(*SMALL, "--out", path, "--jobs", 1) for _ in range(2)]
    assert [one.wait()[::2] for one in both] == [(0, ""), (0, "")]
    assert numbers(read(path)) == numbers(whole)


def test_a_parquet_file_is_for_one_sweep_at_a_time(command, tmp_path):
    path = tmp_path / "r.parquet"
    long = [*SMALL[:-1], "100000"]
    command(*long, "--out", path, "--jobs", 1)
    while not path.with_name("r.parquet.journal").exists():
        time.sleep(0.02)
    time.sleep(0.5)
    code, _, err = command(*SMALL, "--out", path, "--jobs", 1).wait()
    assert code == 2
    assert "is in use by another sweep" in err
    with pytest.raises(OSError, match="is in use by another sweep"):
        read(path)


def test_the_database_is_sound_after_a_kill(command, tmp_path):
    path = tmp_path / "r.sqlite"
    started = command(*SMALL, "--out", path, "--jobs", 2)
    assert started.wait_for(3, path)
    started.kill()
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()
