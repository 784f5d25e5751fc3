"""Hyperparameters that count: a number of updates, a list of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import inf
from numbers import Integral, Real
from typing import Any

import sympy as sp

from optverify.language.hyperparameter import Domain, Hyperparameter, nonnegative

decay_factor = Domain(0, 1, low_open=True, high_open=False)
"""(0, 1]: what a rate is multiplied by; 1 leaves it as it is."""


@dataclass(frozen=True)
class _Counted:
    symbol: sp.Symbol
    latex: str
    meaning: str
    default: int | None = None

    @property
    def name(self) -> str:
        """The ASCII name, used as keyword everywhere."""
        return str(self.symbol.name)


class Count(_Counted):
    """A hyperparameter that is a positive integer, of any size; attributes as in Hyperparameter."""

    domain = Domain(1, inf, low_open=False)

    def check(self, value: Any) -> int:
        """Return value as a Python int; TypeError or ValueError if it is no positive integer."""
        return whole(self.name, value, f"{self.name} must be an integer {self.domain}")


class _Listed(_Counted):
    domain = ""

    def _elements(self, value: Any) -> tuple[list[Any], str]:
        """The elements, and what they must be in words; TypeError if value is no list."""
        rule = f"{self.name} must be one or more {self.domain}"
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            raise TypeError(f"{self.name} = {value!r} is not a list: {rule}")
        return list(value), rule


class Milestones(_Listed):
    """A hyperparameter that is a list of update counts, each larger than the one before.

    Attributes as in Hyperparameter; its value is a tuple of Python ints.
    """

    domain = "increasing integers >= 1"

    def check(self, value: Any) -> tuple[int, ...]:
        """Return value as a tuple of ints; TypeError or ValueError unless 1 <= m_1 < m_2 < ..."""
        elements, rule = self._elements(value)
        counts = tuple(whole(self.name, v, rule) for v in elements)
        if not counts or any(a >= b for a, b in pairwise(counts)):
            raise ValueError(f"{self.name} = {list(counts)} is out of range: {rule}")
        return counts


class Factors(_Listed):
    """A hyperparameter that is a list of what a rate is multiplied by.

    Attributes as in Hyperparameter; its value is a tuple of Python floats.
    """

    domain = "finite numbers >= 0"

    def check(self, value: Any) -> tuple[float, ...]:
        """Return value as a tuple of floats; TypeError or ValueError unless all are numbers >= 0."""
        elements, rule = self._elements(value)
        if not elements:
            raise ValueError(f"{self.name} = [] is out of range: {rule}")
        each = Hyperparameter(self.symbol, self.latex, None, nonnegative, self.meaning)
        return tuple(map(each.check, elements))


Parameter = Hyperparameter | Count | Milestones | Factors


def whole(name: str, value: Any, rule: str, least: int = 1) -> int:
    """Return value as a Python int >= least; TypeError if it is no number, ValueError if no such integer."""
    if isinstance(value, bool) or not (isinstance(value, Real) or getattr(value, "shape", None) == ()):
        raise TypeError(f"{name} = {value!r} is not a number: {rule}")
    if not isinstance(value, Integral) and not float(value).is_integer():
        raise ValueError(f"{name} = {value!r} is not an integer: {rule}")
    number = int(value)
    if number < least:
        raise ValueError(f"{name} = {value!r} is out of range: {rule}")
    return number
