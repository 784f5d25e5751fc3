"""The columns of a table of a sweep: a row is a cell and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]
"""Column -> value, None where there is none."""

KEY = {"key": str}
CELL: dict[str, type] = {
    "rule": str,
    "options": str,
    "problem": str,
    "seed": int,
    "steps": int,
    "spread": float,
    "noise": float,
    "batch_size": int,
    "tolerance": float,
    "version": str,
}
"""What a cell is, besides its hyperparameters. options: those off the default dialect, as JSON."""
RESULTS: dict[str, type] = {
    "initial_value": float,
    "final_value": float,
    "best_value": float,
    "gradient_norm": float,
    "updates": int,
    "diverged": bool,
    "steps_to_tolerance": int,
    "seconds": float,
    "error": str,
}
"""initial_value, final_value: f at theta_0 and after the last update. best_value: the least of all.
gradient_norm: |grad f| after the last update. updates: those made. steps_to_tolerance: the first t with
f - inf f <= tolerance. diverged: the run ended early, at a number that was not finite. seconds: of the
updates alone. error: why there is no result, or where the run diverged. What is not finite is None."""
FIXED = KEY | CELL | RESULTS


def check_names(hyperparameters: Iterable[str]) -> None:
    """ValueError if a hyperparameter has the name of another column (case does not count in SQL)."""
    for name in hyperparameters:
        if name.lower() in FIXED:
            raise ValueError(
                f"sweep: hyperparameter {name!r} has the name of a column of the table: rename it in the rule"
            )


def columns(hyperparameters: Iterable[str]) -> dict[str, type]:
    """All columns in the order of the table: the hyperparameters stand between cell and results."""
    return KEY | CELL | dict.fromkeys(sorted(hyperparameters), float) | RESULTS
