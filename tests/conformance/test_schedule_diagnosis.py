"""Every schedule of the catalogue, and their compositions, are named as what they are; none is accused."""

import itertools
import json
import math

import numpy as np
import pytest

from optverify.conformance.schedules import diagnose_schedule
from optverify.schedules import join, names, schedule

FORMS = ("t/W", "(t+1)/W", "(t+1)/(W+1)")
ALONE = [
    schedule("constant", lr=0.1),
    schedule("linear", lr=0.1, total=50),
    schedule("linear", lr=0.1, lr_end=0.01, total=50),
    schedule("cosine", lr=0.5, total=5, after="reflect"),
    schedule("cosine", lr=0.5, lr_min=0.01, total=50),
    schedule("polynomial", lr=0.1, total=30, power=2),
    schedule("polynomial", lr=0.1, total=30, power=0.9, lr_end=0.001),
    schedule("polynomial", lr=0.1, total=30, power=0.9, lr_end=0.001, after="cycle"),
    schedule("exponential", lr=0.1, gamma=0.99),
    schedule("exponential", lr=0.1, gamma=0.5, decay_steps=30, staircase=True),
    schedule("inverse_time", lr=0.1, decay_rate=0.3),
    schedule("inverse_time", lr=0.1, decay_rate=0.3, decay_steps=10, staircase=True),
    schedule("inverse_sqrt", lr=0.1, warmup=10),
    schedule("noam", warmup=10),
    schedule("step", lr=0.1, step_size=30),
    schedule("multi_step", lr=0.2, milestones=[2, 8, 40]),
    schedule("rex", lr=0.1, total=60, lr_min=0.001),
    schedule("cosine_power", lr=0.1, total=60, exponent=3, lr_min=0.01),
    schedule("cosine_power", lr=0.1, total=60, exponent=3, lr_min=0.01, after="reflect"),
    schedule("cosine_warm_restarts", lr=0.1, lr_min=3.2e-6, T_0=10),
    schedule("cosine_warm_restarts", lr=0.1, T_0=1, T_mult=2),
    schedule("cosine_warm_restarts", lr=0.1, T_0=7, T_mult=2, M_mult=0.5),
    schedule("cyclic", lr=0.1, lr_min=0.01, step_size_up=5, step_size_down=9),
    schedule("cyclic", lr=0.1, lr_min=0.01, step_size_up=5, step_size_down=9, mode="triangular2"),
    schedule("cyclic", lr=0.1, lr_min=0.01, step_size_up=5, step_size_down=9, mode="exp_range", gamma=0.98),
    *(
        schedule("one_cycle", lr=0.01, total=50, phases=phases, curve=curve, last=last)
        for phases, curve, last in itertools.product(("two", "three"), ("cosine", "linear"), ("T-1", "T"))
    ),
    schedule("one_cycle", lr=0.01, total=37, pct_start=0.29),
    *(schedule("linear_warmup", lr=1, warmup=4, form=form) for form in FORMS),
    schedule("constant_warmup", lr=0.1, warmup=5, factor=0.3),
    schedule("exponential_warmup", lr=0.1, warmup=20),
    schedule("exponential_warmup", lr=0.1, warmup=20, form="t/W"),
    *(
        schedule("wsd", lr=0.1, total=100, warmup=10, decay_steps=20, decay=decay, form=form, lr_min=0.001)
        for decay, form in itertools.product(("linear", "1-sqrt", "cosine"), FORMS)
    ),
    schedule("trapezoidal", lr=0.1, total=100, warmup=10, decay_steps=20),
    schedule("piecewise_interpolated", lr=0.1, milestones=[10, 50], factors=[0.5, 0.1]),
]
COMPOSED = [
    *(
        join(
            [
                schedule("linear_warmup", lr=1, warmup=warmup, form=form),
                schedule("cosine", lr=1, lr_min=0.1, total=40),
            ],
            [warmup],
            clock=clock,
        )
        for warmup, form, clock in itertools.product((1, 2, 5), FORMS, ("own", "common"))
    ),
    join([schedule("linear_warmup", lr=1, warmup=5), schedule("cosine", lr=1, total=40).at_least(0.1)], [5]),
    schedule("cosine", lr=1, total=40).at_least(0.1),
    schedule("cosine", lr=0.5, total=5).repeated(5),
    schedule("linear_warmup", lr=1, warmup=10) * schedule("inverse_sqrt", lr=0.1, warmup=10),
    join([schedule("linear_warmup", lr=0.1, warmup=10), schedule("exponential", lr=0.1, gamma=0.97)], [10]),
    join([schedule("linear_warmup", lr=0.1, warmup=10), schedule("step", lr=0.1, step_size=30)], [10]),
    join([schedule("linear_warmup", lr=0.1, warmup=10), schedule("linear", lr=0.1, total=90)], [10]),
]


def test_all_schedules_are_tried():
    assert {s.name for s in ALONE} == set(names())


@pytest.mark.parametrize("given", [*ALONE, *COMPOSED], ids=repr)
def test_a_schedule_is_named_as_what_it_is(given):
    found = diagnose_schedule(given.__call__)
    assert found.holds, str(found)
    assert found.schedule(range(1000)) == pytest.approx(given(range(1000)), rel=1e-9, abs=1e-15)
    assert json.loads(json.dumps(found.to_dict()))["faults"] == []


@pytest.mark.parametrize("given", [*ALONE, *COMPOSED], ids=repr)
def test_a_schedule_is_what_is_expected(given):
    assert diagnose_schedule(given.__call__, given).equivalent


@pytest.mark.parametrize("given", ALONE[:12], ids=repr)
def test_rates_in_float32_are_named_so(given):
    found = diagnose_schedule(lambda t: np.float32(given(t)))
    assert found.holds, str(found)
    assert found.schedule(range(300)) == pytest.approx(given(range(300)), rel=1e-5, abs=1e-8)


def test_what_no_schedule_gives_is_said_to_be_unknown():
    found = diagnose_schedule(lambda t: 0.1 / (1 + math.sin(t) ** 2))
    assert found.schedule is None
    assert not found.holds


def test_a_schedule_that_is_none_is_refused():
    with pytest.raises(TypeError, match="is no schedule: give a function of t"):
        diagnose_schedule(3)


def test_an_object_that_cannot_be_made_anew_is_driven_once():
    class Once:
        lr = 0.1

        def step(self):
            self.lr *= 0.5

    found = diagnose_schedule(Once(), steps=20)
    assert "exponential" in found.formula


def test_negative_rates_are_a_fault():
    found = diagnose_schedule(lambda t: 0.1 * (1 - t / 10))
    assert any(f.kind == "negative" and f.t == 11 for f in found.faults)


# ---- single slips in a formula -----------------------------------------------------------------------------


def share(t: int, total: int = 50) -> float:
    return min(t, total) / total


COSINE = schedule("cosine", lr=0.1, lr_min=0.01, total=50)
POWER = schedule("polynomial", lr=0.1, total=50, power=2.0)
WARM = schedule("linear_warmup", lr=0.1, warmup=5).then(schedule("cosine", lr=0.1, total=50), at=5)
SLIPS = {
    "sine for cosine": (COSINE, lambda t: 0.01 + 0.045 * (1 + math.sin(math.pi * share(t))), "sin(pi*"),
    "a whole period": (COSINE, lambda t: 0.01 + 0.045 * (1 + math.cos(2 * math.pi * share(t))), "cos(2*pi*"),
    "degrees": (COSINE, lambda t: 0.01 + 0.045 * (1 + math.cos(180 * share(t))), "cos(180*"),
    "lr for lr - lr_min": (
        COSINE, lambda t: 0.01 + 0.05 * (1 + math.cos(math.pi * share(t))), "eta_t = lr*(cos(",
    ),
    "power inside": (POWER, lambda t: 0.1 * (1 - share(t) ** 2), "(Min(t, total)/total)**power"),
    "no bound": (POWER, lambda t: 0.1 * (1 - t / 50) ** 2, "-t/total"),
    "true division": (
        schedule("step", lr=0.1, gamma=0.5, step_size=10), lambda t: 0.1 * 0.5 ** (t / 10), "t/step_size",
    ),
    "squared": (
        schedule("inverse_time", lr=0.1, decay_rate=0.1), lambda t: 0.1 / (1 + 0.1 * t) ** 2, ")**2",
    ),
    "in one piece": (
        WARM,
        lambda t: 0.02 * t if t < 5 else 0.05 * (1 + math.cos(2 * math.pi * share(t - 5))),
        "cos(2*pi*",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_in_the_formula_is_named(name: str) -> None:
    expected, faulty, words = SLIPS[name]
    found = diagnose_schedule(faulty, expected, steps=120)
    (fault,) = [f for f in found.faults if f.kind != "negative"]
    assert fault.kind == "formula"
    assert words in fault.text


def test_changes_that_come_late_are_no_clamped_index() -> None:
    expected = schedule("multi_step", lr=0.1, gamma=0.1, milestones=[30, 60])
    found = diagnose_schedule(lambda t: 0.1 * 0.1 ** ((t > 30) + (t > 60)), expected)
    assert "every change comes one update late, the first at t = 31, not 30: > for >=" in str(found)


def test_what_has_no_numbers_is_no_slip_in_a_formula() -> None:
    found = diagnose_schedule(lambda t: math.nan, COSINE, steps=60)
    assert "formula" not in [f.kind for f in found.faults]


def test_a_formula_that_begins_one_update_late_is_named_as_that_formula() -> None:
    """No fault: a warm-up of one update does the same."""
    cosine = schedule("cosine", lr=0.1, total=50)
    found = diagnose_schedule(lambda t: cosine(max(t - 1, 0)))
    assert f"the same as {cosine!r}, delayed by one: its first value comes twice" in found.remarks
