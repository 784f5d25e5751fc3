"""Programs in C and JavaScript that read the vectors and have Adam by hand: right, and broken on purpose."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from optverify.cli import main

from .conftest import VECTORS

HERE = Path(__file__).parent / "consumers"
ADAM = VECTORS / "rules" / "adam.json"


@pytest.fixture(scope="module", params=["C", "JavaScript"])
def consumer(request, tmp_path_factory):
    """A command; skipped, visibly, without its compiler or interpreter."""
    needed = {"C": "gcc", "JavaScript": "node"}[request.param]
    if shutil.which(needed) is None:
        pytest.skip(f"{needed} is not installed: the example in {request.param} was not run")
    if request.param == "JavaScript":
        return ["node", str(HERE / "adam.mjs")]
    made = tmp_path_factory.mktemp("consumer") / "adam"
    flags = ["-std=c11", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *flags, HERE / "adam.c", "-o", made, "-lm"], check=True, timeout=120)
    return [str(made)]


def results(consumer, path, group, dtype, *more):
    done = subprocess.run(
        [*consumer, str(ADAM), group, dtype, *more], check=True, capture_output=True, text=True, timeout=60
    )
    path.write_text(done.stdout, "utf-8")
    return path


def check(path, *more):
    done = CliRunner().invoke(
        main, ["vectors", "check", str(path), "--vectors", str(VECTORS), "--json", *more]
    )
    return done.exit_code, json.loads(done.stdout)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("group", ["adam/default", "adam/paper"])
def test_adam_by_hand_passes(consumer, tmp_path, group, dtype):
    code, found = check(results(consumer, tmp_path / "r.json", group, dtype), "--require", group)
    assert (code, found["failed"], found["missing"]) == (0, 0, [])
    assert found["passed"] >= 3


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_epsilon_inside_the_root_fails_and_is_named(consumer, tmp_path, dtype):
    code, found = check(results(consumer, tmp_path / "r.json", "adam/default", dtype, "inside"))
    assert code == 1
    (named,) = found["identified"]["adam/default"]
    assert named.startswith("adam/epsilon=inside: ")
    assert found["failed"] > 10


def test_the_same_program_is_right_for_the_group_of_its_dialect(consumer, tmp_path):
    """Conventions are alternatives: what fails one group passes another."""
    code, found = check(results(consumer, tmp_path / "r.json", "adam/epsilon=inside", "float64", "inside"))
    assert (code, found["failed"]) == (0, 0)
