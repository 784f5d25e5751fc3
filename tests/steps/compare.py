"""Comparing arrays to the last bit, and the hostile runs that steps are compared on."""

import numpy as np

from optverify.rules import registry

CLASSICS = ("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")


def few(name):
    """On how many axes dialects may leave the default; those that leave more combine these.

    AdamW and AMSGrad are dialects of Adam, and run among its own.
    """
    if registry.get(name).write is registry.get("adam").write and name != "adam":
        return 0
    return 2 if name in CLASSICS else 1


DIALECTS = [
    d for name in registry.names() for d in registry.get(name).dialects(few(name)) if not d.needs_matrix
]
VALUES = {
    "lr": 0.1,
    "beta1": 0.8,
    "beta2": 0.95,
    "rho": 0.85,
    "momentum": 0.7,
    "dampening": 0.3,
    "eps": 1e-2,
    "weight_decay": 0.4,
    "initial_accumulator": 0.2,
    "lr_decay": 0.05,
    "beta3": 0.9,
    "beta4": 0.6,
    "nu": 0.6,
    "alpha": 1.5,
    "beta": 0.4,
    "eps_root": 0.003,
    "final_lr": 0.3,
    "gamma": 0.2,
    "base_lr": 0.05,
    "partial": 0.2,
    "eta_plus": 1.4,
    "eta_minus": 0.3,
    "min_step": 0.05,
    "max_step": 0.15,
    "nu1": 0.6,
    "nu2": 0.9,
    "lambda1": 0.3,
    "lambda2": 0.2,
    "lr_power": 0.7,
    "shrinkage": 0.15,
    "optimism": 0.4,
    "warmup": 3.5,
    "beta_start": 0.7,
    "momentum_decay": 0.3,
    "lambd": 0.25,
    "power": 0.6,
    "average_start": 2.0,
    "loss": 0.7,
    "period": 2.0,
    "f_min": -0.2,
    "lr_max": 0.3,
    "c": 0.6,
    "b0": 0.3,
    "trust_coefficient": 0.15,
    "phi_min": 0.2,
    "phi_max": 2.5,
    "eps1": 0.02,
    "eps2": 0.6,
    "clip_threshold": 0.7,
    "decay_rate": 0.75,
    "r_eps": 0.04,
    "d0": 0.06,
    "d_coefficient": 0.8,
    "sync_period": 2.0,
    "slow_lr": 0.35,
    "sam_rho": 0.15,
}
"""Far from the defaults, so that a hyperparameter that is swapped or dropped shows."""
RATES = (0.1, 0.1, 0.02, 0.3, 0.3)
"""lr changes on the way: inside and outside a buffer differ."""


def label(dialect):
    """The id of a test: rule and options that differ from its default."""
    return "-".join([dialect.name, *(f"{a}={o}" for a, o in dialect.changed_options.items())])


def values_of(dialect):
    """A value for each hyperparameter."""
    return {h.name: VALUES[h.name] for h in dialect.hyperparameters}


def inputs_of(dialect, gradient):
    """An array for each input of the rule, as hostile as the gradient."""
    return {i.name: np.roll(gradient, k) for k, i in enumerate(dialect.inputs, 1)}


def hostile(huge=1e30, tiny=1e-30):
    """A gradient a step, of 8 numbers: plain, spikes, zeros, flips of sign, tiny, huge, all zero, mixed."""
    steps = len(RATES)
    k = np.arange(steps)
    columns = [
        0.5 + 0.25 * k,
        np.where(k == 1, huge, 1.0),
        np.where(k % 2, 0.0, 3.0),
        (-1.0) ** k * (1 + k),
        np.full(steps, tiny) * (k + 1),
        np.full(steps, huge) / (k + 1),
        np.zeros(steps),
        np.where(k == 2, -tiny, -2.0),
    ]
    return np.stack(columns, axis=1)


THETA = np.array([1.0, -2.0, 0.5, 3.0, 0.0, -1.0, 0.25, 1e-3])


def assert_same_bits(actual, expected, what=""):
    """Equal dtype, shape and bits; a NaN equals a NaN."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape), what
    if actual.dtype.kind == "c":
        assert_same_bits(actual.real, expected.real, what)
        assert_same_bits(actual.imag, expected.imag, what)
        return
    same = (actual == expected) & (np.signbit(actual) == np.signbit(expected))
    assert np.all(same | (np.isnan(actual) & np.isnan(expected))), f"{what}: {actual} is not {expected}"
