"""MADGRAD: dual averaging, divided by the cube root of the weighted sum of squared gradients."""

from sympy import Rational, sqrt

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, decay, decayed, eps, g, gradient, lr, maximize, momentum,
    nonnegative, positive, rule, t, theta, unit, weight_decay_form,
)

s = State("s", meaning="weighted sum of the gradients")
nu = State("nu", nonnegative=True, meaning="weighted sum of the squared gradients")
x0 = State("x0", initial=theta[t-1], meaning="the parameters at the start")
z, weight = Variable("z"), Variable("lambda", nonnegative=True, scalar=True)

lr_shift = Axis(
    "lr_shift",
    "Is epsilon added to the learning rate, too?",
    {False: "no", True: "yes: lr + eps (the authors' code, optax)"},
)


@rule(
    "madgrad",
    title="MADGRAD",
    sources=[
        Source("Defazio and Jelassi", 2022, "A momentumized, adaptive, dual averaged gradient method for"
               " stochastic optimization", "Algorithm 1, k being t - 1 and c being 1 - momentum", "JMLR 23",
               arxiv="2101.11075"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\gamma", 0.01, positive, "step size"),
        Hyperparameter(momentum, r"\beta", 0.9, unit, "share of theta that is kept"),
        Hyperparameter(eps, r"\epsilon", 1e-6, nonnegative, "keeps the division defined"),
        decay,
    ],
    states=[s, nu, x0],
    axes=[lr_shift, weight_decay_form, maximize],
)
def madgrad(d):
    """Every update starts anew from the first parameters; momentum is a mean of the points reached so."""
    rate = lr + eps if d.lr_shift else lr
    yield g[t], gradient(d, at=theta[t-1])
    yield x0[t], x0[t-1]
    yield weight[t], rate*sqrt(t)
    yield s[t], s[t-1] + weight[t]*g[t]
    yield nu[t], nu[t-1] + weight[t]*g[t]**2
    yield z[t], x0[t] - s[t]/(nu[t]**Rational(1, 3) + eps)
    yield theta[t], decayed(d, momentum*theta[t-1] + (1 - momentum)*z[t])
