"""Every dialect of `optverify/libraries` against the real library, at 1e-12 relative over 60 updates.

Updates are compared, coordinate by coordinate, not parameters. The gradients hold spikes, zeros, sign
flips and values near epsilon; epsilon and decay are large; the learning rate falls and rises in mid-run.
"""

import importlib.util
import warnings

import numpy as np
import pytest

from optverify.backends.numpy import numpy_module
from optverify.libraries import library, names
from optverify.optimizers.dialects import keywords
from optverify.rules import rule
from tests.peers.drivers import DRIVERS

STEPS = 60
SHAPE = (4, 6)
# Bounds (eps2, min_step, max_step, lr_max) lie where they bind in some updates and not in others.
VALUES = {
    "lr": 0.05, "momentum": 0.8, "dampening": 0.3, "beta1": 0.8, "beta2": 0.95, "rho": 0.95, "eps": 1e-2,
    "weight_decay": 0.07, "lr_decay": 0.1, "initial_accumulator": 0.3, "eps1": 1e-3, "eps2": 1.11,
    "min_step": 1e-3, "max_step": 0.06, "average_start": 20.0, "lambda1": 0.1, "lambda2": 0.2,
    "shrinkage": 0.3, "beta": 0.4, "lambd": 0.02, "momentum_decay": 0.02, "f_min": -0.1, "lr_max": 0.003,
    "d0": 1e-3, "r_eps": 1e-3, "trust_coefficient": 0.02, "beta3": 0.99, "eps_root": 1e-3,
    "clip_threshold": 1.5, "d_coefficient": 20.0,
}  # fmt: skip
CASES = [
    (name, entry, switches)
    for name in names()
    for entry in library(name).entries
    for switches in ((), *((s,) for s in entry.switches))
]


def hostile(transposed=False):
    """Start, gradients, learning rates, losses."""
    rng = np.random.default_rng(1)
    gradients = rng.normal(size=(STEPS, *SHAPE)) * np.array([1, 1e-3, 10, 1, 1, 0.1])
    gradients[0] *= 1e-4
    gradients[10] *= 1e3
    gradients[:, :, 3] = 0
    gradients[20:23] = 0
    gradients[30, :, 4] = 1e-9
    gradients[:5, :, 5] = 0
    gradients[:8, 1] = 0
    rates = np.repeat([0.05, 0.01, 0.3], STEPS // 3)
    theta, losses = rng.normal(size=SHAPE), rng.normal(size=STEPS) + 1
    if transposed:
        theta, gradients = theta.T.copy(), gradients.transpose(0, 2, 1).copy()
    return theta, gradients, rates, losses


def ours(dialect, values, theta, gradients, rates, losses):
    """theta after every update by the generated steps."""
    steps = numpy_module(dialect)
    at_start = keywords(steps.init)
    state = steps.init(theta, **{n: v for n, v in values.items() if n in at_start})
    given = {n: v for n, v in values.items() if n not in at_start}
    for gradient, rate, loss in zip(gradients, rates, losses, strict=True):
        given |= {n: float(v) for n, v in (("lr", rate), ("loss", loss)) if n in given}
        theta, state = steps.step(theta, gradient, state, **given)
        yield theta


def identity(case):
    name, entry, switches = case
    return f"{name}-{entry.rule}" + "".join(f"-{s}" for s in switches)


def largest_error(case, of_largest):
    """Of all updates: relative to each coordinate, or to the largest coordinate of the update.

    Rules that do not go coordinate by coordinate are run on wide and on tall matrices.
    """
    name, entry, switches = case
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed: pip install 'optverify[peers]' runs this comparison")
    options = {axis: option for s in switches for axis, option in entry.switches[s].items()}
    dialect = rule(entry.rule, like=name, **options)
    values = {}
    for h in dialect.hyperparameters:
        chosen = VALUES.get(h.name, h.default if h.default is None else 0.9 * h.default)
        values[h.name] = chosen if h.name in entry.names else h.default
    sides = (False,) if dialect.elementwise else (False, True)
    return max(one_error(name, entry, switches, dialect, values, hostile(side), of_largest) for side in sides)


def one_error(name, entry, switches, dialect, values, run, of_largest):
    """On these gradients."""
    theta, gradients, rates, losses = run
    if "lr" not in entry.names:
        rates = np.full(STEPS, dialect.hyperparameter("lr").default)
    named = {n: v for n, v in values.items() if n in entry.names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        theirs = list(DRIVERS[name](entry, named, switches, theta, gradients, rates, losses))
    mine = list(ours(dialect, values, theta, gradients, rates, losses))
    a, b = np.diff([theta, *mine], axis=0), np.diff([theta, *theirs], axis=0)
    assert np.all(np.isfinite(b))
    size = np.abs(b)
    if of_largest:
        size = np.max(size, axis=(1, 2), keepdims=True)
    rounding = 8 * np.finfo(float).eps * np.abs([theta, *theirs[:-1]])  # what theta + update itself loses
    return np.max(np.maximum(np.abs(a - b) - rounding, 0) / np.maximum(size, 1e-300))


@pytest.mark.parametrize("case", CASES, ids=map(identity, CASES))
def test_a_dialect_is_what_the_library_computes(case):
    tolerance = case[1].tolerance
    error = largest_error(case, of_largest=tolerance > 1e-12)
    assert error < tolerance, f"largest error {error:.1e} of an update"


IN_FLOAT32 = [case for case in CASES if case[0] == "keras" and case[1].tolerance > 1e-12]


@pytest.mark.parametrize("case", IN_FLOAT32, ids=map(identity, IN_FLOAT32))
def test_keras_agrees_to_rounding_where_its_means_and_norms_stay_in_float64(case, monkeypatch):
    """Its type promotion makes float32 of float64 and a Python float, whatever floatx says."""
    dtypes = pytest.importorskip("keras.src.backend.common.dtypes", reason="keras is not installed")
    promoted = dtypes.result_type

    def kept(*kinds):
        return "float64" if any(str(kind) == "float64" for kind in kinds) else promoted(*kinds)

    monkeypatch.setattr(dtypes, "result_type", kept)
    error = largest_error(case, of_largest=False)
    assert error < 1e-12, f"largest error {error:.1e} of an update"


def test_the_average_of_pytorchs_asgd_is_theta_bar():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.set_default_dtype(torch.float64)
    theta, gradients, _, _ = hostile()
    parameter = torch.nn.Parameter(torch.tensor(theta))
    optimizer = torch.optim.ASGD([parameter], lr=0.05, lambd=0.02, t0=19)
    steps = numpy_module(rule("asgd", like="torch"))
    state = steps.init(theta)
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        theta, state = steps.step(
            theta, gradient, state, lr=0.05, lambd=0.02, average_start=20.0, weight_decay=0.0
        )
        theirs = optimizer.state[parameter]["ax"].numpy()
        np.testing.assert_allclose(state.theta_bar, theirs, rtol=1e-12, atol=1e-14)
