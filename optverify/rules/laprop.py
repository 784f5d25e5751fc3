"""LaProp: the gradient is divided by its root mean square first, and averaged over time then."""

from sympy import sqrt

from optverify.language import (
    Hyperparameter, Source, State, Variable, beta1, beta2, corrected, decayed, ema, eps, g, gradient,
    lr, maximize, nonnegative, positive, rule, t, theta, unit, weight_decay, weight_decay_form,
)

m = State("m", meaning="decaying mean of the divided gradient")
n = State("n", nonnegative=True, meaning="decaying mean of the squared gradient")
m_hat, n_hat = Variable("m_hat"), Variable("n_hat", nonnegative=True)


@rule(
    "laprop",
    title="LaProp",
    sources=[
        Source("Ziyin, Wang and Ueda", 2020, "LaProp: separating momentum and adaptivity in Adam",
               "Algorithm 1; m_hat is their m_t/c_m, n_hat their n_t/c_n", arxiv="2002.04839"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\lambda", 4e-4, positive, "step size"),
        Hyperparameter(beta1, r"\mu", 0.9, unit, "decay rate of the mean step"),
        Hyperparameter(beta2, r"\nu", 0.999, unit, "decay rate of the mean square"),
        Hyperparameter(eps, r"\epsilon", 1e-15, nonnegative, "keeps the division defined"),
        Hyperparameter(weight_decay, "w", 0.01, nonnegative, "weight decay"),
    ],
    states=[m, n],
    axes=[weight_decay_form, maximize],
)
def laprop(d):
    """Adam with the order turned round: momentum of the adapted steps, so no step exceeds a bound."""
    yield g[t], gradient(d, at=theta[t-1])
    yield n[t], ema(beta2, n[t-1], g[t]**2)
    yield n_hat[t], corrected(n[t], beta2)
    yield m[t], ema(beta1, m[t-1], g[t]/(sqrt(n_hat[t]) + eps))
    yield m_hat[t], corrected(m[t], beta1)
    yield theta[t], decayed(d, theta[t-1] - lr*m_hat[t])
