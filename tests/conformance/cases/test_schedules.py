"""Every schedule case: its numbers, and what the diagnosis says with and without an expectation."""

import math

import pytest

from optverify.conformance.schedules import diagnose_plateau, diagnose_schedule
from optverify.conformance.schedules.driving import record
from optverify.conformance.schedules.plateau import driven
from optverify.schedules import ReduceOnPlateau, schedule
from tests.conformance.cases.schedules import CASES, Resumed

each = pytest.mark.parametrize("case", CASES, ids=[f"{c.id} {c.title}" for c in CASES])


def at(numbers):
    return dict(enumerate(numbers)) if isinstance(numbers, list) else numbers


@each
def test_the_right_rates(case):
    for t, rate in at(case.is_right).items():
        assert case.right(t) == pytest.approx(rate, rel=3e-6, abs=1e-12)


@each
def test_the_rates_of_the_report(case):
    wrong = at(case.is_wrong)
    rates = record(case.fault, max(wrong) + 1).rates
    for t, rate in wrong.items():
        assert rates[t] == pytest.approx(rate, rel=3e-6, abs=1e-12)


@each
def test_what_is_said_of_it(case):
    found = diagnose_schedule(case.fault, case.right)
    if case.says is None:
        assert found.equivalent, str(found)
    else:
        assert not found.holds
        assert case.says in str(found)


@each
def test_what_is_said_of_it_without_an_expectation(case):
    found = diagnose_schedule(case.fault)
    assert (case.alone or "") in str(found)
    if case.says is None:
        assert not found.faults or "asked past" in str(found), str(found)


def test_lr_14_the_reported_rate():
    saved, fresh = Resumed(1e-3), Resumed(1e-3)
    saved.step()
    fresh.load_state_dict(saved.state_dict())
    assert (saved.lr, fresh.lr) == (pytest.approx(9.99e-4, rel=1e-12), pytest.approx(9.98001e-4, rel=1e-12))


# ---- what twice the learning rate does ---------------------------------------------------------------------


def floored(low):
    return lambda c: lambda t: max(low(c), c * 0.5 * (1 + math.cos(math.pi * min(t, 20) / 20)))


def test_lr_13_a_relative_minimum_scales_with_lr():
    found = diagnose_schedule(floored(lambda c: 0.1 * c)(1.0), scaled=floored(lambda c: 0.1 * c))
    assert found.holds
    assert "a lowest rate is relative to it" in str(found)


def test_lr_13_an_absolute_minimum_does_not():
    made = {c: schedule("cosine", lr=c, lr_min=0.1, total=20) for c in (1.0, 2.0)}
    found = diagnose_schedule(made[1.0], scaled=made.__getitem__)
    assert found.holds
    assert "the lowest rate is absolute" in str(found)


def test_lr_20_rates_in_place_of_ratios_do_not_scale():
    def made(c):
        return lambda t: c * 2.5e-5 * (c * 2.5e-6) ** (t // 10)

    found = diagnose_schedule(made(1.0), scaled=made)
    assert not found.holds
    assert "not proportional to lr: with twice the lr, the rate at t = 10" in str(found)


# ---- LR-18: reduce on plateau ------------------------------------------------------------------------------


class Plateau:
    """The loop of paiml/aprender PR #2135, with its slips as flags."""

    def __init__(self, at_patience=False, reset=True):
        self.lr, self.best, self.wait = 0.1, math.inf, 0
        self.at_patience, self.reset = at_patience, reset

    def step(self, metric):
        better = metric < self.best * (1 - 1e-4) if self.best < math.inf else metric < math.inf
        self.wait = 0 if better else self.wait + 1
        self.best = metric if better else self.best
        if self.wait >= 2 if self.at_patience else self.wait > 2:
            self.lr = self.lr * 0.1 if self.lr * 0.9 > 1e-8 else self.lr
            self.wait = 0 if self.reset else self.wait


PATIENT = ReduceOnPlateau(0.1, patience=2)


@pytest.mark.parametrize(
    ("flags", "rates", "says"),
    [
        ({}, [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 1e-4], None),
        ({"at_patience": True}, [0.1, 0.1, 0.01, 0.01, 0.001], "the form with >="),
        (
            {"at_patience": True, "reset": False},
            [0.1, 0.1, 0.01, 0.001, 1e-4, 1e-5],
            "reduces on consecutive steps: the counter is not reset after a fall",
        ),
    ],
)
def test_lr_18_patience(flags, rates, says):
    assert driven(Plateau(**flags), [1.0] * len(rates)) == pytest.approx(rates, rel=1e-9)
    found = diagnose_plateau(lambda: Plateau(**flags), PATIENT)
    assert found.equivalent is (says is None)
    assert (says or "as expected") in str(found)


def test_lr_18_without_an_expectation():
    assert "patience 2 in the form with >, 3 in that with >=" in str(diagnose_plateau(Plateau))
    assert "patience 1 in the form with >" in str(diagnose_plateau(lambda: Plateau(at_patience=True)))
    consecutive = diagnose_plateau(lambda: Plateau(at_patience=True, reset=False))
    assert "the counter is not reset" in str(consecutive)
    assert not consecutive.holds


def test_a_schedule_that_falls_below_zero_past_its_end():
    one_cycle = schedule("one_cycle", lr=0.1, total=100, curve="linear")
    found = diagnose_schedule(lambda t: one_cycle(t) if t < 100 else one_cycle(99) - 1e-3 * (t - 99))
    assert "one_cycle" in found.formula
    assert {f.kind for f in found.faults} == {"negative", "past the end"}
