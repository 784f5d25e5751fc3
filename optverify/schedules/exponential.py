"""Exponential decay: the learning rate is multiplied by gamma after every update."""

from optverify.language import Hyperparameter, Source, decay_factor, lr, positive, schedule
from optverify.language.clock import eta, gamma, t


@schedule(
    "exponential",
    title="Exponential decay",
    sources=[
        Source("Li, Zhuang and Orabona", 2021, "A second look at exponential and cosine step sizes:"
               " simplicity, adaptivity, and performance", "the exponential step size, section 1", "ICML",
               arxiv="2002.05273"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_0", None, positive, "learning rate of the first update"),
        Hyperparameter(gamma, r"\gamma", None, decay_factor, "factor from one update to the next"),
    ],
)
def exponential(d):
    """Every update is made with gamma times the rate of the one before."""
    yield eta, lr*gamma**t
