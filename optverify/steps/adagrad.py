"""AdaGrad: NumPy steps, generated from optverify/rules/adagrad.py. Edit that file, not this one.

Coordinates with rare or small gradients keep a large step; no step size ever grows.

    G = G + g**2
    theta = theta - lr*g/(sqrt(G) + eps)

Dialect: epsilon = outside, lr_schedule = constant, weight_decay_form = none, maximize = False.
Source: Duchi, Hazan and Singer (2011), Adaptive subgradient methods for online learning and stochastic optimization, JMLR 12: Figure 1, diagonal case; epsilon is their delta.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, multiply, ndarray, sqrt, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "adagrad"
OPTIONS = {"epsilon": "outside", "lr_schedule": "constant", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "eps": ">= 0", "initial_accumulator": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; G: sum of the squared gradients."""

    t: int
    G: ndarray


def equations(theta, g, G, t, lr, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    G = G + g**2
    theta = theta - lr*g/(sqrt(G) + eps)
    return theta, G


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    G, = states
    theta_out, G_out = outs
    x1, x2 = scratch
    lr, eps = scalars
    # G = G + g**2
    x1 = square(g, x1)
    G_out = add(G, x1, G_out)
    # theta = theta - lr*g/(sqrt(G) + eps)
    x1 = multiply(lr, g, x1)
    x2 = sqrt(G_out, x2)
    x2 = add(x2, eps, x2)
    x2 = divide(x1, x2, x2)
    theta_out = subtract(theta, x2, theta_out)
    return theta_out, (t, G_out)


def _fixed(kind, lr, eps):
    try:
        fine = 0 <= eps < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, eps=eps)
    return [array(lr, kind), array(eps, kind)]


def _scalars(fixed, kind, t, lr, eps):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 2, (None,) * 2, _fixed, _scalars)


def init(theta: Any, *, initial_accumulator: float = 0.0) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    _engine.check(DOMAINS, initial_accumulator=initial_accumulator)
    return State(0, *_engine.fresh(theta, initial_accumulator))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.01, eps: float = 1e-10) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    eps: keeps the division defined, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.01, eps: float = 1e-10) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, eps))
    return after
