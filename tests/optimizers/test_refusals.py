"""Gradients and parameters that do not fit: one sentence that names the array, and nothing is changed."""

import tracemalloc

import numpy as np
import pytest

import optverify as ov
from optverify.optimizers import arrays


def params():
    return {"layer1": [np.ones((2, 3)), np.ones(3, np.float32)], "layer2": (np.array(1.0),)}


def grads():
    return {"layer1": [np.full((2, 3), 0.5), np.ones(3)], "layer2": (np.array(-1.0),)}


def changed(tree, path, value):
    """The tree with something else at the path."""
    node = tree
    for key in path[:-1]:
        node = node[key]
    if isinstance(node, tuple):
        return changed(tree, path[:-1], tuple(value if i == path[-1] else x for i, x in enumerate(node)))
    node[path[-1]] = value
    return tree


NAN, INF = float("nan"), float("inf")
BAD_GRADS = [
    (("layer1", 0), np.ones((3, 2)), ValueError,
     r'^grads\["layer1"\]\[0\] has shape \(3, 2\) but params\["layer1"\]\[0\] has shape \(2, 3\)'),
    (("layer1", 1), np.ones((1,)), ValueError, r'grads\["layer1"\]\[1\] has shape \(1,\)'),
    (("layer2", 0), None, TypeError, r'^grads\["layer2"\]\[0\] is None: every parameter needs a gradient'),
    (("layer2",), None, TypeError, r'^grads\["layer2"\] is None but params\["layer2"\] is of type tuple'),
    (("layer2",), np.ones(1), TypeError,
     r'^grads\["layer2"\] is of type ndarray but params\["layer2"\] is of type tuple'),
    (("layer1",), [np.ones((2, 3))], ValueError, r'^grads\["layer1"\]\[1\] is missing'),
    (("layer1",), [np.ones((2, 3)), np.ones(3), np.ones(1)], ValueError,
     r'^grads\["layer1"\]\[2\] is one too many'),
    (("layer3",), np.ones(1), ValueError, r'^grads\["layer3"\] is one too many: params has no such entry'),
    (("layer1", 1), np.array([1, NAN, 1]), ValueError,
     r'^grads\["layer1"\]\[1\] holds nan at index 1: gradients must be'),
    (("layer1", 0), np.array([[1, 1, 1], [1, 1, -INF]]), ValueError,
     r'^grads\["layer1"\]\[0\] holds -inf at index \(1, 2\)'),
    (("layer2", 0), INF, ValueError, r'^grads\["layer2"\]\[0\] holds inf: gradients must be finite'),
    (("layer1", 1), np.ones(3, complex), TypeError, r'^grads\["layer1"\]\[1\] has dtype complex128'),
    (("layer1", 1), np.array(["a", "b", "c"]), TypeError, r'^grads\["layer1"\]\[1\] has dtype <U1'),
    (("layer1", 1), np.ma.masked_array(np.ones(3), [0, 1, 0]), TypeError,
     r'^grads\["layer1"\]\[1\] is a masked array'),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "error", "message"), BAD_GRADS)
@pytest.mark.parametrize("updates", [0, 2])
def test_a_gradient_that_does_not_fit_is_named_and_nothing_is_changed(path, value, error, message, updates):
    optimizer, theta = ov.Optimizer("adam", lr=0.1), params()
    for _ in range(updates):
        optimizer.update(theta, grads())
    before = optimizer.state_dict(), [x.copy() for x in (*theta["layer1"], *theta["layer2"])]
    with pytest.raises(error, match=message):
        optimizer.update(theta, changed(grads(), path, value))
    assert_unchanged(optimizer, theta, *before)


def test_a_missing_key_is_named():
    bad = grads()
    del bad["layer2"]
    with pytest.raises(ValueError, match=r'^grads\["layer2"\] is missing'):
        ov.Optimizer("adam").update(params(), bad)


def assert_unchanged(optimizer, theta, saved, copies):
    for x, copy in zip((*theta["layer1"], *theta["layer2"]), copies, strict=True):
        assert np.array_equal(x, copy)
    now = optimizer.state_dict()
    assert now["t"] == saved["t"]
    if saved["state"] is None:
        assert now["state"] is None
        return
    for name in ("m", "v"):
        for layer in ("layer1", "layer2"):
            for x, copy in zip(now["state"][name][layer], saved["state"][name][layer], strict=True):
                assert np.array_equal(x, copy)


def test_skip_leaves_out_an_update_that_is_not_finite_and_only_that():
    optimizer, theta = ov.Optimizer("adam", lr=0.1, on_nonfinite="skip"), params()
    assert optimizer.update(theta, grads())
    before = optimizer.state_dict(), [x.copy() for x in (*theta["layer1"], *theta["layer2"])]
    assert optimizer.update(theta, changed(grads(), ("layer2", 0), NAN)) is False
    assert_unchanged(optimizer, theta, *before)
    with pytest.raises(ValueError, match="has shape"):
        optimizer.update(theta, changed(grads(), ("layer2", 0), np.ones(2)))
    assert optimizer.update(theta, grads())
    other, straight = ov.Optimizer("adam", lr=0.1), params()
    other.update(straight, grads())
    other.update(straight, grads())
    assert np.array_equal(theta["layer1"][0], straight["layer1"][0])


def locked():
    x = np.ones(2)
    x.flags.writeable = False
    return x


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (1.0, TypeError, r"^params\[0\] is of type float, which cannot be updated in place"),
        (np.float64(1), TypeError, r"^params\[0\] is of type float64, which cannot be updated in place"),
        (None, TypeError, r"^params\[0\] is None, which cannot be updated in place"),
        (np.array([1, 2]), TypeError, r"^params\[0\] has dtype int64: .* params\[0\]\.astype\(float\)"),
        (locked(), ValueError, r"^params\[0\] is read-only"),
        (np.ma.masked_array(np.ones(2)), TypeError, r"^params\[0\] is a masked array"),
    ],
)
def test_parameters_that_cannot_be_updated_in_place_are_named(value, error, message):
    first = np.ones(2)
    with pytest.raises(error, match=message):
        ov.Optimizer("gd").update([value, first], [np.ones(2), np.ones(2)])
    assert first.tolist() == [1, 1]
    with pytest.raises(error, match=message):
        ov.Optimizer("nesterov").gradient_point([value, first])


@pytest.mark.parametrize("empty", [[], {}, (), {"a": [], "b": {}}])
def test_a_tree_without_arrays_is_refused(empty):
    with pytest.raises(ValueError, match="params holds no arrays"):
        ov.Optimizer("gd").update(empty, empty)


def test_an_array_that_appears_twice_or_overlaps_another_is_refused():
    x = np.ones(6)
    g = np.ones(6)
    optimizer = ov.Optimizer("gd")
    with pytest.raises(
        ValueError, match=r'^params\["b"\] shares memory with params\["a"\]: .* updated twice'
    ):
        optimizer.update({"a": x, "b": x}, {"a": g, "b": g})
    with pytest.raises(ValueError, match=r"^params\[2\] shares memory with params\[0\]"):
        optimizer.update([x[:4], np.ones(2), x[3:]], [g[:4], g[:2], g[3:]])
    with pytest.raises(ValueError, match="shares memory"):
        optimizer.update([x.reshape(2, 3), x[::-1]], [g.reshape(2, 3), g])
    with pytest.raises(ValueError, match=r"^params\[2\] shares memory with params\[0\]"):
        optimizer.update([x[::2], x[1:2], x[4:5]], [g[::2], g[1:2], g[4:5]])
    assert x.tolist() == [1] * 6
    z = np.ones(3, complex)
    optimizer.update([z.real, z.imag], [np.ones(3), np.ones(3)])  # interleaved, but apart
    assert z.tolist() == [0.99 - 0.01j] * 3


def test_other_parameters_need_an_optimizer_of_their_own():
    optimizer = ov.Optimizer("adam")
    optimizer.update({"w": np.ones(2)}, {"w": np.ones(2)})
    with pytest.raises(
        ValueError, match=r'^params\["w"\] has shape \(3,\), dtype float64 but its state m has shape'
    ):
        optimizer.update({"w": np.ones(3)}, {"w": np.ones(3)})
    with pytest.raises(ValueError, match=r'^params\["w"\] has shape \(2,\), dtype float32 but its state m'):
        optimizer.update({"w": np.ones(2, "f")}, {"w": np.ones(2)})
    with pytest.raises(ValueError, match=r'^state\["b"\] is missing: params\["b"\] has nothing to go with'):
        optimizer.update({"w": np.ones(2), "b": np.ones(1)}, {"w": np.ones(2), "b": np.ones(1)})
    assert optimizer.t == 1


# ---- the check for finite numbers --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["e", "f", "d", "g", ">f", "F", "D", "G"])
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_one_number_that_is_not_finite_is_found_anywhere_in_any_layout(dtype, bad):
    for view in (np.s_[:], np.s_[::2], np.s_[::-1]):
        x = np.ones((7, 5), dtype)[view]
        assert arrays.nonfinite([x, x.T]) is None
        x[-1, 3] = bad
        assert arrays.nonfinite([np.ones(2), x]) == 1
        assert arrays.nonfinite([x.T]) == 0
    if np.dtype(dtype).kind == "c":
        assert arrays.nonfinite([np.array([1, complex(0, bad)], dtype)]) == 0


def test_numbers_whose_squares_overflow_are_finite():
    with np.errstate(all="raise"):
        assert (
            arrays.nonfinite([np.full(9, 3e38, "f"), np.full((3, 3), -1e308), np.array([6e4], "e")]) is None
        )
        assert arrays.nonfinite([np.array([3e38, NAN, INF], "f")]) == 0
    assert arrays.nonfinite([np.zeros(0), np.array(2), np.array([], "F")]) is None


@pytest.mark.parametrize("kind", ["contiguous", "every other", "overflowing"])
def test_the_check_allocates_nothing_of_the_size_of_the_data(kind):
    x = np.ones((1000, 400), np.float32)
    x = {"contiguous": x, "every other": x[:, ::2], "overflowing": np.full(400_000, 3e38, "f")}[kind]
    tracemalloc.start()
    try:
        assert arrays.nonfinite([x]) is None
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("dtype", "gradient", "message"),
    [
        ("float32", [1e300, 1.0], r"grads holds 1e\+300 at index 0, which float32 cannot hold"),
        ("float16", [1.0, 1e6], r"grads holds 1000000\.0 at index 1, which float16 cannot hold"),
        ("complex64", [1e300 + 0j, 1.0], r"at index 0, which complex64 cannot hold"),
    ],
)
def test_a_gradient_too_large_for_the_parameters_is_refused(dtype, gradient, message):
    """It would become infinite, and the next parameters not a number."""
    params = np.ones(2, dtype)
    optimizer = ov.Optimizer("adam")
    with pytest.raises(ValueError, match=message):
        optimizer.update(params, np.array(gradient))
    assert np.array_equal(params, np.ones(2, dtype))
    assert optimizer.state is None
    assert ov.Optimizer("adam", on_nonfinite="skip").update(params, np.array(gradient)) is False


def test_a_look_ahead_rule_that_is_never_asked_for_its_point_warns():
    params = np.ones(2)
    silent = ov.Optimizer("nesterov", lr=0.1)
    silent.update(params, 2 * params)  # the velocity is zero: the point is params
    with pytest.warns(UserWarning, match=r"take gradients at optimizer\.gradient_point\(params\)"):
        silent.update(params, 2 * params)
    asked = ov.Optimizer("nesterov", lr=0.1)
    for _ in range(3):
        asked.update(params, 2 * asked.gradient_point(params))
