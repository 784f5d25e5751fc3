"""AdEMAMix: NumPy steps, generated from optverify/rules/ademamix.py. Edit that file, not this one.

A fast mean follows the slope, a slow one keeps what tens of thousands of gradients agree on.

    alpha_bar = min(alpha, alpha*t/warmup)
    beta3_bar = min(beta3, math.exp(math.log(beta3)*math.log(beta_start)/((1 - t/warmup)*math.log(beta3) + t*math.log(beta_start)/warmup)))
    m1 = beta1*m1 + (1 - beta1)*g
    m2 = beta3_bar*m2 + (1 - beta3_bar)*g
    nu = beta2*nu + (1 - beta2)*g**2
    m1_hat = m1/(1 - beta1**t)
    nu_hat = nu/(1 - beta2**t)
    theta = (1 - lr*weight_decay)*theta - lr*(m1_hat + alpha_bar*m2)/(sqrt(nu_hat) + eps)

Dialect: growth = scheduled, epsilon = outside, weight_decay_form = decoupled, maximize = False.
Source: Pagliardini, Ablin and Grangier (2024), The AdEMAMix optimizer: better, faster, older, arXiv:2409.03137: Algorithm 1 and the schedulers of alpha and beta3 in section 3.
"""

import math
from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, multiply, ndarray, sqrt, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "ademamix"
OPTIONS = {"growth": "scheduled", "epsilon": "outside", "weight_decay_form": "decoupled", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "beta3": "in (0, 1)", "alpha": ">= 0", "warmup": "> 0", "beta_start": "in (0, 1)", "eps": ">= 0", "weight_decay": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; m1: fast decaying mean of the gradient; m2: slow decaying mean of the gradient; nu: decaying mean of the squared gradient."""

    t: int
    m1: ndarray
    m2: ndarray
    nu: ndarray


def equations(theta, g, m1, m2, nu, t, lr, beta1, beta2, beta3, alpha, warmup, beta_start, eps, weight_decay):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    alpha_bar = min(alpha, alpha*t/warmup)
    beta3_bar = min(beta3, math.exp(math.log(beta3)*math.log(beta_start)/((1 - t/warmup)*math.log(beta3) + t*math.log(beta_start)/warmup)))
    m1 = beta1*m1 + (1 - beta1)*g
    m2 = beta3_bar*m2 + (1 - beta3_bar)*g
    nu = beta2*nu + (1 - beta2)*g**2
    m1_hat = m1/(1 - beta1**t)
    nu_hat = nu/(1 - beta2**t)
    theta = (1 - lr*weight_decay)*theta - lr*(m1_hat + alpha_bar*m2)/(sqrt(nu_hat) + eps)
    return theta, m1, m2, nu


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m1, m2, nu = states
    theta_out, m1_out, m2_out, nu_out = outs
    x1, x2, x3, x4 = scratch
    beta1, c1, beta2, c3, c6, lr, eps, beta3_bar, c2, c4, c5, alpha_bar = scalars
    # m1 = beta1*m1 + (1 - beta1)*g
    x1 = multiply(beta1, m1, x1)
    x2 = multiply(c1, g, x2)
    m1_out = add(x1, x2, m1_out)
    # m2 = beta3_bar*m2 + (1 - beta3_bar)*g
    x2 = multiply(beta3_bar, m2, x2)
    x1 = multiply(c2, g, x1)
    m2_out = add(x2, x1, m2_out)
    # nu = beta2*nu + (1 - beta2)*g**2
    x1 = multiply(beta2, nu, x1)
    x2 = square(g, x2)
    x2 = multiply(c3, x2, x2)
    nu_out = add(x1, x2, nu_out)
    # m1_hat = m1/(1 - beta1**t)
    x2 = divide(m1_out, c4, x2)
    # nu_hat = nu/(1 - beta2**t)
    x1 = divide(nu_out, c5, x1)
    # theta = (1 - lr*weight_decay)*theta - lr*(m1_hat + alpha_bar*m2)/(sqrt(nu_hat) + eps)
    x3 = multiply(c6, theta, x3)
    x4 = multiply(alpha_bar, m2_out, x4)
    x4 = add(x2, x4, x4)
    x4 = multiply(lr, x4, x4)
    x1 = sqrt(x1, x1)
    x1 = add(x1, eps, x1)
    x1 = divide(x4, x1, x1)
    theta_out = subtract(x3, x1, theta_out)
    return theta_out, (t, m1_out, m2_out, nu_out)


def _fixed(kind, lr, beta1, beta2, beta3, alpha, warmup, beta_start, eps, weight_decay):
    try:
        fine = 0 <= beta1 < 1 and 0 <= beta2 < 1 and 0 < beta3 < 1 and 0 <= alpha < inf and 0 < warmup < inf and 0 < beta_start < 1 and 0 <= eps < inf and 0 <= weight_decay < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, beta1=beta1, beta2=beta2, beta3=beta3, alpha=alpha, warmup=warmup, beta_start=beta_start, eps=eps, weight_decay=weight_decay)
    c1 = 1 - beta1
    c3 = 1 - beta2
    c6 = 1 - lr * weight_decay
    return [array(beta1, kind), array(c1, kind), array(beta2, kind), array(c3, kind), array(c6, kind), array(lr, kind), array(eps, kind)]


def _scalars(fixed, kind, t, lr, beta1, beta2, beta3, alpha, warmup, beta_start, eps, weight_decay):
    alpha_bar = min(alpha, alpha * t / warmup)
    beta3_bar = min(beta3, math.exp(math.log(beta3) * math.log(beta_start) / ((1 - t / warmup) * math.log(beta3) + t * math.log(beta_start) / warmup)))
    c2 = 1 - beta3_bar
    c4 = 1 - beta1 ** t
    c5 = 1 - beta2 ** t
    return [*fixed, array(beta3_bar, kind), array(c2, kind), array(c4, kind), array(c5, kind), array(alpha_bar, kind)]


_PLAN = _engine.Plan(State, _block, (None,) * 4, (None,) * 4, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.9, beta2: float = 0.999, beta3: float = 0.9999, alpha: float = 8.0, warmup: float = 256000.0, beta_start: float = 0.9, eps: float = 1e-08, weight_decay: float = 0.01) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: decay rate of the fast mean, in [0, 1).
    beta2: decay rate of the mean square, in [0, 1).
    beta3: decay rate of the slow mean, in (0, 1).
    alpha: weight of the slow mean, >= 0.
    warmup: updates over which alpha and beta3 grow, usually the whole run, > 0.
    beta_start: what beta3 grows from, usually beta1, in (0, 1).
    eps: keeps the division defined, >= 0.
    weight_decay: weight decay, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, beta3, alpha, warmup, beta_start, eps, weight_decay))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.9, beta2: float = 0.999, beta3: float = 0.9999, alpha: float = 8.0, warmup: float = 256000.0, beta_start: float = 0.9, eps: float = 1e-08, weight_decay: float = 0.01) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, beta3, alpha, warmup, beta_start, eps, weight_decay))
    return after
