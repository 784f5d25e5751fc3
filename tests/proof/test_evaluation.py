"""One recurrence in several arithmetics: exact, enclosed, with rounding, in floats."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

import optverify as ov
from optverify.language.operators import (
    eigenvectors,
    inner,
    matmul,
    norm,
    orthonormal,
    power_of,
    row_max,
    row_mean,
    transpose,
)
from optverify.proof import NotProved
from optverify.proof.enclosure import Enclosure, Exact, differ, enclosed, text
from optverify.proof.evaluation import UNDEFINED, Compiler, Misfit, Runner, entries, in_one_dimension
from optverify.proof.floats import Floats
from optverify.proof.rounding import Rounded, Rounding
from optverify.views.run import run

x, y, r = sp.symbols("x y r", real=True)
EXACT, FLOATS = Exact(), Floats()


def exact(e, **values):
    return Compiler(EXACT)(e)({sp.Symbol(n, real=True): v for n, v in values.items()})


def array(values):
    return EXACT.array([[Fraction(v) for v in row] for row in values])


def test_rationals_stay_rational_and_roots_are_enclosed():
    assert exact(x / 3 + x**-2, x=Fraction(2)) == Fraction(11, 12)
    assert exact(sp.sqrt(x), x=Fraction(9, 4)) == Fraction(3, 2)
    assert exact(sp.Pow(x, sp.Rational(-2, 3)), x=Fraction(27, 8)) == Fraction(4, 9)
    root = exact(sp.sqrt(x), x=Fraction(2))
    assert isinstance(root, Enclosure)
    assert text(root) == "1.41421356237309504880168872421"


def test_an_enclosure_holds_the_number():
    for e in (sp.exp(x), sp.log(x), sp.sqrt(x) + x**3, x ** sp.Rational(1, 5)):
        found = enclosed(exact(e, x=Fraction(7, 3)))
        centre = sp.N(e.subs(x, sp.Rational(7, 3)), 40)
        assert abs(sp.Float(text(found, 40), 40) - centre) < sp.Float("1e-35")


def test_different_numbers_are_told_apart_and_equal_ones_are_not():
    root = exact(sp.sqrt(x), x=Fraction(2))
    assert differ(root, Fraction(141421356237, 100000000000))
    assert not differ(root * root, Fraction(2))
    assert differ(UNDEFINED, Fraction(1))
    assert not differ(UNDEFINED, UNDEFINED)


@pytest.mark.parametrize(
    "e", [1 / x, x**-2, sp.log(x), sp.sqrt(x - 1), x / x**2, sp.I * x, sp.S.Infinity * y]
)
def test_what_has_no_value_swallows_the_rest(e):
    assert exact(1 + 0 * y + sp.Mul(2, e, evaluate=False), x=Fraction(0), y=Fraction(1)) is UNDEFINED


def test_an_open_sign_is_not_guessed():
    zero = exact(sp.sqrt(x), x=Fraction(2))
    with pytest.raises(NotProved):
        exact(sp.sign(y), y=zero - zero)


def test_only_the_case_that_applies_is_worked_out():
    e = sp.Piecewise((1 / x, x > 0), (sp.Integer(7), True))
    assert entries(exact(e, x=EXACT.array([Fraction(0), Fraction(2)]))) == [7, Fraction(1, 2)]


def test_operators_on_small_matrices():
    a = array([[1, 2], [3, 4]])
    assert entries(exact(matmul(x, transpose(x)), x=a)) == [5, 11, 11, 25]
    assert entries(exact(row_max(x), x=a)) == [2, 4]
    assert entries(exact(row_mean(x), x=a)) == [Fraction(3, 2), Fraction(7, 2)]
    assert exact(norm(x), x=array([[3], [4]])) == 5
    assert exact(inner(x, y), x=a, y=a) == 30


def test_powers_and_bases_of_matrices():
    a = array([[5, 3], [3, 5]])
    root = exact(power_of(x, sp.Rational(1, 2)), x=a)
    assert all(not differ(p, q) for p, q in zip(entries(root @ root), entries(a), strict=True))
    half = exact(power_of(x, sp.Rational(-1, 2)), x=array([[4, 0], [0, 4]]))
    assert entries(half) == [Fraction(1, 2), 0, 0, Fraction(1, 2)]
    q = exact(orthonormal(x), x=array([[3, 1], [4, 2]]))
    assert entries(q)[0] == Fraction(3, 5)
    assert all(not differ(p, s) for p, s in zip(entries(q.T @ q), [1, 0, 0, 1], strict=True))
    with pytest.raises(Misfit):
        exact(power_of(x, y), x=array([[1, 2], [3, 4]]), y=Fraction(1, 2))
    with pytest.raises(Misfit):
        exact(matmul(x, x), x=array([[1, 2]]))


def test_in_one_dimension_a_norm_is_an_absolute_value():
    assert in_one_dimension(norm(x) * matmul(x, transpose(y))) == sp.Abs(x) * x * y


@pytest.mark.parametrize("name", ["adam", "momentum", "rprop", "adopt", "schedule_free_sgd"])
def test_a_run_is_that_of_sympy(name):
    rule, gradients = ov.rule(name), [Fraction(2), Fraction(-1, 3), Fraction(1, 2)]
    values = {h.name: sp.Rational(k + 1, k + 2) for k, h in enumerate(rule.hyperparameters)}
    values |= {"eta_plus": sp.Rational(6, 5)} if name == "rprop" else {}
    known = {h.symbol: EXACT.number(values[h.name]) for h in rule.hyperparameters}
    fast = list(
        Runner(rule, EXACT).run(
            [EXACT.array([g]) for g in gradients], EXACT.array([Fraction(1)]), lambda k: known
        )
    )
    slow = run(rule, [sp.Rational(g.numerator, g.denominator) for g in gradients], start=1, values=values)
    for here, there in zip(fast, slow, strict=True):
        for state, value in here.items():
            assert abs(float(text(enclosed(entries(value)[0]), 25)) - float(there[state])) < 1e-14


def test_a_shape_that_does_not_fit_ends_the_run():
    rule = ov.rule("shampoo")
    known = {h.symbol: Fraction(1, 2) for h in rule.hyperparameters}
    point = EXACT.array([Fraction(1), Fraction(2)])
    history = list(Runner(rule, EXACT).run([point] * 3, point.reshape(2, 1), lambda k: known))
    assert len(history) == 2
    assert history[-1]["theta"] is UNDEFINED


def test_floats_have_nan_where_there_is_no_value():
    e = sp.Piecewise((sp.sqrt(x), x > -1), (y, True))
    with np.errstate(invalid="ignore"):
        found = Compiler(FLOATS)(e)({x: FLOATS.array([4.0, -2.0, -0.5]), y: FLOATS.array([1.0, 5.0, 6.0])})
    assert list(found[:2]) == [2, 5]
    assert np.isnan(found[2])
    assert found.dtype == np.float64


def test_a_rounding_bound_holds_what_float32_does():
    e = sp.sqrt(x**2 + y) / (1 + x) - sp.Rational(1, 3) * y
    a, b = np.float32(0.7), np.float32(1.9)
    bound = Compiler(Rounding())(e)({x: Rounded(float(a), 0.0), y: Rounded(float(b), 0.0)})
    found = np.sqrt(a * a + b) / (1 + a) - np.float32(1 / 3) * b
    assert 0 < bound.error < 1e-5
    assert abs(float(found) - bound.value) <= bound.error


def test_rounding_that_may_turn_a_sign_decides_nothing():
    with pytest.raises(NotProved):
        Compiler(Rounding())(sp.sign(x))({x: Rounded(1e-9, 1e-8)})
    with pytest.raises(NotProved):
        Compiler(Rounding())(sp.Piecewise((x, x > 0), (y, True)))(
            {x: Rounded(1e-9, 1e-8), y: Rounded(1.0, 0.0)}
        )


def test_an_operator_without_an_exact_form_is_no_error():
    with pytest.raises(NotProved, match="no arithmetic for eigenvectors"):
        exact(eigenvectors(x), x=array([[1, 0], [0, 2]]))
    with pytest.raises(NotProved, match="no arithmetic for eigenvectors"):
        Runner(ov.rule("soap", basis="eigh"), EXACT)
