"""signSGD: a step of the same size in every coordinate, against the sign of the gradient."""

from sympy import sign

from optverify.language import (
    Hyperparameter, Source, decay, decayed, g, gradient, lr, maximize, positive, rule, t, theta,
    weight_decay_form,
)


@rule(
    "signsgd",
    title="signSGD",
    sources=[
        Source("Bernstein, Wang, Azizzadenesheli and Anandkumar", 2018, "signSGD: compressed optimisation for"
               " non-convex problems", "Algorithm 1", "ICML", arxiv="1802.04434"),
    ],
    hyperparameters=[Hyperparameter(lr, r"\delta", 1e-4, positive, "step size"), decay],
    axes=[weight_decay_form, maximize],
)
def signsgd(d):
    """One bit a coordinate: the size of the gradient does not count; where it is zero nothing moves."""
    yield g[t], gradient(d, at=theta[t-1])
    yield theta[t], decayed(d, theta[t-1] - lr*sign(g[t]))
