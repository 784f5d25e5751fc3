"""signSGD: NumPy steps, generated from optverify/rules/signsgd.py. Edit that file, not this one.

One bit a coordinate: the size of the gradient does not count; where it is zero nothing moves.

    theta = theta - lr*sign(g)

Dialect: weight_decay_form = none, maximize = False.
Source: Bernstein, Wang, Azizzadenesheli and Anandkumar (2018), signSGD: compressed optimisation for non-convex problems, ICML, arXiv:1802.04434: Algorithm 1.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import array, multiply, ndarray, sign, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "signsgd"
OPTIONS = {"weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0"}


class State(NamedTuple):
    """t: updates made so far."""

    t: int


def equations(theta, g, t, lr):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    theta = theta - lr*sign(g)
    return theta,


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    theta_out, = outs
    x1, = scratch
    lr, = scalars
    # theta = theta - lr*sign(g)
    x1 = sign(g, x1)
    x1 = multiply(lr, x1, x1)
    theta_out = subtract(theta, x1, theta_out)
    return theta_out, (t,)


def _fixed(kind, lr):
    return [array(lr, kind)]


def _scalars(fixed, kind, t, lr):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 1, (None,) * 1, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.0001) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr,))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.0001) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr,))
    return after
