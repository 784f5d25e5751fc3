"""Inverse time decay: the learning rate falls like 1/t."""

from optverify.language import Count, Hyperparameter, Source, hyper_symbol, lr, positive, schedule
from optverify.language.clock import decay_steps, eta, periods, staircase

decay_rate = hyper_symbol("decay_rate", positive=True)


@schedule(
    "inverse_time",
    title="Inverse time decay",
    sources=[
        Source("Robbins and Monro", 1951, "A stochastic approximation method",
               "step sizes of type 1/n", "Annals of Mathematical Statistics 22",
               url="https://doi.org/10.1214/aoms/1177729586"),
        Source("Bottou", 2012, "Stochastic gradient descent tricks",
               "rates of the form gamma_0 (1 + gamma_0 lambda t)^-1",
               "Neural Networks: Tricks of the Trade", url="https://leon.bottou.org/papers/bottou-tricks-2012"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_0", None, positive, "learning rate of the first update"),
        Hyperparameter(decay_rate, r"\lambda", None, positive, "what decay_steps updates add to lr/eta"),
        Count(decay_steps, "s", "updates that add decay_rate", default=1),
    ],
    axes=[staircase],
)
def inverse_time(d):
    """The inverse of the rate grows by the same amount in every decay_steps updates."""
    yield eta, lr/(1 + decay_rate*periods(d))
