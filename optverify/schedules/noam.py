"""Noam: the schedule of the Transformer, linear warm-up, then inverse square root.

The step number of the paper is t + 1. The highest rate is lr/sqrt(d_model W), at t = W - 1; given as a rate
(the scale of some codes), it is `linear_warmup(lr=1, warmup=W) * inverse_sqrt(lr, warmup=W)` shifted by 1.
"""

from sympy import Min, Rational, sqrt

from optverify.language import Count, Hyperparameter, Source, lr, positive, schedule
from optverify.language.clock import count_symbol, eta, t, warmup

d_model = count_symbol("d_model")


@schedule(
    "noam",
    title="Noam",
    sources=[
        Source("Vaswani et al.", 2017, "Attention is all you need", "equation (3)", "NeurIPS",
               arxiv="1706.03762"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_0", 1.0, positive, "factor of the whole; the paper has none"),
        Count(d_model, r"d_{\mathrm{model}}", "width of the model", default=512),
        Count(warmup, "W", "updates of warm-up", default=4000),
    ],
)
def noam(d):
    """The rate rises in equal steps for W updates, then falls like the inverse root of the step number."""
    step = t + 1
    yield eta, lr/sqrt(d_model)*Min(1/sqrt(step), step*warmup**Rational(-3, 2))
