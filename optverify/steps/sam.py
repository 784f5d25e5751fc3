"""SAM: NumPy steps, generated from optverify/rules/sam.py. Edit that file, not this one.

An odd call climbs to the worst point near by, an even one steps with the gradient there.

    theta_held = theta if t % 2 == 1 else theta_held
    epsilon_hat = 0 if norm(grad) == 0 else sam_rho/norm(grad)
    g = grad
    theta = theta_held - lr*g if t % 2 == 0 else theta + epsilon_hat*grad

Dialect: weight_decay_form = none, maximize = False.
Source: Foret, Kleiner, Mobahi and Neyshabur (2021), Sharpness-aware minimization for efficiently improving generalization, ICLR, arXiv:2010.01412: Algorithm 1 and equation (2) with p = 2.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import norm

RULE = "sam"
OPTIONS = {"weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "sam_rho": "> 0"}
SIDES = {'theta_held': ''}


class State(NamedTuple):
    """t: updates made so far; theta_held: parameters before the climb."""

    t: int
    theta_held: ndarray


def equations(theta, grad, theta_held, t, lr, sam_rho):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    theta_held = theta if t % 2 == 1 else theta_held
    epsilon_hat = 0 if norm(grad) == 0 else sam_rho/norm(grad)
    g = grad
    theta = theta_held - lr*g if t % 2 == 0 else theta + epsilon_hat*grad
    return theta, theta_held


def _check(lr, sam_rho):
    _engine.check(DOMAINS, sam_rho=sam_rho)


_PLAN = _whole.Plan(State, equations, _check, SIDES, False)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_whole.fresh(theta, SIDES, theta))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.01, sam_rho: float = 0.05) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    sam_rho: radius of the neighbourhood, > 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr, sam_rho))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.01, sam_rho: float = 0.05) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr, sam_rho))
    return after
