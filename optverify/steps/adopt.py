"""ADOPT: NumPy steps, generated from optverify/rules/adopt.py. Edit that file, not this one.

What a gradient is divided by does not depend on it, so that any beta2 converges.

    u = g/maximum(eps, sqrt(v))
    c = (t - 1)**(0.25)
    m = m if t == 1 else beta1*m + (1 - beta1)*maximum(-c, minimum(u, c))
    v = g**2 if t == 1 else beta2*v + (1 - beta2)*g**2
    theta = theta - lr*m

Dialect: clipping = fourth_root, first_mean = zero, nesterov_step = False, weight_decay_form = none, maximize = False.
Source: Taniguchi et al. (2024), ADOPT: modified Adam can converge with any beta2 with the optimal rate, NeurIPS, arXiv:2411.02853: the algorithm box with clipping; their t is t - 1 here, since the first gradient only gives v_0.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, maximum, minimum, multiply, ndarray, positive, sqrt, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "adopt"
OPTIONS = {"clipping": "fourth_root", "first_mean": "zero", "nesterov_step": False, "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "eps": "> 0"}


class State(NamedTuple):
    """t: updates made so far; m: decaying mean of the divided gradient; v: decaying mean of the squared gradient."""

    t: int
    m: ndarray
    v: ndarray


def equations(theta, g, m, v, t, lr, beta1, beta2, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    u = g/maximum(eps, sqrt(v))
    c = (t - 1)**(0.25)
    m = m if t == 1 else beta1*m + (1 - beta1)*maximum(-c, minimum(u, c))
    v = g**2 if t == 1 else beta2*v + (1 - beta2)*g**2
    theta = theta - lr*m
    return theta, m, v


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m, v = states
    theta_out, m_out, v_out = outs
    x1, x2 = scratch
    eps, beta1, c2, beta2, c4, lr, c1, c3, c = scalars
    # u = g/maximum(eps, sqrt(v))
    x2 = sqrt(v, x2)
    x2 = maximum(eps, x2, out=x2)
    x1 = divide(g, x2, x1)
    # m = m if t == 1 else beta1*m + (1 - beta1)*maximum(-c, minimum(u, c))
    if c1:
        m_out = positive(m, m_out)
    else:
        x2 = multiply(beta1, m, x2)
        x1 = minimum(x1, c, out=x1)
        x1 = maximum(c3, x1, out=x1)
        x1 = multiply(c2, x1, x1)
        m_out = add(x2, x1, m_out)
    # v = g**2 if t == 1 else beta2*v + (1 - beta2)*g**2
    if c1:
        v_out = square(g, v_out)
    else:
        x1 = multiply(beta2, v, x1)
        x2 = square(g, x2)
        x2 = multiply(c4, x2, x2)
        v_out = add(x1, x2, v_out)
    # theta = theta - lr*m
    x2 = multiply(lr, m_out, x2)
    theta_out = subtract(theta, x2, theta_out)
    return theta_out, (t, m_out, v_out)


def _fixed(kind, lr, beta1, beta2, eps):
    try:
        fine = 0 <= beta1 < 1 and 0 <= beta2 < 1 and 0 < eps < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, beta1=beta1, beta2=beta2, eps=eps)
    c2 = 1 - beta1
    c4 = 1 - beta2
    return [array(eps, kind), array(beta1, kind), array(c2, kind), array(beta2, kind), array(c4, kind), array(lr, kind)]


def _scalars(fixed, kind, t, lr, beta1, beta2, eps):
    c = (t - 1) ** 0.25
    c1 = t == 1
    c3 = -c
    return [*fixed, array(c1, kind), array(c3, kind), array(c, kind)]


_PLAN = _engine.Plan(State, _block, (None,) * 3, (None,) * 2, _fixed, _scalars)


def init(theta: Any) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    return State(0, *_engine.fresh(theta, 0, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.9, beta2: float = 0.9999, eps: float = 1e-06) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta1: decay rate of the mean step, in [0, 1).
    beta2: decay rate of the mean square, in [0, 1).
    eps: least divisor, > 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.9, beta2: float = 0.9999, eps: float = 1e-06) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, eps))
    return after
