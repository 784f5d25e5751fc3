"""Inclusions and invariances once more, in float64 with the generated steps, a road of their own."""

import numpy as np
import pytest

import optverify as ov
from optverify.claims._invariance_table import expected

RNG = np.random.default_rng(7)
GRADIENTS = RNG.normal(size=(12, 3, 2))
START = RNG.normal(size=(3, 2))


def path(name, gradients=GRADIENTS, start=START, dialect=None, values=None):
    """theta after each update; values: name -> number or function of t."""
    step = ov.step(name, **(dialect or {}))
    theta, state = start.copy(), step.init(start)
    out = []
    for t, g in enumerate(gradients, 1):
        now = {k: v(t) if callable(v) else v for k, v in (values or {}).items()}
        theta, state = step.step(theta, g, state, **now)
        out.append(theta)
    return np.array(out)


def corrected(value, rho):
    return lambda t: value / np.sqrt(1 - rho**t)


OUTSIDE = {"form": "ema", "lr_placement": "outside"}
PAIRS = [
    ("gd", {}, {"lr": 0.1}, "momentum", {}, {"lr": 0.1, "momentum": 0.0}),
    ("momentum", {"form": "ema"}, {"lr": 0.1, "momentum": 0.8}, "momentum", {},
     {"lr": 0.02, "momentum": 0.8}),
    ("nesterov", {"nesterov": "rewritten", "lr_placement": "outside"}, {"lr": 0.1, "momentum": 0.8},
     "qhm", {}, {"lr": 0.5, "momentum": 0.8, "nu": 0.8}),
    ("qhm", {}, {"lr": 0.1, "momentum": 0.6, "nu": 1 / 1.4},
     "aggmo", {"velocities": "2"}, {"lr": 0.08 / 1.4, "beta1": 0.6, "beta2": 0.0}),
    ("momentum", {}, {"lr": 0.1, "momentum": 0.7}, "aggmo", {},
     {"lr": 0.1, "beta1": 0.7, "beta2": 0.7, "beta3": 0.7}),
    ("signum", {}, {"lr": 0.1, "momentum": 0.7}, "lion", {},
     {"lr": 0.1, "beta1": 0.7, "beta2": 0.7, "weight_decay": 0.0}),
    ("rmsprop", {}, {"lr": 0.1, "rho": 0.8, "eps": 0.1}, "adam", {},
     {"lr": corrected(0.1, 0.8), "beta1": 0.0, "beta2": 0.8, "eps": corrected(0.1, 0.8)}),
    ("rmsprop", {}, {"lr": 0.1, "rho": 0.8, "eps": 0.1}, "laprop", {},
     {"lr": corrected(0.1, 0.8), "beta1": 0.0, "beta2": 0.8, "eps": corrected(0.1, 0.8)}),
    ("adagrad", {}, {"lr": 0.1, "eps": 0.1}, "rmsprop", {},
     {"lr": lambda t: 0.1 / np.sqrt(t), "rho": lambda t: 1 - 1 / t, "eps": lambda t: 0.1 / np.sqrt(t)}),
    ("momentum", OUTSIDE, {"lr": 0.1, "momentum": 0.8}, "radam", {},
     {"lr": lambda t: 0.1 * (1 - 0.8**t), "beta1": 0.8, "beta2": 0.0}),
    ("amsgrad", {}, {"lr": 0.1}, "padam", {}, {"lr": 0.1, "partial": 0.5}),
    ("adam", {}, {"lr": 0.1, "beta1": 0.8}, "qhadam", {}, {"lr": 0.1, "beta1": 0.8, "nu1": 1.0, "nu2": 1.0}),
    ("adam", {}, {"lr": 0.1, "beta2": 0.9}, "adan", {"start": "corrected_from_zero", "epsilon": "outside"},
     {"lr": 0.1, "beta1": 0.9, "beta2": 0.0, "beta3": 0.9, "weight_decay": 0.0}),
    ("adamw", {}, {"lr": 0.1}, "ademamix", {}, {"lr": 0.1, "alpha": 0.0, "weight_decay": 0.01}),
    ("gd", {}, {"lr": 0.1}, "adabelief", {"epsilon": "outside", "bias_correction": "none"},
     {"lr": 0.02, "beta1": 0.0, "eps": 0.2}),
    ("adagrad", {}, {"lr": 0.1, "eps": 0.0}, "adafactor",
     {"factored": False, "relative_step": False, "parameter_scale": False, "clipping": False},
     {"lr": lambda t: 0.1 / np.sqrt(t), "decay_rate": 1.0, "eps1": 0.0}),
]  # fmt: skip


@pytest.mark.parametrize(("small", "one", "a", "large", "two", "b"), PAIRS)
def test_inclusions_with_generated_steps(small, one, a, large, two, b):
    np.testing.assert_allclose(
        path(small, dialect=one, values=a), path(large, dialect=two, values=b), rtol=1e-11, atol=1e-13
    )


LIMITS = [
    ("momentum", OUTSIDE, {"lr": 0.1, "momentum": 0.8}, "adam",
     {"lr": lambda t: 1e9 * (1 - 0.8**t), "beta1": 0.8, "eps": 1e10}),
    ("gd", {}, {"lr": 0.1}, "adagrad", {"lr": 1e9, "eps": 1e10}),
    ("gd", {}, {"lr": 1.0}, "adadelta", {"eps": 1e10}),
    ("momentum", OUTSIDE, {"lr": 0.1, "momentum": 0.8}, "yogi", {"lr": 1e9, "beta1": 0.8, "eps": 1e10}),
]  # fmt: skip


@pytest.mark.parametrize(("small", "one", "a", "large", "b"), LIMITS)
def test_limits_are_approached(small, one, a, large, b):
    np.testing.assert_allclose(path(small, dialect=one, values=a), path(large, values=b), rtol=1e-7)


def test_ftrl_is_adagrad_from_the_origin():
    zero = np.zeros_like(START)
    one = path("adagrad", start=zero, values={"lr": 0.1, "eps": 0.5})
    np.testing.assert_allclose(one, path("ftrl", start=zero, values={"lr": 0.1, "beta": 0.5}), rtol=1e-11)


def test_nesterov_is_no_aggmo_and_nadam_no_qhadam_with_constant_numbers():
    dialect = {"nesterov": "rewritten", "lr_placement": "outside"}
    nesterov = path("nesterov", dialect=dialect, values={"lr": 0.1, "momentum": 0.8})
    other = path("aggmo", dialect={"velocities": "2"}, values={"lr": 0.1, "beta1": 0.8, "beta2": 0.0})
    assert np.abs(nesterov - other).max() > 1e-2
    plain = {"momentum_schedule": "constant", "first_correction": "same", "second_correction": "adam"}
    nadam = path("nadam", dialect=plain, values={"lr": 0.1})
    qhadam = path("qhadam", values={"lr": 0.1, "nu1": 0.9, "nu2": 1.0})
    assert np.abs(nadam - qhadam).max() > 1e-2


U, V = (np.linalg.qr(RNG.normal(size=(n, n)))[0] for n in (3, 2))
Q = np.linalg.qr(RNG.normal(size=(6, 6)))[0]
CHANGES = {
    "scale": (lambda g: 3.7 * g, lambda x: x),
    "diagonal": (lambda g: g * np.array([[2.0, 0.3], [1.7, 5.0], [0.2, 11.0]]), lambda x: x),
    "mirror": (lambda g: -g, lambda x: -x),
    "translation": (lambda g: g, lambda x: x + np.array([[1.0, -2.0], [0.3, 4.0], [-5.0, 0.7]])),
    "rotation": (lambda g: (Q @ g.ravel()).reshape(g.shape),) * 2,
    "two_sided": (lambda g: U @ g @ V.T,) * 2,
    "permutation": (lambda g: g[[2, 0, 1]][:, ::-1],) * 2,
}
HELD = [
    (name, column)
    for name, cells in expected().items()
    for column, (verdict, _) in cells.items()
    if column in CHANGES and verdict == "holds" and not (ov.rule(name).inputs or name == "polyak_step")
]


@pytest.mark.parametrize(("name", "column"), HELD)
def test_invariances_that_hold(name, column):
    """A matrix of 3 x 2, 12 random gradients, the defaults of the paper."""
    gradient, parameters = CHANGES[column]
    values = {} if name == "rprop" else {"lr": 0.1}  # Rprop's lr is where its step sizes start
    before = path(name, values=values)
    after = path(name, [gradient(g) for g in GRADIENTS], parameters(START), values=values)
    np.testing.assert_allclose(
        after, [parameters(x) for x in before], rtol=1e-6, atol=1e-8 * np.abs(before).max()
    )


BROKEN = [
    ("adam", "rotation"), ("lion", "rotation"), ("sm3", "diagonal"), ("gd", "scale"), ("lamb", "translation"),
    ("muon", "rotation"), ("adafactor", "two_sided"), ("soap", "permutation"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "column"), BROKEN)
def test_invariances_that_do_not(name, column):
    gradient, parameters = CHANGES[column]
    before = path(name, values={"lr": 0.1})
    after = path(name, [gradient(g) for g in GRADIENTS], parameters(START), values={"lr": 0.1})
    assert np.abs(after - np.array([parameters(x) for x in before])).max() > 1e-3
