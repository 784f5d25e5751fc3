"""The benchmark: its textbook classes are the rules, competitors take turns, its sums are right."""

import json
from pathlib import Path

import numpy as np
import pytest

from optverify import bench
from optverify.backends import step
from optverify.bench import growth, memory, ours, peers, startup, timing
from optverify.bench.timing import Cell, Load
from optverify.libraries import library
from optverify.report.benchmarks import page
from optverify.report.figures.benchmarks import benchmarks

SMALL = Load(4, 1, "float32")


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


# ---- taking turns ------------------------------------------------------------------------------------------


class Clock:
    """A clock that is moved by the competitors."""

    def __init__(self, monkeypatch):
        self.now, self.order = 0.0, ""
        monkeypatch.setattr(timing, "perf_counter", lambda: self.now)

    def competitor(self, letter, *seconds):
        durations = list(seconds)

        def update():
            self.order += letter
            self.now += durations.pop(0) if len(durations) > 1 else durations[0]

        return update


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_times_are_those_of_the_clock_and_ratios_are_of_one_round(clock):
    made = {"a": clock.competitor("A", 9, 9, 1, 2, 3), "b": clock.competitor("B", 9, 9, 2, 2, 12)}
    times = timing.compete(made, rounds=3)
    assert times == {"a": [1, 2, 3], "b": [2, 2, 12]}
    cell = timing.summary("adam", SMALL, times, [("b", "a"), ("b", "nobody")])
    assert cell.seconds["a"] == (1.5, 2, 2.5)
    assert cell.ratios == {"b/a": (1.5, 2, 3)}  # of 2, 1 and 4
    assert cell.rounds == 3
    assert cell.nanoseconds("a") == 2e9 / 4


def test_everyone_begins_as_often(clock):
    timing.compete({letter: clock.competitor(letter, 1) for letter in "ABC"}, rounds=6)
    assert clock.order[6:] == "ABCBCACAB" * 2


def test_turns_last_alike_and_the_slow_take_fewer(clock, monkeypatch):
    monkeypatch.setattr(timing, "TURN_SECONDS", 8)
    made = {"a": clock.competitor("A", 2), "b": clock.competitor("B", 20), "c": clock.competitor("C", 100)}
    times = timing.compete(made, seconds=100)
    assert clock.order[6:12] == "AAAABC"
    assert [len(times[name]) for name in made] == [timing.MOST, 5, timing.FEW]
    assert clock.order[-4:] == "AAAA"
    cell = timing.summary("adam", SMALL, times, [("c", "a")])
    assert (cell.rounds, cell.ratios["c/a"]) == (timing.MOST, (50, 50, 50))


def test_an_interrupted_trial_does_not_shorten_the_turns(clock, monkeypatch):
    monkeypatch.setattr(timing, "TURN_SECONDS", 8)
    monkeypatch.setattr(timing, "QUICK", 100)
    timing.compete({"a": clock.competitor("A", 1, 50, 1)}, rounds=1)
    assert clock.order == "A" * (2 + timing.TRIALS + 8)


def test_threads_of_others_are_given_time_to_sleep(clock, monkeypatch):
    slept = []
    monkeypatch.setattr(timing, "sleep", slept.append)
    timing.compete({letter: clock.competitor(letter, 1) for letter in "AB"}, rounds=3)
    assert slept == [timing.PAUSE] * 6


def test_one_round_has_no_spread():
    assert timing.spread([3.0]) == (3, 3, 3)


# ---- who competes ------------------------------------------------------------------------------------------


def moved(update, array):
    before = array.copy()
    update()
    return not np.array_equal(before, array)


@pytest.mark.parametrize("load", [SMALL, Load(3, 2, "float64")])
def test_everyone_makes_one_update_of_the_same_numbers(load, monkeypatch):
    """The parameters that each competitor owns, after three calls, are those of three updates."""
    owned = []
    arrays = ours.arrays
    monkeypatch.setattr(ours, "arrays", lambda load: owned.append(arrays(load)) or owned[-1])
    slope = ours.gradient(load)
    made = ours.competitors("adam", load, slope)
    names = [n for n in made if n not in ours.PURE.values()]
    for _ in range(3):
        for update in made.values():
            update()
    module = step("adam")
    theta = np.zeros(load.numbers, load.dtype)
    state = module.init(theta)
    for _ in range(3):
        theta, state = module.step(theta, slope, state)
    ends = {n: np.concatenate(a) for n, a in zip(made, owned, strict=True)}
    for name in names:
        if name != ours.BARE:
            np.testing.assert_allclose(ends[name], theta, rtol=1e-5)
    assert set(names) >= {ours.NUMPY, ours.TEXT}
    if ours.has_numba():
        np.testing.assert_allclose(ends[ours.BARE], 3 * slope, rtol=1e-5)


@pytest.mark.parametrize("states", range(5))
def test_the_bare_pass_only_adds(states):
    pytest.importorskip("numba", reason="the extra 'fast' is not installed")
    rule = ours.bare_rule(states)
    assert len(rule.states) == states
    assert all(code.endswith(" + g") for code in rule_lines(rule))


def rule_lines(rule):
    from optverify.backends.python import recurrence

    return [code for _, code in recurrence(rule).lines]


def test_every_rule_of_the_libraries_can_be_spelled_for_a_call():
    """The arguments that a library has to be given are filled in, tuples and switches included."""
    made = {}
    for name in ("torch", "optax"):
        for entry in library(name).entries:
            if entry.rule in ours.elementwise():
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(peers, "import_module", lambda module: Anything())
                    made[name, entry.rule] = peers.maker(entry).keywords
    assert made["torch", "adam"] == {}
    assert made["torch", "momentum"] == {"momentum": 0.9}
    assert made["torch", "nesterov"] == {"nesterov": True, "momentum": 0.9}
    assert made["torch", "amsgrad"] == {"amsgrad": True}
    assert made["optax", "gd"] == {"learning_rate": 0.01}
    assert made["optax", "momentum"] == {"learning_rate": 0.01, "momentum": 0.9}
    assert made["optax", "adan"]["eps"] == 0.0


class Anything:
    """A module that has every name."""

    def __getattr__(self, name):
        return lambda **keywords: keywords


@pytest.mark.parametrize("rule", ["adam", "momentum", "rmsprop", "lion"])
def test_other_libraries_compete_where_they_are_installed(rule):
    made = peers.competitors(rule, SMALL, ours.gradient(SMALL))
    installed = {name: peers.entry(name, rule) is not None for name in ("torch", "optax")}
    assert ("torch" in made, "torch foreach" in made, "optax" in made) == (
        installed["torch"], installed["torch"], installed["optax"],
    )  # fmt: skip
    if not installed["torch"]:
        assert "torch fused" not in made
    for update in made.values():
        update()


def test_a_path_that_a_class_of_torch_does_not_have_is_left_out():
    pytest.importorskip("torch", reason="a run with PyTorch is in the tests of the libraries")
    made = peers.competitors("rmsprop", SMALL, ours.gradient(SMALL))
    assert {n for n in made if n.startswith("torch")} == {"torch", "torch foreach"}


# ---- what is measured --------------------------------------------------------------------------------------


def test_every_rule_is_measured_under_every_load():
    jobs = bench.work(sizes=[4, 8], tree=True)
    assert len(jobs) == len(ours.elementwise()) * 6
    assert (Load(1000, 1000, "float64"), "yogi") in jobs
    told = []
    cells = bench.run(jobs[:2], others=False, rounds=1, progress=lambda *now: told.append(now))
    assert [(c.rule, c.load) for c in cells] == [("adabelief", jobs[0][0]), ("adabound", jobs[0][0])]
    assert told == [(0, "adabelief, 4, float32"), (1, "adabound, 4, float32")]
    assert all(min(column) > 0 for c in cells for column in (*c.seconds.values(), *c.ratios.values()))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rules": ["adm"]}, "unknown elementwise rule 'adm'; did you mean 'adam'"),
        ({"rules": ["muon"]}, "unknown elementwise rule 'muon'"),
        ({"sizes": (0,)}, "size = 0 is out of range"),
        ({"dtypes": ["float16"]}, "unknown type 'float16'"),
    ],
)
def test_what_cannot_be_measured_is_named(given, message):
    with pytest.raises(ValueError, match=message):
        bench.work(**given)


def test_an_allocation_is_seen_and_counted_once():
    kept = []
    size = 5_000_000  # above 32 MiB no freed memory is used again, so that a process must grow by it
    load = Load(size, 1, "float64")
    found = memory.measured("gd", load, ours.PURE[ours.NUMPY], lambda: kept.append(np.ones(size)))
    assert 8 * size <= found.traced < 8 * size + 10_000
    assert found.results == 8 * size
    assert found.resident is None or found.resident > 7.6 * size
    assert bench.Results({}, []).allocates_little(found)
    quiet = memory.measured("gd", load, ours.NUMPY, lambda: None)
    assert quiet.traced < 10_000
    assert quiet.results == 0


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", ["gd", "adam", "padam"])
@pytest.mark.parametrize("count", [1, 100])
def test_updates_in_place_allocate_less_than_a_mebibyte_and_pure_ones_their_results(backend, name, count):
    if backend == "numba":
        pytest.importorskip("numba", reason="the extra 'fast' is not installed")
    load = Load(2_000_000 // count, count, "float32")
    made = ours.competitors(name, load, ours.gradient(load))
    for which in (backend, ours.PURE[backend]):
        if which in made:
            found = memory.measured(name, load, which, made[which])
            assert bench.Results({}, []).allocates_little(found), found
            assert found.results == (0 if which == backend else 8_000_000 * (1 + len(ours.states(name))))


def test_the_slope_of_a_line_is_1_and_of_a_square_2():
    assert growth.slope((10, 100, 1000), (3, 30, 300)) == pytest.approx(1)
    assert growth.slope((10, 100, 1000), (1, 100, 10000)) == pytest.approx(2)


def test_growth_is_measured_for_every_backend():
    found = growth.growths("gd", parameters=(10, 20), steps=(1, 2))
    backends = ["numpy", "numba"] if ours.has_numba() else ["numpy"]
    assert [(g.of, g.competitor) for g in found] == [
        (of, name) for of in ("parameters", "steps") for name in backends
    ]
    assert all(min(g.seconds) > 0 for g in found)


def test_starts_runs_fresh_interpreters():
    found = startup.starts(runs=1)
    assert all(0 < s.least <= s.median for s in found)
    if ours.has_numba():
        compiled, taken = (s.least for s in found if s.what.startswith("first update"))
        assert compiled > taken


def test_the_machine_is_named():
    assert bench.machine()["numpy"] == np.__version__
    assert all(bench.machine().values())


# ---- what comes of it --------------------------------------------------------------------------------------


def cell(ratio, value, size=10**7, count=1):
    load = Load(size, count, "float32")
    names = ratio.split("/")
    triple = (value - 0.1, value, value + 0.1)
    return Cell("adam", load, 9, dict.fromkeys(names, (1e-3, 2e-3, 3e-3)), {ratio: triple})


@pytest.mark.parametrize(
    ("ratio", "value", "size", "count", "verdict"),
    [
        ("numba/bare pass", 1.0, 10**7, 1, "yes"),
        ("numba/bare pass", 1.2, 10**7, 1, "level"),
        ("numba/bare pass", 1.4, 10**7, 1, "no"),
        ("torch fused/numba", 1.01, 10**7, 1, "yes"),
        ("torch fused/numba", 0.95, 10**7, 1, "level"),
        ("optax/numba", 0.8, 10**7, 1, "no"),
        ("torch/numba", 3.0, 10**3, 1, "no"),
        ("torch foreach/numba", 5.5, 10**3, 10**3, "yes"),
        ("textbook/numpy", 2.0, 10**7, 1, "no"),
    ],
)
def test_a_required_figure_is_reached_or_not(ratio, value, size, count, verdict):
    results = bench.Results({}, [cell(ratio, value, size, count)])
    assert [v for *_, v in results.required()] == [verdict]
    assert ("Not reached:" in page(results)) == (verdict != "yes")


def results_of_a_run():
    jobs = bench.work(["adam", "gd"], sizes=[4, 8], tree=False)
    cells = bench.run(jobs, others=False, rounds=2)
    found = memory.measured("adam", jobs[0][0], ours.NUMPY, lambda: None)
    return bench.Results(
        bench.machine(),
        cells,
        [found],
        growth.growths("gd", parameters=(10, 20), steps=(1, 2)),
        [startup.Start("a thing", 1.0, 2.0)],
    )


def test_results_are_read_back_as_they_were_written():
    results = results_of_a_run()
    data = json.loads(json.dumps(results.data()))
    again = bench.Results.read(data)
    assert again.data() == data
    assert page(again) == page(bench.Results.read(again.data()))
    assert benchmarks(again) == benchmarks(bench.Results.read(data))


def test_the_page_has_every_number_and_says_who_is_fastest():
    slow, fast = cell("numba/bare pass", 1.0), cell("torch fused/numba", 0.5)
    fast.seconds["torch fused"] = (1e-4, 2e-4, 3e-4)
    text = page(bench.Results({"cpu": "one"}, [slow, fast]))
    assert "cpu one." in text
    assert "| adam |  | 0.2 | 0.02 |  | torch fused |" in text.replace("  ", " ").replace("| |", "|  |")
    assert "torch fused/numba = 0.50 (0.40 to 0.60), required at least 1" in text


@pytest.mark.parametrize(("load", "busy"), [("1.9", False), ("2.1", True)])
def test_the_page_says_that_the_machine_was_busy(load, busy):
    text = page(bench.Results({"cpus": "2", "load": load}, [cell("numba/bare pass", 1.0)]))
    assert ("The machine was busy" in text) == busy


def test_the_committed_page_is_that_of_the_committed_numbers():
    folder = Path(__file__).parents[2] / "reports"
    results = bench.Results.read(json.loads((folder / "benchmarks.json").read_text("utf-8")))
    assert (folder / "benchmarks.md").read_text("utf-8") == page(results)
