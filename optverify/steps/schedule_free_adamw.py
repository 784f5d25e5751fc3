"""Schedule-Free AdamW: NumPy steps, generated from optverify/rules/schedule_free_adamw.py. Edit that file, not this one.

Adam's step without its momentum moves z; the gradient is taken near the average of all z.

    v = beta2*v + (1 - beta2)*g**2
    gamma = lr*math.sqrt(1 - beta2**t)
    y = beta1*theta + (1 - beta1)*z
    z = z - gamma*g/(sqrt(v) + eps) - weight_decay*gamma*y
    W = W + square(gamma)
    c = square(gamma)/W if W > 0 else 0
    theta = (1 - c)*theta + c*z

Dialect: parameters = average, weighting = step_size, epsilon = hat, weight_decay_form = decoupled, maximize = False.
Source: Defazio et al. (2024), The road less scheduled, NeurIPS, arXiv:2405.15682: Algorithm 1; theta is their x.
"""

import math
from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray, sqrt

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import square

RULE = "schedule_free_adamw"
OPTIONS = {"parameters": "average", "weighting": "step_size", "epsilon": "hat", "weight_decay_form": "decoupled", "maximize": False}
LOOKS_AHEAD = True
DOMAINS = {"lr": "> 0", "beta1": "in (0, 1)", "beta2": "in [0, 1)", "eps": ">= 0", "weight_decay": ">= 0"}
SIDES = {'z': '', 'v': '', 'W': 'number'}


class State(NamedTuple):
    """t: updates made so far; z: the point that takes the steps; v: decaying mean of the squared gradient; W: sum of the weights."""

    t: int
    z: ndarray
    v: ndarray
    W: float


def equations(theta, g, z, v, W, t, lr, beta1, beta2, eps, weight_decay):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    v = beta2*v + (1 - beta2)*g**2
    gamma = lr*math.sqrt(1 - beta2**t)
    y = beta1*theta + (1 - beta1)*z
    z = z - gamma*g/(sqrt(v) + eps) - weight_decay*gamma*y
    W = W + square(gamma)
    c = square(gamma)/W if W > 0 else 0
    theta = (1 - c)*theta + c*z
    return theta, z, v, W


def _check(lr, beta1, beta2, eps, weight_decay):
    _engine.check(DOMAINS, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay)


_PLAN = _whole.Plan(State, equations, _check, SIDES, False)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_whole.fresh(theta, SIDES, theta, 0, 0))


def gradient_point(theta: Any, state: State, *, beta1: float = 0.9) -> Any:
    """The point at which the rule takes its gradient: beta1*theta + (1 - beta1)*z."""
    _engine.check(DOMAINS, beta1=beta1)
    z = state.z
    return beta1*theta + (1 - beta1)*z


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.0025, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08, weight_decay: float = 0.01) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size; warm-up is a schedule of it, > 0.
    beta1: where between z and the average the gradient is, in (0, 1).
    beta2: decay rate of the mean square, in [0, 1).
    eps: keeps the division defined, >= 0.
    weight_decay: weight decay, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, eps, weight_decay))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.0025, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08, weight_decay: float = 0.01) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, eps, weight_decay))
    return after
