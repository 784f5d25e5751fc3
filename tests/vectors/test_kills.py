"""Every slip in the default dialect of a rule fails some test, or is the rule itself."""

import pytest

from optverify.rules import registry
from optverify.rules import rule as rule_named
from optverify.vectors.kills import fates, figures, targets
from optverify.vectors.programs import Program


@pytest.mark.parametrize("name", registry.names())
def test_no_mutant_that_is_another_rule_survives(bank, name):
    found = list(fates(name, bank))
    open_ = [f.mutant for f in found if not f.killed and not f.equivalent]
    assert open_ == []
    assert figures(found)["killed"] > 0


@pytest.mark.parametrize("name", registry.names())
def test_the_rule_itself_is_not_killed(bank, name):
    program = Program.of(rule_named(name))
    assert [t.test.id for t in targets(name, bank) if t.fails(program)] == []
