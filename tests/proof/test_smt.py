"""The solver decides statements where they are defined, and refutes by exact points alone."""

import pytest
import sympy as sp

from optverify.language import nonnegative, positive
from optverify.language.hyperparameter import real
from optverify.proof import Missing, NotProved, Refuted, show_by_smt

pytest.importorskip("z3")

x, y = sp.symbols("x y", real=True)
p = sp.Symbol("p", positive=True)
k = sp.Symbol("k", integer=True, positive=True)
root = sp.sqrt(x)


@pytest.mark.parametrize(
    "statement",
    [
        x**2 >= 0,
        p + 1 / p >= 2 - sp.Abs(x),
        sp.Max(x, y) >= sp.Min(x, y),
        sp.sign(x) * x >= 0,
        sp.Or(x > 0, sp.Piecewise((1, x > 0), (2, True)) > 1),
        sp.Eq(sp.sqrt(x**2), sp.Abs(x)),
    ],
)
def test_true_statements(statement):
    show_by_smt(statement, [], "it")


def test_false_statements_are_refuted_at_an_exact_point():
    with pytest.raises(Refuted, match=r"it is false at x_?"):
        show_by_smt(x**2 >= x, [], "it")


def test_what_is_given_and_ranges_are_taken_for_granted():
    show_by_smt(x >= 1, [x >= 2], "it")
    show_by_smt(x > 0, [], "it", {x: positive})
    with pytest.raises(Refuted, match="x = 0"):
        show_by_smt(x > 0, [], "it", {x: nonnegative})


def test_a_range_without_ends_says_nothing():
    """SymPy reads the float -inf as 0; any real number is meant."""
    with pytest.raises(Refuted):
        show_by_smt(x >= 0, [], "it", {x: real})


@pytest.mark.parametrize("piece", [1 / x, sp.sqrt(x)])
def test_that_a_piece_is_defined_is_given_only_where_it_counts(piece):
    """1/x is not met at x = 0, nor the root below 0: there the other piece counts, and it is -1."""
    value = sp.Piecewise((piece, x > 0), (-1, True))
    show_by_smt(sp.Or(value > 0, x <= 0), [], "it")
    with pytest.raises(Refuted):
        show_by_smt(value > 0, [], "it")


def test_a_root_in_a_piece_and_outside_is_one_root():
    value = sp.Piecewise((root, x > 1), (1, True)) - root
    show_by_smt(sp.Or(value >= 0, x > 1), [], "it")
    show_by_smt(sp.Or(sp.Eq(value, 0), x <= 1), [], "it")


def test_a_whole_number_is_not_refuted_by_a_fraction():
    with pytest.raises(NotProved):
        show_by_smt(sp.Or(k <= 1, k >= 2), [], "it")


def test_what_cannot_be_translated_is_not_decided():
    with pytest.raises(NotProved, match="no translation"):
        show_by_smt(sp.exp(x) > y, [], "it")


def test_a_missing_solver_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "z3", None)
    with pytest.raises(Missing, match="prove"):
        show_by_smt(x**2 >= 0, [], "it")
