"""Training: gradient estimators for finite sums, and the loops that run a rule over a problem.

    minimize("rosenbrock", "adam", steps=500, lr=1e-2)        the full gradient, or f_t for an online problem
    train("logistic", "gd", epochs=5, estimator=MiniBatch(64, seed=0))     gradients estimated on batches

Both use `Optimizer`, so the generated steps, and take the gradient where the rule wants it.
"""

from .estimates import BatchGradients, Estimate, Noise
from .loops import minimize, train
from .rates import network_rate
from .sampling import Estimator, FullBatch, MiniBatch, OneExample, batches
from .trace import Trace, Training

__all__ = [
    "BatchGradients", "Estimate", "Estimator", "FullBatch", "MiniBatch", "Noise", "OneExample", "Trace",
    "Training", "batches", "minimize", "network_rate", "train",
]  # fmt: skip
