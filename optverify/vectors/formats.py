"""Numbers as text: exact fractions or 40 digits, and hexadecimal floats as C99 has them."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

from mpmath import libmp

from optverify.vectors.kinds import KINDS, Kind, nearest
from optverify.vectors.numbers import PRECISION, Number

DIGITS = 40
LONGEST = 64
"""Characters of a fraction that is written as one; a longer one is written by its digits."""
HEX = re.compile(r"([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([+-]?[0-9]{1,6})")
LONGEST_HEX = 64
EXACT = re.compile(r"-?[0-9]{1,400}(/0*[1-9][0-9]{0,399}|(\.[0-9]{1,60})?(e[+-]?[0-9]{1,4})?)")


def exact_text(x: Number) -> str:
    """p/q, an integer, or DIGITS digits."""
    if isinstance(x.exact, Fraction) and len(str(x.exact)) <= LONGEST:
        return str(x.exact)
    return digits(x)


def digits(x: Number) -> str:
    """The first DIGITS digits."""
    exact = x.exact
    if isinstance(exact, Fraction):
        exact = libmp.from_rational(exact.numerator, exact.denominator, PRECISION, "n")
    return str(libmp.to_str(exact, DIGITS, strip_zeros=True)).replace(".0e", "e").removesuffix(".0")


def read_exact(text: str) -> Fraction:
    """The fraction, or that of the digits; ValueError for any other text, or one of huge size."""
    if EXACT.fullmatch(text) is None:
        raise ValueError(f"{text[:80]!r} is neither a fraction nor a number of {DIGITS} digits")
    return Fraction(text)


def hex_text(x: Fraction, kind: Kind) -> str:
    """The float nearest to x, as C's %a writes it; "inf" beyond the largest."""
    rounded = nearest(x, kind)
    return str(rounded) if isinstance(rounded, float) else hex_float(float(rounded))


def hex_float(x: float) -> str:
    """A float as C's %a writes it, without zeros at the end: 0x1.8p-3."""
    if not math.isfinite(x):
        return str(x)
    head, _, exponent = x.hex().partition("p")
    whole, dot, rest = head.partition(".")
    rest = rest.rstrip("0")
    return f"{whole}{dot if rest else ''}{rest}p{exponent}"


def read_hex(text: str) -> float | None:
    """The float64 of a hexadecimal float, "nan", "inf" or "-inf"; None for any other text."""
    if text.lower() in ("nan", "-nan", "inf", "+inf", "-inf", "infinity", "-infinity"):
        return float(text)
    if len(text) > LONGEST_HEX or not (found := HEX.fullmatch(text)) or not (found[2] or found[3]):
        return None
    try:
        return float.fromhex(text)
    except OverflowError:
        return math.copysign(math.inf, -1.0 if found[1] else 1.0)


def decimal(x: Fraction) -> float:
    """A number that is a float64, as one."""
    made = float(x)
    if Fraction(made) != x:
        raise ValueError(f"{x} is no float64")
    return made


def columns(numbers: list[list[Number]]) -> dict[str, Any]:
    """Rows of numbers in the three forms, side by side."""
    values = [[n.fraction() for n in row] for row in numbers]
    return {
        "exact": [[exact_text(n) for n in row] for row in numbers],
        **{name: [[hex_text(x, kind) for x in row] for row in values] for name, kind in KINDS.items()},
    }
