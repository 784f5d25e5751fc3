"""Signum: NumPy steps, generated from optverify/rules/signum.py. Edit that file, not this one.

Every coordinate moves by lr, in the direction most of its recent gradients agree on.

    m = momentum*m + (1 - momentum)*g
    theta = theta - lr*sign(m)

Dialect: form = ema, weight_decay_form = none, maximize = False.
Source: Bernstein, Wang, Azizzadenesheli and Anandkumar (2018), signSGD: compressed optimisation for non-convex problems, ICML, arXiv:1802.04434: Algorithm 2.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, multiply, ndarray, sign, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "signum"
OPTIONS = {"form": "ema", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "momentum": "in [0, 1)"}


class State(NamedTuple):
    """t: updates made so far; m: momentum: decaying mean of the gradient."""

    t: int
    m: ndarray


def equations(theta, g, m, t, lr, momentum):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    m = momentum*m + (1 - momentum)*g
    theta = theta - lr*sign(m)
    return theta, m


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m, = states
    theta_out, m_out = outs
    x1, x2 = scratch
    momentum, c1, lr = scalars
    # m = momentum*m + (1 - momentum)*g
    x1 = multiply(momentum, m, x1)
    x2 = multiply(c1, g, x2)
    m_out = add(x1, x2, m_out)
    # theta = theta - lr*sign(m)
    x2 = sign(m_out, x2)
    x2 = multiply(lr, x2, x2)
    theta_out = subtract(theta, x2, theta_out)
    return theta_out, (t, m_out)


def _fixed(kind, lr, momentum):
    try:
        fine = 0 <= momentum < 1
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, momentum=momentum)
    c1 = 1 - momentum
    return [array(momentum, kind), array(c1, kind), array(lr, kind)]


def _scalars(fixed, kind, t, lr, momentum):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 2, (None,) * 2, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.0001, momentum: float = 0.9) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    momentum: share of the buffer that is kept, in [0, 1).
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, momentum))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.0001, momentum: float = 0.9) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, momentum))
    return after
