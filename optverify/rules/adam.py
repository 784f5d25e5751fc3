"""Adam: a step of size lr along the mean gradient, divided by the root of the mean squared gradient."""

from sympy import Max, sqrt

from optverify.language import (
    Axis, Exclusion, Hyperparameter, Source, State, Variable, beta1, beta2, bias_correction, corrected, decay,
    decayed, ema, eps, epsilon, g, gradient, lr, maximize, nonnegative, positive, root, rule, t, theta, unit,
    weight_decay_form,
)

m = State("m", meaning="first moment: decaying mean of the gradient")
v = State("v", nonnegative=True, meaning="second moment: decaying mean of the squared gradient")
v_max = State("v_max", nonnegative=True, meaning="largest second moment so far (AMSGrad)")
m_hat, v_hat = Variable("m_hat"), Variable("v_hat", nonnegative=True)
alpha = Variable("alpha")

amsgrad = Axis(
    "amsgrad",
    "What does AMSGrad take the maximum of?",
    {
        "none": "no maximum: Adam",
        "v": "the raw second moment; the maximum is then corrected (PyTorch; Reddi et al. do not correct it)",
        "v_hat": "the corrected second moment (optax)",
    },
)


@rule(
    "adam",
    title="Adam",
    sources=[
        Source("Kingma and Ba", 2015, "Adam: a method for stochastic optimization", "Algorithm 1; the"
               " epsilon-hat form stands at the end of section 2", "ICLR", arxiv="1412.6980"),
        Source("Reddi, Kale and Kumar", 2018, "On the convergence of Adam and beyond",
               "Algorithm 2 (AMSGrad)", "ICLR", arxiv="1904.09237"),
        Source("Loshchilov and Hutter", 2019, "Decoupled weight decay regularization", "Algorithm 2 (AdamW)",
               "ICLR", arxiv="1711.05101"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\alpha", 1e-3, positive, "step size"),
        Hyperparameter(beta1, r"\beta_1", 0.9, unit, "decay rate of the first moment"),
        Hyperparameter(beta2, r"\beta_2", 0.999, unit, "decay rate of the second moment"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        decay,
    ],
    states=[m, v, v_max],
    axes=[epsilon, bias_correction, weight_decay_form, amsgrad, maximize],
    excluded=[
        Exclusion({"epsilon": "hat", "amsgrad": "v_hat"}, "the epsilon-hat form has no v-hat: take 'v'"),
    ],
)
def adam(d):
    """Moments of the gradient, corrected for their start at zero, give every coordinate its own step."""
    first, second = d.bias_correction in ("both", "first"), d.bias_correction in ("both", "second")
    yield g[t], gradient(d, at=theta[t-1])
    yield m[t], ema(beta1, m[t-1], g[t])
    yield v[t], ema(beta2, v[t-1], g[t]**2)
    first_moment, second_moment = m[t], v[t]
    if d.amsgrad == "v":
        yield v_max[t], Max(v_max[t-1], v[t])
        second_moment = v_max[t]
    if d.epsilon == "hat":
        yield alpha[t], lr*(sqrt(1 - beta2**t) if second else 1)/(1 - beta1**t if first else 1)
        yield theta[t], decayed(d, theta[t-1] - alpha[t]*m[t]/root(d, second_moment))
        return
    if first:
        yield m_hat[t], corrected(m[t], beta1)
        first_moment = m_hat[t]
    if second:
        yield v_hat[t], corrected(second_moment, beta2)
        second_moment = v_hat[t]
    if d.amsgrad == "v_hat":
        yield v_max[t], Max(v_max[t-1], second_moment)
        second_moment = v_max[t]
    yield theta[t], decayed(d, theta[t-1] - lr*first_moment/root(d, second_moment))
