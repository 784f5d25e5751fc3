"""Importing steps costs NumPy alone."""

import subprocess
import sys

import pytest

HEAVY = ("sympy", "mpmath", "autograd", "jinja2", "matplotlib", "click", "rich", "concurrent.futures")


@pytest.mark.parametrize("name", ["gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"])
def test_a_step_module_imports_numpy_and_nothing_heavy(name):
    code = (
        f"import sys; from optverify.steps import {name}; import numpy as np\n"
        f"{name}.step(np.ones(3), np.ones(3), {name}.init(np.ones(3)))\n"
        f"print([m for m in {HEAVY} if m in sys.modules])\n"
        "print(sorted(m for m in sys.modules if m.startswith('optverify.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy, ours = done.stdout.splitlines()
    assert heavy == "[]"
    version = "optverify._version"  # a number
    assert ours == str([version, "optverify.steps", "optverify.steps._engine", f"optverify.steps.{name}"])
