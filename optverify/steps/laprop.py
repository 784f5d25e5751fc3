"""LaProp: NumPy steps, generated from optverify/rules/laprop.py. Edit that file, not this one.

Adam with the order turned round: momentum of the adapted steps, so no step exceeds a bound.

    n = beta2*n + (1 - beta2)*g**2
    n_hat = n/(1 - beta2**t)
    m = beta1*m + (1 - beta1)*g/(sqrt(n_hat) + eps)
    m_hat = m/(1 - beta1**t)
    theta = theta - lr*m_hat

Dialect: weight_decay_form = none, maximize = False.
Source: Ziyin, Wang and Ueda (2020), LaProp: separating momentum and adaptivity in Adam, arXiv:2002.04839: Algorithm 1; m_hat is their m_t/c_m, n_hat their n_t/c_n.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, multiply, ndarray, sqrt, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "laprop"
OPTIONS = {"weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "eps": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; m: decaying mean of the divided gradient; n: decaying mean of the squared gradient."""

    t: int
    m: ndarray
    n: ndarray


def equations(theta, g, m, n, t, lr, beta1, beta2, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    n = beta2*n + (1 - beta2)*g**2
    n_hat = n/(1 - beta2**t)
    m = beta1*m + (1 - beta1)*g/(sqrt(n_hat) + eps)
    m_hat = m/(1 - beta1**t)
    theta = theta - lr*m_hat
    return theta, m, n


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m, n = states
    theta_out, m_out, n_out = outs
    x1, x2, x3 = scratch
    beta2, c1, beta1, c3, eps, lr, c2, c4 = scalars
    # n = beta2*n + (1 - beta2)*g**2
    x1 = multiply(beta2, n, x1)
    x2 = square(g, x2)
    x2 = multiply(c1, x2, x2)
    n_out = add(x1, x2, n_out)
    # n_hat = n/(1 - beta2**t)
    x2 = divide(n_out, c2, x2)
    # m = beta1*m + (1 - beta1)*g/(sqrt(n_hat) + eps)
    x1 = multiply(beta1, m, x1)
    x3 = multiply(c3, g, x3)
    x2 = sqrt(x2, x2)
    x2 = add(x2, eps, x2)
    x2 = divide(x3, x2, x2)
    m_out = add(x1, x2, m_out)
    # m_hat = m/(1 - beta1**t)
    x2 = divide(m_out, c4, x2)
    # theta = theta - lr*m_hat
    x2 = multiply(lr, x2, x2)
    theta_out = subtract(theta, x2, theta_out)
    return theta_out, (t, m_out, n_out)


def _fixed(kind, lr, beta1, beta2, eps):
    try:
        fine = 0 <= beta1 < 1 and 0 <= beta2 < 1 and 0 <= eps < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, beta1=beta1, beta2=beta2, eps=eps)
    c1 = 1 - beta2
    c3 = 1 - beta1
    return [array(beta2, kind), array(c1, kind), array(beta1, kind), array(c3, kind), array(eps, kind), array(lr, kind)]


def _scalars(fixed, kind, t, lr, beta1, beta2, eps):
    c2 = 1 - beta2 ** t
    c4 = 1 - beta1 ** t
    return [*fixed, array(c2, kind), array(c4, kind)]


_PLAN = _engine.Plan(State, _block, (None,) * 3, (None,) * 3, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.0004, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-15) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: decay rate of the mean step, in [0, 1).
    beta2: decay rate of the mean square, in [0, 1).
    eps: keeps the division defined, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.0004, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-15) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, eps))
    return after
