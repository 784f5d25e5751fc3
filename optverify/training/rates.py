"""Learning rates for the small networks of `optverify train`.

The defaults of the rules are those of their papers; these were chosen once, on the MNIST network (64 hidden
units, batches of 64, 5 epochs), from 1, 2, 5 times the powers of ten, by the loss on the training part.
"""

from __future__ import annotations

NETWORK_RATES = {
    "adagrad": 0.02,
    "adam": 2e-3,
    "gd": 0.5,
    "momentum": 0.05,
    "nesterov": 0.05,
    "rmsprop": 1e-3,
}


def network_rate(rule: str) -> float | None:
    """The learning rate to train a small network with, None (the rule's default) for a rule not tried."""
    return NETWORK_RATES.get(rule)
