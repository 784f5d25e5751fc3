"""Polyak step: NumPy steps, generated from optverify/rules/polyak_step.py. Edit that file, not this one.

The step that would reach the smallest value if the objective were linear along the gradient.

    eta = 0 if norm(g) == 0 else (loss - f_min)/(square(norm(g)) + eps)
    theta = theta - lr*eta*g

Dialect: bound = none, gap = signed, weight_decay_form = none, maximize = False.
Source: Polyak (1969), Minimization of unsmooth functionals, USSR Computational Mathematics and Mathematical Physics 9: the step with a known minimum.
Source: Loizou, Vaswani, Laradji and Lacoste-Julien (2021), Stochastic Polyak step-size for SGD: an adaptive learning rate for fast convergence, AISTATS, arXiv:2002.10542: the definition of SPS_max.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import norm, square

RULE = "polyak_step"
OPTIONS = {"bound": "none", "gap": "signed", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "loss": "> -inf", "f_min": "> -inf", "eps": ">= 0"}
SIDES: dict[str, str] = {}


class State(NamedTuple):
    """t: updates made so far."""

    t: int


def equations(theta, g, t, lr, loss, f_min, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    eta = 0 if norm(g) == 0 else (loss - f_min)/(square(norm(g)) + eps)
    theta = theta - lr*eta*g
    return theta,


def _check(lr, loss, f_min, eps):
    _engine.check(DOMAINS, loss=loss, f_min=f_min, eps=eps)


_PLAN = _whole.Plan(State, equations, _check, SIDES, False)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_whole.fresh(theta, SIDES))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 1.0, loss: float, f_min: float = 0.0, eps: float = 0.0) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: factor on the step; 1 is Polyak's, > 0.
    loss: the objective at theta, for each update, > -inf.
    f_min: smallest value of the objective, or a bound below it, > -inf.
    eps: keeps the division defined, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr, loss, f_min, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 1.0, loss: float, f_min: float = 0.0, eps: float = 0.0) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr, loss, f_min, eps))
    return after
