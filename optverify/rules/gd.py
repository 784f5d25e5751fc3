"""Gradient descent: a step of lr times the gradient, downhill."""

from optverify.language import (
    Hyperparameter, Source, decay, decayed, g, gradient, lr, maximize, positive, rule, t, theta,
    weight_decay_form,
)


@rule(
    "gd",
    title="Gradient descent",
    sources=[
        Source("Cauchy", 1847, "Méthode générale pour la résolution des systèmes d'équations simultanées",
               "p. 536", "Comptes rendus 25"),
        Source("Robbins and Monro", 1951, "A stochastic approximation method", "the recursion of section 2",
               "Annals of Mathematical Statistics 22", url="https://doi.org/10.1214/aoms/1177729586"),
    ],
    hyperparameters=[Hyperparameter(lr, r"\eta", 0.01, positive, "step size"), decay],
    axes=[weight_decay_form, maximize],
)
def gd(d):
    """The gradient of the whole sum, of one example (SGD) or of a mini-batch gives the direction."""
    yield g[t], gradient(d, at=theta[t-1])
    yield theta[t], decayed(d, theta[t-1] - lr*g[t])
