"""LAMB: Adam whose step in every layer has the length of the weights there."""

from sympy import Max, Min

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, beta1, beta2, bias_correction, corrected, decay, decayed,
    direction, ema, eps, epsilon, g, gradient, hyper_symbol, layerwise_decay, looked_at, lr, maximize,
    nonnegative, norm, positive, root, rule, t, theta, trust_ratio, unit,
)

m = State("m", meaning="first moment: decaying mean of the gradient")
v = State("v", nonnegative=True, meaning="second moment: decaying mean of the squared gradient")
m_hat, v_hat = Variable("m_hat"), Variable("v_hat", nonnegative=True)
r, u = Variable("r"), Variable("u")
phi = Variable("phi", nonnegative=True, scalar=True)
phi_min, phi_max = hyper_symbol("phi_min"), hyper_symbol("phi_max")

phi_form = Axis(
    "phi",
    "Which length does a step get?",
    {
        "identity": "that of the weights",
        "clipped": "that of the weights, held between phi_min and phi_max",
    },
)


@rule(
    "lamb",
    title="LAMB",
    sources=[
        Source("You, Li, Reddi, Hseu, Kumar, Bhojanapalli, Song, Demmel, Keutzer and Hsieh", 2020,
               "Large batch optimization for deep learning: training BERT in 76 minutes", "Algorithm 2",
               "ICLR", arxiv="1904.00962"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 1e-3, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.9, unit, "decay rate of the first moment"),
        Hyperparameter(beta2, r"\beta_2", 0.999, unit, "decay rate of the second moment"),
        Hyperparameter(eps, r"\epsilon", 1e-6, nonnegative, "keeps the division defined"),
        Hyperparameter(phi_min, r"\gamma_l", 0.0, nonnegative, "smallest length of a step"),
        Hyperparameter(phi_max, r"\gamma_u", 10.0, nonnegative, "largest length of a step"),
        decay,
    ],
    states=[m, v],
    axes=[epsilon.only("outside", "inside"), bias_correction, phi_form, layerwise_decay, maximize],
)
def lamb(d):
    """A layer moves by a fixed share of its own length, so that very large batches can take large steps."""
    first, second = d.bias_correction in ("both", "first"), d.bias_correction in ("both", "second")
    length = norm(looked_at(d))
    yield g[t], gradient(d, at=theta[t-1])
    yield m[t], ema(beta1, m[t-1], g[t])
    yield v[t], ema(beta2, v[t-1], g[t]**2)
    if first:
        yield m_hat[t], corrected(m[t], beta1)
    if second:
        yield v_hat[t], corrected(v[t], beta2)
    yield r[t], (m_hat if first else m)[t]/root(d, (v_hat if second else v)[t])
    yield u[t], direction(d, r[t])
    if d.phi == "clipped":
        length = Min(Max(length, phi_min), phi_max)
    yield phi[t], trust_ratio(length, norm(u[t]))
    yield theta[t], decayed(d, looked_at(d) - lr*phi[t]*u[t])
