"""Prodigy: NumPy steps, generated from optverify/rules/prodigy.py. Edit that file, not this one.

No step size to tune. Norms and inner products are those of one array; the paper's, of all.

    d_before = d
    theta_0 = theta_0
    m = beta1*m + d_before*(1 - beta1)*g
    v = beta2*v + square(d_before)*(1 - beta2)*g**2
    r = lr*square(d_before)*(1 - math.sqrt(beta2))*inner(g, theta_0 - theta) + r*math.sqrt(beta2)
    s = math.sqrt(beta2)*s + lr*square(d_before)*(1 - math.sqrt(beta2))*g
    d = d_before if norm1(s) == 0 else larger(d_before, d_coefficient*r/norm1(s))
    theta = theta - lr*d_before*m/(sqrt(v) + eps*d_before)

Dialect: bias_correction = none, epsilon_distance = old, safeguard_warmup = False, weight_decay_form = none, maximize = False.
Source: Mishchenko and Defazio (2024), Prodigy: an expeditiously adaptive parameter-free learner, ICML, arXiv:2306.06101: the algorithm of the Adam version.
"""

import math
from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray, sqrt

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import inner, larger, norm1, square

RULE = "prodigy"
OPTIONS = {"bias_correction": "none", "epsilon_distance": "old", "safeguard_warmup": False, "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "eps": ">= 0", "d0": "> 0", "d_coefficient": "> 0"}
SIDES = {'theta_0': '', 'm': '', 'v': '', 'r': 'number', 's': '', 'd': 'number'}


class State(NamedTuple):
    """t: updates made so far; theta_0: parameters at the start; m: first moment of d times the gradient; v: second moment of d times the gradient; r: numerator of the estimate: how far gradients point back; s: denominator of the estimate: weighted sum of the gradients; d: estimate of the distance to the solution."""

    t: int
    theta_0: ndarray
    m: ndarray
    v: ndarray
    r: float
    s: ndarray
    d: float


def equations(theta, g, theta_0, m, v, r, s, d, t, lr, beta1, beta2, eps, d_coefficient):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    d_before = d
    theta_0 = theta_0
    m = beta1*m + d_before*(1 - beta1)*g
    v = beta2*v + square(d_before)*(1 - beta2)*g**2
    r = lr*square(d_before)*(1 - math.sqrt(beta2))*inner(g, theta_0 - theta) + r*math.sqrt(beta2)
    s = math.sqrt(beta2)*s + lr*square(d_before)*(1 - math.sqrt(beta2))*g
    d = d_before if norm1(s) == 0 else larger(d_before, d_coefficient*r/norm1(s))
    theta = theta - lr*d_before*m/(sqrt(v) + eps*d_before)
    return theta, theta_0, m, v, r, s, d


def _check(lr, beta1, beta2, eps, d_coefficient):
    _engine.check(DOMAINS, beta1=beta1, beta2=beta2, eps=eps, d_coefficient=d_coefficient)


_PLAN = _whole.Plan(State, equations, _check, SIDES, False)


def init(theta: Any, *, d0: float = 1e-06) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    _engine.check(DOMAINS, d0=d0)
    return State(0, *_whole.fresh(theta, SIDES, theta, 0, 0, 0, 0, d0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 1.0, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08, d_coefficient: float = 1.0) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: factor on the step size; 1 is the paper's, > 0.
    beta1: decay rate of the first moment, in [0, 1).
    beta2: decay rate of the second moment; its root for r, s, in [0, 1).
    eps: keeps the division defined, >= 0.
    d_coefficient: factor on the estimate, > 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, eps, d_coefficient))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 1.0, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08, d_coefficient: float = 1.0) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, eps, d_coefficient))
    return after
