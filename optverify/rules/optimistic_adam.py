"""Optimistic Adam: Adam's step twice, less the step before: the change of the gradient is extrapolated."""

from sympy import Eq, Piecewise

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, beta1, beta2, corrected, decay, decayed, ema, eps,
    epsilon, g, gradient, hyper_symbol, lr, maximize, nonnegative, positive, root, rule, t, theta, unit,
    weight_decay_form,
)

m = State("m", meaning="first moment: decaying mean of the gradient")
v = State("v", nonnegative=True, meaning="second moment: decaying mean of the squared gradient")
r = State("r", meaning="Adam's direction: mean gradient over root mean square")
m_hat, v_hat = Variable("m_hat"), Variable("v_hat", nonnegative=True)
before = Variable("r_tilde")
optimism = hyper_symbol("optimism")

weight = Axis(
    "weight",
    "How much of the last change of direction is added?",
    {"one": "all of it: 2 r_t - r_{t-1}", "optimism": "optimism times it (optax: beta / alpha)"},
)
first_change = Axis(
    "first_change",
    "What is the direction before the first?",
    {"zero": "zero", "itself": "the first one: the first update is Adam's (optax)"},
)
first_moment = Axis(
    "first_moment",
    "Which mean gradient is taken?",
    {"adam": "Adam's", "nesterov": "that of Nadam with a constant beta1 (optax by default)"},
)


@rule(
    "optimistic_adam",
    title="Optimistic Adam",
    sources=[
        Source("Daskalakis, Ilyas, Syrgkanis and Zeng", 2018, "Training GANs with optimism",
               "Algorithm 1, Optimistic Adam", "ICLR", arxiv="1711.00141"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 1e-4, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.5, unit, "decay rate of the first moment"),
        Hyperparameter(beta2, r"\beta_2", 0.9, unit, "decay rate of the second moment"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        Hyperparameter(optimism, "o", 1.0, nonnegative, "weight of the last change of direction"),
        decay,
    ],
    states=[m, v, r],
    axes=[epsilon.only("outside", "inside"), weight, first_change, first_moment, weight_decay_form, maximize],
)
def optimistic_adam(d):
    """In a game of two players the extrapolation stops the circling that plain steps fall into."""
    yield g[t], gradient(d, at=theta[t-1])
    yield m[t], ema(beta1, m[t-1], g[t])
    yield v[t], ema(beta2, v[t-1], g[t]**2)
    nesterov = beta1*m[t]/(1 - beta1**(t + 1)) + (1 - beta1)*g[t]/(1 - beta1**t)
    yield m_hat[t], nesterov if d.first_moment == "nesterov" else corrected(m[t], beta1)
    yield v_hat[t], corrected(v[t], beta2)
    yield r[t], m_hat[t]/root(d, v_hat[t])
    last = r[t-1]
    if d.first_change == "itself":
        yield before[t], Piecewise((r[t], Eq(t, 1)), (r[t-1], True))
        last = before[t]
    step = 2*lr*r[t] - lr*last if d.weight == "one" else lr*(r[t] + optimism*(r[t] - last))
    yield theta[t], decayed(d, theta[t-1] - step)
