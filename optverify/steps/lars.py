"""LARS: NumPy steps, generated from optverify/rules/lars.py. Edit that file, not this one.

Layers with large gradients and small weights no longer dictate the step size of all.

    lambda_ = trust_coefficient*norm(theta)/(norm(g) + weight_decay*norm(theta) + eps) if (norm(g) + weight_decay*norm(theta) > 0) & (norm(theta) > 0) else 1
    v = lr*lambda_*(g + weight_decay*theta) + momentum*v
    theta = theta - v

Dialect: lr_placement = inside, nesterov = False, weight_decay_form = in_direction, maximize = False.
Source: You, Gitman and Ginsburg (2017), Large batch training of convolutional networks, arXiv:1708.03888: equation (6) and Algorithm 1.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import norm

RULE = "lars"
OPTIONS = {"lr_placement": "inside", "nesterov": False, "weight_decay_form": "in_direction", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "trust_coefficient": "> 0", "momentum": "in [0, 1)", "eps": ">= 0", "weight_decay": ">= 0"}
SIDES = {'v': ''}


class State(NamedTuple):
    """t: updates made so far; v: velocity."""

    t: int
    v: ndarray


def equations(theta, g, v, t, lr, trust_coefficient, momentum, eps, weight_decay):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    lambda_ = trust_coefficient*norm(theta)/(norm(g) + weight_decay*norm(theta) + eps) if (norm(g) + weight_decay*norm(theta) > 0) & (norm(theta) > 0) else 1
    v = lr*lambda_*(g + weight_decay*theta) + momentum*v
    theta = theta - v
    return theta, v


def _check(lr, trust_coefficient, momentum, eps, weight_decay):
    _engine.check(DOMAINS, trust_coefficient=trust_coefficient, momentum=momentum, eps=eps, weight_decay=weight_decay)


_PLAN = _whole.Plan(State, equations, _check, SIDES, False)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_whole.fresh(theta, SIDES, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.1, trust_coefficient: float = 0.001, momentum: float = 0.9, eps: float = 0.0, weight_decay: float = 0.0005) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    trust_coefficient: length of a step over the length of the weights, > 0.
    momentum: share of the velocity that is kept, in [0, 1).
    eps: keeps the division defined, >= 0.
    weight_decay: weight decay, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr, trust_coefficient, momentum, eps, weight_decay))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.1, trust_coefficient: float = 0.001, momentum: float = 0.9, eps: float = 0.0, weight_decay: float = 0.0005) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr, trust_coefficient, momentum, eps, weight_decay))
    return after
