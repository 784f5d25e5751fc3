"""SGDW: NumPy steps, generated from optverify/rules/sgdw.py. Edit that file, not this one.

Momentum with decoupled weight decay: theta shrinks by a share no velocity carries on.

    v = momentum*v - lr*g
    theta = (1 - lr*weight_decay)*theta + v

Dialect: form = heavy_ball, lr_placement = inside, first_buffer = zero, weight_decay_form = decoupled, maximize = False.
Source: Loshchilov and Hutter (2019), Decoupled weight decay regularization, ICLR, arXiv:1711.05101: Algorithm 1; their m is -v; the libraries multiply the decay by lr, the paper by the schedule alone.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, multiply, ndarray, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "sgdw"
OPTIONS = {"form": "heavy_ball", "lr_placement": "inside", "first_buffer": "zero", "weight_decay_form": "decoupled", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "momentum": "in [0, 1)", "weight_decay": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; v: velocity."""

    t: int
    v: ndarray


def equations(theta, g, v, t, lr, momentum, weight_decay):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    v = momentum*v - lr*g
    theta = (1 - lr*weight_decay)*theta + v
    return theta, v


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    v, = states
    theta_out, v_out = outs
    x1, x2 = scratch
    momentum, lr, c1 = scalars
    # v = momentum*v - lr*g
    x1 = multiply(momentum, v, x1)
    x2 = multiply(lr, g, x2)
    v_out = subtract(x1, x2, v_out)
    # theta = (1 - lr*weight_decay)*theta + v
    x2 = multiply(c1, theta, x2)
    theta_out = add(x2, v_out, theta_out)
    return theta_out, (t, v_out)


def _fixed(kind, lr, momentum, weight_decay):
    try:
        fine = 0 <= momentum < 1 and 0 <= weight_decay < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, momentum=momentum, weight_decay=weight_decay)
    c1 = 1 - lr * weight_decay
    return [array(momentum, kind), array(lr, kind), array(c1, kind)]


def _scalars(fixed, kind, t, lr, momentum, weight_decay):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 2, (None,) * 2, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.01, momentum: float = 0.9, weight_decay: float = 0.01) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    momentum: share of the velocity that is kept, in [0, 1).
    weight_decay: weight decay, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, momentum, weight_decay))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.01, momentum: float = 0.9, weight_decay: float = 0.01) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, momentum, weight_decay))
    return after
