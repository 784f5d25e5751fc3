"""Cosine annealing: half a period of the cosine, from lr at t = 0 to lr_min at t = total."""

from sympy import cos, pi

from optverify.language import Count, Hyperparameter, Source, lr, nonnegative, positive, schedule
from optverify.language.clock import after, clock, eta, lr_min, total


@schedule(
    "cosine",
    title="Cosine annealing",
    sources=[
        Source("Loshchilov and Hutter", 2017, "SGDR: stochastic gradient descent with warm restarts",
               "equation (5), without restarts", "ICLR", arxiv="1608.03983"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_{\max}", None, positive, "learning rate of the first update"),
        Hyperparameter(lr_min, r"\eta_{\min}", 0.0, nonnegative, "learning rate at t = total"),
        Count(total, "T", "updates from lr to lr_min"),
    ],
    axes=[after],
    conditions=[lr_min <= lr],
    end=total,
)
def cosine(d):
    """The rate falls slowly, then fast, then slowly, along half a period of a cosine."""
    yield eta, lr_min + (lr - lr_min)*(1 + cos(pi*clock(d, total)/total))/2
