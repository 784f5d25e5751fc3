"""Exact numbers, their roundings, and the bounds of what float programs make of them."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from optverify.vectors.formats import digits, exact_text, hex_float, read_exact, read_hex
from optverify.vectors.kinds import KINDS, nearest
from optverify.vectors.numbers import Exact, multiplied, rational, stored
from optverify.vectors.probes import bank, drawn, long, mixed

DOUBLE, SINGLE = KINDS.values()
finite = st.floats(allow_nan=False, allow_infinity=False)
fractions = st.fractions(max_denominator=10**30)


@given(finite)
def test_a_float64_is_nearest_to_itself_and_a_float32_as_numpy_rounds(x):
    assert nearest(Fraction(x), DOUBLE) == x
    with np.errstate(over="ignore"):
        assert nearest(Fraction(x), SINGLE) == float(np.float32(x))


@given(fractions)
def test_a_fraction_is_rounded_as_python_divides(x):
    assert nearest(x, DOUBLE) == x.numerator / x.denominator


@pytest.mark.parametrize(
    ("x", "wanted"),
    [
        (Fraction(2**24 + 1), 2.0**24),  # ties to even
        (Fraction(2**24 + 3), 2.0**24 + 4),
        (Fraction(3, 2**150), 2.0**-148),  # 1.5 of the smallest
        (Fraction(1, 2**150), 0.0),
        (Fraction(2**128 - 2**103), math.inf),
        (-Fraction(2**128), -math.inf),
    ],
)
def test_ties_and_ends_of_float32(x, wanted):
    assert nearest(x, SINGLE) == wanted


@given(finite)
def test_hexadecimal_floats_are_read_back(x):
    assert read_hex(hex_float(x)) == x
    assert float.fromhex(hex_float(x)) == x


@given(fractions)
def test_text_is_exact_or_has_forty_digits(x):
    n = rational(x)
    text = exact_text(n)
    if "." in text or "e" in text:
        assert abs(read_exact(text) - x) <= abs(x) / 10**39
    else:
        assert read_exact(text) == x
    assert abs(read_exact(digits(n)) - x) <= abs(x) / 10**39


# ---- bounds ------------------------------------------------------------------------------------------------

LEAVES = st.integers(-400, 400).map(lambda k: Fraction(k, 64))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(st.sampled_from("+-*/sm"), inner, inner),
    max_leaves=14,
)


def in_numbers(sign, x, y):
    """One operation, as the files are made."""
    arithmetic = Exact()
    if (sign == "s" and x.sign < 0) or (sign == "/" and not y.sign):
        raise ZeroDivisionError
    return {
        "+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "m": lambda: arithmetic.call("Max", x, y),
        "s": lambda: arithmetic.power(x, rational(Fraction(1, 2))),
        "/": lambda: x * arithmetic.power(y, rational(-1)),
    }[sign]()  # fmt: skip


def in_floats(sign, x, y):
    """The same, as a program has it."""
    return {
        "+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "m": lambda: max(x, y),
        "s": lambda: np.sqrt(x), "/": lambda: x / y,
    }[sign]()  # fmt: skip


def evaluated(tree, put, operate):
    """A tree of operations, from numbers that are put in."""
    if isinstance(tree, Fraction):
        return put(tree)
    sign, *parts = tree
    return operate(sign, *(evaluated(part, put, operate) for part in parts))


@settings(max_examples=300)
@given(TREES, st.sampled_from(["float64", "float32"]))
def test_a_float_program_stays_within_the_bound(tree, name):
    kind = np.dtype(name).type
    try:
        exact = evaluated(tree, rational, in_numbers)
        with np.errstate(all="ignore"):
            found = evaluated(tree, lambda x: kind(float(x)), in_floats)
    except ZeroDivisionError:
        assume(False)
    error = exact.errors[list(KINDS).index(name)]
    if math.isfinite(error) and np.isfinite(found):  # a root of what rounding made negative is no number
        assert abs(Fraction(float(found)) - exact.fraction()) <= Fraction(error)


def test_rounding_may_turn_a_comparison_and_says_so():
    third = stored(Fraction(1, 3))
    arithmetic = Exact()
    assert not arithmetic.relation("Gt", third * rational(3), rational(1))
    assert arithmetic.turned == {"float64", "float32"}
    arithmetic.turned = set()
    assert arithmetic.relation("Gt", third * rational(4), rational(1))
    assert arithmetic.turned == set()


def test_what_leaves_the_range_of_a_type_has_no_bound_there():
    big = rational(2**100)
    product = big * big
    assert math.isfinite(product.errors[0])
    assert math.isnan(product.errors[1])
    small = rational(Fraction(1, 2**100))
    assert 0 < (small * small).errors[1] < 1e-44  # to zero, or the smallest number
    vanished = (rational(Fraction(1, 2**700)) * rational(Fraction(1, 2**700))).errors[0]
    assert vanished > 0


def test_a_product_is_bounded_in_every_order():
    """2^100 * 2^100 * 2^-150 overflows in float32 if the large ones meet first."""
    parts = [rational(2**100), rational(Fraction(1, 2**150)), rational(2**100)]
    product = parts[0] * parts[1] * parts[2]
    assert math.isfinite(product.errors[1])
    assert math.isnan(multiplied(parts, product).errors[1])
    assert math.isfinite(multiplied(parts, product).errors[0])


def test_numbers_that_cancel_are_zero_without_error_if_computed_alike():
    x = Exact().power(rational(2), rational(Fraction(1, 2)))
    y = Exact().power(rational(2), rational(Fraction(1, 2)))
    assert (x - y).sign == 0
    assert (x - y).errors == (0.0, 0.0)
    other = x * stored(Fraction(1, 3)) * rational(3)
    assert (x - other).sign == 0
    assert (x - other).errors[0] > 0


# ---- probes ------------------------------------------------------------------------------------------------


def test_drawn_numbers_are_the_same_on_every_machine():
    """Written out: a hash of a name, nothing else."""
    assert [drawn("random", i) for i in range(4)] == [
        Fraction(25, 64),
        Fraction(-111, 64),
        Fraction(-29, 64),
        Fraction(41, 64),
    ]
    assert all(Fraction(1, 4) <= abs(drawn("any", i)) < 2 for i in range(200))


def test_probes_have_names_of_their_own():
    names = [p.name for p in (*bank((2,)), mixed((2,)), long((1,), 64))]
    assert len(names) == len(set(names))
