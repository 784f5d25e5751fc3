"""The sandbox: a crash, a hang, an exit and an exception are answers; nothing is left running."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from optverify.conformance import sandbox

HERE = Path(__file__).parent
TASK = "tests.conformance.test_sandbox:task"


@pytest.fixture(autouse=True)
def _found(monkeypatch):
    """The child finds what this process finds."""
    root = str(HERE.parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))


def task(make, *, say, **job):
    """Run in the child: make it, take a step, answer."""
    import numpy as np

    say("while it is asked")
    make().step(np.ones(2), np.zeros(2))
    return {"job": job}


def run(name, seconds=20.0, **job):
    return sandbox.run(TASK, f"tests.conformance.samples:{name}", seconds, **job)


def test_an_answer_comes_back_as_it_was():
    ending = run("MyAdam", 30.0, a=1.5, b=["x"])
    assert (ending.how, ending.answer) == ("answered", {"job": {"a": 1.5, "b": ["x"]}})


def test_arguments_are_for_the_target():
    ending = sandbox.run(TASK, "tests.conformance.samples:MyAdam", 30.0,
                         arguments={"lr": 0.5, "b3": 1})  # fmt: skip
    assert ending.how == "raised"
    assert "b3" in ending.detail


def test_an_answer_can_be_written_anywhere():
    """A lone surrogate is no Unicode text: a file or a pipe in UTF-8 refuses it."""
    ending = run("MyAdam", 30.0, a="x\ud800", b=[{"\udfff": 1}])
    assert ending.answer == {"job": {"a": r"x\ud800", "b": [{r"\udfff": 1}]}}


@pytest.mark.parametrize("answer", [b"", b"haha", b"[1]", b'{"how": "answered", "no": 1}', b"\xff"])
def test_an_answer_that_cannot_be_read_is_a_crash(answer):
    ending = sandbox._read(answer, 1.0)
    assert ending.how == "crashed"
    assert "no answer that can be read" in ending.detail


def test_code_that_replaces_what_the_sandbox_works_with(tmp_path):
    """json, the streams and os._exit are theirs to break, the answer is not."""
    path = tmp_path / "vandal.py"
    path.write_text(
        "import json, os, sys\n"
        "class Vandal:\n"
        "    def step(self, theta, grad):\n"
        "        json.dumps = json.loads = lambda *a, **k: 'haha'\n"
        "        os._exit = print\n"
        "        sys.stdout = sys.stderr = None\n"
        "        return theta\n"
    )
    assert sandbox.run(TASK, f"{path}:Vandal", 30.0).how == "answered"


def test_what_is_printed_does_not_fill_a_pipe():
    assert run("Chatty").how == "answered"


def test_a_crash_says_what_killed_it_and_where():
    ending = run("Crashes")
    assert ending.how == "crashed"
    assert "killed by SIGSEGV (a segmentation fault) while it is asked, in step (" in ending.detail
    assert "samples.py, line " in ending.detail


def test_a_hang_is_killed_in_time_and_says_where_it_stood():
    began = time.monotonic()
    ending = run("Hangs", 3.0)
    assert time.monotonic() - began < 10
    assert ending.how == "hung"
    assert "did not end within 3 s while it is asked, in step (" in ending.detail


def test_an_orderly_exit_is_told_from_one_without_a_word():
    assert "calls sys.exit(3)" in run("Exits").detail
    ending = run("Vanishes")
    assert ending.how == "crashed"
    assert "with exit code 0" in ending.detail
    assert "good bye" in ending.detail


def test_an_exception_says_where_in_their_code():
    ending = run("NotMade")
    assert ending.how == "raised"
    assert "raises RuntimeError: no accelerator here" in ending.detail


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nothing", "not of the form module:Class"),
        ("no.such.module:Adam", "there is no module 'no' here"),
        ("no/such/file.py:Adam", "there is no file"),
        ("tests.conformance.samples:MyAdm", "did you mean 'MyAdam'"),
    ],
)
def test_a_wrong_target_is_refused(target, message):
    ending = sandbox.run(TASK, target, 30.0)
    assert ending.how == "refused"
    assert message in ending.detail


def test_a_module_that_raises_is_a_verdict(tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("import no_such_thing\n")
    ending = sandbox.run(TASK, f"{broken}:Adam", 30.0)
    assert ending.how == "raised"
    assert "No module named 'no_such_thing'" in ending.detail


def test_an_exception_of_our_own_is_no_verdict():
    ending = sandbox.run("optverify.conformance.jobs:check", "tests.conformance.samples:MyAdam", 30.0)
    assert ending.how == "broken"
    assert "missing 3 required keyword-only arguments" in ending.answer


def test_a_file_finds_its_neighbours(tmp_path):
    (tmp_path / "beside.py").write_text("class Adam:\n    def step(self, theta, g):\n        return theta\n")
    (tmp_path / "mine.py").write_text("from beside import Adam\n")
    assert sandbox.run(TASK, f"{tmp_path / 'mine.py'}:Adam", 30.0).how == "answered"


def test_processes_that_it_started_are_killed_too(tmp_path):
    (tmp_path / "spawns.py").write_text(
        "import subprocess, sys\n"
        "class Adam:\n"
        "    def step(self, theta, g):\n"
        "        child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"        open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "        child.wait()\n"
    )
    ending = sandbox.run(TASK, f"{tmp_path / 'spawns.py'}:Adam", 4.0)
    assert ending.how == "hung"
    pid = int((tmp_path / "pid").read_text())
    for _ in range(50):
        if not _runs(pid):
            break
        time.sleep(0.1)
    assert not _runs(pid)


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_command_line_needs_no_sympy_to_start_the_sandbox():
    code = "import sys, optverify.conformance.sandbox; print(sorted({'sympy', 'numpy'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("installed", "chosen", "backend"),
    [({"jax", "torch"}, None, "jax"), ({"torch"}, "tensorflow", "torch"), ({"tensorflow", "jax"}, None, None),
     ({"jax"}, "numpy", None), (set(), None, None), ({"jax"}, "[", "jax")],
)  # fmt: skip
def test_keras_gets_a_backend_that_is_installed(tmp_path, monkeypatch, installed, chosen, backend):
    """Only where it would take TensorFlow and cannot; what its file or the user says stands."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(sandbox.importlib.util, "find_spec", lambda name: name in installed or None)
    if chosen is not None:
        (tmp_path / "keras.json").write_text("[" if chosen == "[" else f'{{"backend": "{chosen}"}}')
    assert sandbox._environment().get("KERAS_BACKEND") == backend
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert sandbox._environment()["KERAS_BACKEND"] == "torch"
