"""Hyperparameters and the numbers they may take."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from numbers import Real
from typing import Any

import sympy as sp


@dataclass(frozen=True)
class Domain:
    """An interval of finite real numbers."""

    low: float
    high: float
    low_open: bool
    high_open: bool = True

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return isfinite(value) and above and below

    def __str__(self) -> str:
        if self.high == inf:
            return f"> {self.low:g}" if self.low_open else f">= {self.low:g}"
        left, right = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"in {left}{self.low:g}, {self.high:g}{right}"


positive = Domain(0, inf, low_open=True)
nonnegative = Domain(0, inf, low_open=False)
unit = Domain(0, 1, low_open=False)
"""[0, 1): decay rates and momentum."""
real = Domain(-inf, inf, low_open=True)
"""Any finite number."""


@dataclass(frozen=True)
class Hyperparameter:
    """A number the user chooses.

    symbol: its symbol (the ASCII name of the trade); latex: the paper's; default: the paper's value, or
    None where the user must choose; domain: allowed range; meaning: in words.
    """

    symbol: sp.Symbol
    latex: str
    default: float | None
    domain: Domain
    meaning: str

    @property
    def name(self) -> str:
        """The ASCII name, used as keyword everywhere."""
        return str(self.symbol.name)

    def check(self, value: Any) -> float:
        """Return value as a Python float; TypeError or ValueError if it is no number in the domain."""
        rule = f"{self.name} must be a finite number {self.domain}"
        if isinstance(value, bool) or not (isinstance(value, Real) or getattr(value, "shape", None) == ()):
            raise TypeError(f"{self.name} = {value!r} is not a number: {rule}")
        number = float(value)
        if number not in self.domain:
            raise ValueError(f"{self.name} = {value!r} is out of range: {rule}")
        return number
