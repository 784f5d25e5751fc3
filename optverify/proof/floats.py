"""Arithmetic of NumPy floats: long runs of many starts at once. Nothing here is exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp

from optverify.proof.evaluation import Value

FUNCTIONS = {
    "exp": np.exp,
    "log": np.log,
    "Abs": np.abs,
    "sign": np.sign,
    "Max": np.maximum,
    "Min": np.minimum,
    "Mod": np.mod,
}
RELATIONS = {
    "Eq": np.equal,
    "Ne": np.not_equal,
    "Gt": np.greater,
    "Ge": np.greater_equal,
    "Lt": np.less,
    "Le": np.less_equal,
}


class Floats:
    """float64, with nan for what has no value; wrap runs in numpy.errstate(all="ignore")."""

    undefined = np.nan

    def number(self, value: sp.Rational) -> float:
        """The nearest float."""
        return float(value)

    def power(self, base: Value, exponent: Value) -> Value:
        """base ** exponent."""
        if isinstance(exponent, float) and exponent == 0.5:
            return np.sqrt(base)
        return np.power(np.float64(base) if isinstance(base, float) else base, exponent)

    def call(self, name: str, *args: Value) -> Value:
        """exp, log, Abs, sign, Max, Min or Mod."""
        return FUNCTIONS[name](*args)

    def relation(self, name: str, left: Value, right: Value) -> Any:
        """Truth of a relation."""
        return RELATIONS[name](left, right)

    def array(self, values: Any) -> Value:
        """An array of floats."""
        return np.array(values, dtype=np.float64)

    def kept(self, value: Value) -> Value:
        """The value itself."""
        return value
