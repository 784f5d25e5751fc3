"""Every pair of dialects of every rule is told apart by the probes, or listed with a proof."""

import itertools
import json

import pytest
import sympy as sp

from optverify.conformance.equivalences import (
    FILE,
    alike,
    fingerprint,
    groups,
    listed,
    pairs,
    prove,
    summary,
    telling,
)
from optverify.conformance.probes import awkward
from optverify.proof import NotProved
from optverify.rules import names, rule

SAMPLE = 30
STORED = json.loads(FILE.read_text("utf-8"))["rules"]
LISTED = [name for name in names() if listed()[name]]


def sample(family):
    """The default, every option of each axis, and some of all the rest; with every dialect like them."""
    choices = [dict(zip((a.name for a in family.axes), options, strict=True))
               for options in itertools.product(*(a.options for a in family.axes))]  # fmt: skip
    choices = [c for c in choices if not any(e.applies(c) for e in family.excluded)]
    stride = len(choices) // SAMPLE + 1
    stride += 1 - stride % 2  # odd: an even one would leave maximize as it is
    chosen = [*family.dialects(changed=1), *(family.dialect(**c) for c in choices[::stride])]
    chosen += [other for dialect in chosen for other, _ in alike(dialect)]
    return len(choices), list({str(d.options): d for d in chosen}.values())


@pytest.mark.parametrize("name", names())
def test_the_bank_tells_apart_what_is_not_listed(name):
    family = rule(name)
    assert fingerprint(family) == STORED[name]["fingerprint"], (
        "run python -m optverify.conformance.equivalences"
    )
    count, chosen = sample(family)
    assert count == STORED[name]["dialects"]
    for group in groups(family, chosen):
        expected = {str(group[0].options), *(str(d.options) for d, _ in alike(group[0]))}
        assert {str(d.options) for d in group} == expected


@pytest.mark.parametrize("name", LISTED)
def test_every_listed_pair_has_a_proof(name):
    count = 0
    for one, other, because in pairs(rule(name)):
        assert prove(one, other) == because
        count += 1
    sizes = [1 + len(alike(d)) for d in rule(name).dialects()]
    assert count == sum(size - 1 for size in sizes) / 2
    assert round(sum(1 / size for size in sizes)) == STORED[name]["told_apart"]


@pytest.mark.parametrize("name", ["gd", "signum", "momentum", "asgd"])
def test_the_file_is_what_the_command_writes(name):
    assert json.loads(json.dumps(summary(rule(name), groups(rule(name))))) == STORED[name]


def test_what_differs_is_not_proved():
    for one, other in [
        (rule("adam"), rule("adam", epsilon="hat")),
        (rule("radam"), rule("radam", threshold="from_5")),
        (rule("signum"), rule("signum", maximize=True)),
        (rule("momentum", form="ema"), rule("momentum", form="ema", first_buffer="gradient")),
        (rule("nesterov"), rule("nesterov", nesterov="rewritten")),
        (rule("adam", amsgrad="v"), rule("adam", amsgrad="v_hat")),
    ]:
        with pytest.raises(NotProved):
            prove(one, other)


def test_rho_is_never_five():
    """The polynomial of the proof, for each t, has no rational root in [0, 1)."""
    b = sp.Symbol("b")
    for t in range(1, 40):
        polynomial = sp.Poly((3 * b - 2) * sum(b**i for i in range(t)) - t * b**t, b)
        assert not [root for root in polynomial.ground_roots() if 0 <= root < 1]


def test_a_probe_is_chosen_for_a_pair():
    adam = rule("adam")
    values = awkward(adam)
    assert telling(adam, rule("adam", epsilon="hat"), values).name
    assert telling(adam, rule("adam", weight_decay_form="coupled"), values).name
    assert (
        telling(rule("gd", weight_decay_form="coupled"), rule("gd", weight_decay_form="decoupled"), values)
        is None
    )
    assert telling(adam, adam, values) is None
