"""Equality: proved, refuted by an exact point, or neither."""

from math import inf

import pytest
import sympy as sp

from optverify.language import Domain, t, unit
from optverify.proof import (
    NotProved,
    Refuted,
    expectation,
    nonzero_point,
    show_by_induction,
    show_equal,
    vanishes,
)
from optverify.proof.points import points

x, y = sp.symbols("x y", real=True)
b = sp.Symbol("b", nonnegative=True)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((x + y) ** 2, x**2 + 2 * x * y + y**2),
        (b * b ** (t - 1), b**t),
        ((1 - b**2) / (1 - b), 1 + b),
        (sp.sqrt(x**2), abs(x)),
        (sp.cos(x) ** 2 + sp.sin(x) ** 2, 1),
    ],
)
def test_true_identities(left, right):
    show_equal(left, right, "it")
    assert vanishes(sp.sympify(left) - right)


def test_false_identities_name_a_point_where_they_fail():
    with pytest.raises(Refuted, match=r"against .* at x = "):
        show_equal(x**2, x, "it")
    point = nonzero_point(x**2 - x)
    assert (x**2 - x).subs(point) != 0


def test_points_keep_to_the_domain():
    """b (1 - b) is 0 only at the ends, which [0, 1) has at 0 alone."""
    for seed in range(5):
        point = nonzero_point(b * (1 - b) + seed - seed, {b: unit})
        assert 0 < point[b] < 1


def test_an_identity_beyond_the_means_is_not_claimed():
    f = sp.Function("f")
    with pytest.raises(NotProved):
        show_equal(f(x), f(-x), "it")


def test_induction_shows_a_geometric_sum():
    show_by_induction(lambda s, k: b * s + 1, sp.Integer(0), lambda k: (1 - b**k) / (1 - b), "s", {b: unit})


@pytest.mark.parametrize("start", [0, 1])
def test_induction_refutes_a_wrong_start_or_step_by_running(start):
    """The closed form of s_0 = 0, s_t = b s + 1, against another start, and against another step."""
    extra = 1 - start
    with pytest.raises(Refuted, match="at t = "):
        show_by_induction(
            lambda s, k: b * s + 1 + extra,
            sp.Integer(start),
            lambda k: (1 - b**k) / (1 - b),
            "s",
            {b: unit},
        )


def test_induction_does_not_claim_what_agrees_only_for_a_while():
    """y_t = y_{t-1} + t (t-1) (t-2) (t-3) stays 0 up to t = 3 and no longer."""
    with pytest.raises(NotProved):
        show_by_induction(
            lambda y, k: y + k * (k - 1) * (k - 2) * (k - 3), sp.Integer(0), lambda k: sp.Integer(0), "y"
        )


def test_expectation_replaces_powers_by_moments():
    m1, m2 = sp.symbols("m1 m2")
    assert sp.expand(expectation((x + y) ** 2, x, {1: m1, 2: m2}) - (m2 + 2 * m1 * y + y**2)) == 0


@pytest.mark.parametrize("e", [sp.sqrt(x**2 + 1), x**3, 1 / (x + 1)])
def test_expectation_refuses_what_moments_do_not_determine(e):
    with pytest.raises(NotProved):
        expectation(e, x, {1: sp.Integer(0), 2: sp.Integer(1)})


def test_points_without_a_value_are_passed_over():
    """At x = 0 the maximum of 1/x and x cannot be formed; elsewhere it differs from x."""
    with pytest.raises(Refuted):
        show_equal(sp.Max(1 / x, x), x, "it")


def test_whole_numbers_stay_whole_in_a_domain():
    n = sp.Symbol("n", integer=True)
    assert all(p[n].is_integer for p in points([n], {n: Domain(1, inf, low_open=False)}))
