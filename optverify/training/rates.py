"""Learning rates for the small networks of `optverify train`.

The defaults of the rules are those of their papers. These were chosen once, on the network that
`optverify train mnist` trains: of 1, 2, 5 times the powers of ten, the one with the least loss on the
training part after 5 epochs, mean of seeds 0 and 1.
"""

from __future__ import annotations

NETWORK_RATES = {
    "adagrad": 0.1,
    "adam": 0.01,
    "gd": 0.5,
    "momentum": 0.1,
    "nesterov": 0.1,
    "rmsprop": 0.01,
}


def network_rate(rule: str) -> float | None:
    """The learning rate to train a small network with; None, the rule's default, for a rule not tried."""
    return NETWORK_RATES.get(rule)
