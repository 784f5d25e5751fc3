"""Schedule-Free SGD: NumPy steps, generated from optverify/rules/schedule_free_sgd.py. Edit that file, not this one.

The gradient is taken near the average, where it is asked for, and moves another point.

    z = z - lr*g
    W = W + square(lr)
    c = square(lr)/W if W > 0 else 0
    theta = (1 - c)*theta + c*z

Dialect: parameters = average, weighting = step_size, weight_decay_form = none, maximize = False.
Source: Defazio et al. (2024), The road less scheduled, NeurIPS, arXiv:2405.15682: the three lines of Schedule-Free SGD, with the weights of Algorithm 1; theta is their x.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import square

RULE = "schedule_free_sgd"
OPTIONS = {"parameters": "average", "weighting": "step_size", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = True
DOMAINS = {"lr": "> 0", "momentum": "in (0, 1)"}
SIDES = {'z': '', 'W': 'number'}


class State(NamedTuple):
    """t: updates made so far; z: the point that takes the steps; W: sum of the weights."""

    t: int
    z: ndarray
    W: float


def equations(theta, g, z, W, t, lr, momentum):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    z = z - lr*g
    W = W + square(lr)
    c = square(lr)/W if W > 0 else 0
    theta = (1 - c)*theta + c*z
    return theta, z, W


def _check(lr, momentum):
    _engine.check(DOMAINS, momentum=momentum)


_PLAN = _whole.Plan(State, equations, _check, SIDES, False)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_whole.fresh(theta, SIDES, theta, 0))


def gradient_point(theta: Any, state: State, *, momentum: float = 0.9) -> Any:
    """The point at which the rule takes its gradient: momentum*theta + (1 - momentum)*z."""
    _engine.check(DOMAINS, momentum=momentum)
    z = state.z
    return momentum*theta + (1 - momentum)*z


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 1.0, momentum: float = 0.9) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size; warm-up is a schedule of it, > 0.
    momentum: where between z and the average the gradient is, in (0, 1).
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr, momentum))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 1.0, momentum: float = 0.9) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr, momentum))
    return after
