"""Linear: from lr to lr_end in equal steps; lr_end is held.

Upwards it is a warm-up that begins above 0 (one from 0 is `linear_warmup`).
"""

from sympy import Min

from optverify.language import Count, Hyperparameter, Source, lr, nonnegative, positive, schedule
from optverify.language.clock import eta, lr_end, t, total


@schedule(
    "linear",
    title="Linear",
    sources=[
        Source("Li, Yumer and Ramanan", 2020, "Budgeted training: rethinking deep neural network training"
               " under resource constraints", "the linear schedule", "ICLR", arxiv="1905.04753"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_0", None, positive, "learning rate of the first update"),
        Hyperparameter(lr_end, r"\eta_T", 0.0, nonnegative, "learning rate from t = total on"),
        Count(total, "T", "updates from lr to lr_end"),
    ],
    end=total,
)
def linear(d):
    """The rate changes by the same amount with every update, until it is lr_end."""
    yield eta, lr_end + (lr - lr_end)*(1 - Min(t, total)/total)
