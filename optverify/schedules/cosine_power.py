"""Cosine annealing to a power: the fraction of cosine annealing, raised to p; p = 1 is `cosine`."""

from sympy import cos, pi

from optverify.language import (
    Count, Hyperparameter, Source, hyper_symbol, lr, nonnegative, positive, schedule,
)
from optverify.language.clock import after, clock, eta, lr_min, total

exponent = hyper_symbol("exponent", positive=True)


@schedule(
    "cosine_power",
    title="Cosine annealing to a power",
    sources=[
        Source("Loshchilov and Hutter", 2017, "SGDR: stochastic gradient descent with warm restarts",
               "equation (5), without restarts, for p = 1", "ICLR", arxiv="1608.03983"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_{\max}", None, positive, "learning rate of the first update"),
        Hyperparameter(lr_min, r"\eta_{\min}", 0.0, nonnegative, "learning rate at t = total"),
        Count(total, "T", "updates from lr to lr_min"),
        Hyperparameter(exponent, "p", None, positive, "power; above 1 the rate falls sooner"),
    ],
    axes=[after],
    conditions=[lr_min <= lr],
    end=total,
)
def cosine_power(d):
    """Half a period of a cosine between 1 and 0, to the power p, goes from lr to lr_min."""
    yield eta, lr_min + (lr - lr_min)*((1 + cos(pi*clock(d, total)/total))/2)**exponent
