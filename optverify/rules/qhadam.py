"""QHAdam: both moments of Adam are averaged once more with what the new gradient alone would give."""

from sympy import sqrt

from optverify.language import (
    Domain, Hyperparameter, Source, State, Variable, beta1, beta2, corrected, decay, decayed, ema, eps, g,
    gradient, hyper_symbol, lr, maximize, nonnegative, positive, rule, t, theta, unit, weight_decay_form,
)

m = State("m", meaning="decaying mean of the gradient")
v = State("v", nonnegative=True, meaning="decaying mean of the squared gradient")
m_hat, v_hat = Variable("m_hat"), Variable("v_hat", nonnegative=True)
nu1, nu2 = hyper_symbol("nu1"), hyper_symbol("nu2")
share = Domain(0, 1, low_open=False, high_open=False)


@rule(
    "qhadam",
    title="QHAdam",
    sources=[
        Source("Ma and Yarats", 2019, "Quasi-hyperbolic momentum and Adam for deep learning",
               "the QHAdam update rule", "ICLR", arxiv="1810.06801"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\alpha", 1e-3, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.995, unit, "decay rate of the first moment"),
        Hyperparameter(beta2, r"\beta_2", 0.999, unit, "decay rate of the second moment"),
        Hyperparameter(nu1, r"\nu_1", 0.7, share, "weight of the mean gradient against the new one"),
        Hyperparameter(nu2, r"\nu_2", 1.0, share, "weight of the mean square against the new one"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        decay,
    ],
    states=[m, v],
    axes=[weight_decay_form, maximize],
)
def qhadam(d):
    """Adam for nu1 = nu2 = 1; a smaller nu1 lets a long memory go together with a quick response."""
    yield g[t], gradient(d, at=theta[t-1])
    yield m[t], ema(beta1, m[t-1], g[t])
    yield v[t], ema(beta2, v[t-1], g[t]**2)
    yield m_hat[t], corrected(m[t], beta1)
    yield v_hat[t], corrected(v[t], beta2)
    above = (1 - nu1)*g[t] + nu1*m_hat[t]
    below = sqrt((1 - nu2)*g[t]**2 + nu2*v_hat[t]) + eps
    yield theta[t], decayed(d, theta[t-1] - lr*above/below)
