"""optverify's own Optimizer as a black box."""

import numpy as np
import pytest

import optverify as ov
from optverify.conformance.adapters import drive
from optverify.conformance.check import judge
from optverify.conformance.protocol import Unsupported
from tests.conformance.adapters.plain import adam, agree, by_hand, run, start


def test_by_make_and_by_instance():
    agree(run(lambda: ov.Optimizer("adam", lr=0.5)), by_hand(adam))
    mine = ov.Optimizer("adam", lr=0.5)
    agree(run(mine), by_hand(adam))
    assert mine.t == 0  # a copy was driven


def test_look_ahead_names_and_states():
    box = drive(ov.Optimizer("nesterov", lr=0.1), [np.zeros(1)])
    box.update([np.ones(1)])
    assert box.params()[0] == pytest.approx([-0.1])
    assert box.points()[0] == pytest.approx([-0.19])
    assert box.hyperparameters() == {"lr": 0.1, "momentum": 0.9}
    assert box.state()["v"][0] == pytest.approx([-0.1])
    with pytest.raises(Unsupported):
        drive(ov.Optimizer("gd", lr=0.1), start()).update([None, None])


def test_inputs_are_handed_on():
    box = drive(ov.Optimizer("polyak_step", loss=9.0), [np.array([1.0])])
    box.update([np.array([2.0])], loss=0.5)
    assert box.params()[0] == pytest.approx([1 - 0.5 / 4 * 2])


NEEDED = {"polyak_step": {"loss": 1.0}, "svrg": {"period": 3}}


@pytest.mark.parametrize("rule", sorted(ov.rules()))
def test_every_rule_is_what_it_says(rule):
    verdict = judge(
        lambda: ov.Optimizer(rule, **NEEDED.get(rule, {})),
        rule,
        only=["random", "lr_change", "several_shapes"],
    )
    assert verdict.ok, str(verdict)


def test_a_rate_from_which_the_state_starts_cannot_be_changed():
    box = drive(ov.Optimizer("rprop", lr=0.1), start())
    box.update([np.ones_like(p) for p in start()])
    with pytest.raises(Unsupported, match="where the state starts"):
        box.set_lr(0.2)
