"""Schedules of every kind, small enough that their seams lie close together."""

import pytest

from optverify.language import Schedule
from optverify.schedules import join, schedule

FORMS = ("t/W", "(t+1)/W", "(t+1)/(W+1)")


def examples() -> list[Schedule]:
    """One of every family, option and composition."""
    warmups = [schedule("linear_warmup", lr=0.1, warmup=4, form=f) for f in FORMS]
    cosine = schedule("cosine", lr=0.1, lr_min=1e-3, total=10)
    restarts = schedule("cosine_warm_restarts", lr=0.3, lr_min=0.01, T_0=3, T_mult=2)
    constant = schedule("constant", lr=0.07)
    return [
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
    ]


@pytest.fixture(params=examples(), ids=lambda s: s.title)
def example(request: pytest.FixtureRequest) -> Schedule:
    schedule: Schedule = request.param
    return schedule
