"""What the matrix calls a departure, reproduced by plain loops: the library does compute that.

None of these says that a library is wrong; a loop beside each says what the paper would have.
"""

import functools
import math

import numpy as np
import pytest

from optverify.conformance.adapters import drive

G = [0.5, -1.0, 0.25, 2.0, -0.5, 1.5]
RATES = [0.1, 0.1, 0.05, 0.05, 0.2, 0.2]


def thetas(make, rates=None, adapter=None, start=0.0):
    """theta after each update, of one number."""
    box, found = drive(make, [np.array([start])], adapter), []
    for k, g in enumerate(G):
        if rates is not None:
            box.set_lr(rates[k])
        box.update([np.array([g])])
        found.append(float(box.params()[0][0]))
    box.close()
    return found


def adabound(compounding, base=0.1, final=0.1, gamma=1e-3):
    """final_lr scaled by lr/base, of its first value, or of what it has become."""
    x, m, v, now, found = 0.0, 0.0, 0.0, final, []
    for t, (g, lr) in enumerate(zip(G, RATES, strict=True), 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        now = (now if compounding else final) * lr / base
        low, high = now * (1 - 1 / (gamma * t + 1)), now * (1 + 1 / (gamma * t))
        size = lr * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) / (math.sqrt(v) + 1e-8)
        x -= min(max(size, low), high) * m
        found.append(x)
    return found


def test_rivers_adabound_scales_its_last_rate_again_at_every_update(library):
    """The paper's code scales the first value; the two part when lr has changed and the bounds bind."""
    optim = library("river.optim", "river")
    strong = {"gamma": 0.5, "final": 0.1}
    found = thetas(lambda: optim.AdaBound(0.1, gamma=0.5), RATES)
    assert found == pytest.approx(adabound(True, **strong), rel=1e-12)
    assert found != pytest.approx(adabound(False, **strong), rel=1e-3)


def ftrl(late, alpha=0.05, beta=1.0, l1=0.1, l2=1.0):
    """late: theta is made from the sums before this gradient, and stays where it would be 0."""
    x, z, n, found = 0.0, 0.0, 0.0, []

    def rebuilt():
        if abs(z) <= l1:
            return x if late else 0.0
        return -(z - math.copysign(l1, z)) / ((beta + math.sqrt(n)) / alpha + l2)

    for g in G:
        x = rebuilt() if late else x
        z += g - (math.sqrt(n + g * g) - math.sqrt(n)) / alpha * x
        n += g * g
        x = x if late else rebuilt()
        found.append(x)
    return found


def test_rivers_ftrl_shows_weights_one_update_late(library):
    """McMahan et al. make theta when it is asked for; river at the next update, and never makes a zero."""
    optim = library("river.optim", "river")
    found = thetas(lambda: optim.FTRLProximal(l1=0.1))
    assert found == pytest.approx(ftrl(late=True), rel=1e-12)
    assert found != pytest.approx(ftrl(late=False), rel=1e-3)


def adopt(first_clip, b1=0.9, b2=0.9999, eps=1e-6, lr=1e-3):
    """first_clip: the t of the clipping bound t^(1/4) in the second update, which is the first that moves."""
    x, m, v, found = 0.0, 0.0, G[0] ** 2, [0.0]
    for t, g in enumerate(G[1:], first_clip):
        ratio = g / max(math.sqrt(v), eps)
        m = b1 * m + (1 - b1) * min(max(ratio, -(t**0.25)), t**0.25)
        x -= lr * m
        v = b2 * v + (1 - b2) * g * g
        found.append(x)
    return found


def test_pytorch_optimizers_adopt_counts_its_bound_from_two(library):
    """The paper bounds the first update that moves by 1^(1/4)."""
    collection = library("pytorch_optimizer", "pytorch-optimizer")
    found = thetas(lambda params: collection.ADOPT(params))  # noqa: PLW0108
    assert found == pytest.approx(adopt(2), rel=1e-12)
    assert found != pytest.approx(adopt(1), rel=1e-3)


def laprop(hat, b1=0.9, b2=0.999, eps=1e-2, lr=1e-3):
    """hat: epsilon is added before the second moment is corrected. 1e-15 stands under their root."""
    x, m, v, found = 0.0, 0.0, 0.0, []
    for t, g in enumerate(G, 1):
        v = b2 * v + (1 - b2) * g * g
        c = math.sqrt(1 - b2**t)
        root = math.sqrt(v + 1e-15) if hat else math.sqrt(v)
        m = b1 * m + (1 - b1) * g / ((root + eps) / c if hat else root / c + eps)
        x -= lr * m / (1 - b1**t)
        found.append(x)
    return found


def test_pytorch_optimizers_laprop_has_epsilon_hat(library):
    collection = library("pytorch_optimizer", "pytorch-optimizer")
    found = thetas(lambda params: collection.LaProp(params, lr=1e-3, eps=1e-2))
    assert found == pytest.approx(laprop(hat=True), rel=1e-6)  # a counter of it is in float32
    assert found != pytest.approx(laprop(hat=False), rel=1e-3)


def test_optaxs_prodigy_divides_zero_by_zero(library):
    """d = max(d, numerator/denominator), where both are 0 as long as every gradient was."""
    optax = library("optax")
    library("optax.contrib", "optax")
    box = drive(lambda: optax.contrib.prodigy(), [np.array([1.0])])  # noqa: PLW0108
    with np.errstate(invalid="ignore"):
        assert np.isnan(np.maximum(1e-6, np.float64(0) / np.float64(0)))
    box.update([np.zeros(1)])
    assert np.isnan(box.params()[0]).all()


def test_torchs_nadam_keeps_the_product_of_its_mus_in_float32(library):
    torch = library("torch")
    found = thetas(lambda params: torch.optim.NAdam(params, lr=0.1))

    def nadam(kept):
        x, m, v, product, xs = 0.0, 0.0, 0.0, kept(1.0), []
        for t, g in enumerate(G, 1):
            mu, later = 0.9 * (1 - 0.5 * 0.96 ** (t * 0.004)), 0.9 * (1 - 0.5 * 0.96 ** ((t + 1) * 0.004))
            product = kept(float(product) * float(kept(mu)))
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            root = math.sqrt(v / (1 - 0.999**t)) + 1e-8
            x -= 0.1 * (1 - mu) / (1 - float(product)) * g / root
            x -= 0.1 * later / (1 - float(product) * later) * m / root
            xs.append(x)
        return xs

    assert found != pytest.approx(nadam(np.float64), rel=1e-9)
    assert found == pytest.approx(nadam(np.float64), rel=1e-6)
    assert found == pytest.approx(nadam(np.float32), rel=1e-9)


def test_mlxs_adafactor_shrinks_by_the_scaled_rate(library):
    """Without a gradient theta shrinks by weight_decay times lr times its own size."""
    optimizers = library("mlx.optimizers", "mlx[cpu]")
    settings = {"relative_step": False, "weight_decay": 0.125, "warmup_init": False}
    box = drive(lambda: optimizers.Adafactor(0.25, **settings), [np.full(2, 4.0)])
    box.update([np.zeros(2)])
    assert box.params()[0] == pytest.approx(4 * (1 - 0.125 * 0.25 * 4), rel=1e-12)
    assert box.params()[0] != pytest.approx(4 * (1 - 0.125 * 0.25), rel=1e-3)


def test_tinygrads_lars_decays_as_sgd_where_there_is_no_gradient(library):
    """The paper's ratio tcoef |theta|/(|g| + wd |theta|) is tcoef/wd there; tinygrad takes 1."""
    optim = library("tinygrad.nn.optim", "tinygrad")
    settings = {"lr": 0.5, "momentum": 0.0, "weight_decay": 0.25, "tcoef": 0.125}
    box = drive(lambda params: optim.LARS(params, **settings), [np.full(2, 4.0, np.float32)])
    box.update([np.zeros(2, np.float32)])
    assert box.params()[0] == pytest.approx(4 * (1 - 0.5 * 0.25))
    assert box.params()[0] != pytest.approx(4 * (1 - 0.5 * 0.125), rel=1e-3)


def lamb(*, theirs, b1=0.9, b2=0.999, eps=0.03, decay=0.07, lr=0.05):
    """theta of two coordinates; lr over 1 - beta1^t and an epsilon in the trust ratio, or neither."""
    x, m, v, rows = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2), []
    for t, first in enumerate(G, 1):
        g = np.array([first, 1.0])
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        x = x * (1 - lr * decay)
        u = m / (np.sqrt(v) + eps)
        ratio = np.linalg.norm(x) / (np.linalg.norm(u) + (eps if theirs else 0))
        x = x - lr / (1 - b1**t if theirs else 1) * ratio * u
        rows.append(x)
    return rows


def driven(make, start, gradients):
    """theta after each update, of one array."""
    box, rows = drive(make, [np.array(start)]), []
    for g in gradients:
        box.update([np.array(g)])
        rows.append(box.params()[0])
    return rows


def test_lamb_of_pytorch_optimizer_divides_lr_by_the_bias_correction(library):
    optim = library("pytorch_optimizer", "pytorch-optimizer")
    for foreach in (False, True):
        make = functools.partial(optim.Lamb, lr=0.05, eps=0.03, weight_decay=0.07, foreach=foreach)
        found = driven(make, [1.0, -2.0], [[g, 1.0] for g in G])
        assert np.allclose(found, lamb(theirs=True), rtol=1e-12)
        assert not np.allclose(found, lamb(theirs=False), rtol=1e-2)


def soap(gradients, x, *, sorts, b=0.95, eps=0.03, lr=0.05, decay=0.07):
    """theta after each update. sorts: are the columns of a basis put in the order of their eigenvalues?"""
    bases, statistics, m, v, rows = [], [], np.zeros_like(x), np.zeros_like(x), []
    for t, g in enumerate(gradients):
        outer = (g @ g.T, g.T @ g)
        if t == 0:
            statistics = [(1 - b) * s for s in outer]
            bases = [np.linalg.eigh(s)[1][:, ::-1] for s in statistics]
            rows.append(x)
            continue
        left, right = bases
        m = b * m + (1 - b) * g
        v = b * v + (1 - b) * (left.T @ g @ right) ** 2
        step = left.T @ m @ right / (np.sqrt(v) + eps)
        size = lr * math.sqrt(1 - b**t) / (1 - b**t)
        x = (x - size * (left @ step @ right.T)) * (1 - lr * decay)
        rows.append(x)
        statistics = [b * s + (1 - b) * o for s, o in zip(statistics, outer, strict=True)]
        for side in range(2):
            product = statistics[side] @ bases[side]
            order = np.argsort(-(bases[side] * product).sum(axis=0), kind="stable")
            if sorts:
                product, v = product[:, order], np.take(v, order, axis=side)
            bases[side] = np.linalg.qr(product.astype(np.float32))[0].astype(float)
    return rows


def test_soap_of_pytorch_optimizer_sorts_its_bases_in_float32(library):
    optim = library("pytorch_optimizer", "pytorch-optimizer")
    rng = np.random.default_rng(3)
    gradients, start = rng.normal(size=(14, 2, 3)), rng.normal(size=(2, 3))
    settings = {"lr": 0.05, "eps": 0.03, "weight_decay": 0.07, "precondition_frequency": 1}
    found = driven(lambda params: optim.SOAP(params, **settings), start, gradients)
    assert np.allclose(found, soap(gradients, start, sorts=True), rtol=1e-6)
    assert not np.allclose(found, soap(gradients, start, sorts=False), rtol=1e-3)
