"""Polyak's step: as far as the gap to the smallest value and the slope say."""

from sympy import Eq, Max, Min, Piecewise

from optverify.language import (
    Axis, Hyperparameter, Source, Variable, decay, decayed, eps, g, gradient, hyper_symbol, lr, maximize,
    nonnegative, norm, positive, real, rule, t, theta, weight_decay_form,
)

loss, f_min = hyper_symbol("loss", real=True), hyper_symbol("f_min", real=True)
lr_max, c = hyper_symbol("lr_max", positive=True), hyper_symbol("c", positive=True)
eta = Variable("eta", scalar=True)

bound = Axis(
    "bound",
    "Is the step size bounded?",
    {"none": "no: Polyak", "lr_max": "yes, by lr_max: SPS_max (Loizou et al.; optax)"},
)
gap = Axis(
    "gap",
    "May the step go uphill, where the loss is below f_min?",
    {"signed": "yes: loss - f_min as it is", "positive": "no: max(loss - f_min, 0) (optax's sps+)"},
)


@rule(
    "polyak_step",
    title="Polyak step",
    sources=[
        Source("Polyak", 1969, "Minimization of unsmooth functionals", "the step with a known minimum",
               "USSR Computational Mathematics and Mathematical Physics 9",
               url="https://doi.org/10.1016/0041-5553(69)90061-5"),
        Source("Loizou, Vaswani, Laradji and Lacoste-Julien", 2021, "Stochastic Polyak step-size for SGD: an"
               " adaptive learning rate for fast convergence", "the definition of SPS_max", "AISTATS",
               arxiv="2002.10542"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\gamma", 1.0, positive, "factor on the step; 1 is Polyak's"),
        Hyperparameter(loss, r"f_t(\theta_{t-1})", None, real, "the objective at theta, for each update"),
        Hyperparameter(f_min, r"f^\star", 0.0, real, "smallest value of the objective, or a bound below it"),
        Hyperparameter(lr_max, r"\gamma_b", 1.0, positive, "largest step size"),
        Hyperparameter(c, "c", 1.0, positive, "divides the step; 1/2 suits strongly convex objectives"),
        Hyperparameter(eps, r"\epsilon", 0.0, nonnegative, "keeps the division defined"),
        decay,
    ],
    axes=[bound, gap, weight_decay_form, maximize],
)
def polyak_step(d):
    """The step that would reach the smallest value if the objective were linear along the gradient."""
    above = Max(loss - f_min, 0) if d.gap == "positive" else loss - f_min
    slope = norm(g[t])**2 + eps
    size = above/slope if d.bound == "none" else Min(above/(c*slope), lr_max)
    yield g[t], gradient(d, at=theta[t-1])
    yield eta[t], Piecewise((0, Eq(norm(g[t]), 0)), (size, True))
    yield theta[t], decayed(d, theta[t-1] - lr*eta[t]*g[t])
