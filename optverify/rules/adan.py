"""Adan: Adam with Nesterov momentum, estimated from differences of successive gradients."""

from sympy import Eq, Piecewise

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, beta1, beta2, corrected, decayed, ema, eps,
    epsilon, g, gradient, hyper_symbol, lr, maximize, nonnegative, positive, root, rule, t, theta, unit,
    weight_decay, weight_decay_form,
)

m = State("m", meaning="decaying mean of the gradient")
v = State("v", meaning="decaying mean of the differences of gradients")
n = State("n", nonnegative=True, meaning="decaying mean of the squared look-ahead gradient")
last = State("g_last", meaning="the gradient of the update before")
p, d_g = Variable("p"), Variable("d")
m_hat, v_hat, n_hat = Variable("m_hat"), Variable("v_hat"), Variable("n_hat", nonnegative=True)
beta3 = hyper_symbol("beta3")

start = Axis(
    "start",
    "What do the means start from?",
    {
        "gradient": "m from the first gradient, n from its square, v from zero",
        "corrected": "from zero, and each is divided by 1 - beta^t; the gradient before the first is taken to"
        " equal it, so that the first difference is zero (the authors' code, optax)",
        "corrected_from_zero": "the same, but the gradient before the first is taken to be zero",
    },
)
lookahead = Axis(
    "lookahead",
    "What share of the difference is added to the gradient?",
    {
        "beta2": "beta2, the paper's 1 - beta_2",
        "complement": "1 - beta2, so that little of it is left (optax)",
    },
)
decay_form = Axis(
    weight_decay_form.name, weight_decay_form.question,
    {"proximal": "the stepped theta is divided by 1 + lr * weight_decay", **weight_decay_form.options},
)


@rule(
    "adan",
    title="Adan",
    sources=[
        Source("Xie, Zhou, Li, Lin and Yan", 2022, "Adan: adaptive Nesterov momentum algorithm for faster"
               " optimizing deep models", "Algorithm 1; each beta here is 1 minus theirs, as in their code",
               arxiv="2208.06677"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 1e-3, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.98, unit, "decay rate of the mean gradient"),
        Hyperparameter(beta2, r"\beta_2", 0.92, unit, "decay rate of the mean difference"),
        Hyperparameter(beta3, r"\beta_3", 0.99, unit, "decay rate of the mean square"),
        Hyperparameter(eps, r"\varepsilon", 1e-8, nonnegative, "keeps the division defined"),
        Hyperparameter(weight_decay, r"\lambda", 0.02, nonnegative, "weight decay"),
    ],
    states=[m, v, n, last],
    axes=[epsilon.only("inside", "outside"), start, lookahead, decay_form, maximize],
)
def adan(d):
    """The difference to the last gradient tells where the next one is heading, at no extra gradient."""
    def mean(beta, before, new, first):
        later = ema(beta, before, new)
        return Piecewise((first, Eq(t, 1)), (later, True)) if d.start == "gradient" else later

    share = beta2 if d.lookahead == "beta2" else 1 - beta2
    yield g[t], gradient(d, at=theta[t-1])
    previous = last[t-1]
    if d.start != "corrected_from_zero":
        yield p[t], Piecewise((g[t], Eq(t, 1)), (last[t-1], True))
        previous = p[t]
    yield d_g[t], g[t] - previous
    yield m[t], mean(beta1, m[t-1], g[t], g[t])
    yield v[t], ema(beta2, v[t-1], d_g[t])
    yield n[t], mean(beta3, n[t-1], (g[t] + share*d_g[t])**2, g[t]**2)
    yield last[t], g[t]
    first, second, square = m[t], v[t], n[t]
    if d.start != "gradient":
        yield m_hat[t], corrected(m[t], beta1)
        yield v_hat[t], corrected(v[t], beta2)
        yield n_hat[t], corrected(n[t], beta3)
        first, second, square = m_hat[t], v_hat[t], n_hat[t]
    yield theta[t], decayed(d, theta[t-1] - lr*(first + share*second)/root(d, square))
