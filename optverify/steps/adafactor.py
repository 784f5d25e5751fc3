"""Adafactor: NumPy steps, generated from optverify/rules/adafactor.py. Edit that file, not this one.

The memory of a matrix's second moment falls from m*n to m + n; steps are relative to the weights.

    rho = smaller(lr, 1/math.sqrt(t))
    alpha = rho*larger(eps2, rms(theta))
    beta_hat = 1 - 1/t**decay_rate
    R = beta_hat*R + (1 - beta_hat)*row_mean(g**2 + eps1)
    C = beta_hat*C + (1 - beta_hat)*column_mean(g**2 + eps1)
    V_hat = C*R/mean(R)
    U = g/sqrt(V_hat)
    U_hat = U/larger(1, rms(U)/clip_threshold)
    theta = theta - alpha*U_hat

Dialect: factored = True, relative_step = True, parameter_scale = True, clipping = True, epsilon = added, buffer = none, weight_decay_form = none, maximize = False.
Source: Shazeer and Stern (2018), Adafactor: adaptive learning rates with sublinear memory cost, ICML, arXiv:1804.04235: Algorithms 4 and 5, with the numbers of Algorithm 6; R and C hold means where the paper has sums, which cancels in V-hat.
"""

import math
from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray, sqrt

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import column_mean, larger, mean, rms, row_mean, smaller

RULE = "adafactor"
OPTIONS = {"factored": True, "relative_step": True, "parameter_scale": True, "clipping": True, "epsilon": "added", "buffer": "none", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "eps1": ">= 0", "eps2": ">= 0", "clip_threshold": "> 0", "decay_rate": "> 0"}
SIDES = {'R': 'rows', 'C': 'columns'}


class State(NamedTuple):
    """t: updates made so far; R: decaying mean of the row means of squares; C: decaying mean of its column means."""

    t: int
    R: ndarray
    C: ndarray


def equations(theta, g, R, C, t, lr, eps1, eps2, clip_threshold, decay_rate):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    rho = smaller(lr, 1/math.sqrt(t))
    alpha = rho*larger(eps2, rms(theta))
    beta_hat = 1 - 1/t**decay_rate
    R = beta_hat*R + (1 - beta_hat)*row_mean(g**2 + eps1)
    C = beta_hat*C + (1 - beta_hat)*column_mean(g**2 + eps1)
    V_hat = C*R/mean(R)
    U = g/sqrt(V_hat)
    U_hat = U/larger(1, rms(U)/clip_threshold)
    theta = theta - alpha*U_hat
    return theta, R, C


def _check(lr, eps1, eps2, clip_threshold, decay_rate):
    _engine.check(DOMAINS, eps1=eps1, eps2=eps2, clip_threshold=clip_threshold, decay_rate=decay_rate)


_PLAN = _whole.Plan(State, equations, _check, SIDES, True)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_whole.fresh(theta, SIDES, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.01, eps1: float = 1e-30, eps2: float = 0.001, clip_threshold: float = 1.0, decay_rate: float = 0.8) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: largest relative step size, > 0.
    eps1: keeps the division defined, >= 0.
    eps2: smallest scale of the parameters, >= 0.
    clip_threshold: largest root mean square of the update, > 0.
    decay_rate: the mean's decay rate is 1 - t^-decay_rate, > 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr, eps1, eps2, clip_threshold, decay_rate))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.01, eps1: float = 1e-30, eps2: float = 0.001, clip_threshold: float = 1.0, decay_rate: float = 0.8) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr, eps1, eps2, clip_threshold, decay_rate))
    return after
