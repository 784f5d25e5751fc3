"""Cases CL, MB, SP, and of AD, LW, SG and WD those that are numbers or types of numbers."""

import math

import numpy as np
import pytest

from optverify.backends import step
from optverify.conformance.clipping import clipped, diagnose_clipping
from optverify.conformance.number_types import at_rest, complex_form, in_company
from optverify.optimizers import Optimizer
from optverify.problems import problem
from tests.conformance.cases import decay
from tests.conformance.cases._case import Loop
from tests.conformance.cases.adam import ADAM, outside
from tests.conformance.cases.momentum import asgd, asgd_foreach

# ---- clipping ----------------------------------------------------------------------------------------------


def norm(grads):
    return math.sqrt(sum(float(np.sum(g * g)) for g in grads))


def torch_clip(grads, most):
    scale = min(1.0, most / (norm(grads) + 1e-6))
    return [g * scale for g in grads]


def optax_clip(grads, most):
    length = norm(grads)
    return grads if length < most or length == 0 else [g / length * most for g in grads]


def bare(grads, most):
    """google-deepmind/optax PR #1752: max_norm/norm, whatever they are."""
    length = np.float64(norm(grads))
    return [g * np.minimum(1.0, most / length) for g in grads]


def per_tensor(grads, most):
    """huggingface/transformers#581."""
    return [g * min(1.0, most / max(norm([g]), 1e-300)) for g in grads]


def by_value_in_place(grads, most):
    for g in grads:
        np.clip(g, -most, most, out=g)


def test_cl_01_with_and_without_something_added():
    (short,), (exact,) = clipped(torch_clip, [0.02], 0.01), clipped(optax_clip, [0.02], 0.01)
    assert short / 0.02 == pytest.approx(0.4999750012, abs=5e-11)
    assert exact / 0.02 == 0.5
    assert diagnose_clipping(torch_clip).form == "by global norm, 1e-06 added to it"
    assert diagnose_clipping(optax_clip).form == "by global norm"


@pytest.mark.parametrize(("options", "scale"), [({"clip_epsilon": "added"}, 0.4999750012), ({}, 0.5)])
def test_cl_01_ours(options, scale):
    params = np.zeros(1)
    Optimizer("clip_by_norm(gd)", lr=1.0, max_norm=0.01, **options).update(params, np.array([0.02]))
    assert -params[0] / 0.02 == pytest.approx(scale, abs=5e-11)


def test_cl_02_zero_in_zero_out():
    found = diagnose_clipping(bare)
    assert "0/0 at zero norm" in str(found)
    assert not found.holds
    assert not any("zero norm" in f for f in diagnose_clipping(optax_clip).faults)


def test_cl_03_a_huge_gradient_becomes_nothing():
    assert clipped(torch_clip, [(1e200, 1e200)], 1.0)[0].tolist() == [0, 0]
    found = diagnose_clipping(torch_clip)
    assert "a huge gradient silently becomes a zero update" in str(found)
    assert "[inf, 1] becomes [nan, 0.0]" in str(found)


def test_cl_03_ours_scales_before_squaring():
    params = np.zeros(2)
    Optimizer("clip_by_norm(gd)", lr=1.0, max_norm=1.0).update(params, np.array([1e200, 1e200]))
    assert -params == pytest.approx([0.7071067812] * 2, abs=5e-11)


def test_cl_04_per_tensor_clipping_changes_the_direction():
    grads = [np.array([3.0]), np.array([0.0, 4.0])]
    assert [norm([g]) for g in clipped(torch_clip, grads, 1.0)] == pytest.approx([0.6, 0.8], rel=1e-6)
    (one, other) = clipped(per_tensor, grads, 1.0)
    assert (norm([one]) / 3, norm([other]) / 4) == pytest.approx((1 / 3, 1 / 4))
    found = diagnose_clipping(per_tensor)
    assert found.form == "by the norm of each array"
    assert "the direction of all gradients together is not preserved: per-tensor clip" in str(found)


def test_cl_04_by_value_in_place():
    found = diagnose_clipping(by_value_in_place)
    assert found.form == "by value"
    assert "it changes the gradients that it is given" in found.remarks


# ---- batches -----------------------------------------------------------------------------------------------


def test_mb_01_the_mean_of_batch_means_is_not_the_mean():
    data, batches = np.array([1.0, 2, 3, 4, 10]), ([0, 1], [2, 3], [4])
    means = [data[b].mean() for b in batches]
    assert data.mean() == 4
    assert np.mean(means) == 5
    weights = [len(b) / len(data) for b in batches]
    assert np.dot(weights, means) == pytest.approx(4)


def test_mb_01_our_batches_are_unbiased_when_they_are_weighted():
    made = problem("least_squares")
    parts = np.array_split(np.arange(50), 3)
    weighted = sum(len(p) / 50 * made.batch_gradient(made.initial, p) for p in parts)
    assert weighted == pytest.approx(made.gradient(made.initial), rel=1e-9)
    plain = np.mean([made.batch_gradient(made.initial, p) for p in parts], axis=0)
    assert plain != pytest.approx(made.gradient(made.initial), rel=1e-6)


# ---- types of numbers --------------------------------------------------------------------------------------


def complex_adam(square):
    def code(h, x, g, s, t):
        s.m = h.beta1 * s.m + (1 - h.beta1) * g
        s.v = h.beta2 * s.v + (1 - h.beta2) * square(g)
        root = np.sqrt(s.v / (1 - h.beta2**t))
        if square is two_reals:
            m = s.m / (1 - h.beta1**t)
            return x - h.lr * (m.real / (root.real + h.eps) + 1j * m.imag / (root.imag + h.eps))
        return x - h.lr * s.m / (1 - h.beta1**t) / (root + h.eps)

    return lambda params: Loop(params, code, lr=0.1, **ADAM)


def two_reals(g):
    return g.real**2 + 1j * g.imag**2


@pytest.mark.parametrize(
    ("square", "first", "form"),
    [
        (lambda g: g * g, 0.1 + 0j, "g*g: the phase is lost"),
        (lambda g: abs(g) ** 2, 0.06 + 0.08j, "|g|^2: the step points along the gradient"),
    ],
)
def test_ad_22_the_square_of_a_complex_gradient(square, first, form):
    made = complex_adam(square)([np.zeros(1, complex)])
    x = [np.zeros(1, complex)]
    made.update(x, [np.array([3 + 4j])])
    assert -x[0][0] == pytest.approx(first, abs=1e-8)
    assert complex_form(complex_adam(square)) == form


def test_ad_22_two_reals_as_ours():
    assert complex_form(lambda: Own("adam", lr=0.1)) == "two reals: each part has its own square"


class Own:
    """Our optimizer, as somebody else's."""

    def __init__(self, name, **settings):
        self.inner = Optimizer(name, **settings)
        self.lr = settings["lr"]

    def update(self, params, grads):
        self.inner.update(params, grads)


def test_ad_22_complex_parameters_refused():
    def code(h, x, g, s, t):
        if np.iscomplexobj(x):
            raise TypeError("complex parameters are not supported")
        return x - h.lr * g

    assert "complex parameters are refused" in complex_form(lambda params: Loop(params, code, lr=0.1))


def half_adam(h, x, g, s, t):
    """google-deepmind/optax#1754: everything in the type of theta, epsilon too."""
    eps = x.dtype.type(h.eps)
    s.m = x.dtype.type(h.beta1) * s.m + x.dtype.type(1 - h.beta1) * g
    s.v = x.dtype.type(h.beta2) * s.v + x.dtype.type(1 - h.beta2) * g * g
    return x - x.dtype.type(h.lr) * s.m / (np.sqrt(s.v) + eps)


def test_ad_23_an_epsilon_that_half_precision_cannot_hold():
    assert np.float16(1e-8) == 0.0
    assert float(np.float16(1e-7)) == pytest.approx(1.19e-7, rel=2e-3)
    assert float(np.finfo(np.float16).smallest_subnormal) == pytest.approx(5.96e-8, rel=1e-3)
    found = at_rest(lambda params: Loop(params, half_adam, lr=0.1, **ADAM))
    assert "is eps a number of float16? The smallest one is 5.96e-08" in found["float16"]
    assert (found["float32"], found["float64"]) == ("still", "still")


def test_ad_23_ours_is_still_in_every_type():
    assert set(at_rest(lambda: Own("adam", lr=0.1)).values()) == {"still"}


def test_wd_06_decay_for_each_type():
    case = next(c for c in decay.CASES if c.id == "WD-06")
    assert "as if weight decay were applied 2 times, once for each group of a type" in in_company(case.make)
    for other in decay.CASES:
        assert other is case or in_company(other.make) is None
    assert in_company(lambda: Own("adam", lr=0.1, weight_decay=0.1, weight_decay_form="decoupled")) is None


def truncated(x):
    """A float32 cut to bfloat16."""
    bits = np.array(x, np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
    return float(bits.view(np.float32))


def test_ad_24_betas_in_bfloat16():
    assert [truncated(b) for b in (0.9, 0.999, 0.9999)] == [0.8984375, 0.99609375, 0.99609375]
    product = np.float32(1)
    for t in range(1, 1001):
        product *= np.float32(0.999)
        error = (1 - float(product)) / (1 - 0.999**t) - 1
        if t == 1:
            assert error == pytest.approx(-1.29e-5, rel=0.01)
    assert error == pytest.approx(-7.6e-6, rel=0.02)


# ---- numbers of single cases -------------------------------------------------------------------------------


def test_ad_05_the_first_update_over_lr():
    first = math.sqrt(1 - 0.999**2) / (1 - 0.9**2) * 0.1 / math.sqrt(0.001)
    assert first == pytest.approx(0.74414, abs=5e-6)


def test_ad_14_the_effective_gradient():
    def effective(w, g, multiplies):
        return g * (1 + 0.1 * w) if multiplies else g + 0.1 * w

    assert effective(2, 3, False) == pytest.approx(3.2)
    assert effective(2, 3, True) == pytest.approx(3.6)
    assert effective(2, 1, False) == effective(2, 1, True) == pytest.approx(1.2)


def test_ad_18_the_lengths_of_memory():
    rho = [2 / 0.001 - 1 - 2 * t * 0.999**t / (1 - 0.999**t) for t in (4, 5, 6)]
    assert rho == pytest.approx([3.997499, 4.995998, 5.994164], abs=1e-5)


def test_ad_25_masks():
    m, g = 0.5, -1.0
    assert (m * g > 0, m * m > 0) == (False, True)


def test_sg_06_the_step_size_of_asgd():
    assert pytest.approx(0.5946035575, abs=5e-11) == 1 / (1 + 0.1 * 1 * 10) ** 0.75
    assert pytest.approx(0.6400649998, abs=5e-11) == 1 / (1 + 0.1 * 1 * 10**0.75)
    for code, eta in ((asgd, 0.5946035575), (asgd_foreach, 0.6400649998)):
        made, x = Loop([np.zeros(1)], code, lr=1.0, lambd=0.1, power=0.75), [np.zeros(1)]
        for _ in range(10):
            made.update(x, [np.ones(1)])
        assert made.eta[0] == pytest.approx([eta], abs=5e-11)


def test_lw_07_the_two_buffers_of_muon_point_the_same_way():
    g1, g2, mu = np.array([1.0, 2]), np.array([3.0, -1]), 0.95
    raw = [w * g2 + mu * (mu * w * g1 + w * g2) for w in (1.0, 1 - mu)]
    assert [r[0] for r in raw] == pytest.approx([6.7525, 0.337625])
    for r in raw:
        assert r / np.linalg.norm(r) == pytest.approx([0.9997695235, -0.0214685792], abs=5e-11)


def test_lw_10_the_power_outside_its_domain():
    with np.errstate(all="ignore"):
        assert np.float64(0) ** -0.8 == np.inf
        assert np.isnan(np.float64(-1) ** -0.8)
    assert isinstance((-1) ** -0.8, complex)


def test_wd_07_maximize_is_minimize_of_the_negative_but_for_decay():
    theta, g = np.array([1.0, -2.0]), np.array([0.5, 3.0])
    for name in ("gd", "momentum", "adam", "rmsprop", "adagrad"):
        for form in ("coupled", "decoupled"):
            up, down = step(name, maximize=True, weight_decay_form=form), step(name, weight_decay_form=form)
            one, _ = up.step(theta, g, up.init(theta), lr=0.1, weight_decay=0.1)
            other, _ = down.step(theta, -g, down.init(theta), lr=0.1, weight_decay=0.1)
            assert np.array_equal(one, other)


# ---- absent gradients --------------------------------------------------------------------------------------


def lazy(h, x, g, s, t):
    if not np.any(g):
        return x
    return outside(h, x, g, s, t)


def test_sp_01_lazy_adam_is_another_optimizer():
    paths = []
    for code in (outside, lazy):
        made, x, path = Loop([np.zeros(1)], code, lr=0.1, **ADAM), [np.zeros(1)], []
        for g in (1.0, 0.0, 0.0, 1.0):
            made.update(x, [np.array([g])])
            path.append(float(x[0][0]))
        paths.append(path)
    assert paths[0] == pytest.approx([-0.0999999990, -0.1670058235, -0.2188015198, -0.2899028459], abs=6e-11)
    assert paths[1] == pytest.approx([-0.0999999990] * 3 + [-0.1780942870], abs=6e-11)
