"""Exponential warm-up: the distance to lr shrinks by the same factor with every update.

W is a time constant, not an end: at t = W about 63 % of lr is reached. The step number of the paper is t + 1.
"""

from sympy import exp

from optverify.language import Count, Hyperparameter, Source, lr, positive, schedule
from optverify.language.clock import eta, form, warmup, warmup_clock


@schedule(
    "exponential_warmup",
    title="Exponential warm-up",
    sources=[
        Source("Ma and Yarats", 2021, "On the adequacy of untuned warmup for adaptive optimization",
               "the exponential warmup rule of thumb", "AAAI", arxiv="1910.04209"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_{\max}", None, positive, "learning rate that is approached"),
        Count(warmup, "W", "updates in which the distance to lr shrinks by the factor e"),
    ],
    axes=[form.starting("(t+1)/W")],
)
def exponential_warmup(d):
    """The rate comes nearer to lr with every update, fast at first, and never passes it."""
    now, length = warmup_clock(d)
    yield eta, lr*(1 - exp(-now/length))
