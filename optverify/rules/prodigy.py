"""Prodigy: Adam that estimates the distance to the solution, and takes it as its step size."""

from sympy import Eq, Max, Piecewise, sqrt

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, beta1, beta2, decay, decayed, ema, eps, g, gradient,
    hyper_symbol, inner, lr, maximize, nonnegative, norm1, positive, rule, t, theta, unit,
    weight_decay_form,
)

d0, growth = hyper_symbol("d0", positive=True), hyper_symbol("d_coefficient", positive=True)
theta_0 = State("theta_0", initial=theta[t-1], meaning="parameters at the start")
m = State("m", meaning="first moment of d times the gradient")
v = State("v", nonnegative=True, meaning="second moment of d times the gradient")
r = State("r", scalar=True, meaning="numerator of the estimate: how far gradients point back")
s = State("s", meaning="denominator of the estimate: weighted sum of the gradients")
D = State("d", nonnegative=True, scalar=True, initial=d0, meaning="estimate of the distance to the solution")
gamma = Variable("gamma", scalar=True)

bias_correction = Axis(
    "bias_correction",
    "Is the step corrected for moments that start at zero?",
    {"none": "no", "both": "yes: by sqrt(1 - beta2^t)/(1 - beta1^t) (optax)"},
)
epsilon_distance = Axis(
    "epsilon_distance",
    "Which estimate multiplies epsilon?",
    {"old": "the one that the step is made with", "new": "the new one (optax)"},
)
warmup = Axis(
    "safeguard_warmup",
    "Does lr weigh the gradients in the denominator of the estimate?",
    {False: "yes", True: "no, so that a warm-up does not make the estimate jump"},
)


@rule(
    "prodigy",
    title="Prodigy",
    sources=[
        Source("Mishchenko and Defazio", 2024, "Prodigy: an expeditiously adaptive parameter-free learner",
               "the algorithm of the Adam version", "ICML", arxiv="2306.06101"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\gamma", 1.0, positive, "factor on the step size; 1 is the paper's"),
        Hyperparameter(beta1, r"\beta_1", 0.9, unit, "decay rate of the first moment"),
        Hyperparameter(beta2, r"\beta_2", 0.999, unit, "decay rate of the second moment; its root for r, s"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        Hyperparameter(d0, "d_0", 1e-6, positive, "first estimate of the distance"),
        Hyperparameter(growth, r"c_d", 1.0, positive, "factor on the estimate"),
        decay,
    ],
    states=[theta_0, m, v, r, s, D],
    axes=[bias_correction, epsilon_distance, warmup, weight_decay_form, maximize],
)
def prodigy(d):
    """No step size to tune. Norms and inner products are those of one array; the paper's, of all."""
    rate = lr
    yield g[t], gradient(d, at=theta[t-1])
    yield theta_0[t], theta_0[t-1]
    yield m[t], ema(beta1, m[t-1], D[t-1]*g[t])
    yield v[t], ema(beta2, v[t-1], D[t-1]**2*g[t]**2)
    if d.bias_correction == "both":
        yield gamma[t], lr*sqrt(1 - beta2**t)/(1 - beta1**t)
        rate = gamma[t]
    weight = 1 if d.safeguard_warmup else rate
    yield r[t], ema(sqrt(beta2), r[t-1], rate*D[t-1]**2*inner(g[t], theta_0[t] - theta[t-1]))
    yield s[t], ema(sqrt(beta2), s[t-1], weight*D[t-1]**2*g[t])
    yield D[t], Piecewise((D[t-1], Eq(norm1(s[t]), 0)), (Max(D[t-1], growth*r[t]/norm1(s[t])), True))
    scale = D[t] if d.epsilon_distance == "new" else D[t-1]
    yield theta[t], decayed(d, theta[t-1] - rate*D[t-1]*m[t]/(sqrt(v[t]) + scale*eps))
