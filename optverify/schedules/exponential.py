"""Exponential decay: the learning rate is multiplied by gamma in decay_steps updates, evenly or at once."""

from optverify.language import Count, Hyperparameter, Source, decay_factor, lr, positive, schedule
from optverify.language.clock import decay_steps, eta, gamma, periods, staircase


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
        Hyperparameter(gamma, r"\gamma", None, decay_factor, "factor for decay_steps updates"),
        Count(decay_steps, "s", "updates until the rate is gamma times what it was", default=1),
    ],
    axes=[staircase],
)
def exponential(d):
    """After decay_steps more updates the rate is gamma times what it was; by default after every update."""
    yield eta, lr*gamma**periods(d)
