"""NovoGrad: momentum over gradients that are normalized layer by layer."""

from sympy import Eq, Piecewise

from optverify.language import (
    Axis, Hyperparameter, Source, State, beta1, beta2, decay, decayed, direction, ema, eps, epsilon, g,
    gradient, layerwise_decay, looked_at, lr, maximize, nonnegative, norm, positive, root, rule, t, theta,
    unit,
)

v = State("v", nonnegative=True, scalar=True, meaning="second moment: decaying mean of the squared norm")
m = State("m", meaning="first moment: decaying sum of the normalized gradient and the decay")

averaging = Axis(
    "averaging",
    "What weight does a new normalized gradient get in the first moment?",
    {"sum": "weight 1", "mean": "weight 1 - beta1 (gradient averaging)"},
)


@rule(
    "novograd",
    title="NovoGrad",
    sources=[
        Source("Ginsburg, Castonguay, Hrinchuk, Kuchaiev and others", 2019,
               "Stochastic gradient methods with layer-wise adaptive moments for training of deep networks",
               "Algorithm 1", arxiv="1905.11286"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\lambda", 0.01, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.95, unit, "decay rate of the first moment"),
        Hyperparameter(beta2, r"\beta_2", 0.98, unit, "decay rate of the second moment"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        Hyperparameter(decay.symbol, "d", 0.001, nonnegative, "weight decay"),
    ],
    states=[v, m],
    axes=[epsilon.only("outside", "inside"), averaging, layerwise_decay, maximize],
)
def novograd(d):
    """One second moment for each layer: less memory than Adam, and steps that forget the gradient's scale."""
    share = 1 if d.averaging == "sum" else 1 - beta1
    yield g[t], gradient(d, at=theta[t-1])
    yield v[t], Piecewise((norm(g[t])**2, Eq(t, 1)), (ema(beta2, v[t-1], norm(g[t])**2), True))
    yield m[t], beta1*m[t-1] + share*direction(d, g[t]/root(d, v[t]))
    yield theta[t], decayed(d, looked_at(d) - lr*m[t])
