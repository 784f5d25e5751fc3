"""The benchmark: its textbook classes are the rules, its competitors take turns, its sums are right."""

import itertools

import numpy as np
import pytest

from optverify import bench
from optverify.backends import step


@pytest.mark.parametrize("name", bench.TEXTBOOK)
def test_the_textbook_class_makes_the_updates_of_the_rule(name):
    rng = np.random.default_rng(0)
    theta = rng.standard_normal(20)
    textbook, p = bench.TEXTBOOK[name](), theta.copy()
    module = step(name)
    state = module.init(theta)
    for _ in range(5):
        g = rng.standard_normal(20)
        textbook.update(p, g)
        before = theta
        theta, state = module.step(theta, g, state)
        np.testing.assert_allclose(p, theta, rtol=1e-12)
        assert not np.array_equal(before, theta)


class Clock:
    """A clock that is moved by the competitors: 8, 4 and 2 seconds an update."""

    def __init__(self):
        self.now, self.order = 0.0, []

    def competitor(self, letter, seconds):
        def make(name, size, dtype):
            def compete():
                self.now += seconds
                self.order.append(letter)

            return compete

        return make

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(bench, "perf_counter", clock)
    for function, letter, seconds in (("_textbook", "T", 8), ("_step", "S", 4), ("_update", "U", 2)):
        monkeypatch.setattr(bench, function, clock.competitor(letter, seconds))
    return clock


def test_ratios_and_nanoseconds_are_those_of_the_clock(clock):
    (row,) = bench.run(sizes=(100,), rules=["adam"], rounds=5)
    assert (row.rule, row.size, row.dtype, row.rounds, row.threads) == ("adam", 100, "float32", 5, 1)
    assert (row.textbook, row.step, row.update) == (8e7, 4e7, 2e7)
    assert row.step_ratio == (0.5, 0.5, 0.5)
    assert row.update_ratio == (0.25, 0.25, 0.25)


def test_short_updates_are_repeated_and_long_ones_take_few_rounds(clock, monkeypatch):
    monkeypatch.setattr(bench, "ROUND_SECONDS", 6)
    monkeypatch.setattr(bench, "SECONDS", 180)
    (row,) = bench.run(sizes=(100,), rules=["adam"])
    assert row.rounds == 10  # the fastest takes 2 seconds: 3 updates a turn, 18 seconds a round
    assert clock.order[6:9] == ["T"] * 3
    monkeypatch.setattr(bench, "SECONDS", 0)
    (row,) = bench.run(sizes=(100,), rules=["adam"])
    assert row.rounds == 9


def test_the_competitors_take_turns_and_each_begins_as_often(clock):
    bench.run(sizes=(100,), rules=["adam"], rounds=6)
    rounds = ["".join(clock.order[i : i + 3]) for i in range(6, len(clock.order), 3)]
    assert rounds == ["TSU", "SUT", "UTS"] * 2


def test_the_quartiles_are_taken_over_the_rounds(monkeypatch):
    durations = iter([1, 1, 1])  # the trial
    ratios = [0.1, 0.2, 0.3, 0.4, 0.5]
    times = [(1.0, ratio, 2 * ratio) for ratio in ratios]
    turns = [(t[i % 3], t[(i + 1) % 3], t[(i + 2) % 3]) for i, t in enumerate(times)]
    feed = itertools.chain(durations, itertools.chain.from_iterable(turns))
    monkeypatch.setattr(bench, "_time", lambda compete, updates: next(feed))
    (row,) = bench.run(sizes=(10,), rules=["gd"], rounds=5)
    assert row.step_ratio == pytest.approx((0.2, 0.3, 0.4))
    assert row.update_ratio == pytest.approx((0.4, 0.6, 0.8))


def test_a_real_run_gives_a_row_for_each_rule_and_size_and_tells_how_far_it_is():
    told = []
    rows = bench.run(sizes=(4, 8), rules=["gd", "adam"], rounds=1, progress=lambda *now: told.append(now))
    assert [(row.size, row.rule) for row in rows] == [(4, "gd"), (4, "adam"), (8, "gd"), (8, "adam")]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for row in rows:
        assert min(row.textbook, row.step, row.update, *row.step_ratio, *row.update_ratio) > 0


def test_a_real_competitor_makes_one_update_a_call():
    for make in (bench._step, bench._update, bench._textbook):
        compete = make("adam", 3, np.dtype("f"))
        for _ in range(3):
            compete()
        cells = dict(zip(compete.__code__.co_freevars, compete.__closure__, strict=True))
        made = cells["state"].cell_contents if "state" in cells else cells["optimizer"].cell_contents
        assert made.t == 3


def test_unknown_rules_and_empty_sizes_are_refused():
    with pytest.raises(ValueError, match="unknown rule 'adan'; did you mean 'adam'"):
        bench.run(rules=["adan"])
    with pytest.raises(ValueError, match="size = 0 is out of range"):
        bench.run(sizes=(0,))


def test_starts_runs_fresh_interpreters_and_the_machine_is_named():
    for start in bench.starts(runs=1):
        assert start.least == start.median > 0
    assert bench.machine()["numpy"] == np.__version__
    assert all(bench.machine().values())
