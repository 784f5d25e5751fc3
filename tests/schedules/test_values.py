"""The numbers of every schedule: at the seams, against exact arithmetic, and int against array."""

import math

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from optverify.language import Schedule
from optverify.schedules import schedule

EPS = 2.0**-52
calm = settings(deadline=None, derandomize=True)


def exact(s: Schedule, last: int) -> list[mpmath.mpf]:
    """eta_0, eta_1, ... by SymPy in rational arithmetic, then to 40 digits."""
    formula = s.substituted
    with mpmath.workdps(40):
        return [mpmath.mpf(sp.N(formula.subs(s.t, k).doit(), 40)) for k in range(last)]


# ---- every schedule --------------------------------------------------------------------------------------


def test_numbers_are_those_of_the_expression(example: Schedule) -> None:
    """The compiled numbers agree with SymPy's exact ones to a few ulps, also where they nearly vanish.

    One more for each power of gamma: the float 0.97 is not 97/100.
    """
    for k, true in enumerate(exact(example, 40)):
        assert abs(example(k) - true) <= (4 + k) * EPS * true


def test_int_and_array_agree_bitwise(example: Schedule) -> None:
    steps = np.arange(3000).reshape(3, 1000)
    values = example(steps)
    assert values.dtype == np.float64
    assert values.shape == steps.shape
    assert values.tolist() == [[example(int(k)) for k in row] for row in steps]
    assert all(type(example(k)) is float for k in (0, np.int64(3), np.uint8(3)))


def test_any_integer_sequence_will_do(example: Schedule) -> None:
    expected = [example(k) for k in (0, 4, 11)]
    for steps in ([0, 4, 11], (0, 4, 11), np.array([0, 4, 11], dtype=np.uint16)):
        assert example(steps).tolist() == expected
    assert example(range(3)).tolist() == [example(k) for k in range(3)]
    assert example([[0], [4]]).shape == (2, 1)
    assert example([]).shape == (0,)
    assert example(np.zeros((0, 3), dtype=int)).shape == (0, 3)
    assert example(np.array(4)).shape == ()
    assert example(np.array(4)) == example(4)


def test_huge_times_are_finite_and_do_not_depend_on_company(example: Schedule) -> None:
    """An element of an array does not change when another one is too large for int64."""
    huge = [5, 2**26 - 1, 2**26, 2**53 + 1, 10**15, 2**63 - 1, 2**64 + 3, 10**400]
    values = example(huge)
    assert values.tolist() == [example(k) for k in huge]
    assert np.isfinite(values).all()
    assert values[0] == example(np.array([5]))[0]


def test_int64_arrays_never_overflow(example: Schedule) -> None:
    """Times whose products leave int64, or whose quotients leave float64, go one by one."""
    steps = np.array([2**26, 2**31 + 1, 2**53 + 1, 2**62 + 3])
    assert example(steps).tolist() == [example(int(k)) for k in steps]


@pytest.mark.parametrize("size", [2**26, 2**53 + 1, 2**62 + 1, 10**30])
def test_large_parameters_never_overflow(size: int) -> None:
    for s in (
        schedule("cosine", lr=0.1, total=size),
        schedule("cosine_warm_restarts", lr=0.1, T_0=size, T_mult=size),
        schedule("linear_warmup", lr=0.1, warmup=size),
        schedule("multi_step", lr=0.1, milestones=[2, size]),
    ):
        assert s(range(50)).tolist() == [s(k) for k in range(50)]
        assert s(10) == pytest.approx(float(exact(s, 11)[10]), rel=1e-15, abs=0)


# ---- seams -----------------------------------------------------------------------------------------------


def test_constant() -> None:
    assert schedule("constant", lr=0.1)([0, 1, 10**20]).tolist() == [0.1] * 3


def test_step_drops_at_multiples_of_step_size() -> None:
    s = schedule("step", lr=0.5, step_size=30, gamma=0.5)
    assert s([0, 29, 30, 31, 59, 60]).tolist() == [0.5, 0.5, 0.25, 0.25, 0.25, 0.125]


def test_step_multiplier_is_gamma_to_the_number_of_drops() -> None:
    """Not gamma to a power of the drops: 2 drops give gamma^2, and many give 0 without overflow."""
    s = schedule("step", lr=2.5e-5, step_size=1, gamma=0.1)
    assert s([1, 2]) == pytest.approx([2.5e-6, 2.5e-7], rel=1e-15, abs=0)
    assert s([10**6, 10**19, 10**400]).tolist() == [0, 0, 0]
    assert schedule("step", lr=0.1, step_size=1, gamma=1)(10**400) == 0.1


def test_multi_step_drops_when_t_reaches_a_milestone() -> None:
    s = schedule("multi_step", lr=0.2, milestones=[2, 8], gamma=0.1)
    assert s(range(10)) == pytest.approx([0.2] * 2 + [0.02] * 6 + [0.002] * 2, rel=1e-15, abs=0)


def test_exponential() -> None:
    s = schedule("exponential", lr=0.1, gamma=0.9)
    assert s([0, 1, 2, 50]) == pytest.approx([0.1, 0.09, 0.081, 0.1 * 0.9**50], rel=1e-15, abs=0)


@pytest.mark.parametrize("after", ["hold", "reflect"])
@pytest.mark.parametrize(("lr", "lr_min"), [(0.1, 0.0), (0.1, 1e-3), (0.3, 0.1), (1e-3, 1e-3 / 3)])
@pytest.mark.parametrize("total", [1, 2, 7, 100, 10**12])
def test_cosine_ends_are_exact(total: int, lr: float, lr_min: float, after: str) -> None:
    """lr at t = 0 and lr_min at t = total, to the last bit; then held, or back at lr at 2 total."""
    s = schedule("cosine", lr=lr, lr_min=lr_min, total=total, after=after)
    assert s(0) == lr
    assert s(total) == lr_min
    if after == "hold":
        assert s([total + 1, 2 * total, 10**30]).tolist() == [lr_min] * 3
    else:
        assert s(2 * total) == lr
        assert s(3 * total) == lr_min
        assert s(total + 1) == s(total - 1)


def test_cosine_reflected_rises_as_the_closed_form_does() -> None:
    """The eight values of pytorch/pytorch#152081."""
    fall = [0.5, 0.452254249, 0.327254249, 0.172745751, 0.0477457514, 0]
    s = schedule("cosine", lr=0.5, total=5, after="reflect")
    assert s(range(8)) == pytest.approx([*fall, 0.0477457514, 0.172745751], abs=1e-9)
    assert schedule("cosine", lr=0.5, total=5)(range(8)) == pytest.approx([*fall, 0, 0], abs=1e-9)


@pytest.mark.parametrize("total", [10**3, 10**6, 10**9])
def test_cosine_keeps_its_digits_to_the_last_step(total: int) -> None:
    """At t = total - 1 the value is lr pi^2/(4 total^2), nearly: 1 + cos would lose every digit at 10^8."""
    s = schedule("cosine", lr=0.1, total=total)
    with mpmath.workdps(60):
        true = mpmath.mpf("0.1") * (1 + mpmath.cospi(mpmath.mpf(total - 1) / total)) / 2
    assert s(total - 1) == pytest.approx(float(true), rel=1e-15, abs=0)


def test_cosine_recursion_equals_the_closed_form() -> None:
    """The chainable recursion used by PyTorch, exactly: symbolic lr, lr_min, T and t < T."""
    s = schedule("cosine", lr=0.1, total=12, after="reflect")
    lr, lr_min, total = (h.symbol for h in s.hyperparameters)
    k = sp.Symbol("k", integer=True, nonnegative=True)
    closed = [s.expression.subs(s.t, k + i) for i in (0, 1)]
    shrink = (1 + sp.cos(sp.pi * (k + 1) / total)) / (1 + sp.cos(sp.pi * k / total))
    assert sp.expand(sp.cancel(lr_min + (closed[0] - lr_min) * shrink - closed[1])) == 0
    assert sp.expand(s.expression.subs(s.t, 0) - lr) == 0


def test_cosine_far_out_is_as_exact_as_near() -> None:
    """A period of 2 total in integers: 10^15 periods later the value is the same to the last bit."""
    s = schedule("cosine", lr=0.1, lr_min=0.003, total=7, after="reflect")
    far = 14 * 10**15
    assert [s(far + k) for k in range(15)] == [s(k) for k in range(15)]


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ("t/W", [0, 0.25, 0.5, 0.75, 1, 1]),
        ("(t+1)/W", [0.25, 0.5, 0.75, 1, 1, 1]),
        ("(t+1)/(W+1)", [0.2, 0.4, 0.6, 0.8, 1, 1]),
    ],
)
def test_linear_warmup_forms(form: str, values: list[float]) -> None:
    """t = 0, 1, ..., W-1, W, W+1 for W = 4; the end is lr exactly."""
    assert schedule("linear_warmup", lr=1, warmup=4, form=form)(range(6)).tolist() == values
    assert schedule("linear_warmup", lr=0.1, warmup=3, form=form)([3, 4, 10**40]).tolist() == [0.1] * 3


# ---- properties ------------------------------------------------------------------------------------------

rates = st.floats(1e-9, 1e3)
times = st.integers(0, 10**6)


@calm
@given(a=rates, b=rates, total=st.integers(1, 10**5), k=times, after=st.sampled_from(["hold", "reflect"]))
def test_cosine_stays_between_its_rates(a: float, b: float, total: int, k: int, after: str) -> None:
    low, high = sorted((a, b))
    value = schedule("cosine", lr=high, lr_min=low, total=total, after=after)(k)
    assert low * (1 - EPS) <= value <= high * (1 + EPS)


@calm
@given(lr=rates, total=st.integers(1, 10**5), k=times)
def test_cosine_never_rises_before_its_end(lr: float, total: int, k: int) -> None:
    s = schedule("cosine", lr=lr, total=total)
    assert s(k + 1) <= s(k)


@calm
@given(lr=rates, gamma=st.floats(0.01, 1), size=st.integers(1, 1000), k=times)
def test_decays_never_rise(lr: float, gamma: float, size: int, k: int) -> None:
    for s in (
        schedule("step", lr=lr, gamma=gamma, step_size=size),
        schedule("exponential", lr=lr, gamma=gamma),
        schedule("multi_step", lr=lr, gamma=gamma, milestones=[size, 2 * size + 1]),
    ):
        assert 0 <= s(k + 1) <= s(k) <= lr


@calm
@given(
    lr=rates, warmup=st.integers(1, 10**5), form=st.sampled_from(["t/W", "(t+1)/W", "(t+1)/(W+1)"]), k=times
)
def test_warmup_never_falls_and_ends_at_lr(lr: float, warmup: int, form: str, k: int) -> None:
    s = schedule("linear_warmup", lr=lr, warmup=warmup, form=form)
    assert 0 <= s(k) <= s(k + 1) <= s(warmup) == lr


@calm
@given(k=times, scale=st.integers(-20, 20))
def test_schedules_scale_with_their_rates(k: int, scale: int) -> None:
    """lr -> c lr and lr_min -> c lr_min give c eta_t, exactly for a power of two."""
    c = math.ldexp(1, scale)
    one = schedule("cosine_warm_restarts", lr=0.1, lr_min=0.02, T_0=5, T_mult=3)
    other = schedule("cosine_warm_restarts", lr=c * 0.1, lr_min=c * 0.02, T_0=5, T_mult=3)
    assert other(k) == c * one(k)
