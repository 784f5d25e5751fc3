"""SOAP: NumPy steps, generated from optverify/rules/soap.py. Edit that file, not this one.

Shampoo's statistics turn a matrix to where its coordinates hardly interact; Adam steps there.

    g_prime = matmul(matmul(transpose(Q_L), g), Q_R)
    m = beta1*m + (1 - beta1)*g
    m_prime = matmul(matmul(transpose(Q_L), m), Q_R)
    v = beta2*v + (1 - beta2)*g_prime**2
    m_hat = m_prime/(1 - beta1**t)
    v_hat = v/(1 - beta2**t)
    n_prime = m_hat/(sqrt(v_hat) + eps)
    n = matmul(matmul(Q_L, n_prime), transpose(Q_R))
    theta = theta - lr*n
    L = beta2*L + (1 - beta2)*matmul(g, transpose(g))
    Q_L = orthonormal(matmul(L, Q_L)) if t % precondition_frequency == 0 else Q_L
    R = beta2*R + (1 - beta2)*matmul(transpose(g), g)
    Q_R = orthonormal(matmul(R, Q_R)) if t % precondition_frequency == 0 else Q_R

Dialect: basis = power, sides = both, first = step, epsilon = outside, bias_correction = both, weight_decay_form = none, maximize = False.
Source: Vyas, Morwani, Zhao, Kwun, Shapira, Brandfonbrener, Janson and Kakade (2024), SOAP: improving and stabilizing Shampoo using Adam, arXiv:2409.11321: Algorithm 3, which leaves out bias correction for brevity, and Algorithm 4 (the bases).
"""

from math import inf
from typing import Any, NamedTuple

from numpy import array, ndarray, sqrt

from optverify.steps import _engine, _whole
from optverify.steps._engine import Lr
from optverify.steps._operators import matmul, orthonormal, transpose

RULE = "soap"
OPTIONS = {"basis": "power", "sides": "both", "first": "step", "epsilon": "outside", "bias_correction": "both", "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "eps": ">= 0", "precondition_frequency": ">= 1"}
SIDES = {'m': '', 'v': '', 'L': 'left', 'R': 'right', 'Q_L': 'left', 'Q_R': 'right'}


class State(NamedTuple):
    """t: updates made so far; m: decaying mean of the gradient; v: decaying mean of the squared gradient, in the rotated space; L: left statistics: decaying mean of G G^T; R: right statistics: decaying mean of G^T G; Q_L: left basis, a column an eigenvector of L; Q_R: right basis, a column an eigenvector of R."""

    t: int
    m: ndarray
    v: ndarray
    L: ndarray
    R: ndarray
    Q_L: ndarray
    Q_R: ndarray


def equations(theta, g, m, v, L, R, Q_L, Q_R, t, lr, beta1, beta2, eps, precondition_frequency):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    g_prime = matmul(matmul(transpose(Q_L), g), Q_R)
    m = beta1*m + (1 - beta1)*g
    m_prime = matmul(matmul(transpose(Q_L), m), Q_R)
    v = beta2*v + (1 - beta2)*g_prime**2
    m_hat = m_prime/(1 - beta1**t)
    v_hat = v/(1 - beta2**t)
    n_prime = m_hat/(sqrt(v_hat) + eps)
    n = matmul(matmul(Q_L, n_prime), transpose(Q_R))
    theta = theta - lr*n
    L = beta2*L + (1 - beta2)*matmul(g, transpose(g))
    Q_L = orthonormal(matmul(L, Q_L)) if t % precondition_frequency == 0 else Q_L
    R = beta2*R + (1 - beta2)*matmul(transpose(g), g)
    Q_R = orthonormal(matmul(R, Q_R)) if t % precondition_frequency == 0 else Q_R
    return theta, m, v, L, R, Q_L, Q_R


def _check(lr, beta1, beta2, eps, precondition_frequency):
    _engine.check(DOMAINS, beta1=beta1, beta2=beta2, eps=eps, precondition_frequency=precondition_frequency)


_PLAN = _whole.Plan(State, equations, _check, SIDES, True)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_whole.fresh(theta, SIDES, 0, 0, 0, 0, 1, 1))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.003, beta1: float = 0.95, beta2: float = 0.95, eps: float = 1e-08, precondition_frequency: float = 1.0) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: decay rate of the mean, in [0, 1).
    beta2: decay rate of the mean square and the statistics, in [0, 1).
    eps: keeps the division defined, >= 0.
    precondition_frequency: updates to a new basis, an integer, >= 1.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _whole.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, eps, precondition_frequency))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.003, beta1: float = 0.95, beta2: float = 0.95, eps: float = 1e-08, precondition_frequency: float = 1.0) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _whole.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, eps, precondition_frequency))
    return after
