"""Optimistic gradient descent: NumPy steps, generated from optverify/rules/optimistic_gd.py. Edit that file, not this one.

A gradient step and a correction of the last guess: in games it stops the players from circling.

    theta = theta + lr*M - 2*lr*g
    M = g

Dialect: weights = fixed, first_guess = zero, weight_decay_form = none, maximize = False.
Source: Daskalakis, Ilyas, Syrgkanis and Zeng (2018), Training GANs with optimism, ICLR, arXiv:1711.00141: the update of optimistic mirror descent for the Euclidean norm, section 2.
Source: Rakhlin and Sridharan (2013), Optimization, learning, and games with predictable sequences, NeurIPS, arXiv:1311.1869: optimistic mirror descent; M is their predictable sequence.
Source: Mokhtari, Ozdaglar and Pattathil (2020), A unified analysis of extra-gradient and optimistic gradient methods for saddle point problems, AISTATS, arXiv:1901.08511: generalized OGDA.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, multiply, ndarray, positive, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "optimistic_gd"
OPTIONS = {"weights": "fixed", "first_guess": "zero", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0"}


class State(NamedTuple):
    """t: updates made so far; M: guess of the next gradient: the last one."""

    t: int
    M: ndarray


def equations(theta, g, M, t, lr):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    theta = theta + lr*M - 2*lr*g
    M = g
    return theta, M


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    M, = states
    theta_out, M_out = outs
    x1, x2 = scratch
    lr, c1 = scalars
    # theta = theta + lr*M - 2*lr*g
    x1 = multiply(lr, M, x1)
    x1 = add(theta, x1, x1)
    x2 = multiply(c1, g, x2)
    theta_out = subtract(x1, x2, theta_out)
    # M = g
    M_out = positive(g, M_out)
    return theta_out, (t, M_out)


def _fixed(kind, lr):
    c1 = 2 * lr
    return [array(lr, kind), array(c1, kind)]


def _scalars(fixed, kind, t, lr):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 2, (None,) * 2, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.01) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr,))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.01) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr,))
    return after
