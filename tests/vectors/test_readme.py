"""The section of the README on programs in other languages: its commands run, its failure is a real one."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "README.md").read_text("utf-8").split("## In any language\n")[1].split("\n## ")[0]


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)


@pytest.fixture
def shell(tmp_path):
    """Runs a line where a user's project would be, with this Python's optverify."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed: the commands of the README were not run")
    (tmp_path / "tests").symlink_to(ROOT / "tests")

    def run(line):
        command = re.sub(r"^optverify ", f"{sys.executable} -m optverify ", line)
        environment = {"PYTHONPATH": str(ROOT), "PATH": str(Path(shutil.which("node")).parent)}
        settings = {"shell": True, "capture_output": True, "text": True, "timeout": 300}
        return subprocess.run(command, check=False, cwd=tmp_path, env=environment, **settings)

    return run


def test_the_commands_run_and_pass(shell):
    (commands,) = blocks("sh")
    done = [shell(line) for line in commands.splitlines()]
    assert [d.returncode for d in done] == [0, 0, 0], [d.stderr for d in done]
    assert re.search(r"\d+ results: \d+ passed", done[-1].stdout)


def test_the_failure_that_is_shown_is_what_is_printed(shell):
    (commands,) = blocks("sh")
    first, consumer, check = commands.splitlines()
    shell(first)
    shell(consumer.replace("float64", "float64 inside"))
    told = shell(check)
    assert told.returncode == 1
    (shown,) = re.findall(r"```\n(FAIL.*?)```", SECTION, re.DOTALL)
    for line in shown.splitlines():
        pattern = re.escape(line).replace(r"\.\.\.", ".*")
        assert re.search(pattern, told.stdout), line


def test_the_files_it_links_to_are_there():
    for target in re.findall(r"\]\(([^)]+)\)", SECTION):
        assert (ROOT / target).exists(), target
