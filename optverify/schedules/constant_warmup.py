"""Constant warm-up: a fraction of the learning rate at first, then all of it at once.

The forms t/W and (t+1)/(W+1) agree here: W updates at the low rate; (t+1)/W makes W - 1.
"""

from sympy import Piecewise

from optverify.language import (
    Count, Hyperparameter, Source, decay_factor, hyper_symbol, lr, positive, schedule,
)
from optverify.language.clock import eta, form, warmup, warmup_clock

factor = hyper_symbol("factor", positive=True)


@schedule(
    "constant_warmup",
    title="Constant warm-up",
    sources=[
        Source("Goyal et al.", 2017, "Accurate, large minibatch SGD: training ImageNet in 1 hour",
               "section 2.2 (constant warmup)", arxiv="1706.02677"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_{\max}", None, positive, "learning rate after warm-up"),
        Count(warmup, "W", "updates of warm-up"),
        Hyperparameter(factor, r"\alpha", None, decay_factor, "fraction of lr during warm-up"),
    ],
    axes=[form],
    end=warmup,
)
def constant_warmup(d):
    """The rate is a fixed fraction of lr until warm-up is over, and lr from then on."""
    now, length = warmup_clock(d)
    yield eta, Piecewise((factor*lr, now < length), (lr, True))
