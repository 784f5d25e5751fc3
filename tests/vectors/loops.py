"""The classic rules as plain loops in mpmath, written from the papers: nothing here knows the recurrences.

Each takes theta, an iterator of (lr, gradient) for one coordinate and its constants, and yields theta and its
states, by the names the vectors have, after each update.
"""

from mpmath import mpf, sqrt


def gd(theta, updates):
    """x_{k+1} = x_k - lr f'(x_k)."""
    for lr, g in updates:
        theta = theta - lr * g
        yield {"theta": theta}


def momentum(theta, updates, *, momentum):
    """Sutskever et al. (2013), equations (1) and (2)."""
    v = mpf(0)
    for lr, g in updates:
        v = momentum * v - lr * g
        theta = theta + v
        yield {"theta": theta, "v": v}


def nesterov(theta, updates, *, momentum):
    """Sutskever et al. (2013), equations (3) and (4): the gradient is taken at theta + momentum v."""
    v = mpf(0)
    for lr, g in updates:
        point = theta + momentum * v
        v = momentum * v - lr * g
        theta = theta + v
        yield {"theta": theta, "v": v, "point": point}


def adagrad(theta, updates, *, eps, initial_accumulator):
    """Duchi et al. (2011), Figure 1, the diagonal matrix; a sum that does not begin at zero."""
    total = initial_accumulator
    for lr, g in updates:
        total = total + g * g
        theta = theta - lr * g / (sqrt(total) + eps)
        yield {"theta": theta, "G": total}


def rmsprop(theta, updates, *, rho, eps, initial_accumulator):
    """Tieleman and Hinton (2012), lecture 6e."""
    square = initial_accumulator
    for lr, g in updates:
        square = rho * square + (1 - rho) * g * g
        theta = theta - lr * g / (sqrt(square) + eps)
        yield {"theta": theta, "v": square}


def adam(theta, updates, *, beta1, beta2, eps):
    """Kingma and Ba (2015), Algorithm 1; powers of beta as running products."""
    m = v = mpf(0)
    power1 = power2 = mpf(1)
    for lr, g in updates:
        power1, power2 = power1 * beta1, power2 * beta2
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        theta = theta - lr * (m / (1 - power1)) / (sqrt(v / (1 - power2)) + eps)
        yield {"theta": theta, "m": m, "v": v}


CLASSICS = {f.__name__: f for f in (gd, momentum, nesterov, adagrad, rmsprop, adam)}
