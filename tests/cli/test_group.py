"""The frame of all commands: exit codes, errors in one line, what is imported, closed pipes, interrupts."""

import subprocess
import sys
from pathlib import Path

import pytest

import optverify
from optverify.cli import main
from optverify.cli.group import CommandGroup


def only_line(outcome):
    """The one line on stderr."""
    assert outcome.stdout == ""
    (line,) = outcome.stderr.splitlines()
    return line


def test_every_file_is_a_command_that_explains_itself(run):
    files = {p.stem for p in Path(optverify.__file__).parent.glob("cli/commands/[!_]*.py")}
    assert {"list", "show", "report", "verify", "train"} <= files == set(main.list_commands(None))
    assert isinstance(main, CommandGroup)
    for name in files:
        outcome = run(name, "--help")
        assert outcome.exit_code == 0
        assert "--debug" in outcome.stdout


def test_version(run):
    outcome = run("--version")
    assert (outcome.exit_code, outcome.stdout) == (0, f"optverify {optverify.__version__}\n")


def test_help_lists_the_commands(process):
    outcome = process("--help")
    assert outcome.returncode == 0
    assert outcome.stderr == ""
    for name in main.list_commands(None):
        assert f"\n  {name} " in outcome.stdout


def test_without_a_command_it_is_the_help(run):
    bare = run()
    assert (bare.exit_code, bare.stderr) == (0, "")
    assert bare.stdout == run("--help").stdout


@pytest.mark.parametrize(
    "arguments", [["--help"], ["show", "--help"], ["verify", "--help"], ["train", "--help"]]
)
def test_help_imports_nothing_heavy(arguments):
    code = f"""
import sys
from optverify.cli import main
try:
    main({arguments!r})
except SystemExit:
    pass
heavy = {{"sympy", "numpy", "autograd", "matplotlib", "rich", "jinja2"}}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert outcome.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shw"], "error: unknown command 'shw'; did you mean 'show'?"),
        (["show"], "error: Missing argument 'NAME'"),
        (["show", "adm"], "error: unknown rule, schedule or problem 'adm'; did you mean 'adam'?"),
        (["show", "adam", "--latx"], "error: No such option"),
        (["--foo"], "error: No such option"),
        (["train", "booth", "--steps", "none"], "error: Invalid value for '--steps'"),
        (["verify", "--junit", "/dev/null/x", "adam.uncorrected"], "error: "),
    ],
)
def test_wrong_usage_and_input_is_one_line_and_code_2(run, arguments, message):
    outcome = run(*arguments)
    assert outcome.exit_code == 2
    line = outcome.stderr.splitlines()
    assert len(line) == 1
    assert line[0].startswith(message)


def test_debug_adds_the_traceback(run):
    for arguments in (["--debug", "show", "adm"], ["show", "adm", "--debug"]):
        outcome = run(*arguments)
        assert outcome.exit_code == 2
        assert "Traceback (most recent call last)" in outcome.stderr
        assert outcome.stderr.splitlines()[-1].startswith("error: unknown rule, schedule or problem 'adm'")


def test_a_fault_of_our_own_is_told_from_a_failed_check(run, monkeypatch):
    def broken():
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("optverify.rules.registry.names", broken)
    outcome = run("list", "rules")
    assert outcome.exit_code == 70
    assert only_line(outcome) == (
        "internal error: RuntimeError: two lines; run it again with --debug for the traceback"
    )


def test_an_interrupt_is_one_line_and_code_130(run, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("optverify.rules.registry.names", interrupted)
    outcome = run("list", "rules")
    assert outcome.exit_code == 130
    assert outcome.stderr.strip() == "interrupted"


def test_a_reader_that_goes_away_ends_it_quietly():
    """As `optverify show adam --python | head -1`, with the pipe closed before anything is written."""
    started = subprocess.Popen(
        [sys.executable, "-m", "optverify", "show", "adam", "--python"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    started.stdout.close()
    stderr = started.stderr.read()
    started.stderr.close()
    assert (started.wait(timeout=60), stderr) == (141, "")
