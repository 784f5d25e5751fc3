"""AdaBelief: NumPy steps, generated from optverify/rules/adabelief.py. Edit that file, not this one.

A gradient that comes as expected takes a long step, one that does not a short step.

    m = beta1*m + (1 - beta1)*g
    s = beta2*s + (1 - beta2)*(g - m)**2 + eps
    m_hat = m/(1 - beta1**t)
    s_hat = s/(1 - beta2**t)
    theta = theta - lr*m_hat/(sqrt(s_hat) + eps)

Dialect: epsilon = both, bias_correction = both, amsgrad = False, weight_decay_form = none, maximize = False.
Source: Zhuang, Tang, Ding, Tatikonda, Dvornek, Papademetris and Duncan (2020), AdaBelief optimizer: adapting stepsizes by the belief in observed gradients, NeurIPS, arXiv:2010.07468: Algorithm 2.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, multiply, ndarray, sqrt, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "adabelief"
OPTIONS = {"epsilon": "both", "bias_correction": "both", "amsgrad": False, "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "eps": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; m: first moment: decaying mean of the gradient; s: decaying mean of the squared deviation from it."""

    t: int
    m: ndarray
    s: ndarray


def equations(theta, g, m, s, t, lr, beta1, beta2, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    m = beta1*m + (1 - beta1)*g
    s = beta2*s + (1 - beta2)*(g - m)**2 + eps
    m_hat = m/(1 - beta1**t)
    s_hat = s/(1 - beta2**t)
    theta = theta - lr*m_hat/(sqrt(s_hat) + eps)
    return theta, m, s


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m, s = states
    theta_out, m_out, s_out = outs
    x1, x2 = scratch
    beta1, c1, beta2, c2, eps, lr, c3, c4 = scalars
    # m = beta1*m + (1 - beta1)*g
    x1 = multiply(beta1, m, x1)
    x2 = multiply(c1, g, x2)
    m_out = add(x1, x2, m_out)
    # s = beta2*s + (1 - beta2)*(g - m)**2 + eps
    x2 = multiply(beta2, s, x2)
    x1 = subtract(g, m_out, x1)
    x1 = square(x1, x1)
    x1 = multiply(c2, x1, x1)
    x1 = add(x2, x1, x1)
    s_out = add(x1, eps, s_out)
    # m_hat = m/(1 - beta1**t)
    x1 = divide(m_out, c3, x1)
    # s_hat = s/(1 - beta2**t)
    x2 = divide(s_out, c4, x2)
    # theta = theta - lr*m_hat/(sqrt(s_hat) + eps)
    x1 = multiply(lr, x1, x1)
    x2 = sqrt(x2, x2)
    x2 = add(x2, eps, x2)
    x2 = divide(x1, x2, x2)
    theta_out = subtract(theta, x2, theta_out)
    return theta_out, (t, m_out, s_out)


def _fixed(kind, lr, beta1, beta2, eps):
    try:
        fine = 0 <= beta1 < 1 and 0 <= beta2 < 1 and 0 <= eps < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, beta1=beta1, beta2=beta2, eps=eps)
    c1 = 1 - beta1
    c2 = 1 - beta2
    return [array(beta1, kind), array(c1, kind), array(beta2, kind), array(c2, kind), array(eps, kind), array(lr, kind)]


def _scalars(fixed, kind, t, lr, beta1, beta2, eps):
    c3 = 1 - beta1 ** t
    c4 = 1 - beta2 ** t
    return [*fixed, array(c3, kind), array(c4, kind)]


_PLAN = _engine.Plan(State, _block, (None,) * 3, (None,) * 2, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: decay rate of the first moment, in [0, 1).
    beta2: decay rate of the squared deviation, in [0, 1).
    eps: keeps the division defined, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, eps))
    return after
