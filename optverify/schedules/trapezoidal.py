"""Trapezoidal: up in equal steps, level, down to 0 in equal steps; `wsd` has more forms of it."""

from sympy import Max, Min

from optverify.language import Count, Hyperparameter, Source, lr, positive, schedule
from optverify.language.clock import decay_steps, eta, t, total, warmup


@schedule(
    "trapezoidal",
    title="Trapezoidal",
    sources=[
        Source("Xing, Arpit, Tsirigotis and Bengio", 2018, "A walk with SGD", "the trapezoid schedule",
               arxiv="1802.08770"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_{\max}", None, positive, "highest learning rate"),
        Count(total, "T", "updates until the rate is 0"),
        Count(warmup, "W", "updates of the way up"),
        Count(decay_steps, "D", "updates of the way down, the last ones"),
    ],
    conditions=[warmup + decay_steps <= total],
    end=total,
)
def trapezoidal(d):
    """The lowest of a rising line, lr, and a falling line; after the end 0."""
    yield eta, lr*Min(1, t/warmup, Max(0, total - t)/decay_steps)
