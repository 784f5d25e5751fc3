"""JSON lines: a process in another language, and all that can go wrong with one."""

import contextlib
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from optverify.conformance.adapters import chosen, drive
from optverify.conformance.adapters.process import Command, pack, unpack
from optverify.conformance.protocol import Unsupported
from tests.conformance.adapters.plain import agree, by_hand, momentum, run, start

CHILD = [sys.executable, str(Path(__file__).with_name("child.py"))]


def make(fault="", limit=10.0):
    return Command([*CHILD, fault], time_limit=limit)


def updated(box):
    box.update([np.ones_like(p) for p in box.params()])


def test_against_a_plain_loop():
    assert chosen(CHILD, start()).name == "process"
    agree(run(CHILD), by_hand(momentum))
    agree(run(make()), by_hand(momentum))
    agree(run(lambda: CHILD, "process"), by_hand(momentum))
    agree(run(" ".join(CHILD), "process"), by_hand(momentum))


def test_what_it_shows():
    box = drive(make(), start())
    assert box.hyperparameters() == {"lr": 0.5, "momentum": 0.9}
    box.update([None, np.ones((1, 2))])
    assert np.array_equal(box.params()[0], start()[0])
    assert box.state()["v"][1] == pytest.approx(np.full((1, 2), 0.5))
    assert box.points()[1] == pytest.approx(box.params()[1])
    box.close()
    box.close()
    with pytest.raises(RuntimeError, match="stopped"):
        updated(box)


def test_numbers_that_are_not_finite_go_through():
    box = drive(make(), [np.array([1.0, 2.0])])
    box.update([np.array([np.inf, np.nan])])
    assert box.params()[0][0] == -np.inf
    assert np.isnan(box.params()[0][1])
    box.close()


@pytest.mark.parametrize("fault", ["hang", "slow start"])
def test_a_hang_is_ended(fault):
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=r"0\.5 seconds and was killed"):
        updated(drive(make(fault, limit=0.5), start()))
    assert time.monotonic() - began < 5


def test_a_child_that_does_not_even_read_is_ended():
    big = [np.zeros(200_000)]
    with pytest.raises(TimeoutError, match="killed"):
        drive(Command([sys.executable, "-c", "import time; time.sleep(60)"], time_limit=0.5), big)


def test_what_a_killed_process_has_started_ends_too(tmp_path):
    script = f"sleep 60 & echo $! > {tmp_path}/pid; wait"
    with pytest.raises(TimeoutError):
        drive(Command(["sh", "-c", script], time_limit=0.5), start())
    pid = int((tmp_path / "pid").read_text())
    for _ in range(50):
        if not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]:
            break
        time.sleep(0.05)
    else:
        os.kill(pid, 9)
        pytest.fail("the grandchild lives on")


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("die", RuntimeError, "exit code 1: segmentation fault"),
        ("error", RuntimeError, "no such array"),
        ("chatter", ValueError, "no JSON"),
        ("shape", ValueError, "shapes"),
        ("old", ValueError, "version 0"),
    ],
)
def test_what_goes_wrong_is_said(fault, error, says):
    with pytest.raises(error, match=says), contextlib.closing(drive(make(fault), start())) as box:
        updated(box)


def test_what_it_cannot_do_is_no_error():
    box = drive(make("fixed"), start())
    with pytest.raises(Unsupported, match="fixed rate"):
        box.set_lr(0.1)
    box.close()


def test_a_program_that_is_not_there():
    with pytest.raises(FileNotFoundError):
        drive(["/no/such/program"], start())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_survive_the_journey(dtype):
    x = np.array([[0.1, -1e-300, 3.0], [np.inf, -np.inf, 5e30]]).astype(dtype)
    assert np.array_equal(unpack(pack(x)), x)
    assert unpack(pack(x)).dtype == x.dtype
