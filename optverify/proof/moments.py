"""Expectations of polynomials in a random variable whose moments are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from optverify.proof.outcome import NotProved


def expectation(e: sp.Expr, x: sp.Symbol, moments: Mapping[int, Any]) -> sp.Expr:
    """E[e] over x, everything else held fixed: x^k becomes moments[k].

    Raises NotProved if e is no polynomial in x or needs a moment that is not given.
    """
    try:
        polynomial = sp.Poly(sp.expand(e), x)
    except sp.PolynomialError:
        raise NotProved(f"{e} is no polynomial in {x}: its mean does not follow from moments") from None
    if missing := {k for (k,) in polynomial.monoms() if k and k not in moments}:
        raise NotProved(f"the mean of {e} needs moments {sorted(missing)} of {x}, which are not given")
    return sp.Add(*(c * (moments[k] if k else 1) for (k,), c in polynomial.terms()))
