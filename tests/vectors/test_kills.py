"""Every slip in the default dialect of a rule fails some test, or is the rule itself."""

import pytest

from optverify.rules import registry
from optverify.rules import rule as rule_named
from optverify.vectors.kills import fates, figures, targets
from optverify.vectors.programs import Program
from tests.report.markdown_rules import faults

from .conftest import VECTORS

PAGE = (VECTORS / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", registry.names())
def test_no_mutant_that_is_another_rule_survives(bank, name):
    """And the page says so, in figures."""
    found = list(fates(name, bank))
    assert [f.mutant for f in found if not f.killed and not f.equivalent] == []
    told = figures(found)
    assert told["killed"] > 0
    tests = sum(1 for _ in bank.tests(name))
    row = (len(bank.file(name)["groups"]), tests, *told.values())
    assert f"| [{name}](rules/{name}.json) | {' | '.join(map(str, row))} |" in PAGE


def test_the_page_renders():
    assert faults(VECTORS / "README.md") == []


@pytest.mark.parametrize("name", registry.names())
def test_the_rule_itself_is_not_killed(bank, name):
    program = Program.of(rule_named(name))
    assert [t.test.id for t in targets(name, bank) if t.fails(program)] == []
