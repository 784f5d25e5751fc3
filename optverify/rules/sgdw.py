"""SGDW: momentum whose weight decay stands outside the velocity."""

from optverify.language import Source
from optverify.rules.momentum import rule_momentum

sgdw = rule_momentum.named(
    "sgdw",
    title="SGDW",
    summary="Momentum with decoupled weight decay: theta shrinks by a share no velocity carries on.",
    sources=[
        Source("Loshchilov and Hutter", 2019, "Decoupled weight decay regularization", "Algorithm 1; their m"
               " is -v; the libraries multiply the decay by lr, the paper by the schedule alone",
               "ICLR", arxiv="1711.05101"),
    ],
    weight_decay_form="decoupled",
)
