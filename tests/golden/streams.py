"""What the loops are fed: sixteen updates on hostile gradients, in decimals alike on every machine."""

import numpy as np

from tests.rules.hostile import Stream

STEPS = 16
RATES = np.array([0.05, 0.05, 0.3, 0.3, 0.02, 0.02, 0.8, 0.1, 0.1, 0.4, 0.4, 0.05, 0.6, 0.6, 0.03, 0.2])
"""lr changes on the way: inside and outside a buffer differ."""


def wave(steps, *shape):
    """Numbers between -2 and 2 without a pattern, of three decimals."""
    k = np.arange(steps * int(np.prod(shape)), dtype=float)
    return np.round(2 * np.sin(1 + 2.3 * k + 0.37 * k**2), 3).reshape(steps, *shape)


def vector():
    """Six coordinates: plain, with a spike, zero for a while, flips of sign, near epsilon and tiny, late."""
    k, plain = np.arange(STEPS), wave(STEPS, 6)
    columns = [
        plain[:, 0],
        np.where(k == 5, 1000.0, plain[:, 1]),
        np.where((k > 3) & (k < 9), 0.0, plain[:, 2]),
        (-1.0) ** k * (1 + k / 8),
        np.where(k % 5 == 4, 1e-9, plain[:, 4] / 100),
        np.where(k < 4, 0.0, np.where(k == 9, 25.0, 0.75)),
    ]
    return Stream(np.array([1.0, -2.0, 0.5, 3.0, -1.0, 0.25]), RATES, np.stack(columns, axis=1))


def matrix():
    """4 x 3: a row that is zero at first, a small column, a spike, an update with no gradient at all."""
    g = wave(STEPS, 4, 3) * np.array([1.0, 0.01, 4.0])
    g[6] *= 30
    g[:3, 1] = 0
    g[8] = 0
    g[10:, 0, 0] = (-1.0) ** np.arange(10, STEPS)
    return Stream(wave(1, 4, 3)[0], RATES, g)


def steady():
    """Nothing at first, then downhill all the way, at last back: distances grow, and stay what they were."""
    k, plain = np.arange(STEPS)[:, None], wave(STEPS, 6)
    slopes = np.where(k < 2, 0.0, np.where(k < 12, 1.0, -2.0)) * np.array([1, 2, -0.5, 1, 0.1, 3])
    return VECTOR._replace(gradients=slopes * (1 + plain / 8), rates=4 * RATES)


def turning():
    """Five updates one way, then weaker ones the other way: signs of means turn late, not at once."""
    k, weak = np.arange(STEPS)[:, None], np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.9])
    return VECTOR._replace(gradients=np.where(k < 5, 1.0, -weak))


def from_zero():
    """Theta and the first gradient are all zero: nothing has a length."""
    gradients = VECTOR.gradients.copy()
    gradients[0] = 0
    return VECTOR._replace(start=np.zeros(6), gradients=gradients)


VECTOR, MATRIX = vector(), matrix()
STEADY, TURNING, FROM_ZERO = steady(), turning(), from_zero()
WIDE = Stream(MATRIX.start.T, RATES, MATRIX.gradients.swapaxes(1, 2))
NEAR_ZERO = MATRIX._replace(start=np.round(MATRIX.start / 50, 4), rates=RATES / 8)
WARMING = VECTOR._replace(rates=np.where(np.arange(STEPS) < 2, 0.0, RATES))
"""A warm-up that begins at zero."""
NEVER_ZERO = VECTOR._replace(gradients=np.where(VECTOR.gradients == 0, 0.3, VECTOR.gradients))
"""For a rule that divides 0 by 0 while all gradients were zero."""
FULL_RANK = MATRIX._replace(gradients=np.clip(wave(STEPS, 4, 3) * np.array([1.0, 0.3, 2.0]), -3, 3))
"""For powers of matrices, and for bases: where eigenvalues are equal, no two programs agree on one."""
