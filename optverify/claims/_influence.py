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


def _points(rule: Rule, course: Course, numbers: dict[str, Fraction]) -> list[Any]:
    history, _ = follow(rule, course, numbers)
    return [x for states in history for x in entries(states["theta"])]


def without_influence(rule: Rule) -> list[str]:
    """The hyperparameters that change no theta along any of three courses."""
    left = [h.name for h in rule.every_hyperparameter if h in base_of(rule).hyperparameters]
    for course in (*courses(rule, "mixed_response")[:2], *courses(rule, "step_response")):
        usual, other = (trial(rule, kind) for kind in (course.other, not course.other))
        stated = _points(rule, course, usual)
        for name in list(left):
            changed = _points(rule, course, {**usual, name: other[name]})
            if any(differ(x, y) for x, y in zip(stated, changed, strict=False)):
                left.remove(name)
        if not left:
            break
    return left


def decide_influence(rule: Rule) -> Decision:
    """Runs in exact numbers, with one hyperparameter changed at a time."""
    base = base_of(rule)
    if not base.hyperparameters:
        raise NotProved(f"rule {rule.name!r} has no hyperparameters")
    if left := without_influence(rule):
        numbers = in_words(rule, trial(rule))
        raise Refuted(f"theta is the same whatever {', '.join(left)} is, the others being {numbers}")
    names = ", ".join(h.name for h in base.hyperparameters)
    return holds(f"another value of {names} gives another theta, one at a time", "interval arithmetic")
