"""What a step does with its arrays: dtype, shape and arguments kept, nothing shared, misfits refused."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from optverify.backends import step
from optverify.steps import _engine, adagrad, adam, gd, momentum, nesterov, rmsprop

from .compare import assert_same_bits

MODULES = [gd, momentum, nesterov, adagrad, rmsprop, adam]
FLOATS = ["e", "f", "d", "g", ">f", "<d", ">d", ">e"]
COMPLEX = ["F", "D", "G", ">F", ">D"]
checked = settings(deadline=None, derandomize=True, max_examples=60)


def snapshot(*arrays):
    return [np.array(a, copy=True) for a in arrays]


def two_steps(module, theta, grad, **given):
    state = module.init(theta)
    theta, state = module.step(theta, grad, state, **given)
    return module.step(theta, grad, state, **given)


def layout(x, name):
    """The same numbers, laid out otherwise in memory."""
    if not x.ndim:
        return x
    if name == "fortran":
        return np.asfortranarray(x)
    if name == "every other":
        view = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)[..., ::2]
        view[...] = x
        return view
    if name == "backwards":
        return x[::-1].copy()[::-1]
    if name == "unaligned":
        raw = np.zeros(x.nbytes + 1, np.uint8)
        view = raw[1:].view(x.dtype).reshape(x.shape)
        view[...] = x
        return view
    return x


LAYOUTS = st.sampled_from(["plain", "fortran", "every other", "backwards", "unaligned"])


@st.composite
def arrays(draw):
    """Theta and a gradient of any floating type, shape and layout, with moderate numbers."""
    dtype = np.dtype(draw(st.sampled_from(FLOATS + COMPLEX)))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    numbers = rng.standard_normal((2, *shape)) + (
        1j * rng.standard_normal((2, *shape)) if dtype.kind == "c" else 0
    )
    return tuple(layout(np.array(x, dtype), draw(LAYOUTS)) for x in numbers)


@checked
@given(arrays(), st.sampled_from(MODULES), st.booleans())
def test_any_type_shape_and_layout_gives_the_bits_of_the_plain_array_of_reals(pair, module, cut):
    theta, grad = pair
    theta.flags.writeable = grad.flags.writeable = False
    native = theta.dtype.newbyteorder("=")
    plain, plain_grad = (np.ascontiguousarray(x, native).reshape(-1) for x in pair)
    if native.kind == "c":
        plain, plain_grad = plain.view(plain.real.dtype), plain_grad.view(plain.real.dtype)
    before = snapshot(theta, grad)
    with pytest.MonkeyPatch.context() as patch:
        if cut:
            patch.setattr(_engine, "WHOLE", 0)
            patch.setattr(_engine, "BLOCK_BYTES", 12)
        new, state = two_steps(module, theta, grad)
    expected, expected_state = two_steps(module, plain, plain_grad)
    for x, y in zip((new, *state[1:]), (expected, *expected_state[1:]), strict=True):
        assert (x.dtype, x.shape) == (theta.dtype, theta.shape)
        reals = np.ascontiguousarray(x, native).reshape(-1).view(y.dtype)
        assert_same_bits(reals, y)
        assert not np.may_share_memory(x, theta)
        assert not np.may_share_memory(x, grad)
    for x, copy in zip((theta, grad), before, strict=True):
        assert_same_bits(x.astype(native), copy.astype(native))


@checked
@given(arrays(), st.sampled_from(MODULES), st.booleans())
def test_update_writes_what_step_returns_in_any_layout(pair, module, cut):
    theta, grad = pair
    expected, expected_state = two_steps(module, theta, grad)
    state = module.init(theta)
    with pytest.MonkeyPatch.context() as patch:
        if cut:
            patch.setattr(_engine, "WHOLE", 0)
            patch.setattr(_engine, "BLOCK_BYTES", 12)
        for _ in range(2):
            after = module.update(theta, grad, state)
            assert all(x is y for x, y in zip(after[1:], state[1:], strict=True))
            state = after
    assert state.t == expected_state.t == 2
    for x, y in zip((theta, *state[1:]), (expected, *expected_state[1:]), strict=True):
        assert_same_bits(x, y)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("size", [1, 15, 16, 17, 31, 32, 33, 48, 100])
def test_block_boundaries_leave_no_trace(module, size, monkeypatch):
    rng = np.random.default_rng(size)
    theta, grad = rng.standard_normal((2, size)).astype(np.float32)
    expected, state = two_steps(module, theta, grad)
    monkeypatch.setattr(_engine, "WHOLE", 0)
    monkeypatch.setattr(_engine, "BLOCK_BYTES", 16 * 4)
    cut, cut_state = two_steps(module, theta, grad)
    assert_same_bits(cut, expected)
    for x, y in zip(cut_state[1:], state[1:], strict=True):
        assert_same_bits(x, y)


@pytest.mark.parametrize("module", MODULES)
def test_threads_leave_no_trace_and_keep_the_settings_of_numpy(module, monkeypatch):
    rng = np.random.default_rng(0)
    theta, grad = rng.standard_normal((2, 1001))
    expected, state = two_steps(module, theta, grad)
    monkeypatch.setattr(_engine, "WHOLE", 0)
    monkeypatch.setattr(_engine, "BLOCK_BYTES", 512)
    monkeypatch.setattr(_engine, "SHARE_BYTES", 1024)
    monkeypatch.setattr(_engine, "THREADS", 3)
    shared, shared_state = two_steps(module, theta, grad)
    assert_same_bits(shared, expected)
    for x, y in zip(shared_state[1:], state[1:], strict=True):
        assert_same_bits(x, y)
    grad[-1] = 1e308
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        module.step(theta, grad, module.init(theta), lr=1e308)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        module.step(theta, grad, module.init(theta), lr=1e308)


@pytest.mark.parametrize("dtype", ["e", "f", "d", "g", "F", "D", "G"])
def test_a_number_gives_a_number_and_a_0d_array_a_0d_array(dtype):
    number = np.dtype(dtype).type(0.5)
    new, state = two_steps(adam, number, number)
    assert type(new) is type(number)
    assert state.m.shape == ()
    array, array_state = two_steps(adam, np.array(number), number)
    assert type(array) is np.ndarray
    assert_same_bits(array, new)
    assert_same_bits(array_state.v, state.v)
    assert isinstance(two_steps(adam, 0.5, 0.5)[0], float)


def test_lists_are_read_as_arrays():
    new, state = two_steps(adam, [1.0, 2.0], [0.1, -0.2])
    expected, expected_state = two_steps(adam, np.array([1.0, 2.0]), np.array([0.1, -0.2]))
    assert_same_bits(new, expected)
    assert_same_bits(state.v, expected_state.v)


@pytest.mark.parametrize("other", ["e", "d", "i4", "u1", ">d"])
def test_a_gradient_of_another_type_is_converted_to_that_of_theta(other):
    theta, grad = np.ones(3, np.float32), np.array([1, 2, 3], other)
    new, state = two_steps(adam, theta, grad)
    expected, expected_state = two_steps(adam, theta, grad.astype(np.float32))
    assert_same_bits(new, expected)
    assert_same_bits(state.v, expected_state.v)


def test_a_real_gradient_fits_complex_parameters_and_not_the_other_way_round():
    new, _ = gd.step(np.array([1j]), np.array([1.0]), gd.init(np.array([1j])), lr=0.5)
    assert new[0] == -0.5 + 1j
    with pytest.raises(
        TypeError, match="grad has dtype complex128, which does not fit theta of dtype float64"
    ):
        gd.step(np.array([1.0]), np.array([1j]), gd.init(np.array([1.0])))


def test_float16_is_computed_in_float32_and_rounded_once():
    theta, grad = np.array([1.0, -3.0], np.float16), np.array([1e-3, 7.0], np.float16)
    new, state = adam.step(theta, grad, adam.init(theta))
    wide, wide_state = adam.step(theta.astype("f"), grad.astype("f"), adam.init(theta.astype("f")))
    assert_same_bits(new, wide.astype(np.float16))
    assert_same_bits(state.v, wide_state.v.astype(np.float16))
    fine = np.array([1e-9, 0.1], np.float32)  # 1e-9 is 0 in float16: the gradient is not rounded to it
    new, state = adam.step(theta, fine, adam.init(theta), lr=1)
    wide, _ = adam.step(theta.astype("f"), fine, adam.init(theta.astype("f")), lr=1)
    assert_same_bits(new, wide.astype(np.float16))
    assert new[0] < 0.95


def test_the_first_buffer_is_a_copy_of_the_gradient():
    module = step("momentum", first_buffer="gradient", lr_placement="outside")
    theta, grad = np.ones(4), np.ones(4)
    for size in (4, 10**5):
        theta, grad = np.ones(size), np.ones(size)
        _, state = module.step(theta, grad, module.init(theta))
        assert not np.may_share_memory(state.v, grad)
        written = module.update(theta, grad, module.init(theta))
        assert not np.may_share_memory(written.v, grad)


@pytest.mark.parametrize("size", [5, 300])
@pytest.mark.parametrize("view", ["itself", "shifted", "reversed"])
def test_a_gradient_in_the_memory_of_theta_is_read_as_it_was(size, view, monkeypatch):
    monkeypatch.setattr(_engine, "WHOLE", 80)
    monkeypatch.setattr(_engine, "BLOCK_BYTES", 128)
    memory = np.random.default_rng(1).standard_normal(size + 1)
    theta = memory[1:]
    grad = {"itself": theta, "shifted": memory[:-1], "reversed": theta[::-1]}[view]
    expected, expected_state = adam.step(theta, grad, adam.init(theta))
    state = adam.update(theta, grad, adam.init(theta))
    assert_same_bits(theta, expected)
    assert_same_bits(state.m, expected_state.m)


def test_a_subclass_is_read_as_a_plain_array_and_a_memory_map_is_written_through(tmp_path):
    matrix = np.array([[1.0, 2.0]]).view(np.matrix)
    new, _ = gd.step(matrix, matrix, gd.init(matrix), lr=0.5)
    assert type(new) is np.ndarray
    assert new.tolist() == [[0.5, 1.0]]
    file = np.memmap(tmp_path / "theta", float, "w+", shape=(3,))
    file[:] = 1.0
    gd.update(file, np.ones(3), gd.init(file), lr=0.25)
    assert file.tolist() == [0.75, 0.75, 0.75]


def test_masked_arrays_are_refused():
    masked = np.ma.masked_array([1.0, 2.0], [False, True])
    plain = np.ones(2)
    with pytest.raises(TypeError, match=r"theta is a masked array.*theta\.filled"):
        gd.step(masked, plain, gd.init(plain))
    with pytest.raises(TypeError, match=r"grad is a masked array.*grad\.filled"):
        gd.step(plain, masked, gd.init(plain))


@pytest.mark.parametrize("way", ["step", "update"])
def test_a_gradient_or_state_that_does_not_fit_is_refused_and_nothing_is_written(way):
    call, theta = getattr(adam, way), np.ones(3)
    state = adam.init(theta)
    with pytest.raises(ValueError, match=r"grad has shape \(2,\) but theta has shape \(3,\)"):
        call(theta, np.ones(2), state)
    with pytest.raises(ValueError, match=r"grad has shape \(1,\) but theta has shape \(3,\)"):
        call(theta, np.ones(1), state)
    with pytest.raises(TypeError, match="grad has dtype object"):
        call(theta, np.array([None] * 3), state)
    with pytest.raises(
        ValueError, match=r"state\.v has shape \(2,\), dtype float64 but theta has shape \(3,\)"
    ):
        call(theta, np.ones(3), state._replace(v=np.zeros(2)))
    with pytest.raises(ValueError, match=r"state\.m has shape \(3,\), dtype float32 but theta"):
        call(theta, np.ones(3), state._replace(m=np.zeros(3, "f")))
    with pytest.raises(ValueError, match=r"state\.m has type list but theta"):
        call(theta, np.ones(3), state._replace(m=[0, 0, 0]))
    with pytest.raises(TypeError, match="state must be a State with t, m, v: make it with init"):
        call(theta, np.ones(3), momentum.init(theta))
    with pytest.raises(TypeError, match="state must be a State with t, m, v"):
        call(theta, np.ones(3), None)
    assert theta.tolist() == [1, 1, 1]
    assert not state.m.any()


def test_a_state_of_another_module_of_the_same_dialect_is_taken():
    theta = np.ones(3)
    twin = step("adam")
    _, state = twin.step(theta, theta, twin.init(theta))
    expected = adam.step(
        theta, theta, pickle.loads(pickle.dumps(adam.step(theta, theta, adam.init(theta))[1]))
    )
    assert_same_bits(adam.step(theta, theta, state)[0], expected[0])


@pytest.mark.parametrize("size", [3, 10**5])
def test_update_refuses_what_it_cannot_write_into_before_it_writes(size):
    theta, ones = np.ones(size), np.ones(size)
    locked = theta.copy()
    locked.flags.writeable = False
    with pytest.raises(ValueError, match=r"update\(\) writes into theta, which is read-only"):
        adam.update(locked, ones, adam.init(theta))
    state = adam.init(theta)
    state.v.flags.writeable = False
    with pytest.raises(ValueError, match=r"update\(\) writes into v, which is read-only"):
        adam.update(theta, ones, state)
    assert theta[0] == 1
    assert not state.m.any()
    with pytest.raises(TypeError, match=r"update\(\) writes into theta, and a list cannot be written into"):
        adam.update([1.0], [1.0], adam.init([1.0]))


def test_states_start_from_the_value_in_both_parts_of_a_complex_number():
    state = adagrad.init(np.zeros(2, complex), initial_accumulator=0.25)
    assert state.G.tolist() == [0.25 + 0.25j] * 2
    assert adagrad.init(np.zeros(2, "f"), initial_accumulator=0.25).G.dtype == np.float32


@pytest.mark.parametrize("kind", ["int", "bool", "object", "str"])
def test_parameters_that_are_not_floating_point_are_refused(kind):
    theta = np.array([1, 0]).astype(kind)
    with pytest.raises(
        TypeError, match=r"theta has dtype .*: an update needs floating-point or complex numbers"
    ):
        adam.init(theta)
