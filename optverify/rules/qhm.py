"""Quasi-hyperbolic momentum: a weighted mean of a plain gradient step and a momentum step."""

from optverify.language import (
    Domain, Hyperparameter, Source, State, decay, decayed, ema, g, gradient, hyper_symbol, lr, maximize,
    momentum, positive, rule, t, theta, unit, weight_decay_form,
)

m = State("m", meaning="momentum: decaying mean of the gradient")
nu = hyper_symbol("nu")
share = Domain(0, 1, low_open=False, high_open=False)


@rule(
    "qhm",
    title="Quasi-hyperbolic momentum",
    sources=[
        Source("Ma and Yarats", 2019, "Quasi-hyperbolic momentum and Adam for deep learning",
               "the QHM update of section 3; the buffer m is their g", "ICLR", arxiv="1810.06801"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\alpha", 0.1, positive, "step size"),
        Hyperparameter(momentum, r"\beta", 0.999, unit, "share of the buffer that is kept"),
        Hyperparameter(nu, r"\nu", 0.7, share, "weight of the buffer; 0 is gradient descent, 1 is momentum"),
        decay,
    ],
    states=[m],
    axes=[weight_decay_form, maximize],
)
def qhm(d):
    """The gradient at hand keeps a weight of its own however slowly the buffer turns."""
    yield g[t], gradient(d, at=theta[t-1])
    yield m[t], ema(momentum, m[t-1], g[t])
    yield theta[t], decayed(d, theta[t-1] - lr*((1 - nu)*g[t] + nu*m[t]))
