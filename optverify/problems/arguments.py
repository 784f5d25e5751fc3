"""Checks of the parameters that problems and data sets are built with."""

import math
from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Any

LARGEST = 50_000_000
"""Numbers that the arrays of a problem may hold: 400 MB."""


def dimension(owner: str, value: Any, least: int = 1, power: int = 1) -> int:
    """The dimension of a problem that holds dim**power numbers; else TypeError or ValueError."""
    dim = integer(owner, "dim", value, least)
    check_size(owner, dim**power, f"dim = {dim}")
    return dim


def check_size(owner: str, numbers: int, what: str) -> None:
    """ValueError if a problem with this parameter would hold too many numbers."""
    if numbers > LARGEST:
        raise ValueError(
            f"{owner}: {what} would need {numbers:,} numbers, and {LARGEST:,} are the most: give less"
        )


def integer(owner: str, name: str, value: Any, least: int) -> int:
    """The value as an int of at least `least`; else TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{owner}: {name} must be an integer, got {value!r}")
    if value < least:
        raise ValueError(f"{owner}: {name} must be at least {least}, got {value}")
    return int(value)


def real(owner: str, name: str, value: Any, above: float = 0.0, below: float = math.inf) -> float:
    """The value as a float strictly between `above` and `below`; else TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{owner}: {name} must be a real number, got {value!r}")
    if not above < float(value) < below:
        limits = f"above {above:g}" if below == math.inf else f"between {above:g} and {below:g} (exclusive)"
        raise ValueError(f"{owner}: {name} must be a finite number {limits}, got {value}")
    return float(value)


def choice(kind: str, value: Any, known: Iterable[str]) -> str:
    """The value if it is one of the known names; else ValueError with the nearest names."""
    names = sorted(known)
    if value in names:
        return str(value)
    near = get_close_matches(str(value), names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
    raise ValueError(f"unknown {kind} {value!r}; {hint}")
