"""Shampoo: a matrix is preconditioned from the left and from the right."""

from sympy import Rational

from optverify.language import (
    Axis, Hyperparameter, Source, State, beta2, decay, decayed, ema, eps, g, gradient, lr, matmul, maximize,
    positive, power_of, rule, t, theta, transpose, unit, weight_decay_form,
)

L = State("L", side="left", initial=eps, meaning="left statistics: sum of G G^T")
R = State("R", side="right", initial=eps, meaning="right statistics: sum of G^T G")

memory = Axis(
    "memory",
    "Do the statistics forget?",
    {"sum": "no: they are sums, as in AdaGrad", "ema": "yes: they are decaying means"},
)
exponent = Axis(
    "exponent",
    "Which power of the statistics preconditions?",
    {
        "quarter": "-1/4: for order k the paper has -1/(2k)",
        "half": "-1/2: -1/k, as the common PyTorch versions have it",
    },
)


@rule(
    "shampoo",
    title="Shampoo",
    sources=[
        Source("Gupta, Koren and Singer", 2018, "Shampoo: preconditioned stochastic tensor optimization",
               "Algorithm 1", "ICML", arxiv="1802.09568"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 0.1, positive, "step size"),
        Hyperparameter(beta2, r"\beta_2", 0.999, unit, "decay rate of the statistics"),
        Hyperparameter(eps, r"\epsilon", 1e-4, positive, "the statistics start from eps times the identity"),
        decay,
    ],
    states=[L, R],
    axes=[memory, exponent, weight_decay_form, maximize],
)
def shampoo(d):
    """Full-matrix AdaGrad for each side of a matrix, at a cost that a layer can bear."""
    power = -Rational(1, 4 if d.exponent == "quarter" else 2)
    rows, columns = matmul(g[t], transpose(g[t])), matmul(transpose(g[t]), g[t])
    yield g[t], gradient(d, at=theta[t-1])
    yield L[t], L[t-1] + rows if d.memory == "sum" else ema(beta2, L[t-1], rows)
    yield R[t], R[t-1] + columns if d.memory == "sum" else ema(beta2, R[t-1], columns)
    step = matmul(matmul(power_of(L[t], power), g[t]), power_of(R[t], power))
    yield theta[t], decayed(d, theta[t-1] - lr*step)
