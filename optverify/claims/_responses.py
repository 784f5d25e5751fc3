"""What a rule does with given gradients, number by number, against what was written down."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from optverify.claims._claim import Decision, Evidence, holds
from optverify.claims._trials import base_of, courses, follow, in_words, trial
from optverify.language import Rule
from optverify.proof import NotProved, Refuted
from optverify.proof.enclosure import differ, enclosed, text
from optverify.proof.evaluation import UNDEFINED, Value, entries

FAMILIES = ("impulse_response", "step_response", "mixed_response")
LONGEST = 40
"""Characters of a rational that is written as one."""

Written = list[dict[str, Any]]
History = list[dict[str, Value]]
Key = tuple[int, str, int]
Followed = tuple[History, NotProved | None]


def _word(x: Any) -> str:
    written = text(x)
    return written if len(written) <= LONGEST else text(enclosed(x))


def words(value: Value) -> str:
    """The numbers of a value, as they are written down."""
    return ", ".join(_word(x) for x in entries(value))


def written(rule: Rule, family: str) -> Written:
    """For each course: theta after each update, the states before the first and after the last.

    NotProved if a course ends early.
    """
    return [_as_text(_whole(follow(rule, course))) for course in courses(rule, family)]


def _whole(followed: Followed) -> History:
    history, open_end = followed
    if open_end:
        raise open_end
    return history


def _as_text(history: History) -> dict[str, Any]:
    names = [name for name in history[0] if name != "theta"]
    return {
        "theta": [words(states["theta"]) for states in history[1:]],
        **{name: f"{words(history[0][name])} -> {words(history[-1][name])}" for name in names},
    }


@cache
def _registered(base: Rule, family: str) -> tuple[Written, list[History]]:
    """What the rule of the registry does; it is asked for each mutant anew."""
    histories = [_whole(follow(base, course)) for course in courses(base, family)]
    return [_as_text(history) for history in histories], histories


def _numbers(history: History) -> Iterator[tuple[Key, Value]]:
    for step, states in enumerate(history):
        for name, value in states.items():
            for place, number in enumerate(entries(value)):
                yield (step, name, place), number


def _difference(history: History, stated: History) -> tuple[int, str] | None:
    """The number of updates, and the first number in which two runs differ, in words."""
    there = dict(_numbers(stated))
    for (step, name, place), number in _numbers(history):
        other = there.pop((step, name, place), UNDEFINED)
        if differ(number, other):
            return step, f"{name}, coordinate {place + 1}, is {_word(number)}, not {_word(other)}"
    if there and (len(history) == len(stated) or history[-1]["theta"] is UNDEFINED):
        (step, name, place), other = next(iter(there.items()))
        return step, f"{name}, coordinate {place + 1}, has no value, not {_word(other)}"
    return None


def decide_response(rule: Rule, family: str, pinned: Written | None) -> Decision:
    """Compare text with text; where that differs, number with number against the registered rule."""
    if pinned is None:
        raise NotProved(
            f"new: nothing is written down yet for {rule.name!r} (python -m optverify.claims.pin)"
        )
    for place, course in enumerate(courses(rule, family)):
        history, open_end = follow(rule, course)
        if open_end is None and place < len(pinned) and _as_text(history) == pinned[place]:
            continue
        _show_rewritten(rule, family, pinned, place, history)
        if open_end:
            raise open_end
    return _agreed(rule, pinned)


def _show_rewritten(rule: Rule, family: str, pinned: Written, place: int, history: History) -> None:
    """Show that the registered rule gives what is written down, and this one the same numbers."""
    found, histories = _registered(base_of(rule), family)
    if found != pinned:
        pairs = zip(_lines(found), _lines(pinned), strict=False)
        wrong = next(((a, b) for a, b in pairs if a != b), ("more or fewer runs", "others"))
        raise Refuted(f"{wrong[0]}; written down is {wrong[1]}")
    if difference := _difference(history, histories[place][: len(history)]):
        step, what = difference
        numbers = in_words(rule, trial(rule, courses(rule, family)[place].other))
        raise Refuted(f"after {step} updates with {numbers} {what}")


def _lines(found: Written) -> Iterator[str]:
    for course in found:
        for name, value in course.items():
            yield f"{name}: {value}"


def _agreed(rule: Rule, pinned: Written) -> Decision:
    evidence: Evidence = (
        "interval arithmetic" if any("." in line for line in _lines(pinned)) else "exact certificate"
    )
    last = "; ".join(course["theta"][-1] for course in pinned)
    return holds(f"with {in_words(rule, trial(rule))} theta ends at {last}", evidence)
