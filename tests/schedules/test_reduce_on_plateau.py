"""Reduce on plateau: patience, cooldown, thresholds, its state; PyTorch itself is in tests/peers."""

import json
from typing import Any

import pytest

from optverify.schedules import ReduceOnPlateau


def test_public_case() -> None:
    """Patience 2, a constant metric, ten steps; the count begins anew after a fall."""
    p = ReduceOnPlateau(0.1, patience=2)
    falls = [p.step(1.0) for _ in range(10)]
    assert falls == pytest.approx([0.1] * 3 + [0.01] * 3 + [1e-3] * 3 + [1e-4], rel=1e-15)


def test_reduction_at_patience_is_patience_less_one() -> None:
    p = ReduceOnPlateau(0.1, patience=1)
    assert [p.step(1.0) for _ in range(5)] == pytest.approx([0.1, 0.1, 0.01, 0.01, 1e-3], rel=1e-15)


def test_bad_steps_of_a_cooldown_do_not_count() -> None:
    p = ReduceOnPlateau(1.0, patience=0, cooldown=2, factor=0.5)
    assert [p.step(1.0) for _ in range(8)] == [1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]


@pytest.mark.parametrize(
    ("mode", "threshold_mode", "first", "better", "worse"),
    [("min", "rel", 2.0, 1.79, 1.81), ("min", "abs", 2.0, 1.89, 1.91),
     ("max", "rel", 2.0, 2.21, 2.19), ("max", "abs", 2.0, 2.11, 2.09)],
)  # fmt: skip
def test_thresholds(mode: str, threshold_mode: str, first: float, better: float, worse: float) -> None:
    for second, best in ((better, better), (worse, first), (float("nan"), first)):
        p = ReduceOnPlateau(1.0, mode=mode, threshold_mode=threshold_mode, threshold=0.1)
        p.step(first)
        p.step(second)
        assert (p.best, p.bad_steps) == (best, int(second != better))


def test_lowest_rate_and_smallest_fall() -> None:
    p = ReduceOnPlateau(1.0, patience=0, factor=0.5, lr_min=0.3)
    assert [p.step(1.0) for _ in range(5)] == [1, 0.5, 0.3, 0.3, 0.3]
    p = ReduceOnPlateau(1.0, patience=0, factor=0.5, eps=0.2)
    assert [p.step(1.0) for _ in range(5)] == [1, 0.5, 0.25, 0.25, 0.25]


def test_goes_on_from_its_state() -> None:
    metrics = [3.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    whole, first = (ReduceOnPlateau(0.1, patience=1, cooldown=1) for _ in range(2))
    rates = [whole.step(m) for m in metrics]
    for stop in range(len(metrics)):
        second = ReduceOnPlateau(0.1, patience=1, cooldown=1)
        second.load_state_dict(json.loads(json.dumps(first.state_dict())))
        assert [second.step(m) for m in metrics[stop:]] == rates[stop:]
        first.step(metrics[stop])


def test_is_a_learning_rate_for_an_optimizer() -> None:
    p = ReduceOnPlateau(0.1, patience=0)
    assert p(0) == p(7) == 0.1
    p.step(1.0)
    p.step(1.0)
    assert p(8) == pytest.approx(0.01)
    assert eval(repr(p), {"ReduceOnPlateau": ReduceOnPlateau})(0) == p(0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"factor": 1.0}, "factor = 1.0 is out of range: factor must be a finite number in"),
        ({"patience": -1}, "patience = -1 is out of range: patience must be an integer >= 0"),
        ({"cooldown": 1.5}, "cooldown = 1.5 is not an integer"),
        ({"mode": "mim"}, "unknown option for axis mode 'mim'; did you mean 'min'"),
        ({"threshold": -1}, "threshold = -1 is out of range"),
    ],
)
def test_values_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReduceOnPlateau(0.1, **arguments)


def test_metric_and_state_refused() -> None:
    p = ReduceOnPlateau(0.1)
    with pytest.raises(TypeError, match="metric = 'low' is not a number"):
        p.step("low")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is not the state of a ReduceOnPlateau"):
        p.load_state_dict({"lr": 1})
