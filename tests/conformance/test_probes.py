"""The bank holds what it promises."""

import numpy as np
import pytest

from optverify.conformance.probes import LONG, awkward, bank
from optverify.rules import names, rule

EPS = 0.03
PROBES = {p.name: p for p in bank(None, {"lr": 0.1, "eps": EPS})}


def gradients(name, param=0):
    return np.array([step.grads[param] for step in PROBES[name].steps])


def test_names_are_different_and_every_probe_says_what_it_shows():
    assert len(PROBES) == len(bank())
    assert all(p.note for p in PROBES.values())


def test_the_bank_is_the_same_every_time():
    for one, other in zip(bank(), bank(), strict=True):
        assert all(
            np.array_equal(a, b)
            for s, o in zip(one.steps, other.steps, strict=True)
            for a, b in zip(s.grads, o.grads, strict=True)
            if a is not None
        )


def test_kinds_of_gradients():
    assert np.all(gradients("zero gradient") == 0)
    assert np.all(PROBES["zero gradient"].params[0] != 0)
    spike = gradients("spike, then zeros")
    assert np.all(np.abs(spike[0]) >= 3)
    assert np.all(spike[1:8] == 0)
    assert np.all(gradients("zeros first")[:3] == 0)
    assert np.all(gradients("zeros later")[4:9] == 0)
    flips = gradients("sign flips")
    assert np.all(np.sign(flips[1:]) == -np.sign(flips[:-1]))
    near = np.abs(gradients("near epsilon")) / EPS
    assert near.min() < 0.5
    assert near.max() > 1
    assert np.abs(gradients("below epsilon")).max() < 1e-7 * EPS
    assert np.abs(gradients("huge")).min() > 1e50
    falling = np.abs(gradients("falling second moments")).mean(axis=(1, 2))
    assert falling[-1] < 1e-3 * falling[0]
    assert np.all(gradients("steady") == gradients("steady")[0])
    assert np.all(PROBES["from zero"].params[0] == 0)
    assert len(PROBES["long"].steps) == LONG


def test_several_parameters():
    late = PROBES["late gradient"]
    assert [k for k, step in enumerate(late.steps, 1) if step.grads[1] is None] == [1, 2, 3, 7]
    assert late.partial
    assert {p.ndim for p in PROBES["several shapes"].params} == {0, 1, 2, 3}
    assert PROBES["two groups"].groups == (1.0, 0.5)


def test_lr_changes_both_ways_and_comes_back():
    rates = PROBES["lr change"].rates
    assert PROBES["lr change"].changes_lr
    assert rates[0] == rates[-1] == 0.1
    assert min(rates) < 0.1
    assert max(rates) == pytest.approx(0.9)


def test_float32_holds_no_infinity():
    for probe in bank(None, {"eps": 1e-8}, "float32"):
        for step in probe.steps:
            for grad in step.grads:
                assert grad is None or (grad.dtype == np.float32 and np.all(np.isfinite(grad**2)))


def test_rules_get_what_they_ask_for():
    step = bank(rule("svrg"))[0].steps[0]
    assert [a.shape for a in step.inputs["full_grad"]] == [(2, 3)]
    losses = [s.inputs["loss"] for s in bank(rule("polyak_step"))[0].steps]
    assert min(losses) < 0 < max(losses)
    assert all(p.ndim == 2 for probe in bank(rule("muon")) for p in probe.params)
    assert "loss" not in bank(rule("adam"))[0].steps[0].inputs


def test_awkward_values_are_in_range_and_no_defaults():
    for name in names():
        family = rule(name)
        values = awkward(family)
        for h in family.every_hyperparameter:
            if h.name != "loss":
                assert h.check(values[h.name]) == values[h.name]
    assert awkward(rule("adam"), {"eps": 0.5})["eps"] == 0.5


def test_the_first_updates_of_a_probe():
    assert len(PROBES["random"].first(3).steps) == 3
    assert PROBES["random"].first(3).params is PROBES["random"].params
