"""Programs that compute in floats pass: the NumPy equations of every dialect, in both types."""

import math

import numpy as np
import pytest

from optverify.rules import registry
from optverify.rules import rule as rule_named
from optverify.schedules import registry as schedule_registry
from optverify.schedules import schedule_from_config
from optverify.vectors.judging import Given, judge
from optverify.vectors.kinds import KINDS
from optverify.vectors.programs import Program


def dialect(test):
    base = rule_named(test.file["rule"])
    return base.dialect(**test.group["dialect"])


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", registry.names())
def test_the_equations_in_floats_pass_every_test_of_every_dialect(bank, name, dtype):
    judged = 0
    programs = {}
    for test in bank.tests(name):
        if test.data["ulps"][dtype] is None:
            continue
        group = test.group["id"]
        program = programs.setdefault(group, Program.of(dialect(test)))
        with np.errstate(all="ignore"):
            found = program.compute(test, dtype)
        verdict = judge(
            Given(test, dtype, {n: [list(map(float, r)) for r in x] for n, x in found.items()}), bank
        )
        assert verdict.outcome == "pass", "\n".join(verdict.lines())
        assert verdict.errors.keys() >= {"theta"}
        judged += 1
    assert judged >= 15


@pytest.mark.parametrize("name", [*schedule_registry.names(), "composed"])
def test_schedules_in_floats_pass(bank, name):
    for test in bank.tests(f"schedule/{name}"):
        made = schedule_from_config(test.group["config"])
        values = {"eta": [[made(t) for t in test.data["t"]]]}
        verdict = judge(Given(test, "float64", values), bank)
        assert verdict.outcome == "pass", "\n".join(verdict.lines())
        if test.data["ulps"]["float32"] is not None:
            rounded = {"eta": [[float(np.float32(x)) for x in values["eta"][0]]]}
            assert judge(Given(test, "float32", rounded), bank).outcome == "pass"


def test_a_restart_index_by_logarithm_fails_where_floats_decide(bank):
    """floor(log) is what many libraries have: T_0 = 1, T_mult = 3 is first wrong at t = 121."""
    test = bank.test("schedule/cosine_warm_restarts/T_0=1,T_mult=3/restarts")
    c = test.group["config"]["arguments"]

    def eta(t):
        i = math.floor(math.log(t * 2 + 1) / math.log(3))
        begun, length = (3**i - 1) / 2, 3**i
        top = c["lr_min"] + (c["lr"] - c["lr_min"]) * c["M_mult"] ** i
        return c["lr_min"] + (top - c["lr_min"]) * (1 + math.cos(math.pi * (t - begun) / length)) / 2

    verdict = judge(Given(test, "float64", {"eta": [[eta(t) for t in test.data["t"]]]}), bank)
    assert verdict.outcome == "fail"
    assert "Restart" in [flag for flag, _, _ in verdict.meaning]
    assert verdict.errors["eta"].at[0] in test.data["t"]
