"""Warm restarts: the index is exact at every t, and the cycles are those of the paper."""

from itertools import pairwise

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from optverify.language.clock import RestartIndex
from optverify.schedules import schedule

calm = settings(deadline=None, derandomize=True)


def starts(first: int, factor: int, last: int) -> list[int]:
    """S_0, S_1, ... up to last, by adding cycle after cycle."""
    found, length = [0], first
    while found[-1] + length <= last:
        found.append(found[-1] + length)
        length *= factor
    return found


@pytest.mark.parametrize("factor", [1, 2, 3, 10])
@pytest.mark.parametrize("first", [1, 3, 10])
def test_every_restart_is_at_lr_and_the_step_before_is_not(first: int, factor: int) -> None:
    s = schedule("cosine_warm_restarts", lr=0.1, lr_min=1e-3, T_0=first, T_mult=factor)
    edges = starts(first, factor, 10**4)[1:]
    assert s(edges).tolist() == [0.1] * len(edges)
    for before, edge in pairwise([0, *edges]):
        if edge - before > 1:
            assert 1e-3 < s(edge - 1) < 0.1


def test_t_121_where_the_floating_logarithm_fails() -> None:
    """S_5 = 1 + 3 + 9 + 27 + 81 = 121 begins cycle 5; floor(log) says 4 and gives lr_min there."""
    assert RestartIndex(121, 1, 3) == 5
    assert RestartIndex(120, 1, 3) == 4
    assert schedule("cosine_warm_restarts", lr=0.1, T_0=1, T_mult=3)(121) == 0.1


@pytest.mark.parametrize("factor", [2, 3, 7])
@pytest.mark.parametrize("first", [1, 10, 123])
@pytest.mark.parametrize("n", [30, 50, 300])
def test_restarts_beyond_the_reach_of_floats(first: int, factor: int, n: int) -> None:
    """At S_n, S_n - 1 and S_n + 1 for S_n far beyond 10^15, where floats cannot tell them apart."""
    edge = first * (factor**n - 1) // (factor - 1)
    assert [int(RestartIndex(edge + d, first, factor)) for d in (-1, 0, 1)] == [n - 1, n, n]
    s = schedule("cosine_warm_restarts", lr=0.1, lr_min=0.01, T_0=first, T_mult=factor)
    assert s(edge) == 0.1
    assert s(edge - 1) == pytest.approx(0.01, rel=1e-12, abs=0)
    assert s([edge, 10**15]).tolist() == [0.1, s(10**15)]


@calm
@given(t=st.integers(0, 10**30), first=st.integers(1, 10**6), factor=st.integers(1, 50))
def test_index_is_the_largest_j_with_S_j_at_most_t(t: int, first: int, factor: int) -> None:
    i = int(RestartIndex(t, first, factor))
    S = [first * j if factor == 1 else first * (factor**j - 1) // (factor - 1) for j in (i, i + 1)]
    assert S[0] <= t < S[1]


@calm
@given(first=st.integers(1, 50), factor=st.integers(1, 5))
def test_index_of_an_array_is_that_of_its_elements(first: int, factor: int) -> None:
    steps = np.arange(500)
    found = RestartIndex.number(steps, first, factor)
    assert found.dtype.kind == "i"
    assert found.tolist() == [RestartIndex.number(k, first, factor) for k in range(500)]


def test_lengths_and_values_of_the_paper() -> None:
    """Values of pytorch/pytorch#23480; and #47560: the last step of a cycle stays above lr_min."""
    s = schedule("cosine_warm_restarts", lr=0.5, T_0=1, T_mult=2)
    expected = [0.5, 0.5, 0.25, 0.5, 0.4267767, 0.25, 0.0732233, 0.5, 0.4809699]
    assert s(range(9)) == pytest.approx(expected, abs=1e-7)
    half_open = schedule("cosine_warm_restarts", lr=0.1, lr_min=3.2e-6, T_0=10)
    assert half_open(range(100)).min() == pytest.approx(0.0024502959, abs=1e-10)


def test_first_cycle_is_cosine_annealing() -> None:
    cycle = schedule("cosine", lr=0.1, lr_min=0.01, total=9)(range(9))
    assert (
        schedule("cosine_warm_restarts", lr=0.1, lr_min=0.01, T_0=9, T_mult=4)(range(9)).tolist()
        == cycle.tolist()
    )


def test_cycle_lengths_symbolically() -> None:
    """From the lines of the schedule: T_cur is 0 at S_i, and S_{i+1} - S_i = T_i, for symbolic i."""
    s = schedule("cosine_warm_restarts", lr=0.1, T_0=1, T_mult=2)
    lines = {symbol.name: e for symbol, e in s.lines}
    i = next(symbol for symbol, _ in s.lines if symbol.name == "i")
    S = s.t - lines["T_cur"]
    gap = (S.subs(i, i + 1).doit() - S.doit() - lines["T_i"]).subs(
        sp.Symbol("T_mult", integer=True, positive=True), 5
    )
    assert sp.simplify(gap) == 0
