"""Lion: NumPy steps, generated from optverify/rules/lion.py. Edit that file, not this one.

The step weighs the new gradient more than the memory does, as Nesterov momentum would.

    c = beta1*m + (1 - beta1)*g
    m = beta2*m + (1 - beta2)*g
    theta = (1 - lr*weight_decay)*theta - lr*sign(c)

Dialect: weight_decay_form = decoupled, maximize = False.
Source: Chen et al. (2023), Symbolic discovery of optimization algorithms, NeurIPS, arXiv:2302.06675: Algorithm 2.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, multiply, ndarray, sign, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "lion"
OPTIONS = {"weight_decay_form": "decoupled", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "weight_decay": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; m: decaying mean of the gradient."""

    t: int
    m: ndarray


def equations(theta, g, m, t, lr, beta1, beta2, weight_decay):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    c = beta1*m + (1 - beta1)*g
    m = beta2*m + (1 - beta2)*g
    theta = (1 - lr*weight_decay)*theta - lr*sign(c)
    return theta, m


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m, = states
    theta_out, m_out = outs
    x1, x2, x3 = scratch
    beta1, c1, beta2, c2, c3, lr = scalars
    # c = beta1*m + (1 - beta1)*g
    x2 = multiply(beta1, m, x2)
    x3 = multiply(c1, g, x3)
    x1 = add(x2, x3, x1)
    # m = beta2*m + (1 - beta2)*g
    x3 = multiply(beta2, m, x3)
    x2 = multiply(c2, g, x2)
    m_out = add(x3, x2, m_out)
    # theta = (1 - lr*weight_decay)*theta - lr*sign(c)
    x2 = multiply(c3, theta, x2)
    x1 = sign(x1, x1)
    x1 = multiply(lr, x1, x1)
    theta_out = subtract(x2, x1, theta_out)
    return theta_out, (t, m_out)


def _fixed(kind, lr, beta1, beta2, weight_decay):
    try:
        fine = 0 <= beta1 < 1 and 0 <= beta2 < 1 and 0 <= weight_decay < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, beta1=beta1, beta2=beta2, weight_decay=weight_decay)
    c1 = 1 - beta1
    c2 = 1 - beta2
    c3 = 1 - lr * weight_decay
    return [array(beta1, kind), array(c1, kind), array(beta2, kind), array(c2, kind), array(c3, kind), array(lr, kind)]


def _scalars(fixed, kind, t, lr, beta1, beta2, weight_decay):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 2, (None,) * 3, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.0001, beta1: float = 0.9, beta2: float = 0.99, weight_decay: float = 0.01) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: weight of the memory in the step, in [0, 1).
    beta2: decay rate of the memory, in [0, 1).
    weight_decay: weight decay, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, weight_decay))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.0001, beta1: float = 0.9, beta2: float = 0.99, weight_decay: float = 0.01) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, weight_decay))
    return after
