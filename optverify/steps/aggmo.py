"""Aggregated momentum: NumPy steps, generated from optverify/rules/aggmo.py. Edit that file, not this one.

Slow velocities carry far, fast ones damp the swings of the slow.

    v_1 = beta1*v_1 - g
    v_2 = beta2*v_2 - g
    v_3 = beta3*v_3 - g
    theta = theta + lr*(v_1 + v_2 + v_3)/3

Dialect: velocities = 3, weight_decay_form = none, maximize = False.
Source: Lucas, Sun, Zemel and Grosse (2019), Aggregated momentum: stability through passive damping, ICLR, arXiv:1804.00325: the update rule of section 3; its damping vector is beta_i = 1 - a^(i-1), here with a = 0.1.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, multiply, ndarray, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "aggmo"
OPTIONS = {"velocities": "3", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "beta3": "in [0, 1)"}


class State(NamedTuple):
    """t: updates made so far; v_1: velocity number 1; v_2: velocity number 2; v_3: velocity number 3."""

    t: int
    v_1: ndarray
    v_2: ndarray
    v_3: ndarray


def equations(theta, g, v_1, v_2, v_3, t, lr, beta1, beta2, beta3):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    v_1 = beta1*v_1 - g
    v_2 = beta2*v_2 - g
    v_3 = beta3*v_3 - g
    theta = theta + lr*(v_1 + v_2 + v_3)/3
    return theta, v_1, v_2, v_3


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    v_1, v_2, v_3 = states
    theta_out, v_1_out, v_2_out, v_3_out = outs
    x1, = scratch
    beta1, beta2, beta3, lr, c1 = scalars
    # v_1 = beta1*v_1 - g
    x1 = multiply(beta1, v_1, x1)
    v_1_out = subtract(x1, g, v_1_out)
    # v_2 = beta2*v_2 - g
    x1 = multiply(beta2, v_2, x1)
    v_2_out = subtract(x1, g, v_2_out)
    # v_3 = beta3*v_3 - g
    x1 = multiply(beta3, v_3, x1)
    v_3_out = subtract(x1, g, v_3_out)
    # theta = theta + lr*(v_1 + v_2 + v_3)/3
    x1 = add(v_1_out, v_2_out, x1)
    x1 = add(x1, v_3_out, x1)
    x1 = multiply(lr, x1, x1)
    x1 = divide(x1, c1, x1)
    theta_out = add(theta, x1, theta_out)
    return theta_out, (t, v_1_out, v_2_out, v_3_out)


def _fixed(kind, lr, beta1, beta2, beta3):
    try:
        fine = 0 <= beta1 < 1 and 0 <= beta2 < 1 and 0 <= beta3 < 1
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, beta1=beta1, beta2=beta2, beta3=beta3)
    c1 = 3
    return [array(beta1, kind), array(beta2, kind), array(beta3, kind), array(lr, kind), array(c1, kind)]


def _scalars(fixed, kind, t, lr, beta1, beta2, beta3):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 4, (None,) * 1, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.1, beta1: float = 0.0, beta2: float = 0.9, beta3: float = 0.99) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: share of velocity 1 that is kept, in [0, 1).
    beta2: share of velocity 2 that is kept, in [0, 1).
    beta3: share of velocity 3 that is kept, in [0, 1).
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, beta3))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.1, beta1: float = 0.0, beta2: float = 0.9, beta3: float = 0.99) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, beta3))
    return after
