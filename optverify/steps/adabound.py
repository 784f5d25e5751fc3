"""AdaBound: NumPy steps, generated from optverify/rules/adabound.py. Edit that file, not this one.

From Adam to SGD: the bounds leave everything free at first and nothing at the end.

    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    eta_l = final_lr*(1 - 1/(1 + gamma*t))
    eta_u = final_lr*(1 + 1/(gamma*t))
    eta_hat = minimum(eta_u, maximum(eta_l, lr/(sqrt(v) + eps)))
    theta = theta - eta_hat*m/math.sqrt(t)

Dialect: bias_correction = none, amsbound = False, band = fixed, step_decay = sqrt, weight_decay_form = none, maximize = False.
Source: Luo, Xiong, Liu and Sun (2019), Adaptive gradient methods with dynamic bound of learning rate, ICLR, arXiv:1902.09843: Algorithm 2, with the bounds of the experiments; epsilon is that of the authors' code.
"""

import math
from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, maximum, minimum, multiply, ndarray, sqrt, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "adabound"
OPTIONS = {"bias_correction": "none", "amsbound": False, "band": "fixed", "step_decay": "sqrt", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "final_lr": "> 0", "gamma": "> 0", "eps": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; m: first moment: decaying mean of the gradient; v: second moment: decaying mean of the squared gradient."""

    t: int
    m: ndarray
    v: ndarray


def equations(theta, g, m, v, t, lr, beta1, beta2, final_lr, gamma, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    eta_l = final_lr*(1 - 1/(1 + gamma*t))
    eta_u = final_lr*(1 + 1/(gamma*t))
    eta_hat = minimum(eta_u, maximum(eta_l, lr/(sqrt(v) + eps)))
    theta = theta - eta_hat*m/math.sqrt(t)
    return theta, m, v


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m, v = states
    theta_out, m_out, v_out = outs
    x1, x2 = scratch
    beta1, c1, beta2, c2, lr, eps, eta_u, eta_l, c3 = scalars
    # m = beta1*m + (1 - beta1)*g
    x1 = multiply(beta1, m, x1)
    x2 = multiply(c1, g, x2)
    m_out = add(x1, x2, m_out)
    # v = beta2*v + (1 - beta2)*g**2
    x2 = multiply(beta2, v, x2)
    x1 = square(g, x1)
    x1 = multiply(c2, x1, x1)
    v_out = add(x2, x1, v_out)
    # eta_hat = minimum(eta_u, maximum(eta_l, lr/(sqrt(v) + eps)))
    x2 = sqrt(v_out, x2)
    x2 = add(x2, eps, x2)
    x2 = divide(lr, x2, x2)
    x2 = maximum(eta_l, x2, out=x2)
    x1 = minimum(eta_u, x2, out=x1)
    # theta = theta - eta_hat*m/math.sqrt(t)
    x1 = multiply(x1, m_out, x1)
    x1 = divide(x1, c3, x1)
    theta_out = subtract(theta, x1, theta_out)
    return theta_out, (t, m_out, v_out)


def _fixed(kind, lr, beta1, beta2, final_lr, gamma, eps):
    try:
        fine = 0 <= beta1 < 1 and 0 <= beta2 < 1 and 0 < final_lr < inf and 0 < gamma < inf and 0 <= eps < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, beta1=beta1, beta2=beta2, final_lr=final_lr, gamma=gamma, eps=eps)
    c1 = 1 - beta1
    c2 = 1 - beta2
    return [array(beta1, kind), array(c1, kind), array(beta2, kind), array(c2, kind), array(lr, kind), array(eps, kind)]


def _scalars(fixed, kind, t, lr, beta1, beta2, final_lr, gamma, eps):
    eta_l = final_lr * (1 - 1 / (1 + gamma * t))
    eta_u = final_lr * (1 + 1 / (gamma * t))
    c3 = math.sqrt(t)
    return [*fixed, array(eta_u, kind), array(eta_l, kind), array(c3, kind)]


_PLAN = _engine.Plan(State, _block, (None,) * 3, (None,) * 2, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.9, beta2: float = 0.999, final_lr: float = 0.1, gamma: float = 0.001, eps: float = 1e-08) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size at the start, > 0.
    beta1: decay rate of the first moment, in [0, 1).
    beta2: decay rate of the second moment, in [0, 1).
    final_lr: step size the band closes on, > 0.
    gamma: speed at which the band narrows, > 0.
    eps: keeps the division defined, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, final_lr, gamma, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.9, beta2: float = 0.999, final_lr: float = 0.1, gamma: float = 0.001, eps: float = 1e-08) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, final_lr, gamma, eps))
    return after
