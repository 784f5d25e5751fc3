"""AdaBelief: Adam that divides by how far the gradient strays from its mean."""

from sympy import Max, sqrt

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, beta1, beta2, bias_correction, corrected, decay, decayed,
    ema, eps, g, gradient, hyper_symbol, lr, maximize, nonnegative, positive, rule, t, theta, unit,
    weight_decay_form,
)

m = State("m", meaning="first moment: decaying mean of the gradient")
s = State("s", nonnegative=True, meaning="decaying mean of the squared deviation from it")
s_max = State("s_max", nonnegative=True, meaning="largest s so far (AMSGrad)")
m_hat, s_hat = Variable("m_hat"), Variable("s_hat", nonnegative=True)
eps_root = hyper_symbol("eps_root")

epsilon = Axis(
    "epsilon",
    "Where does epsilon stand?",
    {
        "both": "in the recurrence of s, where it piles up, and added to the root",
        "separate": "the same two places, the one in the recurrence with its own number, eps_root (optax)",
        "shifted": "added to s where it is read, not in what is kept, and added to the root",
        "outside": "added to the root alone",
    },
)
amsgrad = Axis(
    "amsgrad",
    "Is the largest s so far taken?",
    {False: "no", True: "yes (the authors' code)"},
)


@rule(
    "adabelief",
    title="AdaBelief",
    sources=[
        Source("Zhuang, Tang, Ding, Tatikonda, Dvornek, Papademetris and Duncan", 2020, "AdaBelief optimizer:"
               " adapting stepsizes by the belief in observed gradients", "Algorithm 2", "NeurIPS",
               arxiv="2010.07468"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\alpha", 1e-3, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.9, unit, "decay rate of the first moment"),
        Hyperparameter(beta2, r"\beta_2", 0.999, unit, "decay rate of the squared deviation"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        Hyperparameter(eps_root, r"\bar{\epsilon}", 1e-16, nonnegative, "epsilon in the recurrence of s"),
        decay,
    ],
    states=[m, s, s_max],
    axes=[epsilon, bias_correction.only("both", "none"), amsgrad, weight_decay_form, maximize],
)
def adabelief(d):
    """A gradient that comes as expected takes a long step, one that does not a short step."""
    grown = {"both": eps, "separate": eps_root}.get(d.epsilon, 0)
    yield g[t], gradient(d, at=theta[t-1])
    yield m[t], ema(beta1, m[t-1], g[t])
    yield s[t], ema(beta2, s[t-1], (g[t] - m[t])**2) + grown
    mean, spread = m[t], s[t]
    if d.amsgrad:
        yield s_max[t], Max(s_max[t-1], s[t])
        spread = s_max[t]
    if d.epsilon == "shifted":
        spread = spread + eps
    if d.bias_correction == "both":
        yield m_hat[t], corrected(mean, beta1)
        yield s_hat[t], corrected(spread, beta2)
        mean, spread = m_hat[t], s_hat[t]
    yield theta[t], decayed(d, theta[t-1] - lr*mean/(sqrt(spread) + eps))
