"""Signs: true ones are shown, false ones refuted at a point, and what is not shown is not claimed."""

from math import inf

import pytest
import sympy as sp

from optverify.language import Domain, nonnegative, positive, unit
from optverify.language.hyperparameter import real
from optverify.proof import NotProved, Refuted, over_domains, show_nonnegative, show_positive

b = sp.Symbol("b", nonnegative=True)
x = sp.Symbol("x", real=True)
p = sp.Symbol("p", positive=True)


@pytest.mark.parametrize(
    "e", [1 - b, 1 - b**2, 2 - b, (1 - b) / (1 + b), 1 / (1 - b), 1 - b + p, (1 - b) * p**2]
)
def test_positive_for_every_b_below_one(e):
    show_positive(e, "e", {b: unit})


@pytest.mark.parametrize("e", [b, x**2, (1 - b) * x**2, x**2 - 2 * x + 1, b / (1 - b)])
def test_nonnegative(e):
    show_nonnegative(e, "e", {b: unit})


@pytest.mark.parametrize("e", [b - sp.Rational(1, 2), -(x**2), 1 - 2 * b, b * x - 1])
def test_false_signs_are_refuted_at_an_exact_point(e):
    with pytest.raises(Refuted, match="is false: it is"):
        show_nonnegative(e, "e", {b: unit})


def test_zero_is_not_positive():
    show_nonnegative(b, "b", {b: unit})
    with pytest.raises(Refuted):
        show_positive(b, "b", {b: unit})


def test_what_is_not_decided_is_not_shown():
    """x^4 - x + 1 > 0 is true, but not by these means; a hidden negative spot is not shown either."""
    for e in (x**4 - x + 1, (x - sp.Rational(1, 7)) ** 2 * 100 - sp.Rational(1, 1000)):
        with pytest.raises(NotProved):
            show_positive(e, "e")


@pytest.mark.parametrize(
    "domain", [unit, positive, nonnegative, Domain(0, 1, low_open=True, high_open=False), Domain(2, 5, True)]
)
def test_a_substitution_runs_through_exactly_its_domain(domain):
    """Its values at s from 0 to a large number stay inside, and come close to both ends."""
    image = over_domains(b, {b: domain})
    (s,) = image.free_symbols
    inside = [float(image.subs(s, v)) for v in (1e-9, 0.5, 1, 7, 1e9)]
    assert all(v in domain for v in inside)
    low, high = min(inside), min(max(inside), 1e8)
    assert low == pytest.approx(domain.low, abs=1e-6)
    assert high == pytest.approx(min(domain.high, 1e8), abs=1e-6)


def test_a_closed_interval_has_no_substitution():
    with pytest.raises(NotProved, match="closed interval"):
        over_domains(b, {b: Domain(0, 1, low_open=False, high_open=False)})


def test_a_range_without_ends_is_not_taken_for_the_positive_numbers():
    """SymPy reads the float -inf as 0."""
    show_nonnegative(x**2, "e", {x: real})
    with pytest.raises(Refuted):
        show_nonnegative(x, "e", {x: real})
    with pytest.raises(NotProved):
        over_domains(x, {x: Domain(-inf, 1, low_open=True)})


def test_a_point_without_a_value_refutes_nothing():
    with pytest.raises(Refuted, match="x = -"):
        show_nonnegative(sp.Max(1 / x, x), "e")
