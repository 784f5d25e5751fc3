"""Cyclical learning rate: up from lr_min to lr and down again, over and over."""

from sympy import Min, Rational, Symbol, floor

from optverify.language import (
    Axis, Count, Hyperparameter, Source, decay_factor, lr, nonnegative, positive, schedule,
)
from optverify.language.clock import count_symbol, eta, gamma, lr_min, t

step_size_up, step_size_down = count_symbol("step_size_up"), count_symbol("step_size_down")
i, tau = Symbol("i", integer=True, nonnegative=True), Symbol("tau", integer=True, nonnegative=True)

mode = Axis(
    "mode",
    "Are later cycles lower?",
    {
        "triangular": "no, all reach lr",
        "triangular2": "each is half as high as the one before",
        "exp_range": "the height is multiplied by gamma with every update",
    },
)


@schedule(
    "cyclic",
    title="Cyclical learning rate",
    sources=[
        Source("Smith", 2017, "Cyclical learning rates for training neural networks",
               "the policies triangular, triangular2 and exp_range", "WACV", arxiv="1506.01186"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_{\max}", None, positive, "highest learning rate, of the first cycle"),
        Hyperparameter(lr_min, r"\eta_{\min}", 0.0, nonnegative, "learning rate at the start of a cycle"),
        Count(step_size_up, "U", "updates from lr_min up to the top"),
        Count(step_size_down, "D", "updates from the top down to lr_min"),
        Hyperparameter(gamma, r"\gamma", 1.0, decay_factor, "factor with every update, for exp_range"),
    ],
    axes=[mode],
    conditions=[lr_min <= lr],
)
def cyclic(d):
    """The rate rises in equal steps for U updates, falls in equal steps for D updates, and begins again."""
    cycle = step_size_up + step_size_down
    scale = {"triangular": 1, "triangular2": Rational(1, 2)**i, "exp_range": gamma**t}[d.mode]
    yield i, floor(t/cycle)
    yield tau, t - i*cycle
    yield eta, lr_min + (lr - lr_min)*Min(tau/step_size_up, (cycle - tau)/step_size_down)*scale
