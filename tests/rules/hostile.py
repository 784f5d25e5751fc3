"""Long runs on hostile gradients, and how updates of two implementations are compared."""

from typing import NamedTuple

import numpy as np

from optverify.backends import step

STEPS = 50
RATES = np.where(np.arange(STEPS) < 30, 0.05, 0.2)
"""lr changes on the way: inside and outside a buffer differ."""
START = np.array([1.0, -2.0, 0.5, 3.0, -1.0, 0.25, 1e-3])


def gradients():
    """A gradient a step, of 7 numbers: plain, spikes, zeros, flips of sign, near epsilon, tiny, late."""
    random = np.random.default_rng(7)
    k = np.arange(STEPS)
    columns = [
        random.normal(size=STEPS),
        np.where(k % 17 == 3, 1e3, random.normal(size=STEPS)),
        np.where((k > 10) & (k < 20), 0.0, random.normal(size=STEPS)),
        (-1.0) ** k * (1 + k / 10),
        1e-2 * random.normal(size=STEPS),
        1e-9 * random.normal(size=STEPS),
        np.where(k < 5, 0.0, 1.0),
    ]
    return np.stack(columns, axis=1)


class Stream(NamedTuple):
    """What a loop is fed: where theta starts, and for each update a learning rate and a gradient."""

    start: np.ndarray
    rates: np.ndarray
    gradients: np.ndarray


HOSTILE = Stream(START, RATES, gradients())


def trajectory(name, options, values, *, initial=None, result="theta"):
    """Theta (or a state) after each update on the hostile gradients."""
    module = step(name, **options)
    theta, state = START.copy(), module.init(START, **(initial or {}))
    for lr, g in zip(RATES, gradients(), strict=True):
        theta, state = module.step(theta, g, state, lr=float(lr), **values)
        yield theta.copy() if result == "theta" else getattr(state, result).copy()


def assert_same_updates(found, expected):
    """The updates over lr agree to 1e-12, but for the rounding of theta itself."""
    found, expected = np.array(list(found)), np.array(list(expected))
    assert found.shape == expected.shape == (STEPS, len(START))
    rates = RATES[:, None]
    updates = np.diff(found, axis=0, prepend=[START]) / rates
    wanted = np.diff(expected, axis=0, prepend=[START]) / rates
    rounding = 16 * 2.0**-52 * (np.abs(expected) + 1) / rates
    bad = ~(np.abs(updates - wanted) <= 1e-12 * np.abs(wanted) + rounding)  # a NaN is bad too
    assert not bad.any(), f"step, coordinate: {np.argwhere(bad)[:5].tolist()}"
    assert np.abs(wanted).max() > 1e-3  # something moved


def fed(name, options, numbers, *, lr=0.1, start=0.0, **values):
    """Theta after each of the given gradients, from 0 with lr 0.1."""
    module = step(name, **options)
    theta, state, points = start, module.init(start), []
    for g in numbers:
        theta, state = module.step(theta, g, state, lr=lr, **values)
        points.append(float(theta))
    return points


def lines(rule):
    """The lines of its LaTeX block."""
    return [line.removesuffix(r" \\") for line in rule.latex().splitlines()[1:-1]]
