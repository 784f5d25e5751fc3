"""Which hyperparameters change what a rule does."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from optverify.claims._claim import Decision, holds
from optverify.claims._trials import Course, base_of, courses, follow, in_words, trial
from optverify.language import Rule
from optverify.proof import NotProved, Refuted
from optverify.proof.enclosure import differ
from optverify.proof.evaluation import entries

Points = list[list[Any]]


def _points(rule: Rule, course: Course, numbers: dict[str, Fraction]) -> tuple[Points, NotProved | None]:
    history, open_end = follow(rule, course, numbers)
    return [list(entries(states["theta"])) for states in history], open_end


def _parted(stated: Points, changed: Points) -> int | None:
    """The first update after which two runs differ."""
    for step, (here, there) in enumerate(zip(stated, changed, strict=False)):
        if any(differ(x, y) for x, y in zip(here, there, strict=False)):
            return step
    return None


def influences(rule: Rule) -> dict[str, int | None]:
    """Hyperparameter -> the update from which it changes theta, on the first of three courses to show it.

    NotProved if none shows it and one of them ends early.
    """
    early: NotProved | None = None
    found: dict[str, int | None] = dict.fromkeys((h.name for h in base_of(rule).hyperparameters), None)
    for course in (*courses(rule, "mixed_response")[:2], *courses(rule, "step_response")):
        left = [name for name, step in found.items() if step is None]
        if not left:
            break
        usual, other = (trial(rule, kind) for kind in (course.other, not course.other))
        stated, cut = _points(rule, course, usual)
        early = early or cut
        for name in left:
            changed, cut = _points(rule, course, {**usual, name: other[name]})
            found[name] = _parted(stated, changed)
            early = early or cut
    if early and None in found.values():
        raise early
    return found


def in_text(rule: Rule) -> str:
    """`lr from 1, beta1 from 2, average_start never`."""
    found = influences(rule)
    return ", ".join(
        f"{name} never" if step is None else f"{name} from {step}" for name, step in found.items()
    )


def exceptions(pinned: str | None) -> list[str]:
    """The hyperparameters that are written down to have no influence."""
    return [part.removesuffix(" never") for part in (pinned or "").split(", ") if part.endswith(" never")]


def decide_influence(rule: Rule, pinned: str | None) -> Decision:
    """Runs in exact numbers, with one hyperparameter changed at a time."""
    found = in_text(rule)
    stated = pinned if pinned is not None else found.replace(" never", "")
    if found != stated:
        raise Refuted(f"theta depends on {found}; written down is {pinned or 'nothing'}")
    numbers = in_words(rule, trial(rule))
    return holds(
        f"theta depends on {found}, counted in updates; with {numbers} at first", "interval arithmetic"
    )
