"""Numbers to run any rule with: hyperparameters, gradients, starts. All rational, all different.

Step sizes change from update to update, epsilons are large, gradients change their sign and their size, so
that the cases and bounds of a rule are reached and no slip hides behind a small number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import islice
from math import isinf
from typing import Any

import sympy as sp

from optverify.language import Hyperparameter, Rule
from optverify.proof.enclosure import Exact
from optverify.proof.evaluation import Runner, Value
from optverify.proof.outcome import NotProved
from optverify.rules import rule as registered

EXACT = Exact()
UPDATES = 6
UNIT = tuple(map(Fraction, ("2/5", "9/10", "3/4", "2/3", "5/7", "4/9")))
WIDE = tuple(map(Fraction, ("3/2", "1/5", "4/3", "2/7", "5/8", "1/3", "7/4", "3/8", "5/4", "2/9")))
OTHER_UNIT = tuple(map(Fraction, ("3/4", "1/2", "8/9", "3/5", "1/3", "6/7")))
OTHER_WIDE = tuple(map(Fraction, ("2/3", "5/2", "1/7", "3/5", "9/4", "1/6", "4/5", "7/3", "1/9", "8/5")))
CHOSEN: Mapping[str, tuple[Mapping[str, Fraction], Mapping[str, Fraction]]] = {
    "adabound": ({}, {"gamma": Fraction(1, 40)}),
    "adafactor": ({}, {"eps2": Fraction(3)}),
    "ademamix": ({}, {"warmup": Fraction(20)}),
    "prodigy": ({"d_coefficient": Fraction(30)}, {"d_coefficient": Fraction(40)}),
    "rprop": (
        {"lr": Fraction(1, 2), "min_step": Fraction(1, 9), "max_step": Fraction(2, 3)},
        {"lr": Fraction(1, 3), "min_step": Fraction(1, 7), "max_step": Fraction(9, 2)},
    ),
}
"""Numbers, usual and other, with which a case is reached that would not be otherwise."""


@dataclass(frozen=True)
class Course:
    """A run: what each coordinate meets, from where, and with which numbers.

    gradients: a sequence for each coordinate. slope: share of the gradient point that is added to every
    gradient, so that where it is taken counts. shape: of a matrix, where the rule is for one. other: with the
    other numbers.
    """

    gradients: tuple[tuple[Any, ...], ...]
    starts: tuple[Any, ...]
    shape: tuple[int, int]
    other: bool = False
    slope: Fraction = Fraction(0)


HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def _pulse(first: Any) -> tuple[Any, ...]:
    return (first, *(0 for _ in range(UPDATES - 1)))


IMPULSE = Course((_pulse(Fraction(3, 2)), _pulse(Fraction(-1, 5))), (THIRD, -2), (1, 2))
STEP = Course(((Fraction(-2, 3),) * UPDATES, (Fraction(1, 50),) * UPDATES), (Fraction(3, 2), 5), (2, 1))
MIXED = Course(
    (
        (2, -3, Fraction(1, 4), 0, 5, -1),
        (Fraction(1, 50), 3, Fraction(-1, 7), 4, Fraction(1, 9), HALF),
        (Fraction(-5, 3), THIRD, 1, 1, -2, Fraction(1, 8)),
        (1, -THIRD, Fraction(-1, 4), Fraction(2, 3), Fraction(3, 7), -4),
    ),
    (THIRD, -2, Fraction(3, 2), 5),
    (2, 2),
    slope=Fraction(1, 4),
)
OTHER = Course(
    (
        (0, Fraction(4, 3), -1, 0, Fraction(1, 60)),
        (Fraction(5, 2), Fraction(-1, 5), Fraction(-7, 2), Fraction(3, 4), 0),
        (HALF, 3, Fraction(-3, 5), Fraction(1, 4), -2),
        (Fraction(-1, 13), Fraction(1, 12), Fraction(1, 11), 6, Fraction(-5, 4)),
    ),
    (0, 1, -THIRD, 4),
    (2, 2),
    other=True,
)
ORIGIN = Course(((0, 1, -2), (0, -THIRD, Fraction(1, 7))), (0, 0), (2, 1))
"""From zero parameters and a zero gradient: where lengths are divided by."""
SQUARE_IMPULSE = Course(
    tuple(map(_pulse, (Fraction(3, 2), Fraction(-1, 5), THIRD, 2))), (THIRD, -2, 1, HALF), (2, 2)
)
SQUARE_STEP = Course(
    tuple((x,) * UPDATES for x in (Fraction(-2, 3), Fraction(1, 50), 1, HALF)),
    (Fraction(3, 2), 5, 0, 1),
    (2, 2),
)
"""For rules that keep a basis, which is unique only where the statistics have full rank."""
BASES = ("orthonormal", "eigenvectors")
"""Operators that give such a basis."""


@cache
def _base(name: str, options: tuple[tuple[str, Any], ...]) -> Rule | None:
    try:
        found = registered(name)
    except ValueError:
        return None
    return found if tuple(found.options.items()) == options else found.dialect(**dict(options))


def base_of(rule: Rule) -> Rule:
    """The rule of the registry in this dialect, by which a changed one is measured; itself if it is new."""
    return _base(rule.name, tuple(rule.options.items())) or rule


def courses(rule: Rule, family: str) -> tuple[Course, ...]:
    """The runs of a family: impulse_response, step_response or mixed_response."""
    rule = base_of(rule)
    basis = any(type(f).__name__ in BASES for f in rule.operators)
    if family == "impulse_response":
        return (SQUARE_IMPULSE if basis else IMPULSE,)
    if family == "step_response":
        return (SQUARE_STEP if basis else STEP,)
    return (MIXED, OTHER, ORIGIN) if rule.operators and not basis else (MIXED, OTHER)


def trial(rule: Rule, other: bool = False) -> dict[str, Fraction]:
    """A number for each hyperparameter, in its range."""
    unit, wide = iter(OTHER_UNIT if other else UNIT), iter(OTHER_WIDE if other else WIDE)
    chosen = CHOSEN.get(rule.name, ({}, {}))[other]
    return {h.name: chosen.get(h.name, _number(h, unit, wide, other)) for h in rule.every_hyperparameter}


def _number(h: Hyperparameter, unit: Iterator[Fraction], wide: Iterator[Fraction], other: bool) -> Fraction:
    low, high = h.domain.low, h.domain.high
    if h.name == "initial_accumulator":  # a square: its root is compared with roots
        return Fraction(4, 25) if other else Fraction(9, 16)
    if isinf(low):
        share = Fraction(10, 9) if other else Fraction(10, 11)
        return Fraction(str(h.default)) * share if h.default else next(wide) * (-1 if h.default == 0 else 1)
    if isinf(high):
        whole = low >= 1 and not h.domain.low_open
        return Fraction(3 if other else 2) if whole else Fraction(low) + next(wide)
    return Fraction(low) + (Fraction(high) - Fraction(low)) * next(unit)


def given(rule: Rule, numbers: Mapping[str, Fraction], size: int) -> Callable[[int], dict[sp.Symbol, Value]]:
    """Values at each update: lr and a loss fall, inputs stay."""
    fixed: dict[sp.Symbol, Value] = {h.symbol: numbers[h.name] for h in rule.every_hyperparameter}
    others = (HALF, Fraction(-1, 3), Fraction(2), Fraction(1))
    for i, x in enumerate(rule.every_input):
        values = [v + i for v in islice(others, size)]
        fixed[x.now] = values[0] if x.scalar else EXACT.array(values)
    losses = [h for h in rule.every_hyperparameter if h.default is None and isinf(h.domain.low)]
    rates = [h for h in rule.every_hyperparameter if h.name == "lr"]

    def at(step: int) -> dict[sp.Symbol, Value]:
        falling = {h.symbol: numbers[h.name] * Fraction(step + 2, 2 * step + 1) for h in rates}
        return {**fixed, **falling, **{h.symbol: numbers[h.name] * Fraction(7, step) for h in losses}}

    return at


def follow(
    rule: Rule, course: Course, numbers: Mapping[str, Fraction] | None = None, updates: int = UPDATES
) -> tuple[list[dict[str, Value]], NotProved | None]:
    """The states along a course, and why it ends early if 60 digits do not settle how to go on."""
    at = given(rule, numbers or trial(rule, course.other), len(course.starts))

    matrix = base_of(rule).needs_matrix

    def shaped(values: Any) -> Value:
        made = EXACT.array([Fraction(v) for v in values])
        return made.reshape(course.shape) if matrix else made

    def gradient(now: Any) -> Any:
        return (lambda point: now + point * course.slope) if course.slope else now

    gradients = [gradient(shaped(g)) for g in zip(*course.gradients, strict=True)][:updates]
    history: list[dict[str, Value]] = []
    try:
        for states in Runner(rule, EXACT).run(gradients, shaped(course.starts), at):
            history.append(states)
    except NotProved as open_end:
        return history, open_end
    return history, None


def substituted(e: Any, values: Mapping[sp.Symbol, sp.Expr]) -> Any:
    """The expression with values put in; NotProved where SymPy has none, as of a maximum of 1/0."""
    try:
        return e.xreplace(values)
    except (ValueError, TypeError) as failed:
        raise NotProved(f"{e} has no value: {failed}") from None


def in_words(rule: Rule, numbers: Mapping[str, Fraction]) -> str:
    """`lr = 3/2, eps = 1/5`, for those the rule reads."""
    return ", ".join(f"{h.name} = {numbers[h.name]}" for h in rule.hyperparameters) or "nothing to choose"
