"""Run a command in this process, or in a fresh one."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from optverify.cli import main


@pytest.fixture
def run():
    """run("show", "adam"): the outcome, with .exit_code, .stdout and .stderr."""
    return lambda *arguments: CliRunner().invoke(main, arguments)


@pytest.fixture
def process():
    """process("show", "adam"): the same in a fresh interpreter, with .returncode."""

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "optverify", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run
