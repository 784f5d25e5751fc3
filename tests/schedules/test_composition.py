"""Composition: own clocks, a common clock, and what both do to expression, parameters and end."""

import pytest
import sympy as sp

from optverify.language import Schedule
from optverify.schedules import join, schedule


def warmup(lr: float, steps: int, form: str = "(t+1)/W") -> Schedule:
    return schedule("linear_warmup", lr=lr, warmup=steps, form=form)


def test_own_clock_begins_at_the_seam() -> None:
    """W = 2, N = 10: the cosine starts at t = 2 and ends at t = 10."""
    s = warmup(1, 2).then(schedule("cosine", lr=1, lr_min=0.1, total=8))
    right = [0.5, 1, 1, 0.965746, 0.868198, 0.722208, 0.55, 0.377792, 0.231802, 0.134254, 0.1, 0.1]
    assert s(range(12)) == pytest.approx(right, abs=1e-6)
    assert s.end == 10


def test_common_clock_has_been_running() -> None:
    """The other kind: the cosine takes over at t = 2 where it stands at t = 2."""
    s = warmup(1, 2).then(schedule("cosine", lr=1, lr_min=0.1, total=8), clock="common")
    late = [0.5, 1, 0.868198, 0.722208, 0.55, 0.377792, 0.231802, 0.134254, 0.1, 0.1, 0.1]
    assert s(range(11)) == pytest.approx(late, abs=1e-6)
    assert s.end == 8


def test_join_is_each_piece_from_its_boundary_on() -> None:
    a, b, c = schedule("constant", lr=0.1), warmup(0.2, 3), schedule("exponential", lr=0.3, gamma=0.5)
    s = join([a, b, c], boundaries=[3, 8])
    assert s(range(12)).tolist() == [*a(range(3)), *b(range(5)), *c(range(4))]
    common = join([a, b, c], boundaries=[3, 8], clock="common")
    assert common(range(12)).tolist() == [*a(range(3)), *b(range(3, 8)), *c(range(8, 12))]


def test_join_beyond_floats() -> None:
    far = 10**20
    s = join([schedule("constant", lr=0.1), schedule("exponential", lr=0.2, gamma=0.5)], boundaries=[far])
    assert s([0, far - 1, far, far + 1]).tolist() == [0.1, 0.1, 0.2, 0.1]
    assert s([0, 5]).tolist() == [0.1, 0.1]


def test_product_multiplies_on_one_clock() -> None:
    a, b = warmup(1, 5, "t/W"), schedule("cosine", lr=0.1, total=20)
    assert (a * b)(range(30)).tolist() == [a(k) * b(k) for k in range(30)]
    assert (a * b).end == 20
    assert (a * schedule("constant", lr=1)).end is None


def test_nested_compositions_keep_their_clocks() -> None:
    inner = warmup(1, 2).then(schedule("step", lr=1, step_size=3, gamma=0.5))
    s = join([schedule("constant", lr=2), inner], boundaries=[4])
    assert s(range(14)).tolist() == [2.0] * 4 + inner(range(10)).tolist()
    assert s.substituted.subs(s.t, 11).doit() == sp.Rational(inner(7))


def test_symbols_that_clash_get_the_number_of_their_piece() -> None:
    s = warmup(0.1, 5).then(schedule("cosine", lr=0.2, total=9))
    assert s.parameters == {"lr_1": 0.1, "warmup": 5, "lr_2": 0.2, "lr_min": 0.0, "total": 9}
    assert {x.name for x in s.expression.free_symbols} == {"t", "lr_1", "lr_2", "warmup", "lr_min", "total"}
    assert [h.latex for h in s.hyperparameters][::2] == [r"\eta_{\max}^{(1)}", r"\eta_{\max}^{(2)}", "T"]
    assert s.substituted.free_symbols == {s.t}
    assert len(s.sources) == 2
    assert s.title == "Linear warm-up, then Cosine annealing"


def test_expression_of_a_join_is_by_cases_and_of_a_product_a_product() -> None:
    a, b = schedule("constant", lr=0.1), schedule("exponential", lr=0.5, gamma=0.5)
    t = a.t
    assert join([a, b], [6]).substituted == sp.Piecewise(
        (sp.Rational(1, 10), t < 6), (sp.Rational(1, 2) ** (t - 6) / 2, True)
    )
    assert (a * b).substituted == sp.Rational(1, 20) * sp.Rational(1, 2) ** t
    assert (join([a, b], [6]).options, (a * b).options) == ({"clock": "own"}, {})
    assert (join([a, b], [6]).name, (a * b).name) == ("join", "product")


def test_then_without_an_end_asks_for_one() -> None:
    a = schedule("constant", lr=0.1)
    with pytest.raises(ValueError, match=r"schedule\('constant', lr=0.1\) has no end of its own: say where"):
        a.then(a)
    assert a.then(a, at=7).boundaries == (7,)


@pytest.mark.parametrize(
    ("boundaries", "message"),
    [
        ([], r"boundaries = \[\] do not fit 3 schedules"),
        ([1, 2, 3], r"boundaries = \[1, 2, 3\] do not fit 3 schedules"),
        ([5, 5], r"boundaries = \[5, 5\] do not fit 3 schedules"),
        ([0, 5], "boundary = 0 is out of range"),
        ([1.5, 5], "boundary = 1.5 is not an integer"),
    ],
)
def test_boundaries_that_do_not_fit(boundaries: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        join([schedule("constant", lr=0.1)] * 3, boundaries)


def test_only_schedules_compose() -> None:
    a = schedule("constant", lr=0.1)
    with pytest.raises(TypeError, match=r"join cannot use 0\.1: every piece must be a schedule"):
        join([a, 0.1], [3])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="unsupported operand"):
        a * 2  # type: ignore[operator]
    with pytest.raises(ValueError, match="unknown option for axis clock 'comon'; did you mean 'common'"):
        join([a, a], [3], clock="comon")
