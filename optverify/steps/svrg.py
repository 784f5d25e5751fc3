"""SVRG: NumPy steps, generated from optverify/rules/svrg.py. Edit that file, not this one.

The gradient stays unbiased, and its variance goes to zero with the distance from the solution.

    delta = g - snapshot_grad
    v = delta + full_grad
    theta = theta - lr*v
    theta_tilde = theta if t % period == 0 else theta_tilde

Dialect: renewal = last, weight_decay_form = none, maximize = False.
Source: Johnson and Zhang (2013), Accelerating stochastic gradient descent using predictive variance reduction, NeurIPS: procedure SVRG, option I.
Source: Xiao and Zhang (2014), A proximal stochastic gradient method with progressive variance reduction, SIAM Journal on Optimization 24, arXiv:1403.4699: the algorithm Prox-SVRG: a mean as the snapshot.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr

RULE = "svrg"
OPTIONS = {"renewal": "last", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "period": ">= 1"}
SIDES = {'theta_tilde': ''}
INPUTS = {'snapshot_grad': '', 'full_grad': ''}


class State(NamedTuple):
    """t: updates made so far; theta_tilde: snapshot, renewed every `period` updates."""

    t: int
    theta_tilde: ndarray


def equations(theta, g, snapshot_grad, full_grad, theta_tilde, t, lr, period):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    delta = g - snapshot_grad
    v = delta + full_grad
    theta = theta - lr*v
    theta_tilde = theta if t % period == 0 else theta_tilde
    return theta, theta_tilde


def _check(lr, period):
    _engine.check(DOMAINS, period=period)


_PLAN = _whole.Plan(State, equations, _check, SIDES, False, inputs=INPUTS)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_whole.fresh(theta, SIDES, theta))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, snapshot_grad: Any, full_grad: Any, lr: Lr = 0.1, period: float) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    snapshot_grad: the gradient of the same examples at the snapshot, theta_tilde, an array of the shape of theta.
    full_grad: the mean of all gradients at the snapshot, an array of the shape of theta.
    lr: step size, > 0.
    period: updates to a new snapshot, an integer: 2n for n examples, 5n if not convex, >= 1.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr, period, snapshot_grad, full_grad))


def update(theta: ndarray, grad: Any, state: State, *, snapshot_grad: Any, full_grad: Any, lr: Lr = 0.1, period: float) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr, period, snapshot_grad, full_grad))
    return after
