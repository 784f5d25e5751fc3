"""Slips in the lines of a rule are named, with the constants as they were passed."""

from __future__ import annotations

import numpy as np
import pytest

from optverify.conformance.diagnose import diagnose
from optverify.conformance.slips import guarded, slips
from optverify.rules import rule


class Loop:
    """An optimizer written as a loop over parameters, with states by name."""

    constants: dict[str, float]

    def __init__(self, params, **given):
        self.__dict__.update({**self.constants, **given})
        self.states = [{} for _ in params]
        self.t = 0

    def update(self, params, grads):
        self.t += 1
        for s, p, g in zip(self.states, params, grads, strict=True):
            p[...] = self.one(s, p, g, self.t)

    def moments(self, s, g):
        s["m"] = self.beta1 * s.get("m", 0) + (1 - self.beta1) * g
        s["v"] = self.beta2 * s.get("v", 0) + (1 - self.beta2) * g * g
        return s["m"], s["v"]

    def corrected(self, s, g, t):
        m, v = self.moments(s, g)
        return m / (1 - self.beta1**t), v / (1 - self.beta2**t)


class RAdamUncorrected(Loop):
    """One case of several alone is wrong, in the dialect with epsilon outside."""

    constants = {"lr": 3e-3, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8}

    def one(self, s, p, g, t):
        m, v = self.corrected(s, g, t)
        most = 2 / (1 - self.beta2) - 1
        r = most - 2 * t * self.beta2**t / (1 - self.beta2**t)
        if r <= 4:
            return p - self.lr * s["m"]
        size = np.sqrt((r - 4) * (r - 2) * most / ((most - 4) * (most - 2) * r))
        return p - self.lr * size * m / (np.sqrt(v) + self.eps)


class RAdamUnrooted(RAdamUncorrected):
    """A root that is multiplied, not divided by, is missing."""

    def one(self, s, p, g, t):
        m, v = self.corrected(s, g, t)
        most = 2 / (1 - self.beta2) - 1
        r = most - 2 * t * self.beta2**t / (1 - self.beta2**t)
        if r <= 4:
            return p - self.lr * m
        size = (r - 4) * (r - 2) * most / ((most - 4) * (most - 2) * r)
        return p - self.lr * size * m / (np.sqrt(v) + self.eps)


class Centered(Loop):
    """What stands under a root could be negative, and its absolute value is taken."""

    constants = {"lr": 0.01, "alpha": 0.9, "eps": 1e-6}

    def one(self, s, p, g, t):
        s["v"] = self.alpha * s.get("v", 0) + (1 - self.alpha) * g * g
        s["a"] = self.alpha * s.get("a", 0) + (1 - self.alpha) * g
        return p - self.lr * g / (np.sqrt(np.abs(s["v"] - s["a"])) + self.eps)


class Nesterov(Loop):
    """A line that is written with the state before, where the rule has what was added to it."""

    constants = {"lr": 0.02, "mu": 0.9}

    def one(self, s, p, g, t):
        before = s.get("v", 0)
        s["v"] = self.mu * before - self.lr * g
        return p + self.mu * before + (1 + self.mu) * s["v"]


class Lamb(Loop):
    """A quotient of norms upside down, beside weight decay."""

    constants = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-6, "weight_decay": 0.01}

    def one(self, s, p, g, t):
        m, v = self.corrected(s, g, t)
        r = m / (np.sqrt(v) + self.eps) + self.weight_decay * p
        size, own = np.linalg.norm(r), np.linalg.norm(p)
        return p - self.lr * (size / own if size > 0 and own > 0 else 1.0) * r


@pytest.mark.parametrize(
    ("box", "name", "says"),
    [
        (RAdamUncorrected, "radam", "m is used for m_hat in the last case"),
        (RAdamUnrooted, "radam", "the square root of rho_inf_t"),
        (Centered, "rmsprop", "the square root of g_bar is taken"),
        (Nesterov, "nesterov", "the term momentum*v_{t-1} has the wrong sign"),
        (Lamb, "lamb", "is upside down"),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_it_is_named(box, name, says):
    found = diagnose(box)
    assert found.rule == name
    assert not found.ok
    assert any(says in fault.text for fault in found.faults), str(found)


def test_constants_are_those_that_were_passed():
    assert {n: float(f"{v:.6g}") for n, v in diagnose(Lamb).values.items()} == Lamb.constants


@pytest.mark.parametrize("name", ["adam", "rmsprop", "radam", "yogi", "lamb"])
def test_every_slip_is_another_rule(name):
    """None comes twice, none is the rule itself; a guarded one differs under a root alone."""
    original = rule(name)
    known = list(slips(original))
    keys = {(s.rule.assignments, s.rule.every_state, s.rule.gradient_point) for s in known}
    assert len(keys) == len(known) > 50
    assert (original.assignments, original.every_state, original.gradient_point) not in keys
    for slip in known[::20]:
        for other in guarded(slip):
            assert other.rule.assignments != slip.rule.assignments
            assert [lhs for lhs, _ in other.rule.assignments] == [lhs for lhs, _ in slip.rule.assignments]
