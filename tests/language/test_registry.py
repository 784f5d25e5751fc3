"""Rule files are found by themselves, and a name that is not known gets the nearest one."""

import sys

import pytest

from optverify.language import Registry, Rule
from optverify.rules import registry


def test_every_file_of_the_folder_is_a_rule_named_after_it():
    assert registry.names() == sorted(registry.names())
    assert {"adagrad", "adam", "gd", "momentum", "nesterov", "rmsprop"} <= set(registry.names())
    for name in registry.names():
        assert registry.get(name).name == name


def test_the_nearest_name_is_suggested():
    with pytest.raises(ValueError, match=r"unknown rule 'adma'; did you mean 'adam'\? known: .*adam"):
        registry.get("adma")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An importable package with no files yet."""
    package = tmp_path / "extra_rules"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [n for n in sys.modules if n.startswith("extra_rules")]:
        del sys.modules[name]


RULE = '''
from optverify.language import Hyperparameter, Source, g, gradient, lr, maximize, positive, rule, t, theta
from optverify.language import weight_decay_form

@rule(
    "{name}",
    title="Twice",
    sources=[Source("Nobody", 2000, "Twice the step", "equation (1)")],
    hyperparameters=[Hyperparameter(lr, "h", 0.1, positive, "step size")],
    axes=[weight_decay_form.only("none"), maximize.only(False)],
)
def twice(d):
    """Twice the gradient."""
    yield g[t], gradient(d, at=theta[t-1])
    yield theta[t], theta[t-1] - 2*lr*g[t]
'''


def test_adding_a_rule_is_adding_a_file(folder):
    """From one new file: equations, LaTeX, NumPy steps."""
    import numpy as np

    from optverify.backends.numpy import numpy_module

    (folder / "twice.py").write_text(RULE.format(name="twice"))
    added = Registry(Rule, "extra_rules", [str(folder)])
    assert added.names() == ["twice"]
    twice = added.get("twice")
    assert r"\theta_t &= \theta_{t-1} - 2 h g_t" in twice.latex()
    steps = numpy_module(twice)
    theta, _ = steps.step(np.array([1.0]), np.array([1.0]), steps.init(np.array([1.0])), lr=0.25)
    assert theta.tolist() == [0.5]


def test_a_file_without_the_rule_it_is_named_after_is_refused(folder):
    (folder / "other.py").write_text(RULE.format(name="twice"))
    with pytest.raises(ValueError, match="holds no rule named 'other'"):
        Registry(Rule, "extra_rules", [str(folder)]).get("other")
