"""Signum: signSGD with momentum, a step against the sign of the mean gradient."""

from sympy import sign

from optverify.language import (
    Axis, Hyperparameter, Source, State, decay, decayed, ema, g, gradient, lr, maximize, momentum, positive,
    rule, t, theta, unit, weight_decay_form,
)

m = State("m", meaning="momentum: decaying mean of the gradient")

form = Axis(
    "form",
    "What weight does a new gradient get?",
    {
        "ema": "weight 1 - momentum: the buffer is a decaying mean",
        "heavy_ball": "weight 1: the buffer is larger by 1/(1 - momentum), the sign is the same",
    },
)


@rule(
    "signum",
    title="Signum",
    sources=[
        Source("Bernstein, Wang, Azizzadenesheli and Anandkumar", 2018, "signSGD: compressed optimisation for"
               " non-convex problems", "Algorithm 2", "ICML", arxiv="1802.04434"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\delta", 1e-4, positive, "step size"),
        Hyperparameter(momentum, r"\beta", 0.9, unit, "share of the buffer that is kept"),
        decay,
    ],
    states=[m],
    axes=[form, weight_decay_form, maximize],
)
def signum(d):
    """Every coordinate moves by lr, in the direction most of its recent gradients agree on."""
    yield g[t], gradient(d, at=theta[t-1])
    yield m[t], ema(momentum, m[t-1], g[t]) if d.form == "ema" else momentum*m[t-1] + g[t]
    yield theta[t], decayed(d, theta[t-1] - lr*sign(m[t]))
