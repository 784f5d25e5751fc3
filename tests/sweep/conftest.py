"""Sweeps of the command line in processes of their own, and rows to compare."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from optverify.sweep import read

SMALL = [
    "--rules", "adam,gd", "--problems", "rosenbrock,quadratic", "--lr", "1e-3:1:4", "--set", "beta1=0.8,0.9",
    "--seeds", "0:2", "--noise", "0.01", "--steps", "60",
]  # fmt: skip
"""48 cells; gradient descent diverges in some."""


class Command:
    """`optverify sweep` under way, at the head of a process group."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "optverify", "sweep", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def wait(self):
        """Until it ends by itself: (exit code, stdout, stderr)."""
        out, err = self.process.communicate(timeout=240)
        return self.process.returncode, out, err

    def wait_for(self, changes, path):
        """Until its file has been written into so often; False if the command ended before."""
        log = path.with_name(f"{path.name}{'.journal' if path.suffix == '.parquet' else ''}-wal")
        seen = set()
        while self.process.poll() is None:
            with suppress(FileNotFoundError):
                seen.add(log.stat().st_mtime_ns)
            if len(seen) >= changes:
                return True
            time.sleep(0.01)
        return False

    def kill(self):
        """SIGKILL, itself first and its workers with it."""
        group = self.process.pid
        self.process.kill()
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        self.process.communicate()


def numbers(rows):
    """The rows without what differs from run to run."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.fixture
def command():
    """command(*arguments): a Command, killed at the end of the test if it is still there."""
    started = []

    def start(*arguments):
        started.append(Command(*arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The rows of SMALL, run without interruption."""
    path = Path(tmp_path_factory.mktemp("whole")) / "whole.sqlite"
    code, _, err = Command(*SMALL, "--out", path, "--jobs", 2).wait()
    assert (code, err) == (0, "")
    return read(path)
