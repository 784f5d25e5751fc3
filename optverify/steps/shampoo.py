"""Shampoo: NumPy steps, generated from optverify/rules/shampoo.py. Edit that file, not this one.

Full-matrix AdaGrad for each side of a matrix, at a cost that a layer can bear.

    L = L + matmul(g, transpose(g))
    R = R + matmul(transpose(g), g)
    theta = theta - lr*matmul(matmul(power_of(L, -0.25), g), power_of(R, -0.25))

Dialect: memory = sum, exponent = quarter, weight_decay_form = none, maximize = False.
Source: Gupta, Koren and Singer (2018), Shampoo: preconditioned stochastic tensor optimization, ICML, arXiv:1802.09568: Algorithm 1.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import matmul, power_of, transpose

RULE = "shampoo"
OPTIONS = {"memory": "sum", "exponent": "quarter", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "eps": "> 0"}
SIDES = {'L': 'left', 'R': 'right'}


class State(NamedTuple):
    """t: updates made so far; L: left statistics: sum of G G^T; R: right statistics: sum of G^T G."""

    t: int
    L: ndarray
    R: ndarray


def equations(theta, g, L, R, t, lr):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    L = L + matmul(g, transpose(g))
    R = R + matmul(transpose(g), g)
    theta = theta - lr*matmul(matmul(power_of(L, -0.25), g), power_of(R, -0.25))
    return theta, L, R


def _check(lr):
    pass


_PLAN = _whole.Plan(State, equations, _check, SIDES, True)


def init(theta: Any, *, eps: float = 0.0001) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    _engine.check(DOMAINS, eps=eps)
    return State(0, *_whole.fresh(theta, SIDES, eps, eps))


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
