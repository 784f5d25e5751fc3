"""The Numba steps: in every elementwise dialect the bits of the NumPy steps, whatever they are handed."""

import inspect
import math
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="the extra 'fast' is not installed")

from optverify.backends import numba as backend
from optverify.backends import step
from optverify.backends.numba import numba_module, numba_source
from optverify.backends.numpy import numpy_module
from optverify.rules import registry, rule
from optverify.steps import _engine, _fast
from tests.steps.compare import RATES, THETA, assert_same_bits, hostile, label, values_of

ELEMENTWISE = [registry.get(name) for name in registry.names() if not backend.obstacle(registry.get(name))]
OTHERS = [name for name in registry.names() if backend.obstacle(registry.get(name))]
NEAR = [d for r in ELEMENTWISE for d in r.dialects(1) if not backend.obstacle(d)]
"""All dialects that differ from the paper's in one choice."""
FEATURES = {
    "a power": rule("padam"),
    "a condition of t": rule("radam"),
    "a choice at the first update": rule("momentum", first_buffer="gradient"),
    "maximum and absolute value": rule("adamax"),
    "sign": rule("lion"),
    "an old state read late": rule("ftrl"),
    "a gradient that is changed first": rule("adamw", weight_decay_form="coupled", maximize=True),
    "four states": rule("adan"),
    "no state": rule("gd"),
    "a choice for each coordinate": rule("rprop"),
    "a state that is a number": rule("nadam"),
}


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    """A cache folder of the tests, shared, so that what is compiled once is compiled once."""
    folder = tmp_path_factory.mktemp("numba")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "user_cache_path", lambda name: folder / name)
        yield folder


def interpreted(module):
    """The module with its loops run by Python: the code as it is generated, without a compiler."""
    names = module.__dict__
    for name, value in list(names.items()):
        if hasattr(value, "py_func"):
            names[name] = value.py_func
    names["sqrt"] = np.sqrt  # Python's has no float32
    plan = names["_PLAN"]
    for kernel in (plan.update, plan.step, *(stage.base for stage in plan.stages)):
        kernel.loop = kernel.loop.py_func
        kernel.ready = [np.dtype("f"), np.dtype("d")]
    return module


def tiled(x, copies=25):
    """Hostile numbers, and others beside them, so that loops of vectors and their rests are run."""
    rng = np.random.default_rng(x.size)
    return np.concatenate([x, *(x * rng.uniform(0.5, 2, x.size) for _ in range(copies)), x[:3]])


def assert_same_run(dialect, fast, dtype, copies=25):
    plain, values = numpy_module(dialect), values_of(dialect)
    theta, gradients = tiled(THETA, copies).astype(dtype), [tiled(g, copies).astype(dtype) for g in hostile()]
    initial = {n: values[n] for n in inspect.signature(plain.init).parameters if n != "theta"}
    given = {n: values[n] for n in inspect.signature(plain.step).parameters if n in values}
    expected, state = theta, plain.init(theta, **initial)
    stepped, stepped_state = theta, fast.init(theta, **initial)
    written, written_state = theta.copy(), fast.init(theta, **initial)
    for lr, g in zip(RATES, gradients, strict=True):
        if "lr" in given:
            given["lr"] = lr
        expected, state = plain.step(expected, g, state, **given)
        stepped, stepped_state = fast.step(stepped, g, stepped_state, **given)
        written_state = fast.update(written, g, written_state, **given)
        for way, at, after in (("step", stepped, stepped_state), ("update", written, written_state)):
            assert_same_bits(at, expected, f"theta by {way}")
            for name, got, want in zip(state._fields[1:], after[1:], state[1:], strict=True):
                assert_same_bits(got, want, f"{name} by {way}")
    assert state.t == stepped_state.t == written_state.t == len(RATES)


# ---- bits --------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dialect", NEAR, ids=label)
def test_the_lines_of_every_dialect_give_the_bits_of_the_numpy_steps(dialect, dtype):
    assert_same_run(dialect, interpreted(numba_module.__wrapped__(dialect)), dtype, copies=0)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("feature", FEATURES)
def test_compiled_lines_do_too_whatever_they_are_made_of(feature, dtype):
    assert_same_run(FEATURES[feature], numba_module(FEATURES[feature]), dtype)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dialect", ELEMENTWISE, ids=label)
def test_every_rule_compiles_and_gives_the_bits_of_the_numpy_steps(dialect):
    theta, gradients = tiled(THETA).astype("f"), [tiled(g).astype("f") for g in hostile()]
    plain, fast, given = numpy_module(dialect), numba_module(dialect), values_of(dialect)
    initial = {n: given[n] for n in inspect.signature(plain.init).parameters if n != "theta"}
    given = {n: given[n] for n in inspect.signature(plain.step).parameters if n in given}
    other, state, fast_state = theta.copy(), plain.init(theta, **initial), fast.init(theta, **initial)
    for g in gradients:
        state, fast_state = plain.update(theta, g, state, **given), fast.update(other, g, fast_state, **given)
    for got, want in zip((other, *fast_state[1:]), (theta, *state[1:]), strict=True):
        assert_same_bits(got, want)


def test_no_multiplication_is_contracted_with_an_addition():
    """With a fused multiply-add the rounding error of the product would be left in the difference."""
    fast = step("gd", backend="numba")
    x = 1 + 2.0**-30
    theta, g = np.full(64, x * x), np.full(64, x)
    for _ in range(2):  # the careful way, then the fast one
        new, _ = fast.step(theta, g, fast.init(theta), lr=x)
        assert np.array_equal(new, np.zeros(64))
    assert math.fma(x, x, -(x * x)) != 0 if hasattr(math, "fma") else True


# ---- what they are handed ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def adam():
    module = step("adam", backend="numba")
    for dtype in "fd":
        theta = np.zeros(3, dtype)
        module.update(theta, theta.copy(), module.init(theta))
        module.step(theta, theta.copy(), module.init(theta))
    return module


PLAIN = numpy_module(rule("adam"))


def numbers(shape, dtype="f", count=2):
    return np.random.default_rng(0).standard_normal((count, *shape)).astype(dtype)


@pytest.mark.parametrize(
    ("shape", "make"),
    [
        ((), np.array),
        ((0,), np.array),
        ((3, 4), np.array),
        ((2, 3, 4), np.array),
        ((3, 4), np.asfortranarray),
        ((5,), lambda x: np.repeat(x, 2)[::2]),
        ((5,), lambda x: x[::-1]),
    ],
    ids=["number", "empty", "matrix", "cube", "fortran", "every other", "backwards"],
)
@pytest.mark.parametrize("dtype", ["e", "f", "d", "g", "F", ">f", ">d"])
def test_any_shape_layout_and_type_is_stepped_as_by_numpy(adam, shape, make, dtype):
    raw, g = numbers(shape, dtype)
    theta, g = make(raw), make(g)
    expected, state = PLAIN.step(theta, g, PLAIN.init(theta))
    got, got_state = adam.step(theta, g, adam.init(theta))
    written, written_state = make(raw.copy()), adam.init(theta)
    after = adam.update(written, g, written_state)
    for x in (got, written):
        assert_same_bits(x, expected)
    for x in (got_state, after):
        assert_same_bits(x.m, state.m)
        assert_same_bits(x.v, state.v)
    assert after.m is written_state.m


def test_a_gradient_of_another_type_or_read_only_is_taken(adam):
    theta, g = numbers((7,))
    g.flags.writeable = False
    expected, _ = PLAIN.step(theta, g, PLAIN.init(theta))
    assert_same_bits(adam.step(theta, g, adam.init(theta))[0], expected)
    assert_same_bits(adam.step(theta, g.astype("d"), adam.init(theta))[0], expected)
    assert_same_bits(adam.step(theta, list(g), adam.init(theta))[0], expected)


def test_no_argument_of_a_pure_step_is_written_to(adam):
    theta, g = numbers((9,))
    state = adam.init(theta)
    copies = [theta.copy(), g.copy(), state.m.copy()]
    new, after = adam.step(theta, g, state)
    for x, copy in zip((theta, g, state.m), copies, strict=True):
        assert_same_bits(x, copy)
    for x in (new, after.m, after.v):
        assert not any(np.may_share_memory(x, y) for y in (theta, g, state.m, state.v))


@pytest.mark.parametrize("where", ["theta", "theta, earlier", "theta, later", "m"])
def test_a_gradient_that_shares_memory_is_read_before_it_is_overwritten(adam, where):
    memory = numbers((20,), count=1)[0]
    theta = memory[3:15]
    state = adam.init(theta)._replace(m=memory[5:17].copy(), t=3)
    grad = {
        "theta": theta, "theta, earlier": memory[:12], "theta, later": memory[6:18], "m": state.m,
    }[where]  # fmt: skip
    expected, after = PLAIN.step(theta, grad.copy(), PLAIN.State(*state))
    adam.update(theta, grad, state)
    assert_same_bits(theta, expected)
    assert_same_bits(state.m, after.m)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"lr": 0.0}, ValueError, "lr = 0.0 is out of range"),
        ({"lr": True}, TypeError, "lr = True is not a number"),
        ({"beta1": 1.0}, ValueError, "beta1 = 1.0 is out of range"),
        ({"beta1": np.array([0.1, 0.2])}, TypeError, "is not a number"),
        ({"eps": "small"}, TypeError, "eps = 'small' is not a number"),
        ({"lr": lambda t: -1.0}, ValueError, "the schedule gave lr = -1.0 at t = 0"),
    ],
)
def test_hyperparameters_are_refused_as_by_numpy_and_nothing_is_written(adam, change, error, message):
    theta, g = numbers((5,))
    state = adam.init(theta)
    for _ in range(2):
        before = theta.copy()
        with pytest.raises(error, match=message):
            adam.update(theta, g, state, **change)
        assert_same_bits(theta, before)
        assert not state.m.any()
        state = adam.update(theta, g, adam.init(theta))  # what was remembered does not help a refused value
        state = adam.init(theta)


def test_a_schedule_may_be_zero_where_a_number_may_not(adam):
    theta, g = numbers((5,))
    new, _ = adam.step(theta, g, adam.init(theta), lr=lambda t: 0.0)
    assert_same_bits(new, theta)
    with pytest.raises(ValueError, match=r"lr = 0\.0 is out of range"):
        adam.step(theta, g, adam.init(theta), lr=0.0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (lambda x, s: (x, x[:2], s), ValueError, r"grad has shape \(2,\) but theta has shape \(5,\)"),
        (lambda x, s: (x, x, s._replace(m=x[:2])), ValueError, "state.m has shape"),
        (lambda x, s: (x, x, s._replace(v=x.astype("d"))), ValueError, "state.v has shape"),
        (lambda x, s: (x, x, (0, x, x)), TypeError, "state must be a State"),
        (lambda x, s: (x, x, s._replace(t=-1)), ValueError, "is not a number of updates"),
        (lambda x, s: (x, x, s._replace(t=1.0)), ValueError, "is not a number of updates"),
        (lambda x, s: (np.ma.array(x), x, s), TypeError, "masked array"),
        (lambda x, s: (x.astype(int), x, s), TypeError, "floating-point"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_as_by_numpy(adam, arguments, error, message):
    x = numbers((5,), count=1)[0]
    with pytest.raises(error, match=message):
        adam.update(*arguments(x, adam.init(x)))


def test_read_only_parameters_are_refused_by_update(adam):
    theta, g = numbers((5,))
    state = adam.init(theta)
    theta.flags.writeable = False
    with pytest.raises(ValueError, match="theta, which is read-only"):
        adam.update(theta, g, state)


@pytest.mark.parametrize("name", ["adam", "padam", "gd"])
def test_threads_and_blocks_leave_no_trace(name, monkeypatch):
    plain, fast = step(name), step(name, backend="numba")
    theta, g = numbers((10_007,))
    expected, state = plain.step(theta, g, plain.init(theta))
    monkeypatch.setattr(_fast, "ALONE", 0)
    monkeypatch.setattr(_fast, "SHARE", 4000)
    monkeypatch.setattr(_fast, "THREADS", 3)
    monkeypatch.setattr(_fast, "BLOCK", 1000)
    new, after = fast.step(theta, g, fast.init(theta))
    written, written_after = theta.copy(), fast.init(theta)
    fast.update(written, g, written_after)
    for x in (new, written):
        assert_same_bits(x, expected)
    for x, y in zip(after[1:], state[1:], strict=True):
        assert_same_bits(x, y)


def test_an_exception_in_a_thread_reaches_the_caller_and_all_shares_are_done(monkeypatch):
    monkeypatch.setattr(_fast, "THREADS", 3)
    done = []

    def span(first, last):
        done.append((first, last))
        if first:
            raise FloatingPointError(f"from {first}")

    with pytest.raises(FloatingPointError, match="from"):
        _fast.shared(span, 9, 3 * _fast.ALONE)
    assert sorted(done) == [(0, 3), (3, 6), (6, 9)]


def test_without_threads_to_be_had_one_does_it_all(monkeypatch):
    def no_thread(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_fast, "THREADS", 3)
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    done = []
    _fast.shared(lambda first, last: done.append((first, last)), 9, 3 * _fast.ALONE)
    assert sorted(done) == [(0, 3), (3, 6), (6, 9)]


def test_threads_keep_the_settings_of_numpy(monkeypatch):
    monkeypatch.setattr(_fast, "ALONE", 0)
    monkeypatch.setattr(_fast, "SHARE", 4)
    monkeypatch.setattr(_fast, "THREADS", 3)
    madgrad = step("madgrad", backend="numba")
    theta, g = np.ones(6), np.zeros(6)
    state = madgrad.init(theta)._replace(nu=np.full(6, -1.0))  # its cube root is no number
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        madgrad.step(theta, g, state)
    with np.errstate(all="ignore"):
        assert np.isnan(madgrad.step(theta, g, state)[0]).all()


def test_updates_from_many_threads_do_not_mix_hyperparameters(adam):
    theta, g = numbers((50,))
    wanted = {lr: PLAIN.step(theta, g, PLAIN.init(theta), lr=lr)[0] for lr in (0.1, 0.2, 0.3)}
    wrong = []

    def work(lr):
        for _ in range(300):
            if not np.array_equal(adam.step(theta, g, adam.init(theta), lr=lr)[0], wanted[lr]):
                wrong.append(lr)

    threads = [threading.Thread(target=work, args=(lr,)) for lr in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# ---- which rules, and where code is kept -------------------------------------------------------------------


@pytest.mark.parametrize("name", OTHERS)
def test_other_rules_are_refused_in_one_sentence(name):
    with pytest.raises(ValueError, match=f"rule '{name}' .* numba has elementwise rules only, use .*numpy"):
        step(name, backend="numba")


def test_the_names_are_those_of_the_numpy_module():
    fast = step("nesterov", backend="numba")
    assert (fast.RULE, fast.LOOKS_AHEAD) == ("nesterov", True)
    theta, g = numbers((4,))
    state = fast.update(theta, g, fast.init(theta))
    assert_same_bits(fast.gradient_point(theta, state), theta + 0.9 * state.v)
    assert "v = momentum * v - lr * g" in fast.source


def test_the_source_is_kept_once_and_a_changed_file_is_not_run(cache):
    source = numba_source(rule("adam"))
    path = backend._kept("adam", source)
    assert path.read_text("utf-8") == source
    stamp = path.stat().st_mtime_ns
    assert backend._kept("adam", source) == path
    assert path.stat().st_mtime_ns == stamp
    path.write_text("raise SystemExit('this was in the cache')\n")
    numba_module.__wrapped__(rule("adam"))
    assert path.read_text("utf-8") == source
    assert [p.name for p in path.parent.glob("tmp*")] == []


def test_what_is_compiled_is_taken_from_the_cache(cache):
    theta, g = numbers((4,))
    for hits in (0, 1):
        fast = numba_module.__wrapped__(rule("gd", maximize=True))
        fast.update(theta, g, fast.init(theta))
        stats = fast._UPDATE.loop.stats
        assert bool(sum(stats.cache_hits.values())) == bool(hits)


def test_without_a_cache_folder_steps_are_compiled_all_the_same(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(backend, "user_cache_path", lambda name: tmp_path / "file" / name)
    fast = numba_module.__wrapped__(rule("gd"))
    theta, g = numbers((4,))
    expected = theta - np.float32(0.01) * g
    fast.update(theta, g, fast.init(theta))
    assert_same_bits(theta, expected)


def test_without_numba_the_message_says_what_to_install():
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import optverify as ov\n"
        "try: ov.step('adam', backend='numba')\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Numba is not installed: install it with pip install 'optverify[fast]'")


def test_importing_the_backend_does_not_import_numba():
    code = "import sys, optverify.backends.numba; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_numpy_module_is_what_odd_arrays_go_to(adam, monkeypatch):
    """float16 is no business of the loops: the engine of the NumPy steps is asked."""
    asked = []
    monkeypatch.setattr(_engine, "pure", lambda plan, *arguments: asked.append(plan))
    theta = np.zeros(3, "e")
    adam.step(theta, theta, adam.init(theta))
    assert asked == [adam._PLAN.numpy]


def test_the_section_of_the_readme_runs():
    text = Path(__file__).parents[2].joinpath("README.md").read_text("utf-8")
    section = text.split("## Speed")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    names = {}
    exec(code, names)
    assert names["state"].t == names["optimizer"].t == 1
    assert np.all(names["theta"] < 0)
    assert all(np.all(p < 0) for p in names["params"])
