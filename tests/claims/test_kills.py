"""A claim is only as good as what it excludes: some mutant of each of its subjects must change its verdict.

How many of all mutants the claims kill together is the score that `optverify verify --mutants` counts.
"""

from dataclasses import replace

import pytest

from optverify.claims import claims
from optverify.views.mutants import expression_mutants, mutants

SUBJECTS = [(c, name, s) for c in claims() if c.family == c.id for name, s in c.subjects]


def schedule_mutants(family):
    """The families that differ from this one by a single slip in a line."""
    lines = family.lines()
    symbols = {h.symbol for h in family.hyperparameters if not h.symbol.is_integer} or {None}
    swaps = {s: tuple(o for o in symbols if o != s) for s in symbols}
    for i, (lhs, rhs) in enumerate(lines):
        for changed in expression_mutants(rhs, swaps):
            mutated = (*lines[:i], (lhs, changed), *lines[i + 1 :])
            yield f"{lhs} = {changed}", replace(family, write=lambda d, mutated=mutated: mutated)


def mutants_of(subject):
    loaded = subject.load()
    if subject.kind == "rule":
        return ((m.description, m.rule) for m in mutants(loaded))
    return schedule_mutants(loaded)


@pytest.mark.parametrize(("c", "name", "subject"), SUBJECTS, ids=[f"{c.id}-{n}" for c, n, _ in SUBJECTS])
def test_each_claim_is_killed_by_a_mutant_of_each_of_its_subjects(c, name, subject):
    if (missing := c.decide()).missing:
        pytest.skip(f"{missing.detail}; .ci/run installs it")
    assert any(not c.decide(**{name: mutant}).ok for _, mutant in mutants_of(subject))
