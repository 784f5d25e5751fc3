"""RAdam: NumPy steps, generated from optverify/rules/radam.py. Edit that file, not this one.

A warm-up derived instead of tuned: Adam's first steps are small because v knows little as yet.

    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat = m/(1 - beta1**t)
    rho_inf = 2/(1 - beta2) - 1
    rho = rho_inf - 2*t*beta2**t/(1 - beta2**t)
    r = math.sqrt(rho_inf*(rho - 4)*(rho - 2)/(rho*(rho_inf - 4)*(rho_inf - 2))) if rho > 4 else 1
    l = math.sqrt(1 - beta2**t)/(sqrt(v) + eps)
    theta = theta - lr*r*l*m_hat if rho > 4 else theta - lr*m_hat

Dialect: threshold = above_4, epsilon = hat, before = momentum, weight_decay_form = none, maximize = False.
Source: Liu et al. (2020), On the variance of the adaptive learning rate and beyond, ICLR, arXiv:1908.03265: Algorithm 2, which has no epsilon.
"""

import math
from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, multiply, ndarray, sqrt, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "radam"
OPTIONS = {"threshold": "above_4", "epsilon": "hat", "before": "momentum", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "eps": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; m: first moment: decaying mean of the gradient; v: second moment: decaying mean of the squared gradient."""

    t: int
    m: ndarray
    v: ndarray


def equations(theta, g, m, v, t, lr, beta1, beta2, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat = m/(1 - beta1**t)
    rho_inf = 2/(1 - beta2) - 1
    rho = rho_inf - 2*t*beta2**t/(1 - beta2**t)
    r = math.sqrt(rho_inf*(rho - 4)*(rho - 2)/(rho*(rho_inf - 4)*(rho_inf - 2))) if rho > 4 else 1
    l = math.sqrt(1 - beta2**t)/(sqrt(v) + eps)
    theta = theta - lr*r*l*m_hat if rho > 4 else theta - lr*m_hat
    return theta, m, v


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m, v = states
    theta_out, m_out, v_out = outs
    x1, x2, x3 = scratch
    beta1, c1, beta2, c2, eps, lr, c3, c4, c5, c6 = scalars
    # m = beta1*m + (1 - beta1)*g
    x1 = multiply(beta1, m, x1)
    x2 = multiply(c1, g, x2)
    m_out = add(x1, x2, m_out)
    # v = beta2*v + (1 - beta2)*g**2
    x2 = multiply(beta2, v, x2)
    x1 = square(g, x1)
    x1 = multiply(c2, x1, x1)
    v_out = add(x2, x1, v_out)
    # m_hat = m/(1 - beta1**t)
    x1 = divide(m_out, c3, x1)
    # l = math.sqrt(1 - beta2**t)/(sqrt(v) + eps)
    x3 = sqrt(v_out, x3)
    x3 = add(x3, eps, x3)
    x2 = divide(c4, x3, x2)
    # theta = theta - lr*r*l*m_hat if rho > 4 else theta - lr*m_hat
    if c5:
        x2 = multiply(c6, x2, x2)
        x2 = multiply(x2, x1, x2)
        theta_out = subtract(theta, x2, theta_out)
    else:
        x2 = multiply(lr, x1, x2)
        theta_out = subtract(theta, x2, theta_out)
    return theta_out, (t, m_out, v_out)


def _fixed(kind, lr, beta1, beta2, eps):
    try:
        fine = 0 <= beta1 < 1 and 0 <= beta2 < 1 and 0 <= eps < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, beta1=beta1, beta2=beta2, eps=eps)
    c1 = 1 - beta1
    c2 = 1 - beta2
    return [array(beta1, kind), array(c1, kind), array(beta2, kind), array(c2, kind), array(eps, kind), array(lr, kind)]


def _scalars(fixed, kind, t, lr, beta1, beta2, eps):
    c3 = 1 - beta1 ** t
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * t * beta2 ** t / (1 - beta2 ** t)
    r = math.sqrt(rho_inf * (rho - 4) * (rho - 2) / (rho * (rho_inf - 4) * (rho_inf - 2))) if rho > 4 else 1
    c4 = math.sqrt(1 - beta2 ** t)
    c5 = rho > 4
    c6 = lr * r
    return [*fixed, array(c3, kind), array(c4, kind), array(c5, kind), array(c6, kind)]


_PLAN = _engine.Plan(State, _block, (None,) * 3, (None,) * 3, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: decay rate of the first moment, in [0, 1).
    beta2: decay rate of the second moment, in [0, 1).
    eps: keeps the division defined, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, eps))
    return after
