"""Options that take several values."""

from __future__ import annotations

import math
from typing import Any

import click


class Finite(click.FloatRange):
    """A finite number in a range: nan is in none of click's, and inf in many."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; a failure that names it otherwise."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def listed(option: str, text: str) -> list[str]:
    """The values; UsageError if there is none."""
    values = [value.strip() for value in text.split(",") if value.strip()]
    if not values:
        raise click.UsageError(f"{option} {text!r} names nothing: give values separated by commas")
    return values


def integers(option: str, text: str) -> list[int]:
    """The values as integers; UsageError for anything else."""
    try:
        return [int(value) for value in text.split(",") if value.strip()]
    except ValueError:
        raise click.UsageError(f"{option} {text!r} is not a list of integers like 128,64") from None


def pairs(options: tuple[str, ...]) -> dict[str, str]:
    """The axes and values of --option; ValueError for what is none, and for an axis given twice."""
    pairs: dict[str, str] = {}
    for option in options:
        axis, equals, value = option.partition("=")
        if not (axis and equals and value):
            raise ValueError(f"--option {option!r} is not of the form axis=value, for example epsilon=hat")
        if axis in pairs:
            raise ValueError(f"--option gives axis {axis!r} twice: give it once")
        pairs[axis] = value
    return pairs
