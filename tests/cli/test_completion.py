"""Completion: a script for each shell, names without importing SymPy."""

import os
import subprocess
import sys

import pytest

from optverify.claims import claims as all_claims
from optverify.cli import completion
from optverify.libraries import names as library_names
from optverify.rules import registry as rules
from optverify.schedules import registry as schedules

PROGRAM = """
import sys
sys.argv = ["optverify"]
from optverify.cli import main
try:
    main()
finally:
    print("sympy" in sys.modules)
"""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script(run, shell):
    outcome = run("completion", shell)
    assert outcome.exit_code == 0
    assert "_OPTVERIFY_COMPLETE" in outcome.stdout


def test_another_shell_is_refused_by_name(run):
    assert run("completion", "csh").exit_code == 2


def test_names_are_those_of_the_registries():
    assert completion.rules() == rules.names()
    assert completion.schedules() == schedules.names()
    assert completion.libraries() == library_names()
    assert set(completion.claims()) <= {c.id for c in all_claims()}
    assert len(completion.claims()) > 200


@pytest.mark.parametrize(
    ("words", "at", "wanted"),
    [
        ("optverify sh", 1, "show"),
        ("optverify show ada", 2, "adamw"),
        ("optverify show cos", 2, "cosine"),
        ("optverify show adam --like ", 4, "keras"),
        ("optverify verify gd.quad", 2, "gd.quadratic.boundary"),
        ("optverify show adam --lat", 3, "--latex"),
    ],
)
def test_a_press_of_tab_gives_names(words, at, wanted):
    given = {"_OPTVERIFY_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    *found, heavy = ran.stdout.splitlines()
    assert f"plain,{wanted}" in found
    assert heavy == "False", "SymPy was imported"
