"""Values, seeds and problems as the command line writes them. Nothing is ever evaluated as code."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

DIGITS = 6
"""Significant digits of the values of a grid: the same on every machine, whatever its logarithm gives."""
MOST = 1_000_000
"""Values of one grid."""
LONGEST = 60
"""Characters of a text that an error repeats."""


def spaced(low: float, high: float, count: int, *, linear: bool = False) -> list[float]:
    """`count` values from low to high in equal ratios, or in equal steps, rounded to six digits.

    Raises ValueError for a count below 2 or above a million, ends that are not finite and in order, or ratios
    from 0.
    """
    if not (np.isfinite([low, high]).all() and low < high and 2 <= count <= MOST):
        raise ValueError(
            f"there is no grid of {count} values from {low:g} to {high:g}: give a low end, a higher end "
            f"and a count from 2 to {MOST}"
        )
    if low <= 0 and not linear:
        raise ValueError(
            f"there is no grid in equal ratios from {low:g}: write {low:g}:{high:g}:{count}:linear"
        )
    exact = (np.linspace if linear else np.geomspace)(low, high, count)
    return [float(f"{value:.{DIGITS}g}") for value in exact]


def values(name: str, text: str) -> list[float | str]:
    """The values of one hyperparameter or axis: "0.8,0.9", "1e-4:1:13", "0:0.9:4:linear", "hat,outside".

    A grid goes from low to high in equal ratios, or in equal steps with ":linear". What is no number stays
    text, the option of an axis. Raises ValueError for anything else.
    """
    found: list[float | str] = []
    for part in split(text):
        if ":" in part:
            found += _grid(name, part)
        else:
            number = _number(part)
            found.append(part if number is None else number)
    if not found:
        raise ValueError(f"{name}: {text!r} has no values: write 0.8,0.9 or 1e-4:1:13")
    return found


def seeds(text: str) -> list[int]:
    """Seeds: "0:5" are 0, 1, 2, 3, 4; "3,7" are these two. Raises ValueError for anything else."""
    found: list[int] = []
    for part in split(text):
        low, colon, high = part.partition(":")
        if not (low.isdecimal() and (high.isdecimal() or not colon)):
            raise ValueError(f"seeds: {part!r} is neither a seed nor a range of them, as 0:5 is")
        if colon and int(high) - int(low) > MOST:
            raise ValueError(f"seeds: {part!r} are more than {MOST}")
        found += range(int(low), int(high)) if colon else [int(low)]
    if not found:
        raise ValueError(f"seeds: {text!r} has none: write 0:5 for five of them")
    return found


def problem_parts(text: str) -> tuple[str, dict[str, Any]]:
    """Name and parameters of "rosenbrock" or "rosenbrock(dim=10)"; ValueError for anything else."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        if isinstance(tree, ast.Name):
            return tree.id, {}
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and not tree.args:
            return tree.func.id, {_named(k): ast.literal_eval(k.value) for k in tree.keywords}
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        pass
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    raise ValueError(f"problem {shown!r} is neither a name nor of the form rosenbrock(dim=10)")


def split(text: str) -> list[str]:
    """The parts between commas, those in parentheses kept together."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def _named(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        raise ValueError("**")
    return keyword.arg


def _grid(name: str, part: str) -> list[float]:
    low, high, count, *rest = [*part.split(":"), "", ""]
    ends = _number(low), _number(high)
    if None in ends or not count.isdecimal() or [r for r in rest if r] not in ([], ["linear"]):
        raise ValueError(
            f"{name}: {part!r} is not a grid low:high:count, as 1e-4:1:13 is, or low:high:count:linear"
        )
    try:
        return spaced(*ends, int(count), linear="linear" in rest)  # type: ignore[arg-type]
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
