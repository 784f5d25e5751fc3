"""Adam: NumPy steps, generated from optverify/rules/adam.py. Edit that file, not this one.

Moments of the gradient, corrected for their start at zero, give every coordinate its own step.

    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat = m/(1 - beta1**t)
    v_hat = v/(1 - beta2**t)
    theta = theta - lr*m_hat/(sqrt(v_hat) + eps)

Dialect: epsilon = outside, bias_correction = both, weight_decay_form = none, amsgrad = none, maximize = False.
Source: Kingma and Ba (2015), Adam: a method for stochastic optimization, ICLR, arXiv:1412.6980: Algorithm 1; the epsilon-hat form stands at the end of section 2.
Source: Reddi, Kale and Kumar (2018), On the convergence of Adam and beyond, ICLR, arXiv:1904.09237: Algorithm 2 (AMSGrad).
Source: Loshchilov and Hutter (2019), Decoupled weight decay regularization, ICLR, arXiv:1711.05101: Algorithm 2 (AdamW).
"""

from math import inf
from typing import Any, NamedTuple

from numpy import add, array, divide, multiply, ndarray, sqrt, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "adam"
OPTIONS = {"epsilon": "outside", "bias_correction": "both", "weight_decay_form": "none", "amsgrad": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "eps": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; m: first moment: decaying mean of the gradient; v: second moment: decaying mean of the squared gradient."""

    t: int
    m: ndarray
    v: ndarray


def equations(theta, g, m, v, t, lr, beta1, beta2, eps):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat = m/(1 - beta1**t)
    v_hat = v/(1 - beta2**t)
    theta = theta - lr*m_hat/(sqrt(v_hat) + eps)
    return theta, m, v


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    m, v = states
    theta_out, m_out, v_out = outs
    x1, x2 = scratch
    beta1, c1, beta2, c2, lr, eps, c3, c4 = scalars
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
    # theta = theta - lr*m_hat/(sqrt(v_hat) + eps)
    x1 = multiply(lr, x1, x1)
    x2 = sqrt(x2, x2)
    x2 = add(x2, eps, x2)
    x2 = divide(x1, x2, x2)
    theta_out = subtract(theta, x2, theta_out)
    return theta_out, (t, m_out, v_out)


def _fixed(kind, lr, beta1, beta2, eps):
    try:
        fine = 0 <= beta1 < 1 and 0 <= beta2 < 1 and 0 <= eps < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, beta1=beta1, beta2=beta2, eps=eps)
    c1 = 1 - beta1
    c2 = 1 - beta2
    return [array(beta1, kind), array(c1, kind), array(beta2, kind), array(c2, kind), array(lr, kind), array(eps, kind)]


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
    beta2: decay rate of the second moment, in [0, 1).
    eps: keeps the division defined, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta1, beta2, eps))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-08) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta1, beta2, eps))
    return after
