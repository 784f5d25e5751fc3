"""The values at every seam: 0, W-1, W, W+1, T-1, T, T+1, restarts; and far beyond the end."""

from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp

from optverify.schedules import join, names, schedule

FAR = 10**20

SEAMS: list[tuple[str, dict[str, Any], dict[int, float]]] = [
    ("linear", {"lr": 1, "total": 4}, {0: 1, 1: 0.75, 3: 0.25, 4: 0, 5: 0, FAR: 0}),
    ("linear", {"lr": 1, "lr_end": 3, "total": 4}, {0: 1, 1: 1.5, 3: 2.5, 4: 3, 5: 3, FAR: 3}),
    ("polynomial", {"lr": 1, "total": 4, "power": 2}, {0: 1, 1: 0.5625, 3: 0.0625, 4: 0, 5: 0, FAR: 0}),
    (
        "polynomial",
        {"lr": 1, "lr_end": 0.2, "total": 4, "power": 1, "after": "cycle"},
        {0: 1, 3: 0.4, 4: 0.2, 5: 0.5, 7: 0.3, 8: 0.2, 9: 0.4, 12: 0.2, 4 * FAR: 0.2},
    ),
    ("exponential", {"lr": 1, "gamma": 0.25, "decay_steps": 2}, {0: 1, 1: 0.5, 2: 0.25, 3: 0.125, FAR: 0}),
    (
        "exponential",
        {"lr": 1, "gamma": 0.25, "decay_steps": 2, "staircase": True},
        {0: 1, 1: 1, 2: 0.25, 3: 0.25, 4: 0.0625, FAR: 0},
    ),
    ("inverse_time", {"lr": 1, "decay_rate": 1, "decay_steps": 2}, {0: 1, 1: 2 / 3, 2: 0.5, 6: 0.25}),
    (
        "inverse_time",
        {"lr": 1, "decay_rate": 1, "decay_steps": 2, "staircase": True},
        {0: 1, 1: 1, 2: 0.5, 3: 0.5, 4: 1 / 3},
    ),
    ("inverse_sqrt", {"lr": 1, "warmup": 4}, {0: 1, 3: 1, 4: 1, 5: 0.8**0.5, 16: 0.5, 4 * FAR: 1e-10}),
    ("noam", {"d_model": 4, "warmup": 4}, {0: 1 / 16, 2: 3 / 16, 3: 0.25, 4: 0.05**0.5, 15: 0.125}),
    (
        "piecewise_interpolated",
        {"lr": 2, "milestones": [2, 6], "factors": [3, 1]},
        {0: 2, 1: 4, 2: 6, 3: 5, 5: 3, 6: 2, 7: 2, FAR: 2},
    ),
    (
        "piecewise_interpolated",
        {"lr": 2, "milestones": [2, 6], "factors": [3, 0], "curve": "cosine"},
        {0: 2, 1: 4, 2: 6, 4: 3, 6: 0, 7: 0, FAR: 0},
    ),
    (
        "cosine_power",
        {"lr": 1.5, "lr_min": 0.5, "total": 4, "exponent": 2},
        {0: 1.5, 2: 0.75, 4: 0.5, 5: 0.5, FAR: 0.5},
    ),
    (
        "cosine_power",
        {"lr": 1, "total": 4, "exponent": 3, "after": "reflect"},
        {0: 1, 2: 0.125, 4: 0, 6: 0.125, 8: 1, 8 * FAR: 1},
    ),
    (
        "cosine_warm_restarts",
        {"lr": 1.25, "lr_min": 0.25, "T_0": 2, "T_mult": 2, "M_mult": 0.5},
        {0: 1.25, 1: 0.75, 2: 0.75, 4: 0.5, 6: 0.5, 10: 0.375, 14: 0.375},
    ),
    ("constant_warmup", {"lr": 1, "factor": 0.1, "warmup": 4}, {0: 0.1, 3: 0.1, 4: 1, 5: 1, FAR: 1}),
    (
        "constant_warmup",
        {"lr": 1, "factor": 0.1, "warmup": 4, "form": "(t+1)/W"},
        {0: 0.1, 2: 0.1, 3: 1, 4: 1},
    ),
    (
        "constant_warmup",
        {"lr": 1, "factor": 0.1, "warmup": 4, "form": "(t+1)/(W+1)"},
        {0: 0.1, 3: 0.1, 4: 1},
    ),
    *(
        (
            "exponential_warmup",
            {"lr": 1, "warmup": 4, "form": form},
            {k: float(-mpmath.expm1(-mpmath.mpf(k + first) / length)) for k in (0, 3, 4, 5, 50)} | {FAR: 1},
        )
        for form, first, length in [("t/W", 0, 4), ("(t+1)/W", 1, 4), ("(t+1)/(W+1)", 1, 5)]
    ),
    # two phases: up until a, down until T - 1 or T
    (
        "one_cycle",
        {"lr": 1, "total": 10, "pct_start": 0.5, "div_factor": 4, "final_div_factor": 16, "curve": "linear"},
        {0: 0.25, 2: 0.625, 4: 1, 5: 1 - 63 / 320, 8: 1 / 64 + 63 / 320, 9: 1 / 64, 10: 1 / 64, FAR: 1 / 64},
    ),
    (
        "one_cycle",
        {"lr": 1, "total": 8, "pct_start": 0.5, "div_factor": 4, "final_div_factor": 16, "last": "T"},
        {0: 0.25, 2: 0.625, 4: 1, 6: 65 / 128, 8: 1 / 64, 9: 1 / 64, FAR: 1 / 64},
    ),
    # three phases: up until 0.4 T - 1 = 3, down until 0.8 T - 2 = 6, out at T - 1 = 9; or 4, 8, 10
    (
        "one_cycle",
        {"lr": 1, "total": 10, "pct_start": 0.4, "pct_final": 0.8, "div_factor": 4, "final_div_factor": 16,
         "curve": "linear", "phases": "three"},
        {0: 0.25, 1: 0.5, 3: 1, 4: 0.75, 6: 0.25, 9: 1 / 64, 10: 1 / 64, FAR: 1 / 64},
    ),
    (
        "one_cycle",
        {"lr": 1, "total": 10, "pct_start": 0.4, "pct_final": 0.8, "div_factor": 4, "final_div_factor": 16,
         "phases": "three", "last": "T"},
        {0: 0.25, 2: 0.625, 4: 1, 6: 0.625, 8: 0.25, 9: 17 / 128, 10: 1 / 64, 11: 1 / 64, FAR: 1 / 64},
    ),
    (
        "cyclic",
        {"lr": 1.25, "lr_min": 0.25, "step_size_up": 2, "step_size_down": 4},
        {0: 0.25, 1: 0.75, 2: 1.25, 3: 1, 5: 0.5, 6: 0.25, 8: 1.25, 6 * FAR + 2: 1.25},
    ),
    (
        "cyclic",
        {"lr": 1.25, "lr_min": 0.25, "step_size_up": 2, "step_size_down": 4, "mode": "triangular2"},
        {2: 1.25, 6: 0.25, 8: 0.75, 14: 0.5, 6 * FAR + 2: 0.25},
    ),
    (
        "cyclic",
        {"lr": 1, "step_size_up": 2, "step_size_down": 4, "mode": "exp_range", "gamma": 0.5},
        {0: 0, 1: 0.25, 2: 0.25, 3: 0.09375, 6: 0, 8: 2.0**-8, FAR: 0},
    ),
    (
        "wsd",
        {"lr": 1, "lr_min": 0.5, "total": 12, "warmup": 4, "decay_steps": 4},
        {0: 0, 3: 0.75, 4: 1, 5: 1, 7: 1, 8: 1, 9: 0.875, 11: 0.625, 12: 0.5, 13: 0.5, FAR: 0.5},
    ),
    (
        "wsd",
        {"lr": 1, "total": 12, "warmup": 4, "decay_steps": 4, "decay": "1-sqrt", "form": "(t+1)/W"},
        {0: 0.25, 3: 1, 8: 1, 9: 0.5, 12: 0, 13: 0, FAR: 0},
    ),
    (
        "wsd",
        {"lr": 1, "total": 12, "warmup": 4, "decay_steps": 4, "decay": "cosine", "form": "(t+1)/(W+1)"},
        {0: 0.2, 3: 0.8, 4: 1, 8: 1, 10: 0.5, 12: 0, 13: 0, FAR: 0},
    ),
    ("wsd", {"lr": 1, "total": 8, "warmup": 4, "decay_steps": 4}, {3: 0.75, 4: 1, 5: 0.75, 8: 0}),
    ("rex", {"lr": 1, "total": 4}, {0: 1, 1: 6 / 7, 2: 2 / 3, 3: 0.4, 4: 0, 5: 0, FAR: 0}),
    ("rex", {"lr": 1.5, "lr_min": 0.5, "total": 4}, {0: 1.5, 3: 0.9, 4: 0.5, 5: 0.5}),
    (
        "trapezoidal",
        {"lr": 1, "total": 12, "warmup": 4, "decay_steps": 4},
        {0: 0, 3: 0.75, 4: 1, 8: 1, 9: 0.75, 11: 0.25, 12: 0, 13: 0, FAR: 0},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "table"), SEAMS)
def test_seams(name: str, arguments: dict[str, Any], table: dict[int, float]) -> None:
    """To an ulp or two, and 0 is 0."""
    s = schedule(name, **arguments)
    assert s(list(table)) == pytest.approx(list(table.values()), rel=1e-15, abs=0)


def test_every_schedule_has_a_table() -> None:
    """The first ones have theirs in test_values.py and test_restarts.py."""
    elsewhere = {"constant", "step", "multi_step", "cosine", "linear_warmup"}
    assert {name for name, _, _ in SEAMS} | elsewhere == set(names())


# ---- closed form and recursion ---------------------------------------------------------------------------


RECURSIONS = [
    # PyTorch's chainable forms
    ("linear", {"lr": 1, "lr_end": 0.25, "total": 8},
     lambda x, k: x if k > 8 else x * (1 + sp.Rational(-3, 4) / (8 - (k - 1) * sp.Rational(3, 4)))),
    ("polynomial", {"lr": 1, "total": 8, "power": 3},
     lambda x, k: x if k > 8 else x * sp.Rational(8 - k, 8 - k + 1) ** 3),
    ("exponential", {"lr": 1, "gamma": 0.9}, lambda x, k: x * sp.Rational(9, 10)),
    ("constant_warmup", {"lr": 1, "factor": 0.25, "warmup": 5}, lambda x, k: 4 * x if k == 5 else x),
    # the inverse grows by lambda; the distance to lr shrinks by e^(-1/W); a line up and a line down
    ("inverse_time", {"lr": 1, "decay_rate": 0.5}, lambda x, k: 1 / (1 / x + sp.Rational(1, 2))),
    ("exponential_warmup", {"lr": 1, "warmup": 3, "form": "t/W"},
     lambda x, k: 1 - (1 - x) * sp.exp(-sp.Rational(1, 3))),
    ("cyclic", {"lr": 1, "step_size_up": 2, "step_size_down": 4},
     lambda x, k: x + (sp.Rational(1, 2) if k % 6 in (1, 2) else -sp.Rational(1, 4))),
    ("trapezoidal", {"lr": 1, "total": 9, "warmup": 2, "decay_steps": 4},
     lambda x, k: x + sp.Rational(2 * int(k <= 2) - int(5 < k <= 9), 4)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "step"), RECURSIONS)
def test_recursion_equals_closed_form_exactly(name: str, arguments: dict[str, Any], step: Any) -> None:
    """In rational arithmetic (and exact exponentials), t = 0, ..., 18."""
    s = schedule(name, **arguments)
    value = s.substituted.subs(s.t, 0).doit()
    for k in range(1, 19):
        value = sp.expand(step(value, k))
        assert sp.expand(s.substituted.subs(s.t, k).doit() - value) == 0


# ---- relations between schedules -------------------------------------------------------------------------


def test_special_cases_are_the_simpler_schedule() -> None:
    t = np.arange(60)
    one = schedule("polynomial", lr=0.3, lr_end=0.02, total=20, power=1)
    assert one(t).tolist() == schedule("linear", lr=0.3, lr_end=0.02, total=20)(t).tolist()
    one = schedule("cosine_power", lr=0.3, lr_min=0.02, total=20, exponent=1)
    assert one(t) == pytest.approx(schedule("cosine", lr=0.3, lr_min=0.02, total=20)(t), rel=1e-15)
    stairs = schedule("exponential", lr=0.3, gamma=0.5, decay_steps=7, staircase=True)
    assert stairs(t).tolist() == schedule("step", lr=0.3, gamma=0.5, step_size=7)(t).tolist()
    trapezoid = schedule("trapezoidal", lr=0.3, total=20, warmup=4, decay_steps=6)
    wsd = schedule("wsd", lr=0.3, total=20, warmup=4, decay_steps=6)
    assert trapezoid(t) == pytest.approx(wsd(t), rel=1e-15)


def test_noam_is_a_product_begun_one_update_earlier() -> None:
    """Public case: W = 10, highest rate 0.01: .001, .002, .003, .004, and no value twice."""
    noam = schedule("noam", lr=0.01 * (10 * 4) ** 0.5, d_model=4, warmup=10)
    warm = schedule("linear_warmup", lr=1, warmup=10)
    other = (warm * schedule("inverse_sqrt", lr=0.01, warmup=10)).shifted(1)
    assert noam(range(4)) == pytest.approx([0.001, 0.002, 0.003, 0.004], rel=1e-14)
    assert noam(range(100)) == pytest.approx(other(range(100)), rel=1e-14)


def test_one_cycle_of_the_public_case() -> None:
    """N = 50, lr = 0.01: first 4e-4, last 4e-8, and what is between in two phases and three."""
    two, three = (
        schedule("one_cycle", lr=0.01, total=50, phases=phases, pct_final=0.6) for phases in ("two", "three")
    )
    assert two([0, 25, 49]) == pytest.approx([4e-4, 0.0077544939, 4e-8], rel=1e-8)
    assert three(25) == pytest.approx(0.0014472089, rel=1e-7)


def test_polynomial_of_the_public_case() -> None:
    """N = 5, p = 1: not applied to the last value over again, which gives 0.048 at t = 2."""
    s = schedule("polynomial", lr=0.1, total=5, power=1)
    assert s(range(5)) == pytest.approx([0.1, 0.08, 0.06, 0.04, 0.02], rel=1e-15)


# ---- shifted, repeated, at least -------------------------------------------------------------------------


def test_shifted_reads_another_time() -> None:
    s = schedule("linear", lr=1, total=4)
    assert s.shifted(2)(range(4)).tolist() == [0.5, 0.25, 0, 0]
    assert s.shifted(-2)(range(8)).tolist() == [1, 1, 1, 0.75, 0.5, 0.25, 0, 0]
    assert (s.shifted(2).end, s.shifted(-2).end, s.shifted(9).end) == (2, 6, 0)
    assert s.shifted(-FAR)([0, FAR, FAR + 1]).tolist() == [1, 1, 0.75]
    assert s.shifted(FAR)([0, 1]).tolist() == [0, 0]


def test_repeated_begins_again() -> None:
    s = schedule("linear", lr=1, total=4)
    assert s.repeated()(range(9)).tolist() == [1, 0.75, 0.5, 0.25] * 2 + [1]
    assert s.repeated(6)([5, 6, 7, 6 * FAR]).tolist() == [0, 1, 0.75, 1]
    assert s.repeated().end is None
    with pytest.raises(ValueError, match=r"has no end of its own: .* repeated\(every=1000\)"):
        s.repeated().repeated()


def test_repeated_joins_are_cyclic() -> None:
    up, down = schedule("linear_warmup", lr=1, warmup=3), schedule("linear", lr=1, total=5)
    ours = join([up, down], [3]).repeated()
    assert (
        ours(range(40)).tolist()
        == schedule("cyclic", lr=1, step_size_up=3, step_size_down=5)(range(40)).tolist()
    )


def test_at_least_is_a_floor_not_a_new_end() -> None:
    """Public case: floor, max(eta, lr_min), and affine, lr_min + (lr - lr_min) x, differ in the middle."""
    s = schedule("cosine", lr=1, total=8)
    floored = [1, 0.961940, 0.853553, 0.691342, 0.5, 0.308658, 0.146447, 0.1, 0.1, 0.1]
    assert s.at_least(0.1)(range(10)) == pytest.approx(floored, abs=1e-6)
    assert s.at_least(0.1).end == 8


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: s.shifted(1.5), TypeError, "shift by 1.5 is not an integer: it is the number of updates"),
        (lambda s: s.shifted(True), TypeError, "shift by True is not an integer"),
        (lambda s: s.repeated(0), ValueError, "every = 0 is out of range: it is the number of updates"),
        (lambda s: s.at_least(-1), ValueError, "lr_min = -1 is out of range"),
        (lambda s: s.at_least("a"), TypeError, "lr_min = 'a' is not a number"),
    ],
)
def test_changes_refused(change: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        change(schedule("linear", lr=1, total=4))


def test_lists_that_do_not_fit() -> None:
    with pytest.raises(
        ValueError, match=r"needs len\(milestones\) = len\(factors\), not milestones = \(3, 4\)"
    ):
        schedule("piecewise_interpolated", lr=1, milestones=[3, 4], factors=[1])
    with pytest.raises(ValueError, match="factors = -1 is out of range"):
        schedule("piecewise_interpolated", lr=1, milestones=[3], factors=[-1])
    with pytest.raises(ValueError, match=r"factors = \[\] is out of range: factors must be one or more"):
        schedule("piecewise_interpolated", lr=1, milestones=[3], factors=[])
    with pytest.raises(TypeError, match=r"factors = 0\.1 is not a list"):
        schedule("piecewise_interpolated", lr=1, milestones=[3], factors=0.1)
    with pytest.raises(ValueError, match=r"needs .*warmup <= total"):
        schedule("wsd", lr=1, total=10, warmup=6, decay_steps=5)
    with pytest.raises(ValueError, match="needs pct_start < pct_final"):
        schedule("one_cycle", lr=1, total=10, pct_start=0.7)
