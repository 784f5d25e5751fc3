"""Three ways from the same assignments: NumPy calls, autograd by lambdify, mpmath with 40 digits.

What is compared is the states and the update over lr, (theta_t - theta_{t-1})/lr: compared by parameters, an
epsilon in the wrong place passes. The three share the recurrence and nothing else.
"""

import inspect

import mpmath
import numpy as np
import pytest

from optverify.backends import step
from optverify.backends.numpy import numpy_module
from optverify.backends.twins import Twin
from optverify.rules import registry

VALUES = {
    "beta1": 0.8, "beta2": 0.95, "rho": 0.85, "momentum": 0.7, "dampening": 0.35, "eps": 1e-2,
    "weight_decay": 2.5, "initial_accumulator": 0.2, "lr_decay": 0.05,
    "beta3": 0.9, "beta4": 0.6, "nu": 0.6, "alpha": 1.5, "beta": 0.4, "eps_root": 3e-3, "final_lr": 0.25,
    "gamma": 0.2, "base_lr": 0.05, "partial": 0.2,
    "nu1": 0.6, "nu2": 0.9, "lambda1": 0.3, "lambda2": 0.2, "lr_power": 0.7, "shrinkage": 0.15,
    "optimism": 0.4, "warmup": 3.5, "beta_start": 0.7, "momentum_decay": 0.3, "lambd": 0.25, "power": 0.6,
    "average_start": 2.0, "loss": 0.7,
}  # fmt: skip
RATES = (0.1, 0.1, 0.02, 0.3)
THETA = np.array([1.0, -2.0, 0.5, 3.0, -1e-3])
GRADIENTS = np.array(
    [  # plain, spikes, zeros, changing sign, tiny; the last coordinate huge
        [0.5, 1.0, 0.0, 1.0, 1e-30],
        [0.75, 1e30, 3.0, -2.0, 2e-30],
        [1.0, -2.0, 0.0, 3.5, -7e-30],
        [1.25, 1.0, -1e-3, -0.3, 1e30],
    ]
)
ULP = 2.0**-52
"""theta is rounded to it, so an update cannot be read off more finely."""


def label(dialect):
    return "-".join([dialect.name, *(f"{a}={o}" for a, o in dialect.changed_options.items())])


def gradients(dialect):
    """GRADIENTS; no zero for Adamax as the paper has it, which divides 0 by 0 while all of them were zero."""
    undefined = dialect.name == "adamax" and dialect.options["epsilon"] == "none"
    return np.where(GRADIENTS == 0, 0.25, GRADIENTS) if undefined else GRADIENTS


def run(steps, dialect, initial, number=lambda x: x):
    """(update/lr, size of theta/lr, states) after each update; number: what floats are turned into."""
    values = {h.name: number(VALUES[h.name]) for h in dialect.hyperparameters if h.name in VALUES}
    known = inspect.signature(steps.init).parameters
    everything = isinstance(steps, Twin)
    theta = initial
    state = steps.init(theta, **{n: v for n, v in values.items() if everything or n in known})
    known = inspect.signature(steps.step).parameters
    given = {n: v for n, v in values.items() if everything or n in known}
    for lr, row in zip(map(number, RATES), gradients(dialect), strict=True):
        gradient = np.array([number(x) for x in row])
        before = theta
        if everything or "lr" in known:
            given["lr"] = lr
        theta, state = steps.step(theta, gradient, state, **given)
        yield (theta - before) / lr, np.maximum(abs(theta), abs(before)) / lr, state[1:]


def close(actual, expected, slack=0.0):
    gap = np.array([abs(mpmath.mpf(a) - e) for a, e in zip(actual, expected, strict=True)], float)
    assert np.all(gap <= 1e-12 * np.abs(np.array(expected, float)) + slack), (actual, expected)


CLASSICS = ("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")


def away(name):
    """On how many axes dialects may leave the default: any for a classic rule, none for Adam's namesakes."""
    if name in CLASSICS:
        return None
    return 0 if registry.get(name).write is registry.get("adam").write else 1


# maximize only turns the gradient round; it is here with the other options at their defaults
EVERY = [
    d
    for name in registry.names()
    for d in registry.get(name).dialects(away(name))
    if not d.options.get("maximize") or len(d.changed_options) == 1
]
DIALECTS = [d for d in EVERY if not d.operators and not d.inputs]
WITHOUT = [d for d in EVERY if d.operators]
"""No twin: lambdify knows no named operators. The loops of tests/rules are their other way."""


@pytest.mark.parametrize("dialect", WITHOUT, ids=label)
@pytest.mark.parametrize("backend", ["mpmath", "autograd"])
def test_a_rule_with_named_operators_has_no_twin_and_says_so(dialect, backend):
    message = rf"^rule '{dialect.name}' has no {backend} twin, because it uses \w+"
    with pytest.raises(ValueError, match=message):
        Twin(dialect, backend)


@pytest.mark.parametrize("dialect", DIALECTS, ids=label)
def test_numpy_autograd_and_mpmath_agree_to_1e_12(dialect):
    with mpmath.workdps(40):
        exact = run(Twin(dialect, "mpmath"), dialect, np.array([mpmath.mpf(x) for x in THETA]), mpmath.mpf)
        ways = [run(numpy_module(dialect), dialect, THETA), run(Twin(dialect, "autograd"), dialect, THETA)]
        for (update, _, states), *found in zip(exact, *ways, strict=True):
            for got, size, got_states in found:
                close(got, update, 4 * ULP * size)
                # What theta was rounded by stays where Adan subtracts one coupled gradient from the next.
                slack = 4 * ULP * size if dialect.name == "adan" else 0.0
                for one, other in zip(got_states, states, strict=True):
                    close(np.atleast_1d(one), np.atleast_1d(other), slack)


def test_a_twin_takes_a_schedule_as_a_step_does():
    from optverify.steps import adam

    twin, theta = step("adam", backend="autograd"), np.array([1.0, -2.0])
    _, state = adam.step(theta, theta, adam.init(theta))
    found, _ = twin.step(theta, theta, state, lr=lambda t: 0.1 / (1 + t))
    expected, _ = adam.step(theta, theta, state, lr=0.05)
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_the_derivative_of_an_update_by_a_hyperparameter_is_exact():
    from autograd import grad

    twin = step("adam", backend="autograd")

    def after_one(lr):
        return twin.step(np.array(1.0), np.array(0.5), twin.init(np.array(1.0)), lr=lr)[0]

    assert grad(after_one)(0.1) == pytest.approx(-0.5 / (0.5 + 1e-8), rel=1e-12)


def test_a_backend_that_is_not_known_is_named_with_the_nearest():
    with pytest.raises(ValueError, match="unknown backend 'numpi'; did you mean 'numpy'"):
        step("adam", backend="numpi")
    with pytest.raises(ValueError, match="unknown rule 'adma'; did you mean 'adam'"):
        step("adma")
