"""Gradient descent: NumPy steps, generated from optverify/rules/gd.py. Edit that file, not this one.

The gradient of the whole sum, of one example (SGD) or of a mini-batch gives the direction.

    theta = theta - lr*g

Dialect: weight_decay_form = none, maximize = False.
Source: Cauchy (1847), Méthode générale pour la résolution des systèmes d'équations simultanées, Comptes rendus 25: p. 536.
Source: Robbins and Monro (1951), A stochastic approximation method, Annals of Mathematical Statistics 22: the recursion of section 2.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import array, multiply, ndarray, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "gd"
OPTIONS = {"weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0"}


class State(NamedTuple):
    """t: updates made so far."""

    t: int


def equations(theta, g, t, lr):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    theta = theta - lr*g
    return theta,


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    theta_out, = outs
    x1, = scratch
    lr, = scalars
    # theta = theta - lr*g
    x1 = multiply(lr, g, x1)
    theta_out = subtract(theta, x1, theta_out)
    return theta_out, (t,)


def _fixed(kind, lr):
    return [array(lr, kind)]


def _scalars(fixed, kind, t, lr):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 1, (None,) * 1, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta))


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
