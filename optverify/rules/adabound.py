"""AdaBound: Adam whose step sizes are clipped into a band that narrows onto a single one, that of SGD."""

from sympy import Max, Min, sqrt

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, beta1, beta2, bias_correction, decay, decayed, ema, eps,
    g, gradient, hyper_symbol, lr, maximize, nonnegative, positive, rule, t, theta, unit, weight_decay_form,
)

m = State("m", meaning="first moment: decaying mean of the gradient")
v = State("v", nonnegative=True, meaning="second moment: decaying mean of the squared gradient")
v_max = State("v_max", nonnegative=True, meaning="largest second moment so far (AMSBound)")
eta_l, eta_u = Variable("eta_l", nonnegative=True), Variable("eta_u", nonnegative=True)
eta_hat = Variable("eta_hat", nonnegative=True)
final_lr, gamma, base_lr = hyper_symbol("final_lr"), hyper_symbol("gamma"), hyper_symbol("base_lr")

amsbound = Axis(
    "amsbound",
    "Is the largest second moment so far taken?",
    {False: "no: AdaBound", True: "yes: AMSBound"},
)
band = Axis(
    "band",
    "Does the band follow the learning rate?",
    {
        "fixed": "no",
        "scaled": "yes: final_lr is multiplied by lr/base_lr (the authors' code)",
    },
)
step_decay = Axis(
    "step_decay",
    "Do the step sizes fall further?",
    {
        "sqrt": "yes, by 1/sqrt(t), as the regret bound asks",
        "none": "no (the authors' code)",
    },
)


@rule(
    "adabound",
    title="AdaBound",
    sources=[
        Source("Luo, Xiong, Liu and Sun", 2019, "Adaptive gradient methods with dynamic bound of learning"
               " rate", "Algorithm 2, with the bounds of the experiments; epsilon is that of the authors'"
               " code", "ICLR", arxiv="1902.09843"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\alpha", 1e-3, positive, "step size at the start"),
        Hyperparameter(beta1, r"\beta_1", 0.9, unit, "decay rate of the first moment"),
        Hyperparameter(beta2, r"\beta_2", 0.999, unit, "decay rate of the second moment"),
        Hyperparameter(final_lr, r"\alpha^*", 0.1, positive, "step size the band closes on"),
        Hyperparameter(gamma, r"\gamma", 1e-3, positive, "speed at which the band narrows"),
        Hyperparameter(base_lr, r"\alpha_0", 1e-3, positive, "learning rate at which the band is final_lr's"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        decay,
    ],
    states=[m, v, v_max],
    axes=[bias_correction.only("none", "both"), amsbound, band, step_decay, weight_decay_form, maximize],
)
def adabound(d):
    """From Adam to SGD: the bounds leave everything free at first and nothing at the end."""
    rate, end = lr, final_lr*lr/base_lr if d.band == "scaled" else final_lr
    if d.bias_correction == "both":
        rate = lr*sqrt(1 - beta2**t)/(1 - beta1**t)
    yield g[t], gradient(d, at=theta[t-1])
    yield m[t], ema(beta1, m[t-1], g[t])
    yield v[t], ema(beta2, v[t-1], g[t]**2)
    second = v[t]
    if d.amsbound:
        yield v_max[t], Max(v_max[t-1], v[t])
        second = v_max[t]
    yield eta_l[t], end*(1 - 1/(gamma*t + 1))
    yield eta_u[t], end*(1 + 1/(gamma*t))
    yield eta_hat[t], Min(Max(rate/(sqrt(second) + eps), eta_l[t]), eta_u[t])
    size = eta_hat[t]/sqrt(t) if d.step_decay == "sqrt" else eta_hat[t]
    yield theta[t], decayed(d, theta[t-1] - size*m[t])
