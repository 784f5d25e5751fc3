"""One cycle: up to lr, then down to far below where it began, in two phases or three.

PyTorch's last update, that after T - 1 others, has the lowest rate, and its phases end between updates;
optax's comes after the last update, and its phases end at whole ones. The lowest rate is then held.
"""

from sympy import Max, Piecewise, Symbol

from optverify.language import (
    Axis, Count, Domain, Hyperparameter, Source, hyper_symbol, lr, positive, schedule,
)
from optverify.language.clock import Share, between, curve, eta, t, total

pct_start, pct_final, div_factor, final_div_factor, lr_first, lr_last = (
    hyper_symbol(name, positive=True)
    for name in ("pct_start", "pct_final", "div_factor", "final_div_factor", "lr_first", "lr_last"))
a, b, c = Symbol("a", real=True), Symbol("b", real=True), Symbol("c", integer=True, nonnegative=True)
fraction, last_fraction = Domain(0, 1, low_open=True), Domain(0, 1, low_open=True, high_open=False)

phases = Axis(
    "phases",
    "How does the rate come down?",
    {
        "two": "from lr to the last rate at once",
        "three": "from lr to the first rate, then to the last",
    },
)
last = Axis(
    "last",
    "At which t is the last rate reached?",
    {
        "T-1": "at T - 1, the last update; phases end at p T - 1 and q T - 2 (PyTorch)",
        "T": "at T, after the last update; phases end at p T and q T, rounded down (optax)",
    },
)


@schedule(
    "one_cycle",
    title="One cycle",
    sources=[
        Source("Smith and Topin", 2018, "Super-convergence: very fast training of neural networks using large"
               " learning rates", "the 1cycle policy", arxiv="1708.07120"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_{\max}", None, positive, "highest learning rate"),
        Count(total, "T", "updates of the cycle"),
        Hyperparameter(pct_start, "p", 0.3, fraction, "fraction of the cycle until lr is reached"),
        Hyperparameter(pct_final, "q", 0.6, last_fraction, "the same until the third phase, if there is one"),
        Hyperparameter(div_factor, "D", 25.0, positive, "lr over the first rate"),
        Hyperparameter(final_div_factor, r"D_{\mathrm{final}}", 1e4, positive, "first rate over the last"),
    ],
    axes=[phases, curve, last],
    conditions=[pct_start < pct_final],
    end=total,
)
def one_cycle(d):
    """The rate rises from lr/D to lr, then falls to lr/(D D_final), by way of lr/D if in three phases."""
    whole = d.last == "T"
    yield lr_first, lr/div_factor
    yield lr_last, lr_first/final_div_factor
    yield a, Share(pct_start, total) if whole else pct_start*total - 1
    if d.phases == "three":
        yield b, Share(pct_final, total) if whole else pct_final*total - 2
    yield c, total if whole else total - 1
    rise = between(d.curve, lr_first, lr, t/Max(1, a)), t < a
    over = lr_last, True
    if d.phases == "two":
        yield eta, Piecewise(rise, (between(d.curve, lr, lr_last, (t - a)/(c - a)), t < c), over)
    else:
        fall = between(d.curve, lr, lr_first, (t - a)/Max(1, b - a)), t < b
        tail = between(d.curve, lr_first, lr_last, (t - b)/(Max(1, c - b) if whole else c - b)), t < c
        yield eta, Piecewise(rise, fall, tail, over)
