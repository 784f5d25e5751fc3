"""Inverse square root: constant for W updates, then falling like 1/sqrt(t).

With a linear warm-up in place of the constant one: `linear_warmup(lr=1, warmup=W) * inverse_sqrt(warmup=W)`.
"""

from sympy import Max, sqrt

from optverify.language import Count, Hyperparameter, Source, lr, positive, schedule
from optverify.language.clock import eta, t, warmup


@schedule(
    "inverse_sqrt",
    title="Inverse square root",
    sources=[
        Source("Raffel et al.", 2020, "Exploring the limits of transfer learning with a unified text-to-text"
               " transformer", "section 3.1.2 (1/sqrt(max(n, k)); lr = 1/sqrt(W) here)", "JMLR 21",
               arxiv="1910.10683"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_{\max}", None, positive, "learning rate of the first W updates"),
        Count(warmup, "W", "updates before the rate begins to fall"),
    ],
)
def inverse_sqrt(d):
    """After W updates at lr, the rate falls like the inverse root of the number of updates made."""
    yield eta, lr*sqrt(warmup)/sqrt(Max(t, warmup))
