"""Momentum: NumPy steps, generated from optverify/rules/momentum.py. Edit that file, not this one.

The parameters move with a velocity; gradients accelerate it and friction slows it.

    v = momentum*v - lr*g
    theta = theta + v

Dialect: form = heavy_ball, lr_placement = inside, first_buffer = zero, weight_decay_form = none, maximize = False.
Source: Polyak (1964), Some methods of speeding up the convergence of iteration methods, USSR Computational Mathematics and Mathematical Physics 4: the two-step method with a momentum term.
Source: Sutskever, Martens, Dahl and Hinton (2013), On the importance of initialization and momentum in deep learning, ICML: equations (1) and (2).
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, multiply, ndarray, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "momentum"
OPTIONS = {"form": "heavy_ball", "lr_placement": "inside", "first_buffer": "zero", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "momentum": "in [0, 1)"}


class State(NamedTuple):
    """t: updates made so far; v: velocity."""

    t: int
    v: ndarray


def equations(theta, g, v, t, lr, momentum):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    v = momentum*v - lr*g
    theta = theta + v
    return theta, v


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    v, = states
    theta_out, v_out = outs
    x1, x2 = scratch
    momentum, lr = scalars
    # v = momentum*v - lr*g
    x1 = multiply(momentum, v, x1)
    x2 = multiply(lr, g, x2)
    v_out = subtract(x1, x2, v_out)
    # theta = theta + v
    theta_out = add(theta, v_out, theta_out)
    return theta_out, (t, v_out)


def _fixed(kind, lr, momentum):
    try:
        fine = 0 <= momentum < 1
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, momentum=momentum)
    return [array(momentum, kind), array(lr, kind)]


def _scalars(fixed, kind, t, lr, momentum):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 2, (None,) * 2, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.01, momentum: float = 0.9) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    momentum: share of the velocity that is kept, in [0, 1).
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, momentum))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.01, momentum: float = 0.9) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, momentum))
    return after
