"""The compiler from lines of Python to calls on buffers, on rules that the classic ones do not need."""

import numpy as np
import pytest
from sympy import Abs, Eq, Max, Min, Piecewise, exp, log, sign, sqrt

from optverify.backends.numpy import numpy_module, numpy_source
from optverify.language import (
    Hyperparameter,
    Source,
    State,
    Variable,
    eps,
    g,
    grad,
    lr,
    nonnegative,
    positive,
    rho,
    rule,
    t,
    theta,
    unit,
)
from optverify.steps import _engine

SOURCES = [Source("Nobody", 2000, "A rule for this test", "equation (1)", "Nowhere")]
m = State("m", meaning="a state")
average = State("average", initial=theta[t - 1], meaning="mean of the parameters")
rate = Hyperparameter(lr, "lr", 0.1, positive, "step size")


def made(write, hyperparameters=(rate,), states=(m,)):
    """The module of a rule that is written down here."""
    write.__doc__ = "A rule for this test."
    return numpy_module(
        rule("trial", title="Trial", sources=SOURCES, hyperparameters=hyperparameters, states=states)(write)
    )


def assert_same_as_equations(module, *given, size=50):
    rng = np.random.default_rng(0)
    theta_0, names = rng.standard_normal(size), module.State._fields[1:]
    states = [rng.uniform(0.5, 2, size) for _ in names]
    for limit in (1 << 20, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_engine, "WHOLE", limit)
            patch.setattr(_engine, "BLOCK_BYTES", 64)
            for updates in (0, 1):
                grad = rng.standard_normal(size)
                expected = module.equations(theta_0, grad, *states, updates + 1, *given)
                state = module.State(updates, *(s.copy() for s in states))
                new, after = module.step(theta_0, grad, state)
                written = theta_0.copy()
                module.update(written, grad, state)
                for result in ((new, *after[1:]), (written, *state[1:])):
                    for got, want in zip(result, expected, strict=True):
                        assert np.array_equal(got, want)


def test_an_old_state_may_be_read_after_the_new_one_is_there():
    def write(d):
        yield g[t], grad
        yield m[t], 0.5 * m[t - 1] + g[t]
        yield theta[t], theta[t - 1] - lr * (m[t] - m[t - 1] / 4)

    module = made(write)
    assert "m_before = m" in module.source
    assert_same_as_equations(module, 0.1)


def test_the_state_may_follow_from_the_new_and_the_old_theta():
    def write(d):
        yield g[t], grad
        yield theta[t], theta[t - 1] - lr * g[t]
        yield m[t], m[t - 1] + theta[t] - theta[t - 1]

    assert_same_as_equations(made(write), 0.1)


def test_a_new_theta_is_kept_while_later_lines_need_scratch():
    def write(d):
        yield g[t], grad
        yield theta[t], theta[t - 1] - lr * g[t]
        yield m[t], m[t - 1] / 2 + theta[t - 1] * (g[t] + m[t - 1])

    assert_same_as_equations(made(write), 0.1)


def test_every_function_of_the_language_has_its_call():
    u = Variable("u")

    def write(d):
        yield g[t], grad
        yield m[t], Max(m[t - 1] / 2, Abs(g[t]))
        yield u[t], sign(g[t]) * sqrt(m[t]) + exp(-m[t]) - log(1 + m[t])
        yield theta[t], theta[t - 1] - lr * Min(u[t], 1)

    module = made(write)
    for call in ("maximum(", "minimum(", "absolute(", "sign(", "exp(", "log("):
        assert call in module.source
    assert_same_as_equations(module, 0.1)


def test_a_first_update_of_its_own():
    def write(d):
        yield g[t], grad
        yield m[t], Piecewise((g[t], Eq(t, 1)), (m[t - 1] - g[t] / 8, True))
        yield theta[t], theta[t - 1] - lr * m[t]

    assert_same_as_equations(made(write), 0.1)


def test_a_rule_without_a_learning_rate():
    hyperparameters = (
        Hyperparameter(rho, "rho", 0.95, unit, "decay rate"),
        Hyperparameter(eps, "eps", 1e-6, nonnegative, "keeps the root positive"),
    )

    def write(d):
        yield g[t], grad
        yield m[t], rho * m[t - 1] + (1 - rho) * g[t] ** 2
        yield theta[t], theta[t - 1] - g[t] / sqrt(m[t] + eps)

    module = made(write, hyperparameters)
    assert_same_as_equations(module, 0.95, 1e-6)
    with pytest.raises(TypeError, match="lr"):
        module.step(1.0, 1.0, module.init(1.0), lr=0.1)


def test_a_state_that_starts_at_theta_starts_as_a_copy():
    def write(d):
        yield g[t], grad
        yield theta[t], theta[t - 1] - lr * g[t]
        yield average[t], average[t - 1] + (theta[t] - average[t - 1]) / t

    module = made(write, states=(average,))
    start = np.array([1.0, 1j])
    state = module.init(start)
    assert np.array_equal(state.average, start)
    assert not np.may_share_memory(state.average, start)
    assert_same_as_equations(module, 0.1)


def test_one_source_for_one_dialect():
    from optverify.rules import rule as find

    assert numpy_source(find("adam")) is numpy_source(find("adam", epsilon="outside"))
    assert numpy_source(find("adam")) != numpy_source(find("adam", epsilon="inside"))
