"""FTRL-Proximal: NumPy steps, generated from optverify/rules/ftrl.py. Edit that file, not this one.

Like AdaGrad, but theta is rebuilt from sums, so that an L1 penalty leaves exact zeros.

    n_before = n
    n = n_before + g**2
    sigma = (sqrt(n) - sqrt(n_before))/lr
    z = z + g - sigma*theta
    theta = -sign(z)*maximum(0, abs(z) - lambda1)/(lambda2 + (beta + sqrt(n))/lr)

Dialect: rate = root, l2_shrinkage = False, weight_decay_form = none, maximize = False.
Source: McMahan et al. (2013), Ad click prediction: a view from the trenches, KDD: Algorithm 1, theta being their w; the case of small z is written as a maximum.
"""

from math import inf
from typing import Any, NamedTuple

from numpy import absolute, add, array, divide, maximum, multiply, ndarray, negative, positive, sign, sqrt, square, subtract

from optverify.steps import _engine
from optverify.steps._engine import Lr

RULE = "ftrl"
OPTIONS = {"rate": "root", "l2_shrinkage": False, "weight_decay_form": "none", "maximize": False}
LOOKS_AHEAD = False
DOMAINS = {"lr": "> 0", "beta": ">= 0", "lambda1": ">= 0", "lambda2": ">= 0", "initial_accumulator": ">= 0"}


class State(NamedTuple):
    """t: updates made so far; n: sum of the squared gradients; z: sum of the gradients, less what distances to earlier points cost."""

    t: int
    n: ndarray
    z: ndarray


def equations(theta, g, n, z, t, lr, beta, lambda1, lambda2):
    """The recurrence, a line an equation. t = 1, 2, ... counts updates; hyperparameters are Python floats."""
    n_before = n
    n = n_before + g**2
    sigma = (sqrt(n) - sqrt(n_before))/lr
    z = z + g - sigma*theta
    theta = -sign(z)*maximum(0, abs(z) - lambda1)/(lambda2 + (beta + sqrt(n))/lr)
    return theta, n, z


def _block(t, theta, g, states, outs, scratch, scalars):
    # the same equations, each operation into a buffer, in the same order: equal to the last bit
    n, z = states
    theta_out, n_out, z_out = outs
    x1, x2, x3, x4 = scratch
    lr, c1, lambda1, lambda2, beta = scalars
    # n_before = n
    # n = n_before + g**2
    x2 = square(g, x2)
    x1 = add(n, x2, x1)
    # sigma = (sqrt(n) - sqrt(n_before))/lr
    x3 = sqrt(x1, x3)
    x4 = sqrt(n, x4)
    x4 = subtract(x3, x4, x4)
    x2 = divide(x4, lr, x2)
    # z = z + g - sigma*theta
    x4 = add(z, g, x4)
    x2 = multiply(x2, theta, x2)
    z_out = subtract(x4, x2, z_out)
    # theta = -sign(z)*maximum(0, abs(z) - lambda1)/(lambda2 + (beta + sqrt(n))/lr)
    x2 = sign(z_out, x2)
    x2 = negative(x2, x2)
    x4 = absolute(z_out, x4)
    x4 = subtract(x4, lambda1, x4)
    x4 = maximum(c1, x4, out=x4)
    x4 = multiply(x2, x4, x4)
    x2 = sqrt(x1, x2)
    x2 = add(beta, x2, x2)
    x2 = divide(x2, lr, x2)
    x2 = add(lambda2, x2, x2)
    theta_out = divide(x4, x2, theta_out)
    n_out = positive(x1, n_out)
    return theta_out, (t, n_out, z_out)


def _fixed(kind, lr, beta, lambda1, lambda2):
    try:
        fine = 0 <= beta < inf and 0 <= lambda1 < inf and 0 <= lambda2 < inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        _engine.check(DOMAINS, beta=beta, lambda1=lambda1, lambda2=lambda2)
    c1 = 0
    return [array(lr, kind), array(c1, kind), array(lambda1, kind), array(lambda2, kind), array(beta, kind)]


def _scalars(fixed, kind, t, lr, beta, lambda1, lambda2):
    return [*fixed]


_PLAN = _engine.Plan(State, _block, (None,) * 3, (None,) * 4, _fixed, _scalars)


def init(theta: Any, *, initial_accumulator: float = 0.0) -> State:
    """The state before the first update. theta: floating-point or complex, any shape."""
    _engine.check(DOMAINS, initial_accumulator=initial_accumulator)
    return State(0, *_engine.fresh(theta, initial_accumulator, 0))


def gradient_point(theta: Any, state: State) -> Any:
    """The point at which the rule takes its gradient: theta."""
    return theta


def step(theta: Any, grad: Any, state: State, *, lr: Lr = 0.1, beta: float = 1.0, lambda1: float = 0.0, lambda2: float = 0.0) -> tuple[Any, State]:
    """One update, pure: returns (theta, state) and writes into no argument; dtype and shape are kept.

    lr: step size, > 0.
    beta: smooths the step size of the first updates, >= 0.
    lambda1: L1 penalty: coordinates become zero, >= 0.
    lambda2: L2 penalty, >= 0.
    Raises ValueError or TypeError for a hyperparameter outside its range, or a grad that does not fit theta.
    """
    return _engine.pure(_PLAN, theta, grad, state, (lr, beta, lambda1, lambda2))


def update(theta: ndarray, grad: Any, state: State, *, lr: Lr = 0.1, beta: float = 1.0, lambda1: float = 0.0, lambda2: float = 0.0) -> State:
    """The same update written into theta and the arrays of the state; returns the new state."""
    after: State = _engine.in_place(_PLAN, theta, grad, state, (lr, beta, lambda1, lambda2))
    return after
