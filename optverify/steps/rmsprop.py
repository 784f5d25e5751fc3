"""RMSProp: NumPy steps, generated from optverify/rules/rmsprop.py. Edit that file, not this one.

AdaGrad with a memory that fades, so that the step size can recover.

    v = rho*v + (1 - rho)*g**2
    theta = theta - lr*g/(sqrt(v) + eps)

Dialect: epsilon = outside, centered = False, buffer = none, weight_decay_form = none, maximize = False.
Source: Tieleman and Hinton (2012), Neural networks for machine learning, Coursera: lecture 6e, slide 29.
Source: Graves (2013), Generating sequences with recurrent neural networks, arXiv:1308.0850: equations (38) to (41): centered, with momentum.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, multiply, ndarray, sqrt, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "rmsprop"
OPTIONS = {"epsilon": "outside", "centered": False, "buffer": "none", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "rho": "in [0, 1)", "eps": ">= 0", "initial_accumulator": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; v: decaying mean of the squared gradient."""

    t: int
    v: ndarray


def equations(theta, g, v, t, lr, rho, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    v = rho*v + (1 - rho)*g**2
    theta = theta - lr*g/(sqrt(v) + eps)
    return theta, v


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    v, = states
    theta_out, v_out = outs
    x1, x2 = scratch
    rho, c1, lr, eps = scalars
    # v = rho*v + (1 - rho)*g**2
    x1 = multiply(rho, v, x1)
    x2 = square(g, x2)
    x2 = multiply(c1, x2, x2)
    v_out = add(x1, x2, v_out)
    # theta = theta - lr*g/(sqrt(v) + eps)
    x2 = multiply(lr, g, x2)
    x1 = sqrt(v_out, x1)
    x1 = add(x1, eps, x1)
    x1 = divide(x2, x1, x1)
    theta_out = subtract(theta, x1, theta_out)
    return theta_out, (t, v_out)


def _fixed(kind, lr, rho, eps):
    try:
        fine = 0 <= rho < 1 and 0 <= eps < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, rho=rho, eps=eps)
    c1 = 1 - rho
    return [array(rho, kind), array(c1, kind), array(lr, kind), array(eps, kind)]


def _scalars(fixed, kind, t, lr, rho, eps):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 2, (None,) * 2, _fixed, _scalars)


def init(theta: Any, *, initial_accumulator: float = 0.0) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    _engine.check(DOMAINS, initial_accumulator=initial_accumulator)
    return State(0, *_engine.fresh(theta, initial_accumulator))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.001, rho: float = 0.9, eps: float = 1e-08) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    rho: decay rate of the means, in [0, 1).
    eps: keeps the division defined, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, rho, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.001, rho: float = 0.9, eps: float = 1e-08) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, rho, eps))
    return after
