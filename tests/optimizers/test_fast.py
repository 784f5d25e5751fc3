"""Optimizer(backend="numba"): whole trees in one compiled call, and all that the other backend promises."""

import copy
import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("numba", reason="the extra 'fast' is not installed")

import optverify as ov
from optverify.rules import registry
from optverify.steps import _fast, _fast_trees
from tests.steps.compare import assert_same_bits

SHAPES = [(3, 4), (7,), (), (0,), (2, 1, 3), (129,)]


def tree(seed=0, dtype="d"):
    """A dict with a nested list and a tuple."""
    rng = np.random.default_rng(seed)
    a, b, c, d, e, f = (np.array(rng.standard_normal(shape), dtype) for shape in SHAPES)
    return {"first": [a, (b, c)], "second": {"x": d, "y": [e, f]}}


def flat(nested):
    if isinstance(nested, np.ndarray | np.generic):
        return [nested]
    parts = nested.values() if isinstance(nested, dict) else nested
    return [x for part in parts for x in flat(part)]


def assert_same_trees(got, wanted):
    for x, y in zip(flat(got), flat(wanted), strict=True):
        assert_same_bits(x, y)


def states(optimizer):
    """The arrays of the state, in order."""
    found = []

    def walk(node):
        if hasattr(node, "_fields"):
            assert node.t == optimizer.t
            found.extend(node[1:])
        else:
            for child in node.values() if isinstance(node, dict) else node:
                walk(child)

    walk(optimizer.state)
    return found


def both(name="adam", **settings):
    return ov.Optimizer(name, **settings), ov.Optimizer(name, backend="numba", **settings)


@pytest.fixture
def at_once(monkeypatch):
    """How many updates were made by one call for all arrays."""
    made = []
    update = _fast_trees.Table.update
    monkeypatch.setattr(_fast_trees.Table, "update", lambda *given: made.append(1) or update(*given))
    return made


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize(
    "name", ["gd", "momentum", "adam", "amsgrad", "adan", "radam", "rprop", "nadam", "schedule_free_adamw"]
)
def test_a_tree_is_updated_at_once_to_the_bits_of_numpy(name, dtype, at_once):
    plain, fast = both(name, lr=0.1)
    params, others = tree(dtype=dtype), tree(dtype=dtype)
    for seed in range(1, 5):
        assert_same_trees(fast.gradient_point(others), plain.gradient_point(params))
        assert plain.update(params, tree(seed, dtype))
        assert fast.update(others, tree(seed, dtype))
        assert_same_trees(others, params)
    assert len(at_once) == fast.t == 4
    for x, y in zip(states(fast), states(plain), strict=True):
        assert_same_bits(x, y)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_share_a_tree_wherever_they_cut_it(threads, monkeypatch):
    monkeypatch.setattr(_fast, "ALONE", 0)
    monkeypatch.setattr(_fast, "SHARE", 8)
    monkeypatch.setattr(_fast_trees, "QUICK", 1)
    monkeypatch.setattr(_fast, "THREADS", threads)
    plain, fast = both(lr=0.1)
    params, others = tree(), tree()
    for seed in range(1, 4):
        plain.update(params, tree(seed))
        fast.update(others, tree(seed))
    assert_same_trees(others, params)


def test_a_schedule_and_changed_hyperparameters_are_heeded():
    plain, fast = both(lr=ov.schedule("cosine", lr=0.1, total=5))
    params, others = tree(), tree()
    for seed in range(1, 7):
        if seed == 3:
            plain.beta1 = fast.beta1 = 0.5
        plain.update(params, tree(seed))
        fast.update(others, tree(seed))
    assert_same_trees(others, params)


def test_arrays_that_move_or_are_replaced_are_followed():
    plain, fast = both("momentum")
    params, others = [np.ones(3), np.ones(4)], [np.ones(3), np.ones(4)]
    fast.update(others, [np.ones(3), np.ones(4)])
    plain.update(params, [np.ones(3), np.ones(4)])
    others[1] = others[1].copy()  # another array with the same numbers
    for _ in range(2):
        fast.update(others, [np.ones(3), np.ones(4)])
        plain.update(params, [np.ones(3), np.ones(4)])
    assert_same_trees(others, params)
    others[1].resize(4, refcheck=False)  # the same object, its memory perhaps elsewhere
    fast.update(others, [np.ones(3), np.ones(4)])
    plain.update(params, [np.ones(3), np.ones(4)])
    assert_same_trees(others, params)


@pytest.mark.parametrize(
    "change",
    [
        lambda g: [g[0].astype("f"), g[1]],
        lambda g: [g[0].tolist(), g[1]],
        lambda g: [np.asfortranarray(g[0]), g[1]],
        lambda g: [np.repeat(g[0], 2, axis=0)[::2], g[1]],
        lambda g: [g[0].astype(">d"), g[1]],
        lambda g: [g[0], g[1].astype(int)],
    ],
    ids=["float32", "list", "fortran", "every other", "big-endian", "integers"],
)
def test_gradients_of_another_kind_are_taken_one_by_one(change, at_once):
    plain, fast = both()
    rng = np.random.default_rng(0)
    grads = change([rng.standard_normal((3, 4)), rng.standard_normal(5)])
    params, others = [np.ones((3, 4)), np.ones(5)], [np.ones((3, 4)), np.ones(5)]
    for _ in range(2):
        plain.update(params, grads)
        fast.update(others, grads)
    assert_same_trees(others, params)
    assert not at_once


@pytest.mark.parametrize("kind", ["e", "F", "g", ">f"])
def test_parameters_of_another_type_are_left_to_numpy(kind, at_once):
    plain, fast = both()
    params, others = [np.ones(5, kind)], [np.ones(5, kind)]
    plain.update(params, [np.full(5, 0.5)])
    fast.update(others, [np.full(5, 0.5)])
    assert_same_bits(others[0].astype("D"), params[0].astype("D"))
    assert not at_once


def test_parameters_of_mixed_types_are_updated_one_by_one(at_once):
    plain, fast = both()
    params, others = [np.ones(5, "f"), np.ones(3)], [np.ones(5, "f"), np.ones(3)]
    for optimizer, p in ((plain, params), (fast, others)):
        optimizer.update(p, [np.full(5, 0.5, "f"), np.full(3, 0.5)])
    assert_same_trees(others, params)
    assert not at_once


def test_a_rule_with_powers_is_updated_one_by_one(at_once):
    plain, fast = both("padam")
    params, others = tree(), tree()
    for seed in range(1, 4):
        plain.update(params, tree(seed))
        fast.update(others, tree(seed))
    assert_same_trees(others, params)
    assert not at_once


# ---- refusals: nothing is written --------------------------------------------------------------------------


def damaged(path):
    grads = tree(1)
    path(grads)
    return grads


REFUSALS = [
    (lambda g: g["first"][0].__setitem__((1, 2), np.nan), r'\["first"\]\[0\] holds nan at index \(1, 2\)'),
    (lambda g: g["second"]["y"][1].__setitem__(128, -np.inf), r'\["y"\]\[1\] holds -inf at index 128'),
    (lambda g: g["first"].__setitem__(0, np.ones((4, 3))), r"shape \(4, 3\)"),
    (lambda g: g["first"].__setitem__(0, None), "is None"),
    (lambda g: g["second"].pop("x"), r'grads\["second"\]\["x"\] is missing'),
    (lambda g: g["first"].append(np.ones(1)), "one too many"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "message"), REFUSALS)
@pytest.mark.parametrize("updates", [0, 2])
def test_what_does_not_fit_is_named_and_nothing_changes(damage, message, updates):
    _, fast = both()
    params = tree()
    for seed in range(updates):
        fast.update(params, tree(seed + 5))
    before, kept = copy.deepcopy(params), copy.deepcopy(fast.state_dict())
    with pytest.raises((ValueError, TypeError), match=message):
        fast.update(params, damaged(damage))
    assert_same_trees(params, before)
    assert fast.t == updates
    after = fast.state_dict()
    assert after["t"] == kept["t"]
    if updates:
        assert_same_trees(after["state"]["m"], kept["state"]["m"])
        fast.update(params, tree(1))
        assert fast.t == 3


def test_updates_with_a_gradient_that_is_not_finite_are_skipped():
    fast = ov.Optimizer("adam", backend="numba", on_nonfinite="skip")
    params = [np.ones(3)]
    assert fast.update(params, [np.ones(3)])
    before = params[0].copy()
    assert not fast.update(params, [np.array([1.0, np.inf, 0.0])])
    assert_same_bits(params[0], before)
    assert fast.t == 1


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("odd", [np.nan, -np.nan, np.inf, -np.inf])
def test_the_largest_finite_number_is_told_from_infinity(dtype, odd):
    params, largest = [np.ones(40, dtype)], np.finfo(dtype).max
    fast = ov.Optimizer("gd", backend="numba", lr=1e-30)
    grads = [np.full(40, -largest, dtype)]
    assert fast.update(params, grads)
    grads[0][39] = odd
    with pytest.raises(ValueError, match="at index 39"):
        fast.update(params, grads)


def test_read_only_parameters_and_shared_memory_are_refused():
    fast = ov.Optimizer("gd", backend="numba")
    memory = np.ones(8)
    with pytest.raises(ValueError, match=r"params\[1\] shares memory with params\[0\]"):
        fast.update([memory[:5], memory[4:]], [np.ones(5), np.ones(4)])
    params = [np.ones(3)]
    fast.update(params, [np.ones(3)])
    params[0].flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        fast.update(params, [np.ones(3)])
    assert_same_bits(params[0], np.full(3, 0.99))


def test_halves_of_one_array_are_parameters_of_their_own(at_once):
    memory = np.ones(8)
    fast = ov.Optimizer("gd", backend="numba", lr=0.5)
    fast.update([memory[4:], memory[:4]], [np.full(4, 1.0), np.full(4, 2.0)])
    assert_same_bits(memory, np.repeat([0.0, 0.5], 4))
    assert at_once


@pytest.mark.parametrize("whose", ["its own", "another's", "a piece of another's"])
def test_a_gradient_that_is_a_parameter_is_read_before_it_is_overwritten(whose):
    def run(backend):
        params = [np.arange(1.0, 5), np.arange(5.0, 9), np.ones(2)]
        grads = {
            "its own": [params[0], np.ones(4), np.ones(2)],
            "another's": [np.ones(4), params[0], np.ones(2)],
            "a piece of another's": [np.ones(4), np.ones(4), params[0][1:3]],
        }[whose]
        optimizer = ov.Optimizer("momentum", backend=backend)
        for _ in range(3):
            optimizer.update(params, grads)
        return params

    assert_same_trees(run("numba"), run("numpy"))


def test_a_rule_without_loops_a_wrong_backend_and_inputs_are_refused():
    with pytest.raises(ValueError, match="numba has elementwise rules only"):
        ov.Optimizer("muon", backend="numba", lr=0.1)
    with pytest.raises(ValueError, match="backend = 'mpmath' does not train: it is 'numpy' or 'numba'"):
        ov.Optimizer("adam", backend="mpmath")
    fast = ov.Optimizer("adam", backend="numba")
    with pytest.raises(TypeError, match="takes no full_grad"):
        fast.update([np.ones(2)], [np.ones(2)], full_grad=[np.ones(2)])
    with pytest.raises(ValueError, match="params holds no arrays"):
        fast.update([], [])


def test_a_look_ahead_rule_that_is_never_asked_warns_once():
    fast = ov.Optimizer("nesterov", backend="numba")
    params = [np.ones(3)]
    fast.update(params, [np.ones(3)])
    with pytest.warns(UserWarning, match="looks ahead") as told:
        fast.update(params, [np.ones(3)])
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fast.update(params, [np.ones(3)])
    assert_same_bits(fast.gradient_point(params)[0], params[0] + 0.9 * fast.state[0].v)


# ---- stop and resume ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["pickle", "copy", "state_dict"])
def test_it_goes_on_bit_by_bit(way):
    fast = ov.Optimizer("adam", backend="numba", lr=0.1)
    params = tree()
    for seed in range(1, 4):
        fast.update(params, tree(seed))
    others = copy.deepcopy(params)
    if way == "state_dict":
        again = ov.Optimizer("adam", backend="numba")
        again.load_state_dict(fast.state_dict())
    else:
        again = pickle.loads(pickle.dumps(fast)) if way == "pickle" else copy.deepcopy(fast)
        assert "backend='numba'" in repr(again)
    for seed in range(4, 6):
        fast.update(params, tree(seed))
        again.update(others, tree(seed))
    assert_same_trees(others, params)
    assert again.t == 5


def test_what_one_backend_saved_the_other_goes_on_with():
    plain, fast = both(lr=0.1)
    params, others = tree(), tree()
    for seed in (1, 2):
        plain.update(params, tree(seed))
        fast.update(others, tree(seed))
    swapped_plain, swapped_fast = both()
    swapped_plain.load_state_dict(fast.state_dict())
    swapped_fast.load_state_dict(plain.state_dict())
    swapped_plain.update(params, tree(3))
    swapped_fast.update(others, tree(3))
    assert_same_trees(others, params)


@pytest.mark.parametrize("look", [False, True])
def test_numbers_among_the_states_are_kept_and_saved(look):
    plain, fast = both("nadam", lr=0.1)
    params, others = tree(), tree()
    for seed in (1, 2, 3):
        plain.update(params, tree(seed))
        fast.update(others, tree(seed))
        if look:
            assert fast.state["first"][0].mu_product == plain.state["first"][0].mu_product
    saved = fast.state_dict()
    assert saved["state"]["mu_product"] == plain.state_dict()["state"]["mu_product"]
    again = ov.Optimizer("nadam", backend="numba")
    again.load_state_dict(saved)
    for optimizer, p in ((plain, params), (again, others)):
        optimizer.update(p, tree(4))
    assert_same_trees(others, params)


def test_numbers_that_differ_are_updated_one_by_one(at_once):
    plain, fast = both("nadam", lr=0.1)
    params, others = [np.ones(3), np.ones(2)], [np.ones(3), np.ones(2)]
    plain.update(params, [np.ones(3), np.ones(2)])
    saved = plain.state_dict()
    saved["state"]["mu_product"] = [0.5, 0.25]
    plain.load_state_dict(saved)
    fast.load_state_dict(saved)
    others = copy.deepcopy(params)
    for optimizer, p in ((plain, params), (fast, others)):
        optimizer.update(p, [np.ones(3), np.ones(2)])
    assert_same_trees(others, params)
    assert not at_once


def test_a_state_that_was_looked_at_stays_as_it_was_told():
    fast = ov.Optimizer("adam", backend="numba")
    params = [np.ones(3)]
    fast.update(params, [np.ones(3)])
    assert fast.state[0].t == 1
    fast.update(params, [np.ones(3)])
    assert fast.state[0].t == fast.t == 2


# ---- the fields of an array --------------------------------------------------------------------------------


def test_without_readable_fields_arrays_are_updated_one_by_one(monkeypatch, at_once):
    monkeypatch.setattr(_fast_trees, "readable", lambda: False)
    plain, fast = both()
    params, others = tree(), tree()
    for seed in range(1, 4):
        plain.update(params, tree(seed))
        fast.update(others, tree(seed))
    assert_same_trees(others, params)
    assert not at_once


@pytest.mark.parametrize("name", ["CLASS", "DATA", "SIDES", "STRIDES", "TYPE", "FLAGS"])
def test_fields_elsewhere_are_not_read(name, monkeypatch):
    assert _fast_trees.readable()
    monkeypatch.setattr(_fast_trees, name, getattr(_fast_trees, name) + (8 if name != "SIDES" else 4))
    assert not _fast_trees.readable.__wrapped__()


def test_every_elementwise_rule_without_powers_has_a_loop_for_trees():
    from optverify.backends.numba import numba_module, obstacle

    without = {
        name
        for name in registry.names()
        if not obstacle(registry.get(name)) and numba_module(registry.get(name))._PLAN.tree is None
    }
    assert without == {"padam", "madgrad"}
