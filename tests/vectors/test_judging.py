"""What results are said to be: pass, fail by how much, and which other dialect they are."""

import json
import math

import numpy as np
import pytest

from optverify.rules import rule
from optverify.vectors.judging import Given, judge, read, report
from optverify.vectors.programs import Program


def results(bank, group, program=None, dtype="float64", wanted=None):
    """What the equations of a dialect make of a group, as a file of results."""
    name, _, _ = group.partition("/")
    runner = program or Program.of(rule(name))
    tests = [t for t in bank.group(group) if wanted is None or t.id.rpartition("/")[2] in wanted]
    if program is not None:  # another dialect may have no use for the states that are given
        tests = [t for t in tests if not t.data["t"]]
    with np.errstate(all="ignore"):
        found = [
            {
                "test": t.id,
                "values": {n: [r.tolist() for r in rows] for n, rows in runner.compute(t, dtype).items()},
            }
            for t in tests
            if dtype in t.input["dtypes"]
        ]
    return {"format": "optverify results", "version": 1, "dtype": dtype, "results": found}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_rule_passes_in_both_types(bank, dtype):
    found = report(read(results(bank, "adam/default", dtype=dtype), bank, "it"), bank)
    assert found.ok
    assert found.count("fail") == found.count("skipped") == 0


@pytest.mark.parametrize(
    ("options", "group"),
    [
        ({"epsilon": "inside"}, "adam/epsilon=inside"),
        ({"epsilon": "hat"}, "adam/epsilon=hat"),
        ({"bias_correction": "none"}, "adam/bias_correction=none"),
        ({"amsgrad": "v"}, "adam/amsgrad=v"),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_another_dialect_fails_and_is_named(bank, options, group, dtype):
    """In float32 too, where epsilon and updates have few digits."""
    program = Program.of(rule("adam", **options))
    data = results(bank, "adam/default", program, dtype)
    for result in data["results"]:
        result["values"] = {n: rows for n, rows in result["values"].items() if n in ("theta", "m", "v")}
    found = report(read(data, bank, "it"), bank)
    assert not found.ok
    (named,) = found.identified["adam/default"]
    assert named.startswith(f"{group}: ")


def test_a_fault_that_no_dialect_explains_is_not_called_one(bank):
    """Moments started at one: no alternative, and the state before the first update says what it is."""
    from dataclasses import replace

    base = rule("adam")
    states = tuple(replace(s, initial=s.initial + 1) for s in base.every_state)
    program = Program.of(replace(base, every_state=states))
    found = report(read(results(bank, "adam/default", program), bank, "it"), bank)
    assert found.identified == {"adam/default": []}
    mixed = next(v for v in found.verdicts if v.test.id == "adam/default/mixed")
    assert not mixed.errors["initial.m"].ok
    assert mixed.errors["initial.m"].at == (0, 0)


def test_a_state_that_is_wrong_fails_where_theta_is_right(bank):
    data = results(bank, "adam/default", wanted={"mixed"})
    values = data["results"][0]["values"]
    values["m"] = [[x / 0.875 for x in row] for row in values["m"]]
    (verdict,) = report(read(data, bank, "it"), bank).verdicts
    assert verdict.outcome == "fail"
    assert verdict.errors["theta"].ok
    assert not verdict.errors["m"].ok


def test_states_may_be_left_out(bank):
    data = results(bank, "adam/default", wanted={"mixed"})
    for name in [n for n in data["results"][0]["values"] if n != "theta"]:
        del data["results"][0]["values"][name]
    assert report(read(data, bank, "it"), bank).ok


@pytest.mark.parametrize(
    ("units", "outcome"), [(0, "pass"), (1, "pass"), (0.99, "pass"), (1.5, "fail"), (-3, "fail")]
)
def test_the_tolerance_is_counted_in_ulps_of_the_type(bank, units, outcome):
    """theta moved by so many tolerances: passes up to one, fails beyond."""
    test = bank.test("gd/default/random")
    allowed = test.data["ulps"]["float64"]["theta"]
    rows = [[float(x) for x in row] for row in test.rows("theta")]
    rows[2][1] += units * (allowed - 1 if abs(units) <= 1 else allowed) * math.ulp(test.scales("theta")[2][1])
    verdict = judge(Given(test, "float64", {"theta": rows}), bank)
    assert verdict.outcome == outcome
    if outcome == "fail":
        assert verdict.errors["theta"].at == (3, 1)
        assert verdict.errors["theta"].ulps == pytest.approx(abs(units) * allowed, abs=1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308])
def test_what_is_not_finite_fails(bank, value):
    test = bank.test("gd/default/random")
    rows = [[float(x) for x in row] for row in test.rows("theta")]
    rows[0][0] = value
    verdict = judge(Given(test, "float64", {"theta": rows}), bank)
    assert verdict.outcome == "fail"
    json.dumps(verdict.to_dict(), allow_nan=False)


def test_a_test_that_says_nothing_in_a_type_is_not_judged(bank):
    test = bank.test("adam/default/huge_float64")
    verdict = judge(Given(test, "float32", {"theta": [[0.0, 0.0]] * 3}), bank)
    assert (verdict.outcome, verdict.ok) == ("not judged", True)
    assert verdict.why == "its inputs are no numbers of this type"


def test_nothing_judged_is_no_success(bank):
    data = {"format": "optverify results", "version": 1, "dtype": "float32",
            "results": [{"test": "adam/default/random", "skipped": "no Adam here"}]}  # fmt: skip
    found = report(read(data, bank, "it"), bank)
    assert (found.ok, found.count("skipped")) == (False, 1)


def test_what_is_required_must_be_there(bank):
    data = results(bank, "adam/default", wanted={"mixed", "random"})
    found = report(read(data, bank, "it"), bank, ["adam/default"])
    assert not found.ok
    assert "adam/default/long" in found.missing
    assert "adam/default/random" not in found.missing
    assert report(read(results(bank, "adam/default"), bank, "it"), bank, ["adam/default"]).ok


def test_a_group_that_is_another_one_is_required_by_that(bank):
    """like=keras of Adam is the epsilon-hat dialect."""
    assert [t.id for t in bank.group("adam/like=keras")] == [t.id for t in bank.group("adam/epsilon=hat")]


def test_a_look_ahead_is_seen_where_the_gradient_is_taken(bank):
    """Nesterov's parameters alone are those of momentum when gradients are given."""
    test = bank.test("nesterov/default/random")
    found = Program.of(rule("nesterov")).compute(test)
    values = {n: [r.tolist() for r in rows] for n, rows in found.items()}
    before = [list(test.input["theta"]["decimal"][0]), *values["theta"][:-1]]
    verdict = judge(Given(test, "float64", {**values, "point": before}), bank)
    assert (verdict.errors["theta"].ok, verdict.errors["point"].ok) == (True, False)
