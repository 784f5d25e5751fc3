"""Warm-up, stable, decay (WSD): up to lr, a long time at lr, and down to lr_min in the last D updates."""

from sympy import Max, Piecewise, sqrt

from optverify.language import Axis, Count, Hyperparameter, Source, lr, nonnegative, positive, schedule
from optverify.language.clock import between, decay_steps, eta, form, lr_min, t, total, warmup, warmup_clock

decay = Axis(
    "decay",
    "How does the rate come down at the end?",
    {
        "linear": "in equal steps",
        "cosine": "along half a period of a cosine",
        "1-sqrt": "fast, then slowly: by 1 minus the root of the fraction of decay that is over",
    },
)


@schedule(
    "wsd",
    title="Warm-up, stable, decay (WSD)",
    sources=[
        Source("Hu et al.", 2024, "MiniCPM: unveiling the potential of small language models with scalable"
               " training strategies", "the WSD learning rate scheduler", arxiv="2404.06395"),
        Source("Hägele et al.", 2024, "Scaling laws and compute-optimal training beyond fixed training"
               " durations", "linear and 1-sqrt cooldown", "NeurIPS", arxiv="2405.18392"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_{\max}", None, positive, "learning rate between warm-up and decay"),
        Hyperparameter(lr_min, r"\eta_{\min}", 0.0, nonnegative, "learning rate from t = total on"),
        Count(total, "T", "updates of all three"),
        Count(warmup, "W", "updates of warm-up"),
        Count(decay_steps, "D", "updates of decay, the last ones"),
    ],
    axes=[decay, form],
    conditions=[lr_min <= lr, warmup + decay_steps <= total],
    end=total,
)
def wsd(d):
    """Linear warm-up, then lr until D updates before the end, then down to lr_min, which is held."""
    now, length = warmup_clock(d)
    over = t - (total - decay_steps)  # below 0 where another case applies; all are computed
    if d.decay == "1-sqrt":
        down = lr_min + (lr - lr_min)*(1 - sqrt(Max(0, over)/decay_steps))
    else:
        down = between(d.decay, lr, lr_min, over/decay_steps)
    yield eta, Piecewise(
        (lr*now/length, now < length), (lr, t < total - decay_steps), (down, t < total), (lr_min, True))
