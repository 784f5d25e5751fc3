"""Lookahead: NumPy steps, generated from optverify/rules/lookahead.py. Edit that file, not this one.

Every k steps the parameters return to a point between where they are and where they began.

    theta_fast = theta - lr*g
    theta_slow = theta_slow + slow_lr*(theta_fast - theta_slow) if t % sync_period == 0 else theta_slow
    theta = theta_slow if t % sync_period == 0 else theta_fast

Dialect: weight_decay_form = none, maximize = False.
Source: Zhang, Lucas, Hinton and Ba (2019), Lookahead optimizer: k steps forward, 1 step back, NeurIPS, arXiv:1907.08610: Algorithm 1.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, multiply, ndarray, positive, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "lookahead"
OPTIONS = {"weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "sync_period": ">= 1", "slow_lr": "in (0, 1]"}


class State(NamedTuple):
    """t: updates made so far; theta_slow: slow parameters."""

    t: int
    theta_slow: ndarray


def equations(theta, g, theta_slow, t, lr, sync_period, slow_lr):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    theta_fast = theta - lr*g
    theta_slow = theta_slow + slow_lr*(theta_fast - theta_slow) if t % sync_period == 0 else theta_slow
    theta = theta_slow if t % sync_period == 0 else theta_fast
    return theta, theta_slow


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    theta_slow, = states
    theta_out, theta_slow_out = outs
    x1, x2 = scratch
    lr, slow_lr, c1 = scalars
    # theta_fast = theta - lr*g
    x2 = multiply(lr, g, x2)
    x1 = subtract(theta, x2, x1)
    # theta_slow = theta_slow + slow_lr*(theta_fast - theta_slow) if t % sync_period == 0 else theta_slow
    if c1:
        x2 = subtract(x1, theta_slow, x2)
        x2 = multiply(slow_lr, x2, x2)
        theta_slow_out = add(theta_slow, x2, theta_slow_out)
    else:
        theta_slow_out = positive(theta_slow, theta_slow_out)
    # theta = theta_slow if t % sync_period == 0 else theta_fast
    if c1:
        theta_out = positive(theta_slow_out, theta_out)
    else:
        theta_out = positive(x1, theta_out)
    return theta_out, (t, theta_slow_out)


def _fixed(kind, lr, sync_period, slow_lr):
    try:
        fine = 1 <= sync_period < inf and 0 < slow_lr <= 1
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, sync_period=sync_period, slow_lr=slow_lr)
    return [array(lr, kind), array(slow_lr, kind)]


def _scalars(fixed, kind, t, lr, sync_period, slow_lr):
    c1 = t % sync_period == 0
    return [*fixed, array(c1, kind)]


_PLAN = _engine.Plan(State, _block, (None,) * 2, (None,) * 2, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, theta))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.01, sync_period: float = 5.0, slow_lr: float = 0.5) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    sync_period: number of fast steps to a slow one, an integer, >= 1.
    slow_lr: slow step size, in (0, 1].
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, sync_period, slow_lr))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.01, sync_period: float = 5.0, slow_lr: float = 0.5) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, sync_period, slow_lr))
    return after
