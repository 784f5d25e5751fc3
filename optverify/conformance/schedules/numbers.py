"""Numbers of schedules: when two rates are the same, and the round number that was meant."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Rates = np.ndarray[Any, np.dtype[np.float64]]

DOUBLE, SINGLE = 1e-9, 3e-6
"""How near a schedule in float64, and one in float32, comes to its formula, relative."""
ULPS = 64 * 2.0**-52


def number(x: Any) -> float:
    """A parameter that is one number."""
    return float(x)


def places(found: Rates, wanted: Rates, tolerance: float = DOUBLE) -> Any:
    """The t at which two runs of rates differ; ULPS of the largest rate are allowed on top."""
    n = min(len(found), len(wanted))
    found, wanted = found[:n], wanted[:n]
    largest = np.nanmax(np.abs(wanted), initial=0.0, where=np.isfinite(wanted))
    floor = (ULPS if tolerance < SINGLE else SINGLE / 16) * largest
    with np.errstate(invalid="ignore"):
        near = np.abs(found - wanted) <= tolerance * np.abs(wanted) + floor
    return np.flatnonzero(~(near | (np.isnan(found) & np.isnan(wanted))))


def allowed(near: float) -> float:
    """The tolerance of rates whose numbers are known as well as that."""
    return SINGLE if near > DOUBLE else DOUBLE


def alike(found: Rates, wanted: Rates, tolerance: float = DOUBLE) -> bool:
    """True if two runs of rates are the same."""
    return len(places(found, wanted, tolerance)) == 0


def in_single(rates: Rates) -> bool:
    """True if they are float32 numbers, or most of them such a number times the highest rate."""
    if (rates.astype(np.float32) == rates).all():
        return True
    curve = np.unique(rates) / rates.max()
    return bool(np.mean(np.abs(curve - curve.astype(np.float32)) <= 4 * 2.0**-52 * np.abs(curve)) > 1 / 2)


def worst(found: Rates, wanted: Rates) -> float:
    """The largest relative difference; where a rate is 0, relative to the largest."""
    if not len(wanted):
        return 0.0
    scale = np.where(wanted != 0, np.abs(wanted), np.abs(wanted).max() or 1.0)
    scale = np.maximum(scale, 1e-12 * scale.max())
    return float(np.max(np.abs(found - wanted) / scale))


def rounded(x: float, near: float = 1e-11) -> float:
    """The shortest decimal, or the simple fraction, that is this number but for rounding."""
    if not math.isfinite(x):
        return x
    for digits in range(9):
        short = float(f"{x:.{digits}e}")
        if abs(short - x) <= near * abs(x):
            return short
    for below in (3, 6, 7, 9, 11, 12, 13):
        if abs(x * below - round(x * below)) <= near * abs(x * below):
            return round(x * below) / below
    return x
