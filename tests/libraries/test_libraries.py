"""The libraries' data: every entry gives a dialect, every name is a hyperparameter, every switch an option."""

import pytest

from optverify.libraries import library, names
from optverify.rules import registry, rule

ENTRIES = [(name, entry) for name in names() for entry in library(name).entries]


@pytest.mark.parametrize(("name", "entry"), ENTRIES, ids=[f"{n}-{e.rule}" for n, e in ENTRIES])
def test_an_entry_fits_its_rule(name, entry):
    assert entry.rule in registry.names()
    known = {h.name for h in rule(entry.rule).every_hyperparameter}
    assert set(entry.names) <= known
    assert set(entry.defaults) <= known
    dialect = rule(entry.rule, like=name)
    assert entry.options.items() <= dialect.options.items()
    for h in dialect.hyperparameters:
        assert h.default == entry.defaults.get(h.name, h.default)
    for switch in entry.switches.values():
        changed = rule(entry.rule, like=name, **switch)
        assert changed.options != dialect.options


def test_a_rule_stands_once_in_a_library():
    for name in names():
        rules = [entry.rule for entry in library(name).entries]
        assert len(rules) == len(set(rules))


def test_options_come_on_top_of_the_librarys():
    keras = rule("adam", like="keras", amsgrad="v")
    assert keras.options["epsilon"] == "hat"
    assert keras.options["amsgrad"] == "v"
    assert keras.hyperparameter("eps").default == 1e-7
    assert rule("adam").hyperparameter("eps").default == 1e-8


def test_a_rule_the_library_lacks_is_named():
    with pytest.raises(ValueError, match=r"PyTorch 2\.13\.0: unknown rule 'lion'"):
        rule("lion", like="torch")
