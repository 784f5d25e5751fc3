"""Rules and boxes on probes, and where they part."""

from dataclasses import replace

import numpy as np
import pytest

from optverify.conformance import reference
from optverify.conformance.probes import awkward, bank
from optverify.conformance.protocol import Box, Unsupported
from optverify.conformance.reference import (
    compare,
    largest_relative,
    largest_ulps,
    matches,
    run_box,
    run_rule,
)
from optverify.optimizers import Optimizer
from optverify.rules import rule

VALUES = {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "eps": 0.03}
PROBES = {p.name: p for p in bank(None, VALUES)}


class Hand(Box):
    """Adam by hand; `slip` changes one thing."""

    def __init__(self, params, slip="", lr=0.05):
        self.theta = [np.array(p) for p in params]
        self.m = [np.zeros_like(p) for p in params]
        self.v = [np.zeros_like(p) for p in params]
        self.t = [0] * len(params)
        self.lr, self.slip = lr, slip

    def update(self, grads, **inputs):
        b1, b2, eps = (np.float64(np.float32(x)) if self.slip == "float32" else x for x in (0.8, 0.95, 0.03))
        for i, g in enumerate(grads):
            if self.slip == "crash" and self.t[i] == 2:
                raise ZeroDivisionError("t")
            if g is None:
                continue
            self.t[i] += 1
            self.m[i] = b1 * self.m[i] + (1 - b1) * g
            self.v[i] = b2 * self.v[i] + (1 - b2) * (g**3 if self.slip == "cube" else g**2)
            m_hat, v_hat = self.m[i] / (1 - b1 ** self.t[i]), self.v[i] / (1 - b2 ** self.t[i])
            with np.errstate(all="ignore"):
                self.theta[i] = self.theta[i] - self.lr * m_hat / (np.sqrt(v_hat) + eps)
            if self.slip == "spoil":
                np.multiply(g, 2, out=g)

    def params(self):
        return [p.copy() for p in self.theta]

    def state(self):
        return {"exp_avg": list(self.m), "exp_avg_sq": list(self.v)}

    def set_lr(self, lr):
        if self.slip == "fixed lr":
            raise Unsupported("its lr is fixed")
        self.lr = lr


@pytest.fixture
def by_hand(monkeypatch):
    """run_box of a Hand with a slip."""
    from optverify.conformance import adapters

    monkeypatch.setattr(
        adapters, "drive", lambda make, params, adapter=None: Hand(params, slip=make), raising=False
    )
    return run_box


@pytest.mark.parametrize("name", [n for n in PROBES if n != "two groups"])
def test_the_rule_is_what_a_loop_by_hand_computes(name, by_hand):
    adam = rule("adam")
    box, expected = by_hand("", PROBES[name]), run_rule(adam, VALUES, PROBES[name])
    assert compare(box, expected, rule=adam) is None
    assert matches(box, expected)
    assert largest_ulps(box, expected) < 300
    assert box.complete
    assert not box.spoiled


def test_float32_is_float32():
    probe = next(p for p in bank(None, VALUES, "float32") if p.name == "random")
    run = run_rule(rule("adam"), VALUES, probe)
    assert run.params[-1][0].dtype == np.float32
    assert run.states[-1]["v"][0].dtype == np.float32
    exact = run_rule(rule("adam"), VALUES, PROBES["random"])
    assert matches(run, exact, 1e-5) is False or largest_relative(run, exact) < 1e-4


def test_a_departure_says_where_and_which_line(by_hand):
    adam = rule("adam")
    expected = run_rule(adam, VALUES, PROBES["random"])
    found = compare(by_hand("cube", PROBES["random"]), expected, rule=adam)
    assert (found.step, found.param) == (1, 0)
    assert found.line.startswith("v_t = ")
    assert found.expected == pytest.approx(expected.updates(0)[(0, *found.coordinate)])
    assert not found.near


def test_a_dialect_is_a_departure():
    probe = PROBES["random"]
    run = run_rule(rule("adam"), VALUES, probe)
    other = run_rule(rule("adam", epsilon="hat"), VALUES, probe)
    assert compare(other, run).relative_error > 1e-3


def test_float32_scalars_are_near(by_hand):
    found = compare(by_hand("float32", PROBES["random"]), run_rule(rule("adam"), VALUES, PROBES["random"]))
    assert found.near


def test_a_crash_and_a_refusal_are_recorded(by_hand):
    crashed = by_hand("crash", PROBES["random"])
    assert (crashed.error, crashed.failed, crashed.count) == ("ZeroDivisionError: t", 3, 2)
    assert compare(crashed, run_rule(rule("adam"), VALUES, PROBES["random"])).of == "error"
    refused = by_hand("fixed lr", PROBES["lr change"])
    assert refused.unsupported == "its lr is fixed"
    assert compare(refused, run_rule(rule("adam"), VALUES, PROBES["lr change"])) is None


def test_a_box_that_fails_at_once_departs_at_update_1(by_hand):
    silent = by_hand("crash", replace(PROBES["random"], steps=()))
    found = compare(silent, run_rule(rule("adam"), VALUES, PROBES["random"]))
    assert (found.of, found.step) == ("error", 1)


def test_spoiled_gradients_are_seen_and_the_probe_keeps_its_own(by_hand):
    before = [s.grads[0].copy() for s in PROBES["random"].steps]
    assert by_hand("spoil", PROBES["random"]).spoiled == tuple(range(1, 13))
    assert all(np.array_equal(a, s.grads[0]) for a, s in zip(before, PROBES["random"].steps, strict=True))


def test_a_look_ahead_shows_in_the_points():
    values = {"momentum": 0.8}
    ahead, plain = (run_rule(rule(n), values, PROBES["random"]) for n in ("nesterov", "momentum"))
    assert compare(plain, ahead).of == "point"
    assert np.array_equal(plain.updates(0), ahead.updates(0))


def test_two_clocks_for_a_parameter_without_a_gradient():
    own, shared = (
        run_rule(rule("adam"), VALUES, PROBES["late gradient"], clock=c) for c in ("own", "shared")
    )
    assert compare(own, shared).step == 4
    assert compare(own, shared).param == 1


def test_rules_agree_with_the_steps_people_import():
    for name in ("lamb", "adafactor", "lion", "prodigy"):
        family = rule(name)
        values = {k: v for k, v in awkward(family).items() if k in {h.name for h in family.hyperparameters}}
        probe = PROBES["lr change"]
        run = run_rule(family, values, probe)
        optimizer = Optimizer(name, **{**values, "lr": probe.lr})
        params = [p.copy() for p in probe.params]
        for step, expected in zip(probe.steps, run.params[1:], strict=True):
            if step.lr is not None:
                optimizer.lr = step.lr
            optimizer.update(params, [g.copy() for g in step.grads])
            np.testing.assert_allclose(params[0], expected[0], rtol=1e-12)


def test_equations_are_kept():
    assert reference.equations(rule("adam")) is reference.equations(rule("adam"))
