"""Adamax: NumPy steps, generated from optverify/rules/adamax.py. Edit that file, not this one.

The infinity norm in place of the Euclidean one: no step exceeds lr by much.

    m = beta1*m + (1 - beta1)*g
    u = maximum(abs(g), beta2*u)
    theta = theta - lr*m/((1 - beta1**t)*u)

Dialect: epsilon = none, bias_correction = first, weight_decay_form = none, maximize = False.
Source: Kingma and Ba (2015), Adam: a method for stochastic optimization, ICLR, arXiv:1412.6980: Algorithm 2.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import absolute, add, array, divide, maximum, multiply, ndarray, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "adamax"
OPTIONS = {"epsilon": "none", "bias_correction": "first", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)"}


class State(NamedTuple):
    """t: updates made so far; m: first moment: decaying mean of the gradient; u: decaying maximum of the absolute gradient."""

    t: int
    m: ndarray
    u: ndarray


def equations(theta, g, m, u, t, lr, beta1, beta2):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    m = beta1*m + (1 - beta1)*g
    u = maximum(abs(g), beta2*u)
    theta = theta - lr*m/((1 - beta1**t)*u)
    return theta, m, u


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m, u = states
    theta_out, m_out, u_out = outs
    x1, x2 = scratch
    beta1, c1, beta2, lr, c2 = scalars
    # m = beta1*m + (1 - beta1)*g
    x1 = multiply(beta1, m, x1)
    x2 = multiply(c1, g, x2)
    m_out = add(x1, x2, m_out)
    # u = maximum(abs(g), beta2*u)
    x2 = absolute(g, x2)
    x1 = multiply(beta2, u, x1)
    u_out = maximum(x2, x1, out=u_out)
    # theta = theta - lr*m/((1 - beta1**t)*u)
    x1 = multiply(lr, m_out, x1)
    x2 = multiply(c2, u_out, x2)
    x2 = divide(x1, x2, x2)
    theta_out = subtract(theta, x2, theta_out)
    return theta_out, (t, m_out, u_out)


def _fixed(kind, lr, beta1, beta2):
    try:
        fine = 0 <= beta1 < 1 and 0 <= beta2 < 1
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, beta1=beta1, beta2=beta2)
    c1 = 1 - beta1
    return [array(beta1, kind), array(c1, kind), array(beta2, kind), array(lr, kind)]


def _scalars(fixed, kind, t, lr, beta1, beta2):
    c2 = 1 - beta1 ** t
    return [*fixed, array(c2, kind)]


_PLAN = _engine.Plan(State, _block, (None,) * 3, (None,) * 2, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.002, beta1: float = 0.9, beta2: float = 0.999) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: decay rate of the first moment, in [0, 1).
    beta2: decay rate of the maximum, in [0, 1).
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta1, beta2))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.002, beta1: float = 0.9, beta2: float = 0.999) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2))
    return after
