"""Adan: NumPy steps, generated from optverify/rules/adan.py. Edit that file, not this one.

The difference to the last gradient tells where the next one is heading, at no extra gradient.

    p = g if t == 1 else g_last
    d = g - p
    m = g if t == 1 else beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*d
    n = g**2 if t == 1 else beta3*n + (1 - beta3)*(g + beta2*d)**2
    g_last = g
    theta = (theta - lr*(m + beta2*v)/sqrt(n + eps))/(1 + lr*weight_decay)

Dialect: epsilon = inside, start = gradient, lookahead = beta2, weight_decay_form = proximal, maximize = False.
Source: Xie, Zhou, Li, Lin and Yan (2022), Adan: adaptive Nesterov momentum algorithm for faster optimizing deep models, arXiv:2208.06677: Algorithm 1; each beta here is 1 minus theirs, as in their code.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, multiply, ndarray, positive, sqrt, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "adan"
OPTIONS = {"epsilon": "inside", "start": "gradient", "lookahead": "beta2", "weight_decay_form": "proximal", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "beta3": "in [0, 1)", "eps": ">= 0", "weight_decay": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; m: decaying mean of the gradient; v: decaying mean of the differences of gradients; n: decaying mean of the squared look-ahead gradient; g_last: the gradient of the update before."""

    t: int
    m: ndarray
    v: ndarray
    n: ndarray
    g_last: ndarray


def equations(theta, g, m, v, n, g_last, t, lr, beta1, beta2, beta3, eps, weight_decay):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    p = g if t == 1 else g_last
    d = g - p
    m = g if t == 1 else beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*d
    n = g**2 if t == 1 else beta3*n + (1 - beta3)*(g + beta2*d)**2
    g_last = g
    theta = (theta - lr*(m + beta2*v)/sqrt(n + eps))/(1 + lr*weight_decay)
    return theta, m, v, n, g_last


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m, v, n, g_last = states
    theta_out, m_out, v_out, n_out, g_last_out = outs
    x1, x2, x3 = scratch
    beta1, c2, beta2, c3, beta3, c4, lr, eps, c5, c1 = scalars
    # p = g if t == 1 else g_last
    if c1:
        x1 = positive(g, x1)
    else:
        x1 = positive(g_last, x1)
    # d = g - p
    x2 = subtract(g, x1, x2)
    # m = g if t == 1 else beta1*m + (1 - beta1)*g
    if c1:
        m_out = positive(g, m_out)
    else:
        x1 = multiply(beta1, m, x1)
        x3 = multiply(c2, g, x3)
        m_out = add(x1, x3, m_out)
    # v = beta2*v + (1 - beta2)*d
    x3 = multiply(beta2, v, x3)
    x1 = multiply(c3, x2, x1)
    v_out = add(x3, x1, v_out)
    # n = g**2 if t == 1 else beta3*n + (1 - beta3)*(g + beta2*d)**2
    if c1:
        n_out = square(g, n_out)
    else:
        x1 = multiply(beta3, n, x1)
        x2 = multiply(beta2, x2, x2)
        x2 = add(g, x2, x2)
        x2 = square(x2, x2)
        x2 = multiply(c4, x2, x2)
        n_out = add(x1, x2, n_out)
    # g_last = g
    g_last_out = positive(g, g_last_out)
    # theta = (theta - lr*(m + beta2*v)/sqrt(n + eps))/(1 + lr*weight_decay)
    x2 = multiply(beta2, v_out, x2)
    x2 = add(m_out, x2, x2)
    x2 = multiply(lr, x2, x2)
    x1 = add(n_out, eps, x1)
    x1 = sqrt(x1, x1)
    x1 = divide(x2, x1, x1)
    x1 = subtract(theta, x1, x1)
    theta_out = divide(x1, c5, theta_out)
    return theta_out, (t, m_out, v_out, n_out, g_last_out)


def _fixed(kind, lr, beta1, beta2, beta3, eps, weight_decay):
    try:
        fine = 0 <= beta1 < 1 and 0 <= beta2 < 1 and 0 <= beta3 < 1 and 0 <= eps < inf and 0 <= weight_decay < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, beta1=beta1, beta2=beta2, beta3=beta3, eps=eps, weight_decay=weight_decay)
    c2 = 1 - beta1
    c3 = 1 - beta2
    c4 = 1 - beta3
    c5 = 1 + lr * weight_decay
    return [array(beta1, kind), array(c2, kind), array(beta2, kind), array(c3, kind), array(beta3, kind), array(c4, kind), array(lr, kind), array(eps, kind), array(c5, kind)]


def _scalars(fixed, kind, t, lr, beta1, beta2, beta3, eps, weight_decay):
    c1 = t == 1
    return [*fixed, array(c1, kind)]


_PLAN = _engine.Plan(State, _block, (None,) * 5, (None,) * 3, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0, 0, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.98, beta2: float = 0.92, beta3: float = 0.99, eps: float = 1e-08, weight_decay: float = 0.02) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: decay rate of the mean gradient, in [0, 1).
    beta2: decay rate of the mean difference, in [0, 1).
    beta3: decay rate of the mean square, in [0, 1).
    eps: keeps the division defined, >= 0.
    weight_decay: weight decay, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, beta3, eps, weight_decay))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.98, beta2: float = 0.92, beta3: float = 0.99, eps: float = 1e-08, weight_decay: float = 0.02) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, beta3, eps, weight_decay))
    return after
