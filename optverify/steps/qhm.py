"""Quasi-hyperbolic momentum: NumPy steps, generated from optverify/rules/qhm.py. Edit that file, not this one.

The gradient at hand keeps a weight of its own however slowly the buffer turns.

    m = momentum*m + (1 - momentum)*g
    theta = theta - lr*(nu*m + (1 - nu)*g)

Dialect: weight_decay_form = none, maximize = False.
Source: Ma and Yarats (2019), Quasi-hyperbolic momentum and Adam for deep learning, ICLR, arXiv:1810.06801: the QHM update of section 3; the buffer m is their g.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, multiply, ndarray, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "qhm"
OPTIONS = {"weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "momentum": "in [0, 1)", "nu": "in [0, 1]"}


class State(NamedTuple):
    """t: updates made so far; m: momentum: decaying mean of the gradient."""

    t: int
    m: ndarray


def equations(theta, g, m, t, lr, momentum, nu):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    m = momentum*m + (1 - momentum)*g
    theta = theta - lr*(nu*m + (1 - nu)*g)
    return theta, m


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m, = states
    theta_out, m_out = outs
    x1, x2 = scratch
    momentum, c1, lr, nu, c2 = scalars
    # m = momentum*m + (1 - momentum)*g
    x1 = multiply(momentum, m, x1)
    x2 = multiply(c1, g, x2)
    m_out = add(x1, x2, m_out)
    # theta = theta - lr*(nu*m + (1 - nu)*g)
    x2 = multiply(nu, m_out, x2)
    x1 = multiply(c2, g, x1)
    x1 = add(x2, x1, x1)
    x1 = multiply(lr, x1, x1)
    theta_out = subtract(theta, x1, theta_out)
    return theta_out, (t, m_out)


def _fixed(kind, lr, momentum, nu):
    try:
        fine = 0 <= momentum < 1 and 0 <= nu <= 1
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, momentum=momentum, nu=nu)
    c1 = 1 - momentum
    c2 = 1 - nu
    return [array(momentum, kind), array(c1, kind), array(lr, kind), array(nu, kind), array(c2, kind)]


def _scalars(fixed, kind, t, lr, momentum, nu):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 2, (None,) * 2, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.1, momentum: float = 0.999, nu: float = 0.7) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    momentum: share of the buffer that is kept, in [0, 1).
    nu: weight of the buffer; 0 is gradient descent, 1 is momentum, in [0, 1].
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, momentum, nu))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.1, momentum: float = 0.999, nu: float = 0.7) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, momentum, nu))
    return after
