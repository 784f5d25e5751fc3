"""QHAdam: NumPy steps, generated from optverify/rules/qhadam.py. Edit that file, not this one.

Adam for nu1 = nu2 = 1; a smaller nu1 lets a long memory go together with a quick response.

    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat = m/(1 - beta1**t)
    v_hat = v/(1 - beta2**t)
    theta = theta - lr*(nu1*m_hat + (1 - nu1)*g)/(sqrt(nu2*v_hat + (1 - nu2)*g**2) + eps)

Dialect: weight_decay_form = none, maximize = False.
Source: Ma and Yarats (2019), Quasi-hyperbolic momentum and Adam for deep learning, ICLR, arXiv:1810.06801: the QHAdam update rule.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, multiply, ndarray, sqrt, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "qhadam"
OPTIONS = {"weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "nu1": "in [0, 1]", "nu2": "in [0, 1]", "eps": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; m: decaying mean of the gradient; v: decaying mean of the squared gradient."""

    t: int
    m: ndarray
    v: ndarray


def equations(theta, g, m, v, t, lr, beta1, beta2, nu1, nu2, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat = m/(1 - beta1**t)
    v_hat = v/(1 - beta2**t)
    theta = theta - lr*(nu1*m_hat + (1 - nu1)*g)/(sqrt(nu2*v_hat + (1 - nu2)*g**2) + eps)
    return theta, m, v


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m, v = states
    theta_out, m_out, v_out = outs
    x1, x2, x3 = scratch
    beta1, c1, beta2, c2, lr, nu1, c5, nu2, c6, eps, c3, c4 = scalars
    # m = beta1*m + (1 - beta1)*g
    x1 = multiply(beta1, m, x1)
    x2 = multiply(c1, g, x2)
    m_out = add(x1, x2, m_out)
    # v = beta2*v + (1 - beta2)*g**2
    x2 = multiply(beta2, v, x2)
    x1 = square(g, x1)
    x1 = multiply(c2, x1, x1)
    v_out = add(x2, x1, v_out)
    # m_hat = m/(1 - beta1**t)
    x1 = divide(m_out, c3, x1)
    # v_hat = v/(1 - beta2**t)
    x2 = divide(v_out, c4, x2)
    # theta = theta - lr*(nu1*m_hat + (1 - nu1)*g)/(sqrt(nu2*v_hat + (1 - nu2)*g**2) + eps)
    x1 = multiply(nu1, x1, x1)
    x3 = multiply(c5, g, x3)
    x3 = add(x1, x3, x3)
    x3 = multiply(lr, x3, x3)
    x2 = multiply(nu2, x2, x2)
    x1 = square(g, x1)
    x1 = multiply(c6, x1, x1)
    x1 = add(x2, x1, x1)
    x1 = sqrt(x1, x1)
    x1 = add(x1, eps, x1)
    x1 = divide(x3, x1, x1)
    theta_out = subtract(theta, x1, theta_out)
    return theta_out, (t, m_out, v_out)


def _fixed(kind, lr, beta1, beta2, nu1, nu2, eps):
    try:
        fine = 0 <= beta1 < 1 and 0 <= beta2 < 1 and 0 <= nu1 <= 1 and 0 <= nu2 <= 1 and 0 <= eps < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, beta1=beta1, beta2=beta2, nu1=nu1, nu2=nu2, eps=eps)
    c1 = 1 - beta1
    c2 = 1 - beta2
    c5 = 1 - nu1
    c6 = 1 - nu2
    return [array(beta1, kind), array(c1, kind), array(beta2, kind), array(c2, kind), array(lr, kind), array(nu1, kind), array(c5, kind), array(nu2, kind), array(c6, kind), array(eps, kind)]


def _scalars(fixed, kind, t, lr, beta1, beta2, nu1, nu2, eps):
    c3 = 1 - beta1 ** t
    c4 = 1 - beta2 ** t
    return [*fixed, array(c3, kind), array(c4, kind)]


_PLAN = _engine.Plan(State, _block, (None,) * 3, (None,) * 3, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.995, beta2: float = 0.999, nu1: float = 0.7, nu2: float = 1.0, eps: float = 1e-08) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: decay rate of the first moment, in [0, 1).
    beta2: decay rate of the second moment, in [0, 1).
    nu1: weight of the mean gradient against the new one, in [0, 1].
    nu2: weight of the mean square against the new one, in [0, 1].
    eps: keeps the division defined, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, nu1, nu2, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.995, beta2: float = 0.999, nu1: float = 0.7, nu2: float = 1.0, eps: float = 1e-08) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, nu1, nu2, eps))
    return after
