"""Constant: the same learning rate for every update."""

from optverify.language import Hyperparameter, Source, lr, positive, schedule
from optverify.language.clock import eta


@schedule(
    "constant",
    title="Constant",
    sources=[
        Source("Bottou, Curtis and Nocedal", 2018, "Optimization methods for large-scale machine learning",
               "Theorem 4.6 (fixed stepsize)", "SIAM Review 60", arxiv="1606.04838"),
    ],
    hyperparameters=[Hyperparameter(lr, r"\eta_0", None, positive, "learning rate")],
)
def constant(d):
    """One learning rate from the first update to the last."""
    yield eta, lr
