"""AdEMAMix: Adam with a second mean of the gradient, which remembers far longer."""

from sympy import Min, exp, log

from optverify.language import (
    Axis, Domain, Hyperparameter, Source, State, Variable, beta1, beta2, corrected, decay, decayed, ema, eps,
    epsilon, g, gradient, hyper_symbol, lr, maximize, nonnegative, positive, root, rule, t, theta, unit,
    weight_decay_form,
)

m1 = State("m1", meaning="fast decaying mean of the gradient")
m2 = State("m2", meaning="slow decaying mean of the gradient")
nu = State("nu", nonnegative=True, meaning="decaying mean of the squared gradient")
m1_hat, nu_hat = Variable("m1_hat"), Variable("nu_hat", nonnegative=True)
alpha_bar = Variable("alpha_bar", scalar=True)
beta3_bar = Variable("beta3_bar", nonnegative=True, scalar=True)
alpha, beta3, beta_start = hyper_symbol("alpha"), hyper_symbol("beta3"), hyper_symbol("beta_start")
warmup = hyper_symbol("warmup", positive=True)
inside = Domain(0, 1, low_open=True)

growth = Axis(
    "growth",
    "Do alpha and beta3 grow to their values?",
    {
        "scheduled": "alpha grows linearly, beta3 so that the half-life of the mean does",
        "none": "no: both are there from the first update (optax by default)",
    },
)


@rule(
    "ademamix",
    title="AdEMAMix",
    sources=[
        Source("Pagliardini, Ablin and Grangier", 2024, "The AdEMAMix optimizer: better, faster, older",
               "Algorithm 1 and the schedulers of alpha and beta3 in section 3", arxiv="2409.03137"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 1e-3, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.9, unit, "decay rate of the fast mean"),
        Hyperparameter(beta2, r"\beta_2", 0.999, unit, "decay rate of the mean square"),
        Hyperparameter(beta3, r"\beta_3", 0.9999, inside, "decay rate of the slow mean"),
        Hyperparameter(alpha, r"\alpha", 8.0, nonnegative, "weight of the slow mean"),
        Hyperparameter(warmup, r"T_{\alpha,\beta_3}", 256_000.0, positive,
                       "updates over which alpha and beta3 grow, usually the whole run"),
        Hyperparameter(beta_start, r"\beta_{\mathrm{start}}", 0.9, inside,
                       "what beta3 grows from, usually beta1"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        decay,
    ],
    states=[m1, m2, nu],
    axes=[growth, epsilon.only("outside", "inside"), weight_decay_form.starting("decoupled"), maximize],
)
def ademamix(d):
    """A fast mean follows the slope, a slow one keeps what tens of thousands of gradients agree on."""
    weight, rate = alpha, beta3
    yield g[t], gradient(d, at=theta[t-1])
    if d.growth == "scheduled":
        share = t/warmup
        mixed = (1 - share)*log(beta3) + share*log(beta_start)
        yield alpha_bar[t], Min(share*alpha, alpha)
        yield beta3_bar[t], Min(exp(log(beta_start)*log(beta3)/mixed), beta3)
        weight, rate = alpha_bar[t], beta3_bar[t]
    yield m1[t], ema(beta1, m1[t-1], g[t])
    yield m2[t], ema(rate, m2[t-1], g[t])
    yield nu[t], ema(beta2, nu[t-1], g[t]**2)
    yield m1_hat[t], corrected(m1[t], beta1)
    yield nu_hat[t], corrected(nu[t], beta2)
    yield theta[t], decayed(d, theta[t-1] - lr*(m1_hat[t] + weight*m2[t])/root(d, nu_hat[t]))
