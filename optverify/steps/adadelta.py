"""AdaDelta: NumPy steps, generated from optverify/rules/adadelta.py. Edit that file, not this one.

No step size to choose: the steps of the past set the scale of the next.

    v = rho*v + (1 - rho)*g**2
    Delta = -g*sqrt(u + eps)/sqrt(v + eps)
    u = rho*u + (1 - rho)*Delta**2
    theta = theta + lr*Delta

Dialect: accumulated = before_lr, weight_decay_form = none, maximize = False.
Source: Zeiler (2012), ADADELTA: an adaptive learning rate method, arXiv:1212.5701: Algorithm 1, with v for E[g^2] and u for E[Delta x^2]; it has no learning rate: lr = 1.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, multiply, ndarray, negative, sqrt, square

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "adadelta"
OPTIONS = {"accumulated": "before_lr", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "rho": "in [0, 1)", "eps": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; v: decaying mean of the squared gradient; u: decaying mean of the squared step."""

    t: int
    v: ndarray
    u: ndarray


def equations(theta, g, v, u, t, lr, rho, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    v = rho*v + (1 - rho)*g**2
    Delta = -g*sqrt(u + eps)/sqrt(v + eps)
    u = rho*u + (1 - rho)*Delta**2
    theta = theta + lr*Delta
    return theta, v, u


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    v, u = states
    theta_out, v_out, u_out = outs
    x1, x2, x3 = scratch
    rho, c1, eps, lr = scalars
    # v = rho*v + (1 - rho)*g**2
    x1 = multiply(rho, v, x1)
    x2 = square(g, x2)
    x2 = multiply(c1, x2, x2)
    v_out = add(x1, x2, v_out)
    # Delta = -g*sqrt(u + eps)/sqrt(v + eps)
    x1 = negative(g, x1)
    x3 = add(u, eps, x3)
    x3 = sqrt(x3, x3)
    x3 = multiply(x1, x3, x3)
    x1 = add(v_out, eps, x1)
    x1 = sqrt(x1, x1)
    x2 = divide(x3, x1, x2)
    # u = rho*u + (1 - rho)*Delta**2
    x1 = multiply(rho, u, x1)
    x3 = square(x2, x3)
    x3 = multiply(c1, x3, x3)
    u_out = add(x1, x3, u_out)
    # theta = theta + lr*Delta
    x2 = multiply(lr, x2, x2)
    theta_out = add(theta, x2, theta_out)
    return theta_out, (t, v_out, u_out)


def _fixed(kind, lr, rho, eps):
    try:
        fine = 0 <= rho < 1 and 0 <= eps < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, rho=rho, eps=eps)
    c1 = 1 - rho
    return [array(rho, kind), array(c1, kind), array(eps, kind), array(lr, kind)]


def _scalars(fixed, kind, t, lr, rho, eps):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 3, (None,) * 3, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 1.0, rho: float = 0.95, eps: float = 1e-06) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: factor of the step, > 0.
    rho: decay rate of the means, in [0, 1).
    eps: sets the first step, guards the division, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, rho, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 1.0, rho: float = 0.95, eps: float = 1e-06) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, rho, eps))
    return after
