"""NovoGrad: NumPy steps, generated from optverify/rules/novograd.py. Edit that file, not this one.

One second moment for each layer: less memory than Adam, and steps that forget the gradient's scale.

    v = square(norm(g)) if t == 1 else beta2*v + (1 - beta2)*square(norm(g))
    m = beta1*m + g/(math.sqrt(v) + eps) + weight_decay*theta
    theta = theta - lr*m

Dialect: epsilon = outside, averaging = sum, weight_decay_form = in_direction, maximize = False.
Source: Ginsburg, Castonguay, Hrinchuk, Kuchaiev and others (2019), Stochastic gradient methods with layer-wise adaptive moments for training of deep networks, arXiv:1905.11286: Algorithm 1.
"""

import math
from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import norm, square

RULE = "novograd"
OPTIONS = {"epsilon": "outside", "averaging": "sum", "weight_decay_form": "in_direction", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "eps": ">= 0", "weight_decay": ">= 0"}
SIDES = {'v': 'number', 'm': ''}


class State(NamedTuple):
    """t: updates made so far; v: second moment: decaying mean of the squared norm; m: first moment: decaying sum of the normalized gradient and the decay."""

    t: int
    v: float
    m: ndarray


def equations(theta, g, v, m, t, lr, beta1, beta2, eps, weight_decay):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    v = square(norm(g)) if t == 1 else beta2*v + (1 - beta2)*square(norm(g))
    m = beta1*m + g/(math.sqrt(v) + eps) + weight_decay*theta
    theta = theta - lr*m
    return theta, v, m


def _check(lr, beta1, beta2, eps, weight_decay):
    _engine.check(DOMAINS, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay)


_PLAN = _whole.Plan(State, equations, _check, SIDES, False)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_whole.fresh(theta, SIDES, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.01, beta1: float = 0.95, beta2: float = 0.98, eps: float = 1e-08, weight_decay: float = 0.001) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: decay rate of the first moment, in [0, 1).
    beta2: decay rate of the second moment, in [0, 1).
    eps: keeps the division defined, >= 0.
    weight_decay: weight decay, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, eps, weight_decay))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.01, beta1: float = 0.95, beta2: float = 0.98, eps: float = 1e-08, weight_decay: float = 0.001) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, eps, weight_decay))
    return after
