"""The functions a problem's formula is written with: once over numbers, once over symbols.

A formula `f(x, xp)` uses operators and the members of `xp` only. With `numeric()` it takes real or complex
arrays and can be differentiated by autograd; with `symbolic()` it takes SymPy symbols and gives the
expression. Away from its kinks every function is analytic, so that a complex step sees the derivative.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Functions:
    """What stands behind `xp` in a formula.

    `at_most(x, bound, a, b)` is a where x <= bound and b elsewhere; `softplus(z)` is log(1 + exp(z)), without
    overflow; `array` brings constants into the formula (exactly, as rationals, when symbols are asked for).
    """

    array: Callable[[Any], Any]
    sum: Callable[[Any], Any]
    exp: Callable[[Any], Any]
    cos: Callable[[Any], Any]
    sqrt: Callable[[Any], Any]
    abs: Callable[[Any], Any]
    log_cosh: Callable[[Any], Any]
    softplus: Callable[[Any], Any]
    at_most: Callable[[Any, Any, Any, Any], Any]
    pi: Any
    e: Any


@cache
def numeric() -> Functions:
    """Functions of real or complex arrays that autograd can differentiate.

    Subgradients chosen at kinks: abs'(0) = 0 and sqrt'(0) = 0 (autograd's own sqrt'(0) is infinite, and the
    chain rule would make it nan).
    """
    import autograd.numpy as anp

    def sqrt(x: Any) -> Any:
        zero = x == 0
        return anp.where(zero, 0.0, anp.sqrt(anp.where(zero, 1.0, x)))

    def absolute(x: Any) -> Any:
        return x * anp.sign(anp.real(x))

    def softplus(z: Any) -> Any:
        positive = anp.real(z) > 0
        return anp.where(positive, z, 0.0) + anp.log1p(anp.exp(anp.where(positive, -z, z)))

    def log_cosh(x: Any) -> Any:
        # cosh would overflow far out, where the other form loses nothing to cancellation.
        near = anp.abs(anp.real(x)) < 20.0
        size = absolute(anp.where(near, 20.0, x))
        far = size + anp.log1p(anp.exp(-2.0 * size)) - float(np.log(2.0))
        return anp.where(near, anp.log(anp.cosh(anp.where(near, x, 0.0))), far)

    def at_most(x: Any, bound: Any, a: Any, b: Any) -> Any:
        return anp.where(anp.real(x) <= bound, a, b)

    return Functions(
        array=lambda values: values,
        sum=anp.sum,
        exp=anp.exp,
        cos=anp.cos,
        sqrt=sqrt,
        abs=absolute,
        log_cosh=log_cosh,
        softplus=softplus,
        at_most=at_most,
        pi=float(np.pi),
        e=float(np.e),
    )


@cache
def symbolic() -> Functions:
    """The same functions of SymPy expressions, elementwise over object arrays."""
    import sympy as sp

    def elementwise(function: Callable[..., Any], arguments: int = 1) -> Callable[..., Any]:
        made: Callable[..., Any] = np.frompyfunc(function, arguments, 1)
        return made

    return Functions(
        array=elementwise(lambda value: sp.Rational(float(value))),
        sum=np.sum,
        exp=elementwise(sp.exp),
        cos=elementwise(sp.cos),
        sqrt=elementwise(sp.sqrt),
        abs=elementwise(sp.Abs),
        log_cosh=elementwise(lambda x: sp.log(sp.cosh(x))),
        softplus=elementwise(lambda z: sp.log(1 + sp.exp(z))),
        at_most=elementwise(lambda x, bound, a, b: sp.Piecewise((a, x <= bound), (b, True)), 4),
        pi=sp.pi,
        e=sp.E,
    )
