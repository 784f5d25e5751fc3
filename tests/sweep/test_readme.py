"""The section of the README on sweeps: its commands and its script run."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "README.md").read_text("utf-8").split("## Sweep\n")[1].split("\n## ")[0]


def block(language):
    (found,) = re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    return found


@pytest.fixture
def python(tmp_path):
    """Runs this Python in a folder of its own."""

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )

    return run


def test_the_commands_and_the_sql_run(python, tmp_path):
    """With two updates a cell: all values of the grid are there."""
    first, second = (line.partition("#")[0].split() for line in block("sh").splitlines())
    assert "210 cells: 210 run" in python("-m", *first, "--steps", "2").stdout
    assert python("-m", *second).stdout == "210 rows drawn: sensitivity.svg\n"
    assert (tmp_path / "sensitivity.svg").exists()
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        assert len(database.execute(re.search(r"SELECT .*", block("python"))[0]).fetchall()) == 2 * 7
    database.close()


def test_the_script_runs(python, tmp_path):
    (tmp_path / "script.py").write_text(block("python"), "utf-8")
    lines = python("script.py").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["booth", "adam"], ["booth", "momentum"]]
