"""Options that take several values, separated by commas."""

from __future__ import annotations

import click


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
