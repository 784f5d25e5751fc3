"""Adamax: Adam whose second moment is a decaying maximum of the gradient instead of a mean square."""

from sympy import Abs, Max

from optverify.language import (
    Axis, Hyperparameter, Source, State, beta1, beta2, bias_correction, decay, decayed, ema, eps, g,
    gradient, lr, maximize, nonnegative, positive, rule, t, theta, unit, weight_decay_form,
)

m = State("m", meaning="first moment: decaying mean of the gradient")
u = State("u", nonnegative=True, meaning="decaying maximum of the absolute gradient")

epsilon = Axis(
    "epsilon",
    "Where does epsilon stand?",
    {
        "none": "nowhere: undefined while every gradient of a coordinate was zero",
        "inside": "added to the gradient under the maximum: max(beta2*u, |g| + eps) (PyTorch, optax)",
        "outside": "added to the maximum where it divides: u + eps (Keras)",
    },
)


@rule(
    "adamax",
    title="Adamax",
    sources=[
        Source("Kingma and Ba", 2015, "Adam: a method for stochastic optimization", "Algorithm 2", "ICLR",
               arxiv="1412.6980"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\alpha", 2e-3, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.9, unit, "decay rate of the first moment"),
        Hyperparameter(beta2, r"\beta_2", 0.999, unit, "decay rate of the maximum"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        decay,
    ],
    states=[m, u],
    axes=[epsilon, bias_correction.only("first", "none"), weight_decay_form, maximize],
)
def adamax(d):
    """The infinity norm in place of the Euclidean one: no step exceeds lr by much."""
    size = Abs(g[t]) + eps if d.epsilon == "inside" else Abs(g[t])
    rate = lr/(1 - beta1**t) if d.bias_correction == "first" else lr
    yield g[t], gradient(d, at=theta[t-1])
    yield m[t], ema(beta1, m[t-1], g[t])
    yield u[t], Max(beta2*u[t-1], size)
    yield theta[t], decayed(d, theta[t-1] - rate*m[t]/(u[t] + eps if d.epsilon == "outside" else u[t]))
