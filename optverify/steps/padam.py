"""Padam: NumPy steps, generated from optverify/rules/padam.py. Edit that file, not this one.

The smaller the power, the nearer to momentum, and the larger the step size may be.

    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    v_max = maximum(v_max, v)
    theta = theta - lr*m/(sqrt(v_max) + eps)**(2*partial)

Dialect: epsilon = outside, bias_correction = none, amsgrad = True, weight_decay_form = none, maximize = False.
Source: Chen, Zhou, Tang, Yang, Cao and Gu (2020), Closing the generalization gap of adaptive gradient methods in training deep neural networks, IJCAI, arXiv:1806.06763: Algorithm 1; epsilon is that of the authors' code.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, maximum, multiply, ndarray, power, sqrt, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "padam"
OPTIONS = {"epsilon": "outside", "bias_correction": "none", "amsgrad": True, "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "partial": "in [0, 0.5]", "eps": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; m: first moment: decaying mean of the gradient; v: second moment: decaying mean of the squared gradient; v_max: largest second moment so far (AMSGrad)."""

    t: int
    m: ndarray
    v: ndarray
    v_max: ndarray


def equations(theta, g, m, v, v_max, t, lr, beta1, beta2, partial, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    v_max = maximum(v_max, v)
    theta = theta - lr*m/(sqrt(v_max) + eps)**(2*partial)
    return theta, m, v, v_max


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m, v, v_max = states
    theta_out, m_out, v_out, v_max_out = outs
    x1, x2 = scratch
    beta1, c1, beta2, c2, lr, eps, c3 = scalars
    # m = beta1*m + (1 - beta1)*g
    x1 = multiply(beta1, m, x1)
    x2 = multiply(c1, g, x2)
    m_out = add(x1, x2, m_out)
    # v = beta2*v + (1 - beta2)*g**2
    x2 = multiply(beta2, v, x2)
    x1 = square(g, x1)
    x1 = multiply(c2, x1, x1)
    v_out = add(x2, x1, v_out)
    # v_max = maximum(v_max, v)
    v_max_out = maximum(v_max, v_out, out=v_max_out)
    # theta = theta - lr*m/(sqrt(v_max) + eps)**(2*partial)
    x1 = multiply(lr, m_out, x1)
    x2 = sqrt(v_max_out, x2)
    x2 = add(x2, eps, x2)
    x2 = power(x2, c3, x2)
    x2 = divide(x1, x2, x2)
    theta_out = subtract(theta, x2, theta_out)
    return theta_out, (t, m_out, v_out, v_max_out)


def _fixed(kind, lr, beta1, beta2, partial, eps):
    try:
        fine = 0 <= beta1 < 1 and 0 <= beta2 < 1 and 0 <= partial <= 0.5 and 0 <= eps < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, beta1=beta1, beta2=beta2, partial=partial, eps=eps)
    c1 = 1 - beta1
    c2 = 1 - beta2
    c3 = 2 * partial
    return [array(beta1, kind), array(c1, kind), array(beta2, kind), array(c2, kind), array(lr, kind), array(eps, kind), array(c3, kind)]


def _scalars(fixed, kind, t, lr, beta1, beta2, partial, eps):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 4, (None,) * 2, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.1, beta1: float = 0.9, beta2: float = 0.999, partial: float = 0.125, eps: float = 1e-08) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: decay rate of the first moment, in [0, 1).
    beta2: decay rate of the second moment, in [0, 1).
    partial: power of the second moment; 0 is momentum, 1/2 AMSGrad, in [0, 0.5].
    eps: keeps the division defined, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, partial, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.1, beta1: float = 0.9, beta2: float = 0.999, partial: float = 0.125, eps: float = 1e-08) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, partial, eps))
    return after
