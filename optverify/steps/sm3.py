"""SM3: NumPy steps, generated from optverify/rules/sm3.py. Edit that file, not this one.

What a row and a column say together bounds the sum of squares of each entry from above.

    nu = minimum(C, R) + g**2
    R = row_max(nu)
    C = column_max(nu)
    q = where(nu > 0, sqrt(nu), 1)
    theta = theta - lr*g/q

Dialect: version = II, buffer = none, epsilon = none, weight_decay_form = none, maximize = False.
Source: Anil, Gupta, Koren and Singer (2019), Memory-efficient adaptive optimization, NeurIPS, arXiv:1901.11150: Algorithms SM3-I and SM3-II, with rows and columns as the cover.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import array, minimum, ndarray, sqrt, where

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import column_max, row_max

RULE = "sm3"
OPTIONS = {"version": "II", "buffer": "none", "epsilon": "none", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0"}
SIDES = {'R': 'rows', 'C': 'columns'}


class State(NamedTuple):
    """t: updates made so far; R: mu of the rows: cover of the sums of squares in each; C: mu of the columns."""

    t: int
    R: ndarray
    C: ndarray


def equations(theta, g, R, C, t, lr):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    nu = minimum(C, R) + g**2
    R = row_max(nu)
    C = column_max(nu)
    q = where(nu > 0, sqrt(nu), 1)
    theta = theta - lr*g/q
    return theta, R, C


def _check(lr):
    pass


_PLAN = _whole.Plan(State, equations, _check, SIDES, True)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_whole.fresh(theta, SIDES, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.1) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr,))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.1) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr,))
    return after
