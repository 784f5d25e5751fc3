"""From the lines of a schedule to numbers: integers as integers, floats only at the end.

A schedule is linear in its rates (`lr`, `lr_min`: the parameters whose names begin with lr), so it is
computed as the sum of each rate times its weight, the derivative with respect to it. Where a weight is 0 or
1 the value is then the rate itself, to the last bit. An int and an array go through the same operations:
IEEE arithmetic, and Python's own `math` element by element, because NumPy's vector loops may round otherwise.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import sympy as sp
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.pycode import PythonCodePrinter

from optverify.language.clock import NumberFunction, is_rate, t

SMALL = 2**26
"""Below this, counts and products of two of them are exact in int64 and in float64."""
SATURATED = 2**64
"""A float below 1 to this power is 0.0, and a larger exponent need not fit a float."""
HUGE = sys.float_info.max
"""What stands for a number too large for a float."""


def times(t: Any) -> Any:
    """Return t as a Python int or an array of integers; TypeError or ValueError if it is no such thing."""
    if isinstance(t, Integral) and not isinstance(t, bool):
        return _nonnegative(int(t))
    steps = t if isinstance(t, np.ndarray) and t.dtype.kind in "iu" else np.array(t, dtype=object)
    if steps.dtype == object:
        for value in steps.flat:
            if isinstance(value, bool) or not isinstance(value, Integral):
                raise TypeError(
                    f"t = {value!r} is not a number of updates: t must be an integer 0, 1, 2, ..."
                )
    if steps.size:
        _nonnegative(steps.min())
    return steps


def _nonnegative(t: Any) -> Any:
    if t < 0:
        raise ValueError(f"t = {t} is negative: t counts the updates already made, 0, 1, 2, ...")
    return t


# ---- what the printed code calls -------------------------------------------------------------------------


def each(function: Callable[..., float], *args: Any) -> Any:
    """Call function on numbers, or on the elements of arrays."""
    if not any(isinstance(a, np.ndarray) for a in args):
        return function(*args)
    lists = [a.tolist() for a in np.broadcast_arrays(*args)]
    return np.fromiter(map(function, *lists), np.float64, len(lists[0]))


def minimum(a: Any, b: Any) -> Any:
    """The smaller one, element by element."""
    return np.minimum(a, b) if isinstance(a, np.ndarray) or isinstance(b, np.ndarray) else min(a, b)


def maximum(a: Any, b: Any) -> Any:
    """The larger one, element by element."""
    return np.maximum(a, b) if isinstance(a, np.ndarray) or isinstance(b, np.ndarray) else max(a, b)


def float_power(base: Any, exponent: Any) -> Any:
    """base ** exponent in float64."""
    if isinstance(base, np.ndarray) or isinstance(exponent, np.ndarray):
        return each(pow, base, exponent)
    return ratio(base, 1) ** max(-SATURATED, min(exponent, SATURATED))


def ratio(a: Any, b: Any) -> Any:
    """a/b in float64: of integers the nearest float, and HUGE where it is too large for one."""
    try:
        return a / b
    except OverflowError:
        return HUGE if (a < 0) == (b < 0) else -HUGE


def root(a: Any, b: Any) -> Any:
    """The square root of a/b."""
    return each(math.sqrt, ratio(a, b))


def one_minus_root(a: Any, b: Any) -> Any:
    """1 - sqrt(a/b) = (1 - a/b)/(1 + sqrt(a/b)): no digits are lost near 0."""
    return ratio(b - a, b) / (1 + root(a, b))


def geometric_sum(ratio: int, terms: Any) -> Any:
    """1 + ratio + ... + ratio^(terms - 1), an integer."""
    return terms if ratio == 1 else (ratio**terms - 1) // (ratio - 1)


def cos_pi(p: Any, q: Any) -> Any:
    """cos(pi p/q), q > 0, within an ulp or two for every p: exactly 1, 0 and -1 where the cosine is.

    p/q is folded into [0, 1] exactly (in integers, if p and q are), then cos(pi x) = sin(pi (1 - 2x)/2).
    """
    r = (ratio(p, 1) if isinstance(q, float) else p) % (2 * q)
    r = minimum(r, 2 * q - r)
    return each(math.sin, math.pi * ((q - 2 * r) / (2 * q)))


def cos_pi_squared(p: Any, q: Any) -> Any:
    """The square of cos(pi p/q)."""
    c = cos_pi(p, q)
    return c * c


def select(condition: Any, value: Any, otherwise: Any) -> Any:
    """One case of a Piecewise; both values are computed, so both must be defined at every t."""
    if isinstance(condition, np.ndarray):
        return np.where(condition, value, otherwise)
    return value if condition else otherwise


_HELPERS = (
    each, minimum, maximum, float_power, ratio, root, one_minus_root, geometric_sum, cos_pi,
    cos_pi_squared, select,
)  # fmt: skip


# ---- printing --------------------------------------------------------------------------------------------


class ExactPython(PythonCodePrinter):  # type: ignore[misc]
    """SymPy as Python code that keeps counts in integers."""

    def _print_floor(self, e: sp.floor) -> str:
        above, below = sp.fraction(e.args[0])
        return f"(({self._print(above)}) // ({self._print(below)}))"

    def _print_ceiling(self, e: sp.ceiling) -> str:
        return f"(-{self._print(sp.floor(-e.args[0], evaluate=False))})"

    def _print_cos(self, e: sp.cos) -> str:
        above, below = sp.fraction(e.args[0] / sp.pi)
        return f"cos_pi({self._print(above)}, {self._print(below)})"

    def _print_Add(self, e: sp.Add, order: Any = None) -> str:
        """Differences from 1 written as quotients and products, so that no digits are lost near 0.

        n + a/b as (n b + a)/b, 1 - sqrt x and 1 - exp x as their own functions, 1 + cos x as 2 cos^2(x/2),
        1 - cos x as 2 sin^2(x/2).
        """
        number, rest = e.as_coeff_Add()
        factor, wave = rest.as_coeff_Mul()
        if isinstance(wave, sp.cos) and abs(factor) == number:
            above, below = sp.fraction(wave.args[0] / sp.pi)
            angle = above if factor > 0 else below - above  # sin(pi x) = cos(pi (1/2 - x))
            half = f"cos_pi_squared({self._print(angle)}, {self._print(2 * below)})"
            return f"{self._print(2 * number)}*{half}"
        if number == 1 and factor == -1 and isinstance(wave, sp.exp):
            return f"(-each(expm1, {self._print(wave.args[0])}))"
        above, below = sp.fraction(rest)
        if number and below.free_symbols and (_is_count(above, below) or _cancels(number * below, above)):
            return f"ratio({self._print(number * below + above)}, {self._print(below)})"
        if number == 1 and rest.could_extract_minus_sign() and _is_ratio(rest**2):
            above, below = map(self._print, sp.fraction(rest**2))
            return f"one_minus_root({above}, {below})"
        counts = sp.Add(*(a for a in e.args if a.free_symbols and _is_count(a)))
        if e.is_integer or counts in (0, e):
            return str(super()._print_Add(e, order))
        return f"ratio({self._print(counts)}, 1) + {self._print(e - counts)}"

    def _print_Mul(self, e: sp.Mul) -> str:
        """Counts are multiplied first, in integers, then divided once; the rest follows in floats."""
        if _is_count(e) or not any(f.free_symbols and _is_ratio(f**2) for f in e.args):
            return str(super()._print_Mul(e))
        roots = [f for f in e.args if not _is_ratio(f) and _is_ratio(f**2)]
        plain = [f for f in e.args if _is_ratio(f)]
        rest = [self.parenthesize(f, PRECEDENCE["Mul"]) for f in e.args if f not in roots + plain]
        parts = [("ratio", sp.Mul(*plain))] if plain else []
        parts += [("root", sp.Mul(*roots) ** 2)] if roots else []
        code = [f"{name}({', '.join(map(self._print, sp.fraction(part)))})" for name, part in parts]
        return "*".join(code + rest)

    def _print_Pow(self, e: sp.Pow, rational: bool = False) -> str:
        if not e.is_integer and _is_ratio(e):
            return f"ratio({', '.join(map(self._print, sp.fraction(e)))})"
        if abs(e.exp) == sp.Rational(1, 2) and _is_ratio(e**2):
            return f"root({', '.join(map(self._print, sp.fraction(e**2)))})"
        base, exponent = map(self._print, e.args)
        if e.exp == -1:
            return f"(1 / ({base}))"
        return f"({base})**({exponent})" if e.is_integer else f"float_power({base}, {exponent})"

    def _print_Sum(self, e: sp.Sum) -> str:
        (index, low, high), ratio = e.limits[0], e.function.as_base_exp()[0]
        if e.function != ratio**index or low != 0 or len(e.limits) > 1:
            raise ValueError(f"the only sum a schedule can hold is Sum(x**j, (j, 0, n)), not {e}")
        return f"geometric_sum({self._print(ratio)}, {self._print(high + 1)})"

    def _print_Min(self, e: sp.Min) -> str:
        return self._nest("minimum", e)

    def _print_Max(self, e: sp.Max) -> str:
        return self._nest("maximum", e)

    def _nest(self, name: str, e: sp.Expr) -> str:
        code = self._print(e.args[0])
        for argument in e.args[1:]:
            code = f"{name}({code}, {self._print(argument)})"
        return str(code)

    def _print_Piecewise(self, e: sp.Piecewise) -> str:
        code = self._print(e.args[-1].expr)
        for value, condition in reversed(e.args[:-1]):
            code = f"select({self._print(condition)}, {self._print(value)}, {code})"
        return str(code)

    def _print_Function(self, e: sp.Function) -> str:
        name, arguments = e.func.__name__, ", ".join(map(self._print, e.args))
        if isinstance(e, NumberFunction):
            return f"{name}({arguments})"
        if not hasattr(math, name):
            raise ValueError(f"no exact code for {e}: use functions of Python's math, or a NumberFunction")
        return f"each({name}, {arguments})"

    def _print_Or(self, e: sp.Or) -> str:
        return " | ".join(f"({self._print(a)})" for a in e.args)

    def _print_And(self, e: sp.And) -> str:
        return " & ".join(f"({self._print(a)})" for a in e.args)

    def _print_Mod(self, e: sp.Mod) -> str:
        a, b = map(self._print, e.args)
        return f"(({a}) % ({b}))"

    _print_exp = _print_log = _print_sin = _print_tan = _print_tanh = _print_Function


def _is_count(*parts: sp.Expr) -> bool:
    """True for integers; the only sums there are, geometric ones of counts, are integers too."""
    return all(
        p.is_integer or all(f.is_integer or isinstance(f, sp.Sum) for f in sp.Mul.make_args(p)) for p in parts
    )


def _is_ratio(e: sp.Expr) -> bool:
    """True for a quotient of counts; one by 2^i is none, as 2^i may be too large to be worked out."""
    above, below = sp.fraction(e)
    return _is_count(above, below) and not any(p.exp.free_symbols for p in below.atoms(sp.Pow))


def _cancels(a: sp.Expr, b: sp.Expr) -> bool:
    """True if a symbol of both is gone from their sum."""
    return bool(a.free_symbols & b.free_symbols - (a + b).free_symbols)


# ---- compiling -------------------------------------------------------------------------------------------


def weights(e: sp.Expr) -> dict[sp.Symbol, sp.Expr]:
    """Rate -> weight, with e = sum of rate * weight; ValueError if e is not such a sum."""
    rates = sorted(filter(is_rate, e.free_symbols), key=str)
    found = {r: sp.diff(e, r) for r in rates}
    if e.subs(dict.fromkeys(rates, 0)) != 0 or any(
        is_rate(s) for w in found.values() for s in w.free_symbols
    ):
        raise ValueError(f"{e} is not linear in its rates: multiply every term by one of lr, lr_min, ...")
    return found


def compile_lines(
    lines: Sequence[tuple[sp.Symbol, sp.Expr]], parameters: Sequence[sp.Symbol]
) -> Callable[..., Any]:
    """Make f(t, *parameters) of the lines of a schedule, the last of which is its value."""
    ready: list[tuple[sp.Symbol, sp.Expr]] = []
    for symbol, e in lines:
        if not is_rate(symbol) and (symbol, e) != lines[-1]:
            ready.append((symbol, e))
            continue
        parts = [(rate, sp.Symbol(f"weight_of_{rate}_in_{symbol}"), w) for rate, w in weights(e).items()]
        ready += [(name, w) for _, name, w in parts]  # computed first: lr*t/W would round before the division
        ready.append((symbol, sp.Add(*(rate * name for rate, name, _ in parts))))
    *before, (_, value) = ready
    counts = {f.func for _, e in lines for f in e.atoms(NumberFunction)}
    names = {f.__name__: f for f in _HELPERS} | {f.__name__: f.number for f in counts}
    function: Callable[..., Any] = sp.lambdify(
        [t, *parameters],
        value,
        [names, "math"],
        printer=ExactPython({"fully_qualified_modules": False}),
        cse=lambda e: (before, e),
    )
    return function
