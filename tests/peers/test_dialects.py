"""Every dialect of `optverify/libraries` against the real library, at 1e-12 relative over 60 updates.

Updates are compared, coordinate by coordinate, not parameters. The gradients hold spikes, zeros, sign
flips and values near epsilon; epsilon and decay are large; the learning rate changes in mid-run.
"""

import importlib.util
import warnings

import numpy as np
import pytest

from optverify.backends.numpy import numpy_module
from optverify.libraries import library, names
from optverify.rules import rule
from tests.peers.drivers import DRIVERS

STEPS = 60
SHAPE = (3, 2)
VALUES = {
    "lr": 0.05, "momentum": 0.8, "dampening": 0.3, "beta1": 0.8, "beta2": 0.95, "rho": 0.95, "eps": 1e-2,
    "weight_decay": 0.07, "lr_decay": 0.1, "initial_accumulator": 0.3,
}  # fmt: skip
CASES = [
    (name, entry, switches)
    for name in names()
    for entry in library(name).entries
    for switches in ((), *((s,) for s in entry.switches))
]


def hostile():
    """Start, gradients, learning rates."""
    rng = np.random.default_rng(1)
    gradients = rng.normal(size=(STEPS, *SHAPE)) * np.array([[1, 1e-3], [10, 1], [1, 0.1]])
    gradients[10] *= 1e3
    gradients[:, 1, 1] = 0
    gradients[20:23] = 0
    gradients[30, 2, 0] = 1e-9
    gradients[:5, 2, 1] = 0
    rates = np.where(np.arange(STEPS) < STEPS // 2, 0.05, 0.01)
    return rng.normal(size=SHAPE), gradients, rates


def ours(dialect, values, theta, gradients, rates):
    """theta after every update by the generated steps."""
    steps = numpy_module(dialect)
    code = steps.init.__code__
    at_start = set(code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount])
    state = steps.init(theta, **{n: v for n, v in values.items() if n in at_start})
    given = {n: v for n, v in values.items() if n not in at_start}
    for gradient, rate in zip(gradients, rates, strict=True):
        given |= {"lr": float(rate)} if "lr" in given else {}
        theta, state = steps.step(theta, gradient, state, **given)
        yield theta


def identity(case):
    name, entry, switches = case
    return f"{name}-{entry.rule}" + "".join(f"-{s}" for s in switches)


@pytest.mark.parametrize("case", CASES, ids=map(identity, CASES))
def test_a_dialect_is_what_the_library_computes(case):
    name, entry, switches = case
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed: pip install 'optverify[peers]' runs this comparison")
    options = {axis: option for s in switches for axis, option in entry.switches[s].items()}
    dialect = rule(entry.rule, like=name, **options)
    values = {}
    for h in dialect.hyperparameters:
        chosen = VALUES.get(h.name, h.default if h.default is None else 0.9 * h.default)
        values[h.name] = chosen if h.name in entry.names else h.default
    theta, gradients, rates = hostile()
    named = {n: v for n, v in values.items() if n in entry.names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        theirs = list(DRIVERS[name](entry, named, switches, theta, gradients, rates))
    mine = list(ours(dialect, values, theta, gradients, rates))
    a, b = np.diff([theta, *mine], axis=0), np.diff([theta, *theirs], axis=0)
    assert np.all(np.isfinite(b))
    rounding = 8 * np.finfo(float).eps * np.abs([theta, *theirs[:-1]])  # what theta + update itself loses
    error = np.max(np.maximum(np.abs(a - b) - rounding, 0) / np.maximum(np.abs(b), 1e-300))
    assert error < entry.tolerance, f"largest error {error:.1e} of an update"
