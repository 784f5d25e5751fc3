"""The libraries' data: every entry gives a dialect, every name is a hyperparameter, each switch an option."""

import pytest

from optverify.libraries import Entry, library, names
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


def test_a_name_may_have_a_factor_a_sign_and_a_shift():
    """Keras' learning_rate_power is -p, its l2 half of lambda2; PyTorch's t0 is one less than ours."""
    ftrl, asgd = library("keras").entry("ftrl"), library("torch").entry("asgd")
    assert ftrl.argument("lr_power") == "learning_rate_power"
    assert ftrl.to_theirs("lr_power", 0.5) == -0.5
    assert ftrl.to_theirs("lambda2", 0.5) == 0.25
    assert ftrl.to_ours("lambda2", 0.25) == 0.5
    assert (asgd.to_theirs("average_start", 20), asgd.to_ours("average_start", 19)) == (19, 20)
    assert library("torch").entry("adam").argument("beta2") == "betas[1]"


def test_a_name_that_cannot_be_read_is_refused():
    entry = Entry("gd", "x.SGD", names={"lr": "exp(rate)"})
    with pytest.raises(ValueError, match=r"x\.SGD: 'exp\(rate\)' is not an argument"):
        entry.argument("lr")


def test_a_rule_the_library_lacks_is_named():
    with pytest.raises(ValueError, match=r"PyTorch 2\.13\.0: unknown rule 'lion'"):
        rule("lion", like="torch")
