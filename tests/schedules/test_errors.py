"""What is refused, and that the message names the thing, the value and the way out."""

from typing import Any

import numpy as np
import pytest

from optverify.schedules import schedule


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("cosin", {}, "unknown schedule 'cosin'; did you mean 'cosine'?"),
        ("cosine", {"lr": 0.1, "totl": 5}, "'cosine': unknown argument 'totl'; did you mean 'total'?"),
        ("cosine", {"lr": 0.1}, "'cosine' needs total (updates from lr to lr_min): give a value"),
        ("cosine", {"total": 5}, "'cosine' needs lr (learning rate of the first update)"),
        ("cosine", {"lr": 0.1, "total": 0}, "total = 0 is out of range: total must be an integer >= 1"),
        ("cosine", {"lr": 0.1, "total": -3}, "total = -3 is out of range"),
        ("cosine", {"lr": 0.1, "total": 2.5}, "total = 2.5 is not an integer: total must be an integer >= 1"),
        ("cosine", {"lr": 0.1, "total": float("nan")}, "total = nan is not an integer"),
        ("cosine", {"lr": 0.1, "total": float("inf")}, "total = inf is not an integer"),
        ("cosine", {"lr": 0.0, "total": 5}, "lr = 0.0 is out of range: lr must be a finite number > 0"),
        ("cosine", {"lr": float("nan"), "total": 5}, "lr = nan is out of range"),
        ("cosine", {"lr": 0.1, "lr_min": -0.1, "total": 5}, "lr_min = -0.1 is out of range"),
        ("cosine", {"lr": 0.1, "lr_min": 0.2, "total": 5}, "needs lr_min <= lr, not lr = 0.1, lr_min = 0.2"),
        ("cosine", {"lr": 0.1, "total": 5, "after": "holt"}, "axis after 'holt'; did you mean 'hold'?"),
        ("cosine_warm_restarts", {"lr": 0.1, "lr_min": 1, "T_0": 5}, "needs lr_min <= lr"),
        ("cosine_warm_restarts", {"lr": 0.1, "T_0": 5, "T_mult": 0}, "T_mult = 0 is out of range"),
        ("step", {"lr": 0.1, "step_size": 5, "gamma": 0}, "gamma must be a finite number in (0, 1]"),
        ("step", {"lr": 0.1, "step_size": 5, "gamma": 1.1}, "gamma = 1.1 is out of range"),
        (
            "multi_step",
            {"lr": 0.1, "milestones": []},
            "milestones = [] is out of range: milestones must be one",
        ),
        ("multi_step", {"lr": 0.1, "milestones": [5, 5]}, "must be one or more increasing integers >= 1"),
        ("multi_step", {"lr": 0.1, "milestones": [0, 5]}, "milestones = 0 is out of range"),
        ("linear_warmup", {"lr": 0.1, "warmup": 0}, "warmup = 0 is out of range"),
        ("linear_warmup", {"lr": 0.1, "warmup": 5, "form": "t/w"}, "unknown option for axis form 't/w'"),
    ],
)
def test_values_refused(name: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        schedule(name, **arguments)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("cosine", {"lr": "0.1", "total": 5}, "lr = '0.1' is not a number"),
        ("cosine", {"lr": 0.1, "total": "5"}, "total = '5' is not a number"),
        ("cosine", {"lr": 0.1, "total": True}, "total = True is not a number"),
        ("multi_step", {"lr": 0.1, "milestones": 5}, "milestones = 5 is not a list"),
        ("multi_step", {"lr": 0.1, "milestones": "57"}, "milestones = '57' is not a list"),
    ],
)
def test_types_refused(name: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError) as refusal:
        schedule(name, **arguments)
    assert message in str(refusal.value)


def test_integers_in_any_dress_are_taken() -> None:
    plain = schedule("cosine", lr=0.5, total=100)
    assert schedule("cosine", lr=np.float32(0.5), total=1e2) == plain
    assert schedule("cosine", lr=0.5, total=np.int64(100)) == plain
    assert schedule("multi_step", lr=1, milestones=np.array([3, 4])).parameters["milestones"] == (3, 4)


@pytest.mark.parametrize(
    "t", [1.0, 1.5, float("nan"), "1", None, True, [1, 2.0], [True], np.array([1.0]), [[1], [1, 2]]]
)
def test_times_that_are_no_integers(t: Any) -> None:
    with pytest.raises(
        TypeError, match=r"t = .* is not a number of updates: t must be an integer 0, 1, 2, \.\.\."
    ):
        schedule("constant", lr=0.1)(t)


@pytest.mark.parametrize("t", [-1, [3, -1], np.array([-1, 3]), -(10**30), [10**30, -1]])
def test_times_that_are_negative(t: Any) -> None:
    with pytest.raises(
        ValueError, match=r"t = -\d+ is negative: t counts the updates already made, 0, 1, 2, \.\.\."
    ):
        schedule("constant", lr=0.1)(t)
