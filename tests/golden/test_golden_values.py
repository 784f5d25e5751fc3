"""The golden file: made from the loops, of every rule, and what the committed steps give."""

import json
from importlib import import_module

import numpy as np
import pytest

from optverify.ledger import layers
from optverify.rules import registry, rule

from . import write
from .catalogue import cases

CASES = sorted(cases(), key=lambda c: c.rule)
RUNS = [run for name in sorted(layers.golden()) for run in layers.golden()[name]]
PAIRS = list(zip(CASES, RUNS, strict=True))
BY_RULE = [c.rule for c in CASES]


@pytest.mark.parametrize(("case", "run"), PAIRS, ids=BY_RULE)
def test_the_file_is_what_the_loops_give(case, run):
    """Inputs to the last bit, but for gradients that a loop computes; results to their tolerance."""
    assert run.values == {n: float(x) for n, x in case.values.items()}
    assert (run.tolerance, run.shared) == (case.tolerance, case.whole)
    for found, wanted in zip((run.start, run.rates, run.gradients), case.stream, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0 if case.rule != "svrg" else 1e-13)
    assert run.given.keys() == case.given.keys()
    for name, wanted in case.given.items():
        np.testing.assert_allclose(run.given[name], wanted, rtol=1e-13, atol=1e-13)
    assert run.expected.keys() == case.results().keys()
    assert run.departure(case.results()) is None


@pytest.mark.parametrize(("case", "run"), PAIRS, ids=BY_RULE)
def test_the_committed_step_gives_the_golden_values(case, run):
    module = import_module(f"optverify.steps.{case.rule}")
    assert run.departure(layers.recorded(module, run).expected) is None


def test_every_rule_has_golden_values_of_its_default_dialect():
    assert set(layers.golden()) == set(registry.names())
    for name, runs in layers.golden().items():
        wanted = {h.name for h in rule(name).hyperparameters} - {"lr"}
        for run in runs:
            assert set(run.values) - {"lr"} | (set(run.given) - {i.name for i in rule(name).inputs}) == wanted
            assert {i.name for i in rule(name).inputs} <= set(run.given)


@pytest.mark.parametrize("name", registry.names())
def test_branches_are_reached_and_nothing_is_lost_in_the_numbers(name):
    for run in layers.golden()[name]:
        for numbers in (run.start, run.rates, run.gradients, *run.expected.values()):
            assert np.isfinite(numbers).all()
        assert len(set(run.rates.tolist())) > 3
        assert np.abs(run.expected["theta"] - run.start).max() > 1e-2


@pytest.mark.parametrize("name", registry.names())
def test_hyperparameters_of_one_domain_differ_so_that_a_swap_shows(name):
    run, base = layers.golden()[name][0], rule(name)
    by_domain = {}
    for h in base.hyperparameters:
        if h.name in run.values and not (name == "polyak_step" and h.name == "eps"):
            by_domain.setdefault(str(h.domain), []).append(run.values[h.name])
    assert all(len(set(numbers)) == len(numbers) for numbers in by_domain.values())


def test_writing_is_deterministic_and_small(tmp_path):
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    write.write(first)
    write.write(second)
    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_bytes()) < 300_000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "b.json"]


def test_the_header_says_what_it_is_and_another_version_is_refused(tmp_path, monkeypatch):
    data = json.loads(layers.GOLDEN.read_text("utf-8"))
    assert (data["format"], data["version"]) == ("optverify golden values", 1)
    monkeypatch.setattr(layers, "GOLDEN", tmp_path / "other.json")
    layers.GOLDEN.write_text(json.dumps({**data, "version": 2}))
    with pytest.raises(ValueError, match="is not a file of optverify golden values, version 1: write"):
        layers.golden.__wrapped__()
