"""Yogi: NumPy steps, generated from optverify/rules/yogi.py. Edit that file, not this one.

The step size grows slowly after a large gradient has passed, where Adam's leaps.

    m = beta1*m + (1 - beta1)*g
    v = v - (1 - beta2)*g**2*sign(v - g**2)
    theta = theta - lr*m/(sqrt(v) + eps)

Dialect: epsilon = outside, bias_correction = none, first_moment = zero, weight_decay_form = none, maximize = False.
Source: Zaheer, Reddi, Sachan, Kale and Kumar (2018), Adaptive methods for nonconvex optimization, NeurIPS: Algorithm 2: no bias correction; the numbers are those of its experiments.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, multiply, ndarray, sign, sqrt, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "yogi"
OPTIONS = {"epsilon": "outside", "bias_correction": "none", "first_moment": "zero", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "eps": ">= 0", "initial_accumulator": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; m: first moment: decaying mean of the gradient; v: second moment of the gradient."""

    t: int
    m: ndarray
    v: ndarray


def equations(theta, g, m, v, t, lr, beta1, beta2, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    m = beta1*m + (1 - beta1)*g
    v = v - (1 - beta2)*g**2*sign(v - g**2)
    theta = theta - lr*m/(sqrt(v) + eps)
    return theta, m, v


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m, v = states
    theta_out, m_out, v_out = outs
    x1, x2 = scratch
    beta1, c1, c2, lr, eps = scalars
    # m = beta1*m + (1 - beta1)*g
    x1 = multiply(beta1, m, x1)
    x2 = multiply(c1, g, x2)
    m_out = add(x1, x2, m_out)
    # v = v - (1 - beta2)*g**2*sign(v - g**2)
    x2 = square(g, x2)
    x2 = multiply(c2, x2, x2)
    x1 = square(g, x1)
    x1 = subtract(v, x1, x1)
    x1 = sign(x1, x1)
    x1 = multiply(x2, x1, x1)
    v_out = subtract(v, x1, v_out)
    # theta = theta - lr*m/(sqrt(v) + eps)
    x1 = multiply(lr, m_out, x1)
    x2 = sqrt(v_out, x2)
    x2 = add(x2, eps, x2)
    x2 = divide(x1, x2, x2)
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
    return [array(beta1, kind), array(c1, kind), array(c2, kind), array(lr, kind), array(eps, kind)]


def _scalars(fixed, kind, t, lr, beta1, beta2, eps):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 3, (None,) * 2, _fixed, _scalars)


def init(theta: Any, *, initial_accumulator: float = 1e-06) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    _engine.check(DOMAINS, initial_accumulator=initial_accumulator)
    return State(0, *_engine.fresh(theta, 0, initial_accumulator))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.01, beta1: float = 0.9, beta2: float = 0.999, eps: float = 0.001) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: decay rate of the first moment, in [0, 1).
    beta2: 1 - beta2 bounds a move of the second moment, in [0, 1).
    eps: keeps the division defined, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.01, beta1: float = 0.9, beta2: float = 0.999, eps: float = 0.001) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, eps))
    return after
