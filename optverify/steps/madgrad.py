"""MADGRAD: NumPy steps, generated from optverify/rules/madgrad.py. Edit that file, not this one.

Every update starts anew from the first parameters; momentum is a mean of the points reached so.

    x0 = x0
    lambda_ = lr*math.sqrt(t)
    s = s + lambda_*g
    nu = nu + lambda_*g**2
    z = x0 - s/(nu**(0.3333333333333333) + eps)
    theta = momentum*theta + (1 - momentum)*z

Dialect: lr_shift = False, weight_decay_form = none, maximize = False.
Source: Defazio and Jelassi (2022), A momentumized, adaptive, dual averaged gradient method for stochastic optimization, JMLR 23, arXiv:2101.11075: Algorithm 1, k being t - 1 and c being 1 - momentum.
"""

import math
from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, multiply, ndarray, positive, power, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "madgrad"
OPTIONS = {"lr_shift": False, "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "momentum": "in [0, 1)", "eps": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; s: weighted sum of the gradients; nu: weighted sum of the squared gradients; x0: the parameters at the start."""

    t: int
    s: ndarray
    nu: ndarray
    x0: ndarray


def equations(theta, g, s, nu, x0, t, lr, momentum, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    x0 = x0
    lambda_ = lr*math.sqrt(t)
    s = s + lambda_*g
    nu = nu + lambda_*g**2
    z = x0 - s/(nu**(0.3333333333333333) + eps)
    theta = momentum*theta + (1 - momentum)*z
    return theta, s, nu, x0


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    s, nu, x0 = states
    theta_out, s_out, nu_out, x0_out = outs
    x1, x2 = scratch
    c1, eps, momentum, c2, lambda_ = scalars
    # x0 = x0
    x0_out = positive(x0, x0_out)
    # s = s + lambda_*g
    x1 = multiply(lambda_, g, x1)
    s_out = add(s, x1, s_out)
    # nu = nu + lambda_*g**2
    x1 = square(g, x1)
    x1 = multiply(lambda_, x1, x1)
    nu_out = add(nu, x1, nu_out)
    # z = x0 - s/(nu**(0.3333333333333333) + eps)
    x2 = power(nu_out, c1, x2)
    x2 = add(x2, eps, x2)
    x2 = divide(s_out, x2, x2)
    x1 = subtract(x0_out, x2, x1)
    # theta = momentum*theta + (1 - momentum)*z
    x2 = multiply(momentum, theta, x2)
    x1 = multiply(c2, x1, x1)
    theta_out = add(x2, x1, theta_out)
    return theta_out, (t, s_out, nu_out, x0_out)


def _fixed(kind, lr, momentum, eps):
    try:
        fine = 0 <= momentum < 1 and 0 <= eps < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, momentum=momentum, eps=eps)
    c1 = 0.3333333333333333
    c2 = 1 - momentum
    return [array(c1, kind), array(eps, kind), array(momentum, kind), array(c2, kind)]


def _scalars(fixed, kind, t, lr, momentum, eps):
    lambda_ = lr * math.sqrt(t)
    return [*fixed, array(lambda_, kind)]


_PLAN = _engine.Plan(State, _block, (None,) * 4, (None,) * 2, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0, 0, theta))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.01, momentum: float = 0.9, eps: float = 1e-06) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    momentum: share of theta that is kept, in [0, 1).
    eps: keeps the division defined, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, momentum, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.01, momentum: float = 0.9, eps: float = 1e-06) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, momentum, eps))
    return after
