"""REX, reflected exponential: slowly at first, then ever faster down to lr_min."""

from sympy import Min, Rational, Symbol

from optverify.language import Count, Hyperparameter, Source, lr, nonnegative, positive, schedule
from optverify.language.clock import eta, lr_min, t, total

z = Symbol("z", nonnegative=True)


@schedule(
    "rex",
    title="REX (reflected exponential)",
    sources=[
        Source("Chen, Wolfe and Kyrillidis", 2022, "REX: revisiting budgeted training with an improved"
               " schedule", "the REX schedule", "MLSys", arxiv="2107.04197"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_0", None, positive, "learning rate of the first update"),
        Hyperparameter(lr_min, r"\eta_{\min}", 0.0, nonnegative, "learning rate from t = total on"),
        Count(total, "T", "updates from lr to lr_min"),
    ],
    conditions=[lr_min <= lr],
    end=total,
)
def rex(d):
    """A hyperbola in the fraction z of updates still to come, above the line from lr to lr_min."""
    half = Rational(1, 2)
    yield z, 1 - Min(t, total)/total
    yield eta, lr_min + (lr - lr_min)*z/(half + half*z)
