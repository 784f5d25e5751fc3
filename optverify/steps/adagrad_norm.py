"""AdaGrad-Norm: NumPy steps, generated from optverify/rules/adagrad_norm.py. Edit that file, not this one.

AdaGrad that keeps the direction of the gradient; it converges for every step size.

    b = math.sqrt(square(b) + square(norm(g)))
    theta = theta - lr*g/b

Dialect: weight_decay_form = none, maximize = False.
Source: Ward, Wu and Bottou (2019), AdaGrad stepsizes: sharp convergence over nonconvex landscapes, ICML, arXiv:1806.01811: Algorithm 1.
"""

import math
from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import norm, square

RULE = "adagrad_norm"
OPTIONS = {"weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "b0": "> 0"}
SIDES = {'b': 'number'}


class State(NamedTuple):
    """t: updates made so far; b: root of b0^2 + sum of squared norms."""

    t: int
    b: float


def equations(theta, g, b, t, lr):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    b = math.sqrt(square(b) + square(norm(g)))
    theta = theta - lr*g/b
    return theta, b


def _check(lr):
    pass


_PLAN = _whole.Plan(State, equations, _check, SIDES, False)


def init(theta: Any, *, b0: float = 0.1) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    _engine.check(DOMAINS, b0=b0)
    return State(0, *_whole.fresh(theta, SIDES, b0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 1.0) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr,))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 1.0) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr,))
    return after
