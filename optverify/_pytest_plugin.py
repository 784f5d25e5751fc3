"""The pytest plugin: expected failures from a file, and the number of checks that were run, always.

It is loaded by every pytest run in an environment that has optverify; it imports neither SymPy nor NumPy.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from optverify import _session
from optverify._session import EXPECTED, FAILED, INAPPLICABLE, PASSED, UNEXPECTED, Entry

PROPERTY = "optverify"
SEVERITY = (INAPPLICABLE, PASSED, EXPECTED, UNEXPECTED, FAILED)
UNUSED: pytest.StashKey[list[Entry]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """--optverify-xfails FILE, and the same in the configuration file."""
    text = "Checks that are expected to fail: a line each, the id (* fits anything) and then the reason."
    group = parser.getgroup("optverify", "conformance of optimizers (optverify)")
    group.addoption("--optverify-xfails", metavar="FILE", action="append", default=[], help=text)
    parser.addini(
        "optverify_xfails", f"Files like those of --optverify-xfails. {text}", type="paths", default=[]
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read the files of expected failures; a file that cannot be read ends the run."""
    text = "optverify: a conformance check of optverify.testing.parametrize_with_checks"
    config.addinivalue_line("markers", text)
    files = [*config.getini("optverify_xfails"), *map(Path, config.getoption("--optverify-xfails"))]
    try:
        _session.entries = tuple(entry for file in files for entry in _session.read(file))
    except OSError as error:
        said = f"{error.filename!r} cannot be read ({error.strerror}): name a file of expected failures"
        raise pytest.UsageError(f"--optverify-xfails: {said}") from None
    except ValueError as error:  # what is no text as well
        raise pytest.UsageError(f"--optverify-xfails: {error}") from None
    _session.ran.clear()


def pytest_unconfigure() -> None:
    """Leave nothing behind for another run in this process."""
    _session.entries = ()
    _session.ran.clear()


def _identity(item: pytest.Item) -> str | None:
    """The id of the check that the test runs; None for any other test."""
    called_with = getattr(getattr(item, "callspec", None), "params", {})
    return getattr(called_with.get("check"), "optverify_id", None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the checks, and those that are expected to fail."""
    _refuse_unknown_checks()
    used = set()
    for item in items:
        if (identity := _identity(item)) is None:
            continue
        item.add_marker("optverify")
        for entry in _session.entries:
            if entry.fits(identity):
                used.add(entry)
                item.add_marker(pytest.mark.xfail(reason=entry.reason, strict=True, raises=AssertionError))
                break
    config.stash[UNUSED] = [entry for entry in _session.entries if entry not in used]


def _refuse_unknown_checks() -> None:
    testing = sys.modules.get("optverify.testing")
    if testing is None:  # no test of this run uses checks
        return
    try:
        for entry in _session.entries:
            _session.refuse_unknown([entry.check], testing.CHECKS, entry.where)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hang what the checks of a test came to on its report: xdist and JUnit carry it on."""
    report = yield
    if report.when == "call":
        for row in _session.ran:
            identity = _identity(item)
            outcome = row.outcome if identity is None else _as_pytest_sees_it(row.outcome, report)
            said = (PROPERTY, f"{row.identity}: {outcome}")
            report.user_properties.append(said)
            item.user_properties.append(said)  # for the report of its end, from which JUnit is written
        _session.ran.clear()
    return report


def _as_pytest_sees_it(outcome: str, report: pytest.TestReport) -> str:
    """A parametrized check knows not whether its failure is expected; its mark does."""
    if outcome == FAILED and hasattr(report, "wasxfail"):
        return EXPECTED
    if outcome == PASSED and report.failed:
        return UNEXPECTED
    return outcome


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Say, quiet or not, how many checks were run for each optimizer."""
    rows = list(_rows(terminalreporter))
    if not rows:
        return
    from optverify.testing import CHECKS

    worst: dict[str, str] = {}  # a check may be run by several tests, and counts once
    for identity, outcome in rows:
        worst[identity] = max(worst.get(identity, outcome), outcome, key=SEVERITY.index)
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    for identity, outcome in worst.items():
        outcomes[identity.rpartition("-")[0]][outcome] += 1
    terminalreporter.write_sep("-", "optverify")
    for subject, counts in sorted(outcomes.items()):
        terminalreporter.write_line(f"{subject}: {_session.counted(counts, len(CHECKS))}")
    unused = [] if hasattr(config, "workerinput") else config.stash.get(UNUSED, [])
    for entry in unused:
        if not any(entry.fits(identity) for identity, _ in rows):
            terminalreporter.write_line(f"{entry.where}: {entry.pattern} fits no check of this run")


def _rows(terminalreporter: pytest.TerminalReporter) -> Iterator[tuple[str, str]]:
    """(id, outcome) of every check that was run, here or by another process."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") != "call":
                continue
            for name, value in getattr(report, "user_properties", ()):
                if name == PROPERTY:
                    identity, _, outcome = value.rpartition(": ")
                    yield identity, outcome
