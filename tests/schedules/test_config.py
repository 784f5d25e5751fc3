"""A schedule is a value: equal, hashable, picklable, and the same after a trip through JSON."""

import copy
import json
import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

import optverify.schedules as package
from optverify.language import Schedule
from optverify.schedules import join, names, schedule, schedule_from_config

FAMILIES = [
    "constant",
    "cosine",
    "cosine_warm_restarts",
    "exponential",
    "linear_warmup",
    "multi_step",
    "step",
]


def test_names() -> None:
    """Sorted, read off the folder; and calling the package lists them."""
    assert set(FAMILIES) <= set(names())
    assert names() == sorted(names()) == package()  # type: ignore[operator]


@pytest.mark.parametrize("name", names())
def test_every_file_says_where_its_formula_comes_from(name: str) -> None:
    family = package.registry.get(name)
    assert family.sources
    assert all(s.link for s in family.sources)
    assert family.summary.endswith(".")
    assert all(h.meaning and h.latex and str(h.domain) for h in family.hyperparameters)


def test_round_trip(example: Schedule) -> None:
    """Pickle, deepcopy and JSON give an equal schedule with an equal hash and bitwise equal values."""
    for twin in (
        pickle.loads(pickle.dumps(example)),
        copy.deepcopy(example),
        schedule_from_config(json.loads(json.dumps(example.config()))),
        eval(repr(example), {"schedule": schedule, "join": join}),
    ):
        assert twin == example
        assert hash(twin) == hash(example)
        assert twin(range(50)).tolist() == example(range(50)).tolist()


def test_equality_is_by_value() -> None:
    a = schedule("cosine", lr=0.1, total=100)
    assert a == schedule("cosine", total=100, lr=0.1, lr_min=0, after="hold")
    assert a != schedule("cosine", lr=0.1, total=101)
    assert a != schedule("cosine", lr=0.1, total=100, after="reflect")
    assert a * a != a


def test_frozen() -> None:
    s = schedule("constant", lr=0.1)
    with pytest.raises(FrozenInstanceError):
        s.values = (0.2,)  # type: ignore[misc]


def test_config_and_repr() -> None:
    """The config holds every value and option, defaults too; the repr only what differs from them."""
    s = schedule("cosine", lr=0.1, total=100)
    arguments = {"lr": 0.1, "lr_min": 0.0, "total": 100, "after": "hold"}
    assert s.config() == {"schedule": "cosine", "arguments": arguments}
    assert repr(s) == "schedule('cosine', lr=0.1, total=100)"
    assert (s.parameters, s.options) == ({"lr": 0.1, "lr_min": 0.0, "total": 100}, {"after": "hold"})
    assert repr(s * s.then(s)) == f"{s!r} * join([{s!r}, {s!r}], boundaries=[100])"


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({}, TypeError, r"\{\} is not a schedule config"),
        ("cosine", TypeError, "'cosine' is not a schedule config"),
        (
            {"schedule": "cosin", "arguments": {}},
            ValueError,
            "unknown schedule 'cosin'; did you mean 'cosine'",
        ),
        ({"schedule": "cosine"}, ValueError, "config of schedule 'cosine' has nothing: give arguments"),
        (
            {"schedule": "cosine", "arguments": 3},
            TypeError,
            "arguments of schedule 'cosine' are 3: give a dict",
        ),
        (
            {"schedule": "cosine", "arguments": {"lr": 1, "total": "__import__('os')"}},
            TypeError,
            "is not a number",
        ),
        ({"schedule": "join", "pieces": []}, ValueError, "give boundaries, clock, pieces"),
        (
            {"schedule": "join", "pieces": 1, "boundaries": [], "clock": "own"},
            TypeError,
            "are 1: give a list",
        ),
        ({"schedule": "product", "left": {}, "right": {}}, TypeError, "is not a schedule config"),
    ],
)
def test_configs_refused(config: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        schedule_from_config(config)
