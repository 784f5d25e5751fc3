"""A claim is only as good as what it excludes: mutants of the rules must change its verdict.

A mutant is killed when some claim about its rule no longer gets the expected verdict. Kills are decided
("refuted", or a sentence known to be false that now holds), or merely undecided ("not decided", "error").
"""

from dataclasses import replace

import pytest

from optverify.claims import claims
from optverify.rules import registry, rule
from optverify.views.mutants import expression_mutants, mutants

SUBJECTS = [(c, name, s) for c in claims() for name, s in c.subjects]
UNDECIDED = ("not decided", "error")


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
    assert any(not c.decide(**{name: mutant}).ok for _, mutant in mutants_of(subject))


def claims_about(base):
    found = [(c, n) for c, n, s in SUBJECTS if s.kind == "rule" and s.name == base.name and s.load() == base]
    quick = ("first_step", "terminal_velocity", "minibatch.unbiased", "diverges")
    return sorted(found, key=lambda pair: not pair[0].id.endswith(quick))


def verdict_on(mutant, about):
    """The first decided kill, else the last undecided one, else None."""
    undecided = None
    for c, name in about:
        result = c.decide(**{name: mutant})
        if not result.ok:
            if result.verdict not in UNDECIDED:
                return result.verdict
            undecided = result.verdict
    return undecided


CLAIMED = [name for name in registry.names() if claims_about(rule(name))]
"""Rules whose default some claim is about."""


def test_the_kill_matrix_is_about_the_classic_rules():
    assert {"adagrad", "adam", "gd", "momentum", "nesterov", "rmsprop"} <= set(CLAIMED)


@pytest.mark.parametrize("name", CLAIMED)
def test_kill_matrix(name, capsys):
    """Every mutant of the default rules is killed, by a decided verdict if a sentence that holds is about it.

    A rule about which nothing is claimed yet has nothing to kill with.

    RMSProp has only a refuted sentence yet, which a mutant can leave undecided but not refute.
    """
    base = rule(name)
    about = claims_about(base)
    verdicts = {m.description: verdict_on(m.rule, about) for m in mutants(base)}
    survivors = [d for d, verdict in verdicts.items() if verdict is None]
    undecided = [d for d, verdict in verdicts.items() if verdict in UNDECIDED]
    with capsys.disabled():
        print(f"\n{name}: {len(verdicts)} mutants, undecided {len(undecided)}, survivors {survivors}")
    if name == "rmsprop":
        assert survivors == ["v starts at initial_accumulator + 1"]  # the sentence is about every start
    else:
        assert survivors == undecided == []
