"""Rprop: NumPy steps, generated from optverify/rules/rprop.py. Edit that file, not this one.

Step sizes grow while a gradient keeps its sign and shrink where it changes; its size never counts.

    c = g*p
    Delta = where(c > 0, minimum(max_step, eta_plus*Delta), where(c < 0, maximum(min_step, eta_minus*Delta), Delta))
    p = where(c < 0, 0, g)
    s = where(c < 0, -s, -Delta*sign(g))
    theta = theta + s

Dialect: variant = rprop+, weight_decay_form = none, maximize = False.
Source: Riedmiller and Braun (1993), A direct adaptive method for faster backpropagation learning: the RPROP algorithm, ICNN: the rules of adaptation and update; this is Rprop+.
Source: Igel and Hüsken (2003), Empirical evaluation of the improved Rprop learning algorithms, Neurocomputing 50: the algorithms Rprop+, Rprop-, iRprop+ and iRprop-.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import array, maximum, minimum, ndarray, sign, where

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr

RULE = "rprop"
OPTIONS = {"variant": "rprop+", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "eta_plus": "> 1", "eta_minus": "in (0, 1)", "min_step": "> 0", "max_step": "> 0"}
SIDES = {'Delta': '', 'p': '', 's': ''}


class State(NamedTuple):
    """t: updates made so far; Delta: step size of each coordinate; p: last gradient, or 0 where its sign is to be forgotten; s: last step."""

    t: int
    Delta: ndarray
    p: ndarray
    s: ndarray


def equations(theta, g, Delta, p, s, t, eta_plus, eta_minus, min_step, max_step):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    c = g*p
    Delta = where(c > 0, minimum(max_step, eta_plus*Delta), where(c < 0, maximum(min_step, eta_minus*Delta), Delta))
    p = where(c < 0, 0, g)
    s = where(c < 0, -s, -Delta*sign(g))
    theta = theta + s
    return theta, Delta, p, s


def _check(lr, eta_plus, eta_minus, min_step, max_step):
    _engine.check(DOMAINS, eta_plus=eta_plus, eta_minus=eta_minus, min_step=min_step, max_step=max_step)


_PLAN = _whole.Plan(State, equations, _check, SIDES, False, reads_lr=False)


def init(theta: Any, *, lr: Lr = 0.1) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    _engine.check(DOMAINS, lr=lr)
    return State(0, *_whole.fresh(theta, SIDES, lr, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, eta_plus: float = 1.2, eta_minus: float = 0.5, min_step: float = 1e-06, max_step: float = 50.0) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    eta_plus: growth of a step size, > 1.
    eta_minus: shrinkage of a step size, in (0, 1).
    min_step: smallest step size, > 0.
    max_step: largest step size, > 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (1.0, eta_plus, eta_minus, min_step, max_step))


def update(theta: ndarray, grad: Any, state: State, *, eta_plus: float = 1.2, eta_minus: float = 0.5, min_step: float = 1e-06, max_step: float = 50.0) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (1.0, eta_plus, eta_minus, min_step, max_step))
    return after
