"""The section of the README on exports: its commands run, its C program compiles and finds the minimum."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "README.md").read_text("utf-8").split("## Export\n")[1].split("\n## ")[0]


def block(language):
    (found,) = re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    return found


def test_the_commands_run_and_the_program_does_what_it_is_for(tmp_path):
    for line in block("sh").splitlines():
        command = [sys.executable, "-m", *shlex.split(line, comments=True)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
        assert ("--out" in line) == (done.stdout == "")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["adam.h", "adamw.rs", "lion.py"]
    if not shutil.which("gcc"):
        pytest.skip("gcc is not here: the program of the README was not compiled")
    (tmp_path / "main.c").write_text(block("c"), "utf-8")
    flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "main.c", "-lm"]
    subprocess.run(["gcc", *flags], cwd=tmp_path, timeout=120, check=True)
    done = subprocess.run(["./a.out"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert all(abs(float(x)) < 0.01 for x in done.stdout.split())
