"""Averaged SGD: NumPy steps, generated from optverify/rules/asgd.py. Edit that file, not this one.

The points jump about the minimum; their mean comes to it as fast as any method can.

    mu = 1/max(1, t - average_start)
    theta = theta - lr*g
    theta_bar = theta_bar + mu*(theta - theta_bar)

Dialect: step_size = constant, weight_decay_form = none, maximize = False.
Source: Polyak and Juditsky (1992), Acceleration of stochastic approximation by averaging, SIAM Journal on Control and Optimization 30: the averaged iteration of section 2.
Source: Bottou (2010), Large-scale machine learning with stochastic gradient descent, COMPSTAT: averaged SGD and the step sizes of its experiments.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, multiply, ndarray, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "asgd"
OPTIONS = {"step_size": "constant", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "average_start": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; theta_bar: mean of the points after average_start, the result."""

    t: int
    theta_bar: ndarray


def equations(theta, g, theta_bar, t, lr, average_start):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    mu = 1/max(1, t - average_start)
    theta = theta - lr*g
    theta_bar = theta_bar + mu*(theta - theta_bar)
    return theta, theta_bar


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    theta_bar, = states
    theta_out, theta_bar_out = outs
    x1, = scratch
    lr, mu = scalars
    # theta = theta - lr*g
    x1 = multiply(lr, g, x1)
    theta_out = subtract(theta, x1, theta_out)
    # theta_bar = theta_bar + mu*(theta - theta_bar)
    x1 = subtract(theta_out, theta_bar, x1)
    x1 = multiply(mu, x1, x1)
    theta_bar_out = add(theta_bar, x1, theta_bar_out)
    return theta_out, (t, theta_bar_out)


def _fixed(kind, lr, average_start):
    try:
        fine = 0 <= average_start < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, average_start=average_start)
    return [array(lr, kind)]


def _scalars(fixed, kind, t, lr, average_start):
    mu = 1 / max(1, t - average_start)
    return [*fixed, array(mu, kind)]


_PLAN = _engine.Plan(State, _block, (None,) * 2, (None,) * 1, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.01, average_start: float = 0.0) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size of the first update, > 0.
    average_start: updates before the mean begins (PyTorch: its t0 + 1), >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, average_start))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.01, average_start: float = 0.0) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, average_start))
    return after
