"""Nadam: NumPy steps, generated from optverify/rules/nadam.py. Edit that file, not this one.

The step uses the momentum of the next update already, so the new gradient acts at once.

    mu = beta1*(1 - (0.96)**(momentum_decay*t)/2)
    mu_next = beta1*(1 - (0.96)**(momentum_decay*(1 + t))/2)
    mu_product = mu_product*mu
    m = mu*m + (1 - mu)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat = (1 - mu)*g/(1 - mu_product) + mu_next*m/(1 - mu_next*mu_product)
    v_hat = beta2*v/(1 - beta2**t)
    theta = theta - lr*m_hat/(sqrt(v_hat) + eps)

Dialect: momentum_schedule = growing, first_correction = ahead, second_correction = beta2, epsilon = outside, weight_decay_form = none, maximize = False.
Source: Dozat (2016), Incorporating Nesterov momentum into Adam, ICLR workshop: Algorithm 2; mu_next is mu at t + 1.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray, sqrt

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr

RULE = "nadam"
OPTIONS = {"momentum_schedule": "growing", "first_correction": "ahead", "second_correction": "beta2", "epsilon": "outside", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "eps": ">= 0", "momentum_decay": ">= 0"}
SIDES = {'m': '', 'v': '', 'mu_product': 'number'}


class State(NamedTuple):
    """t: updates made so far; m: first moment: decaying mean of the gradient; v: second moment: decaying mean of the squared gradient; mu_product: product of all mu so far."""

    t: int
    m: ndarray
    v: ndarray
    mu_product: float


def equations(theta, g, m, v, mu_product, t, lr, beta1, beta2, eps, momentum_decay):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    mu = beta1*(1 - (0.96)**(momentum_decay*t)/2)
    mu_next = beta1*(1 - (0.96)**(momentum_decay*(1 + t))/2)
    mu_product = mu_product*mu
    m = mu*m + (1 - mu)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat = (1 - mu)*g/(1 - mu_product) + mu_next*m/(1 - mu_next*mu_product)
    v_hat = beta2*v/(1 - beta2**t)
    theta = theta - lr*m_hat/(sqrt(v_hat) + eps)
    return theta, m, v, mu_product


def _check(lr, beta1, beta2, eps, momentum_decay):
    _engine.check(DOMAINS, beta1=beta1, beta2=beta2, eps=eps, momentum_decay=momentum_decay)


_PLAN = _whole.Plan(State, equations, _check, SIDES, False)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_whole.fresh(theta, SIDES, 0, 0, 1))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.002, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08, momentum_decay: float = 0.004) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: decay rate of the first moment, reached in the end, in [0, 1).
    beta2: decay rate of the second moment, in [0, 1).
    eps: keeps the division defined, >= 0.
    momentum_decay: how fast the momentum grows, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, eps, momentum_decay))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.002, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08, momentum_decay: float = 0.004) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, eps, momentum_decay))
    return after
