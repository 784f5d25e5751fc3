"""Schedules of every kind, small enough that their seams lie close together."""

import itertools
from typing import Any

import pytest

from optverify.language import Schedule
from optverify.schedules import join, registry, schedule

FORMS = ("t/W", "(t+1)/W", "(t+1)/(W+1)")


def examples() -> list[Schedule]:
    """One of every family, option and composition."""
    warmups = [schedule("linear_warmup", lr=0.1, warmup=4, form=f) for f in FORMS]
    cosine = schedule("cosine", lr=0.1, lr_min=1e-3, total=10)
    restarts = schedule("cosine_warm_restarts", lr=0.3, lr_min=0.01, T_0=3, T_mult=2)
    constant = schedule("constant", lr=0.07)
    return [
        *every_option(),
        constant,
        schedule("step", lr=0.1, step_size=7, gamma=0.3),
        schedule("multi_step", lr=0.1, milestones=[3, 8, 9], gamma=0.5),
        schedule("exponential", lr=0.2, gamma=0.97),
        cosine,
        schedule("cosine", lr=0.1, total=7, after="reflect"),
        schedule("cosine_warm_restarts", lr=0.3, T_0=5),
        restarts,
        *warmups,
        warmups[1].then(cosine),
        warmups[0].then(cosine, clock="common"),
        schedule("linear_warmup", lr=1, warmup=4) * cosine,
        join([constant, warmups[2], restarts, restarts.then(constant, at=8)], boundaries=[2, 6, 17]),
        (restarts * constant) * (constant * warmups[1]),
        restarts.shifted(4),
        (constant * cosine).shifted(-6).at_least(0.002),
        join([warmups[1], cosine], boundaries=[2]).repeated(9).shifted(2),
    ]


ARGUMENTS: dict[str, dict[str, Any]] = {
    "linear": {"lr": 0.3, "lr_end": 0.01, "total": 9},
    "polynomial": {"lr": 0.3, "lr_end": 0.01, "total": 9, "power": 1.7},
    "exponential": {"lr": 0.2, "gamma": 0.5, "decay_steps": 4},
    "inverse_time": {"lr": 0.2, "decay_rate": 0.5, "decay_steps": 4},
    "inverse_sqrt": {"lr": 0.2, "warmup": 5},
    "noam": {"lr": 2, "d_model": 16, "warmup": 5},
    "piecewise_interpolated": {"lr": 0.1, "milestones": [3, 4, 11], "factors": [2, 0.5, 0.01]},
    "cosine_power": {"lr": 0.1, "lr_min": 0.001, "total": 10, "exponent": 1.5},
    "constant_warmup": {"lr": 0.1, "warmup": 4, "factor": 0.3},
    "exponential_warmup": {"lr": 0.1, "warmup": 4},
    "cosine_warm_restarts": {"lr": 0.3, "lr_min": 0.01, "T_0": 3, "T_mult": 2, "M_mult": 0.8},
    "one_cycle": {"lr": 0.1, "total": 21, "div_factor": 20, "final_div_factor": 50},
    "cyclic": {"lr": 0.1, "lr_min": 0.01, "step_size_up": 3, "step_size_down": 5, "gamma": 0.9},
    "wsd": {"lr": 0.1, "lr_min": 0.001, "total": 20, "warmup": 4, "decay_steps": 9},
    "rex": {"lr": 0.1, "lr_min": 0.001, "total": 12},
    "trapezoidal": {"lr": 0.1, "total": 20, "warmup": 4, "decay_steps": 9},
}


def every_option() -> list[Schedule]:
    """These families in every dialect."""
    found = []
    for name, arguments in ARGUMENTS.items():
        axes = registry.get(name).axes
        for options in itertools.product(*(axis.options for axis in axes)):
            chosen = dict(zip((axis.name for axis in axes), options, strict=True))
            found.append(schedule(name, **arguments, **chosen))
    return found


@pytest.fixture(params=examples(), ids=repr)
def example(request: pytest.FixtureRequest) -> Schedule:
    schedule: Schedule = request.param
    return schedule
