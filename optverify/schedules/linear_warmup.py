"""Linear warm-up: the learning rate rises to lr in equal steps and stays there.

Followed by another schedule: `warmup.then(other)` (the other starts its own clock), or, with lr=1 as a
factor, `warmup * other` (the other runs from the beginning). One that begins above 0 is `linear`, upwards.
"""

from sympy import Min

from optverify.language import Count, Hyperparameter, Source, lr, positive, schedule
from optverify.language.clock import eta, form, warmup, warmup_clock


@schedule(
    "linear_warmup",
    title="Linear warm-up",
    sources=[
        Source("Goyal et al.", 2017, "Accurate, large minibatch SGD: training ImageNet in 1 hour",
               "section 2.2 (gradual warmup)", arxiv="1706.02677"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_{\max}", None, positive, "learning rate after warm-up"),
        Count(warmup, "W", "updates of warm-up"),
    ],
    axes=[form],
    end=warmup,
)
def linear_warmup(d):
    """Each update of warm-up uses a rate larger than the one before by the same amount."""
    now, length = warmup_clock(d)
    yield eta, lr*Min(now, length)/length
