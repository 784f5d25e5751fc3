"""LAMB: NumPy steps, generated from optverify/rules/lamb.py. Edit that file, not this one.

A layer moves by a fixed share of its own length, so that very large batches can take large steps.

    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat = m/(1 - beta1**t)
    v_hat = v/(1 - beta2**t)
    r = m_hat/(sqrt(v_hat) + eps)
    u = r + weight_decay*theta
    phi = norm(theta)/norm(u) if (norm(theta) > 0) & (norm(u) > 0) else 1
    theta = theta - lr*phi*u

Dialect: epsilon = outside, bias_correction = both, phi = identity, weight_decay_form = in_direction, maximize = False.
Source: You, Li, Reddi, Hseu, Kumar, Bhojanapalli, Song, Demmel, Keutzer and Hsieh (2020), Large batch optimization for deep learning: training BERT in 76 minutes, ICLR, arXiv:1904.00962: Algorithm 2.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray, sqrt

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import norm

RULE = "lamb"
OPTIONS = {"epsilon": "outside", "bias_correction": "both", "phi": "identity", "weight_decay_form": "in_direction", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "eps": ">= 0", "weight_decay": ">= 0"}
SIDES = {'m': '', 'v': ''}


class State(NamedTuple):
    """t: updates made so far; m: first moment: decaying mean of the gradient; v: second moment: decaying mean of the squared gradient."""

    t: int
    m: ndarray
    v: ndarray


def equations(theta, g, m, v, t, lr, beta1, beta2, eps, weight_decay):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat = m/(1 - beta1**t)
    v_hat = v/(1 - beta2**t)
    r = m_hat/(sqrt(v_hat) + eps)
    u = r + weight_decay*theta
    phi = norm(theta)/norm(u) if (norm(theta) > 0) & (norm(u) > 0) else 1
    theta = theta - lr*phi*u
    return theta, m, v


def _check(lr, beta1, beta2, eps, weight_decay):
    _engine.check(DOMAINS, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay)


_PLAN = _whole.Plan(State, equations, _check, SIDES, False)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_whole.fresh(theta, SIDES, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-06, weight_decay: float = 0.01) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: decay rate of the first moment, in [0, 1).
    beta2: decay rate of the second moment, in [0, 1).
    eps: keeps the division defined, >= 0.
    weight_decay: weight decay, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, eps, weight_decay))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-06, weight_decay: float = 0.01) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, eps, weight_decay))
    return after
