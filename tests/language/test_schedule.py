"""The language of schedules: a new one is one function, and mistakes in it are caught when it is made."""

import math
import pickle

import numpy as np
import pytest
import sympy as sp

from optverify.language import (
    Axis,
    Count,
    Hyperparameter,
    ScheduleFamily,
    Source,
    lr,
    nonnegative,
    positive,
    schedule,
)
from optverify.language.clock import CountFunction, Passed, after, clock, eta, gamma, lr_min, t, total, warmup
from optverify.language.evaluation import cos_pi, geometric_sum, weights
from optverify.language.symbols import t as rule_t

SOURCE = Source("Nobody", 2000, "A schedule for tests", "equation (1)", url="https://example.org")
LR = Hyperparameter(lr, r"\eta", None, positive, "rate")


@schedule(
    "trapezoid", title="Trapezoid", sources=[SOURCE], hyperparameters=[
        LR, Hyperparameter(lr_min, r"\eta_{\min}", 0.0, nonnegative, "floor"), Count(warmup, "W", "rise"),
        Count(total, "T", "length"),
    ], axes=[Axis("shape", "How does it fall?", {"line": "a line", "root": "a root", "tail": "exp(-t/T)"})],
    conditions=[warmup < total], end=total,
)  # fmt: skip
def trapezoid(d):  # type: ignore[no-untyped-def]
    """Up, flat, down: made of words that no shipped schedule uses."""
    left = (total - sp.Min(t, total)) / total
    fall = {"line": left, "root": sp.sqrt(left), "tail": sp.exp(-t / total)}[d.shape]
    share = sp.Piecewise((t / warmup, t < warmup), (sp.Max(fall, sp.Rational(1, 8)), True))
    yield eta, lr_min + (lr - lr_min) * share


@pytest.mark.parametrize("shape", ["line", "root", "tail"])
def test_a_new_schedule_is_one_function(shape: str) -> None:
    """Piecewise, Max, roots and exp come with numbers for ints and arrays, both equal to SymPy's."""
    s = trapezoid(lr=0.1, lr_min=0.01, warmup=3, total=20, shape=shape)
    values = s(range(30))
    assert values.tolist() == [s(k) for k in range(30)]
    assert values == pytest.approx([float(s.substituted.subs(s.t, k)) for k in range(30)], rel=1e-15, abs=0)
    assert s(3) == (
        pytest.approx(0.1 * math.exp(-3 / 20) + 0.01 * (1 - math.exp(-3 / 20))) if shape == "tail" else s(3)
    )
    assert pickle.loads(pickle.dumps(s)) == s
    with pytest.raises(ValueError, match=r"needs warmup < total, not warmup = 9, total = 5"):
        trapezoid(lr=0.1, warmup=9, total=5)


def test_the_time_of_schedules_is_not_the_time_of_rules() -> None:
    """Both print as t; update t of a rule reads the schedule at t - 1."""
    assert t != rule_t
    assert str(t) == str(rule_t)
    assert t.is_nonnegative
    assert not t.is_positive
    s = trapezoid(lr=1, warmup=2, total=5)
    assert s.substituted.subs(s.t, rule_t - 1).subs(rule_t, 1) == 0


def test_clock_holds_or_runs_on() -> None:
    class Chosen:
        def __init__(self, option: str) -> None:
            self.after = after.check(option)

    assert clock(Chosen("hold"), total) == sp.Min(t, total)
    assert clock(Chosen("reflect"), total) == t


# ---- mistakes in a schedule file -------------------------------------------------------------------------


def family(value: sp.Expr, doc: str = "Summary.", last: sp.Symbol = eta) -> ScheduleFamily:
    def write(d):  # type: ignore[no-untyped-def]
        yield last, value

    write.__doc__ = doc
    return schedule("wrong", title="Wrong", sources=[SOURCE], hyperparameters=[LR])(write)


def test_mistakes_are_caught_at_import() -> None:
    assert family(lr / (t + 1)).name == "wrong"
    with pytest.raises(ValueError, match="'wrong': eta_t reads gamma, which nothing defines"):
        family(lr * gamma)
    with pytest.raises(ValueError, match="'wrong' must end by yielding eta"):
        family(lr, last=sp.Symbol("i"))
    with pytest.raises(ValueError, match="'wrong' needs a source and a docstring"):
        family(lr, doc="")
    for value in (lr**2, lr + 1, sp.Max(lr, t), sp.Integer(1)):
        with pytest.raises(ValueError, match="is not linear in its rates: multiply every term by one of lr"):
            family(value)


def test_words_without_exact_code_are_refused() -> None:
    j = sp.Symbol("j", integer=True)
    with pytest.raises(ValueError, match=r"the only sum a schedule can hold is Sum\(x\*\*j"):
        family(lr * sp.Sum(j, (j, 0, t)))(lr=1)(0)
    with pytest.raises(ValueError, match=r"no exact code for zeta\(t \+ 2\)"):
        family(lr * sp.zeta(t + 2))(lr=1)(0)


# ---- the parts of evaluation -----------------------------------------------------------------------------


def test_weights_are_derivatives_and_add_up() -> None:
    c = sp.cos(t)
    assert weights(lr_min + (lr - lr_min) * (1 + c) / 2) == {
        lr: c / 2 + sp.Rational(1, 2),
        lr_min: -c / 2 + sp.Rational(1, 2),
    }


@pytest.mark.parametrize("q", [1, 2, 3, 7, 1000, 10**30 + 1])
def test_cos_pi_is_within_two_ulps_of_the_cosine_for_every_integer(q: int) -> None:
    for p in {0, 1, q // 2, q // 2 + 1, q - 1, q, q + 1, 2 * q - 1, 2 * q, 10**40 * q + 1, 10**40 + 1}:
        true = sp.cos(sp.pi * sp.Rational(p % (2 * q), q)).evalf(40)
        assert abs(cos_pi(p, q) - true) <= 2 * math.ulp(float(true))
    if q % 2 == 0:
        assert cos_pi(q // 2, q) == 0
    assert (cos_pi(0, q), cos_pi(q, q), cos_pi(2 * q, q)) == (1, -1, 1)


def test_geometric_sum_counts_terms() -> None:
    assert [geometric_sum(3, n) for n in range(5)] == [0, 1, 4, 13, 40]
    assert geometric_sum(1, np.arange(4)).tolist() == [0, 1, 2, 3]
    assert geometric_sum(2, np.arange(4)).tolist() == [0, 1, 3, 7]


def test_count_functions_are_exact_integers_once_their_arguments_are() -> None:
    assert Passed(10**40, sp.Tuple(3, 10**40)) == 2
    assert isinstance(Passed(t, sp.Tuple(3)), CountFunction)
    assert Passed(t, sp.Tuple(3)).is_integer
    assert Passed.number(np.array([2, 3, 4]), (3, 4)).tolist() == [0, 1, 2]
