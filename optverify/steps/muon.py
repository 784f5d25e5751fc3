"""Muon: NumPy steps, generated from optverify/rules/muon.py. Edit that file, not this one.

Five Newton-Schulz steps bring all singular values near 1: every direction gets a step of one size.

    B = momentum*B + g
    M = g + momentum*B
    X_0 = M/(norm(M) + eps)
    A_1 = matmul(X_0, transpose(X_0))
    X_1 = matmul(ns_b*A_1 + ns_c*matmul(A_1, A_1), X_0) + ns_a*X_0
    A_2 = matmul(X_1, transpose(X_1))
    X_2 = matmul(ns_b*A_2 + ns_c*matmul(A_2, A_2), X_1) + ns_a*X_1
    A_3 = matmul(X_2, transpose(X_2))
    X_3 = matmul(ns_b*A_3 + ns_c*matmul(A_3, A_3), X_2) + ns_a*X_2
    A_4 = matmul(X_3, transpose(X_3))
    X_4 = matmul(ns_b*A_4 + ns_c*matmul(A_4, A_4), X_3) + ns_a*X_3
    A_5 = matmul(X_4, transpose(X_4))
    X_5 = matmul(ns_b*A_5 + ns_c*matmul(A_5, A_5), X_4) + ns_a*X_4
    theta = theta - lr*math.sqrt(larger(1, rows(theta)/columns(theta)))*X_5

Dialect: buffer = sum, nesterov = True, scaling = rows, epsilon = added, weight_decay_form = none, maximize = False.
Source: Jordan, Jin, Boza, You, Cesista, Newhouse and Bernstein (2024), Muon: an optimizer for hidden layers in neural networks: the algorithm box and NewtonSchulz5.
Source: Liu, Su and others (2025), Muon is scalable for LLM training, arXiv:2502.16982: the update with the root mean square of AdamW's, section 2.2.
"""

import math
from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import columns, larger, matmul, norm, rows, transpose

RULE = "muon"
OPTIONS = {"buffer": "sum", "nesterov": True, "scaling": "rows", "epsilon": "added", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "momentum": "in [0, 1)", "ns_a": "> -inf", "ns_b": "> -inf", "ns_c": "> -inf", "eps": ">= 0"}
SIDES = {'B': ''}


class State(NamedTuple):
    """t: updates made so far; B: momentum buffer."""

    t: int
    B: ndarray


def equations(theta, g, B, t, lr, momentum, ns_a, ns_b, ns_c, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    B = momentum*B + g
    M = g + momentum*B
    X_0 = M/(norm(M) + eps)
    A_1 = matmul(X_0, transpose(X_0))
    X_1 = matmul(ns_b*A_1 + ns_c*matmul(A_1, A_1), X_0) + ns_a*X_0
    A_2 = matmul(X_1, transpose(X_1))
    X_2 = matmul(ns_b*A_2 + ns_c*matmul(A_2, A_2), X_1) + ns_a*X_1
    A_3 = matmul(X_2, transpose(X_2))
    X_3 = matmul(ns_b*A_3 + ns_c*matmul(A_3, A_3), X_2) + ns_a*X_2
    A_4 = matmul(X_3, transpose(X_3))
    X_4 = matmul(ns_b*A_4 + ns_c*matmul(A_4, A_4), X_3) + ns_a*X_3
    A_5 = matmul(X_4, transpose(X_4))
    X_5 = matmul(ns_b*A_5 + ns_c*matmul(A_5, A_5), X_4) + ns_a*X_4
    theta = theta - lr*math.sqrt(larger(1, rows(theta)/columns(theta)))*X_5
    return theta, B


def _check(lr, momentum, ns_a, ns_b, ns_c, eps):
    _engine.check(DOMAINS, momentum=momentum, ns_a=ns_a, ns_b=ns_b, ns_c=ns_c, eps=eps)


_PLAN = _whole.Plan(State, equations, _check, SIDES, True)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_whole.fresh(theta, SIDES, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.02, momentum: float = 0.95, ns_a: float = 3.4445, ns_b: float = -4.775, ns_c: float = 2.0315, eps: float = 1e-07) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    momentum: share of the buffer that is kept, in [0, 1).
    ns_a: Newton-Schulz: coefficient of X, > -inf.
    ns_b: Newton-Schulz: coefficient of X X^T X, > -inf.
    ns_c: Newton-Schulz: coefficient of (X X^T)^2 X, > -inf.
    eps: keeps the division defined, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr, momentum, ns_a, ns_b, ns_c, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.02, momentum: float = 0.95, ns_a: float = 3.4445, ns_b: float = -4.775, ns_c: float = 2.0315, eps: float = 1e-07) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr, momentum, ns_a, ns_b, ns_c, eps))
    return after
