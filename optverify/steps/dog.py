"""DoG: NumPy steps, generated from optverify/rules/dog.py. Edit that file, not this one.

Distance over gradients: no step size to tune. Norms are those of one array; the paper's, of all.

    theta_0 = theta_0
    r_bar = larger(larger(r_bar, r_eps*(1 + norm(theta_0))), norm(theta - theta_0))
    G = G + square(norm(g))
    eta = lr*r_bar/math.sqrt(G + eps)
    theta = theta - eta*g

Dialect: first_distance = relative, weight_decay_form = none, maximize = False.
Source: Ivgi, Hinder and Carmon (2023), DoG is SGD's best friend: a parameter-free dynamic step size schedule, ICML, arXiv:2302.12022: equation (DoG); epsilon stands in the authors' code.
"""

import math
from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import larger, norm, square

RULE = "dog"
OPTIONS = {"first_distance": "relative", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "r_eps": "> 0", "eps": ">= 0"}
SIDES = {'theta_0': '', 'r_bar': 'number', 'G': 'number'}


class State(NamedTuple):
    """t: updates made so far; theta_0: parameters at the start; r_bar: largest distance from the start so far; G: sum of the squared gradient norms."""

    t: int
    theta_0: ndarray
    r_bar: float
    G: float


def equations(theta, g, theta_0, r_bar, G, t, lr, r_eps, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    theta_0 = theta_0
    r_bar = larger(larger(r_bar, r_eps*(1 + norm(theta_0))), norm(theta - theta_0))
    G = G + square(norm(g))
    eta = lr*r_bar/math.sqrt(G + eps)
    theta = theta - eta*g
    return theta, theta_0, r_bar, G


def _check(lr, r_eps, eps):
    _engine.check(DOMAINS, r_eps=r_eps, eps=eps)


_PLAN = _whole.Plan(State, equations, _check, SIDES, False)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_whole.fresh(theta, SIDES, theta, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 1.0, r_eps: float = 1e-06, eps: float = 1e-08) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: factor on the step size; 1 is the paper's, > 0.
    r_eps: distance that the first step goes, > 0.
    eps: keeps the division defined, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr, r_eps, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 1.0, r_eps: float = 1e-06, eps: float = 1e-08) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr, r_eps, eps))
    return after
